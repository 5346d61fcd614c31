/** The RPC by which a node hands on what gateways send to workers without a node, as whoever has no client uses it. */

import { bnToU8a, compactAddLength, u8aToHex } from '@polkadot/util';
import { base58Decode } from '@polkadot/util-crypto';

import { signed } from './inference.mjs';
import { inTime } from './wait.mjs';

export class Relay {
  #node;
  #peer;

  constructor(node, peer) {
    this.#node = node;
    this.#peer = peer;
  }

  /** @param {import('./node.mjs').Node} node */
  static async of(node) {
    return new Relay(node, base58Decode(await node.rpc('system_localPeerId')));
  }

  /** A key's signature that messages for it are to go to whoever shows this, with the number of a block. */
  sign(pair, at) {
    const number = bnToU8a(at, { bitLength: 32, isLe: true });
    const { genesisHash } = this.#node.api;
    return pair.sign(
      signed('ensemble/relay', genesisHash.toU8a(), compactAddLength(this.#peer), pair.publicKey, number),
    );
  }

  /**
   * Has messages for a worker's key handed on. Returns what its answers are sent with, and what ends it.
   *
   * @param {import('@polkadot/keyring/types').KeyringPair} pair
   * @param {number} at number of a block
   * @param {Uint8Array} [signature]
   * @throws {Error} if the node refuses
   */
  async serve(pair, at, signature = this.sign(pair, at)) {
    const provider = this.#node.api._rpcCore.provider;
    let subscription;
    const token = new Promise((resolve, reject) => {
      const take = (error, item) => {
        if (error) reject(error);
        else if (item.kind === 'serving') resolve(item.token);
      };
      const params = [u8aToHex(pair.publicKey), at, u8aToHex(signature)];
      provider.subscribe('ensemble_rows', 'ensemble_serveRows', params, take).then((id) => (subscription = id), reject);
    });
    return {
      token: await inTime(`${this.#node.name} to say that it hands on`, token, 20_000),
      end: () => provider.unsubscribe('ensemble_rows', 'ensemble_unserveRows', subscription),
    };
  }

  /** Sends the bytes of an answer. */
  answer(token, bytes) {
    return this.#node.rpc('ensemble_answerRows', token, Buffer.from(bytes).toString('base64'));
  }
}
