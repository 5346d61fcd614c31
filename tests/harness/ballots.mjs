/** Votes as a voter's node would cast them, but with what a story wants it to say. */

import { randomBytes } from 'node:crypto';

import { compactAddLength, stringToU8a, u8aConcat, u8aToHex } from '@polkadot/util';

import { commitmentOf } from './tasks.mjs';
import { blockReached } from './transactions.mjs';
import { until } from './wait.mjs';

/** A general transaction of version 5 with version 0 of the extensions. */
const PREAMBLE = [0x45, 0];
/** Of all extensions only four have bytes: immortal, nonce 0, no tip, no hash of metadata. */
const EXTENSION = [0, 0, 0, 0];

/**
 * Sends a call that no account signs and that the chain lets in for what is in it. Returns the transaction's hash.
 *
 * The bytes go to the node as they are: polkadot.js would decode them, and encode transactions without a signer otherwise.
 */
export function submitAuthorized(api, call) {
  const encoded = compactAddLength(u8aConcat(PREAMBLE, EXTENSION, call.method.toU8a()));
  return api._rpcCore.provider.send('author_submitExtrinsic', [u8aToHex(encoded)]);
}

/** What signs votes with a validator's attester key, which on local networks is that of its account. */
export class Voter {
  #api;
  #key;
  #salt = randomBytes(32);

  /**
   * @param {import('@polkadot/api').ApiPromise} api
   * @param {import('@polkadot/keyring/types').KeyringPair} key
   */
  constructor(api, key) {
    this.#api = api;
    this.#key = key;
  }

  /** Commits to a tensor in the vote by a task. */
  async commit(task, tensor) {
    // What another node told of may not have come to this one.
    await until(`the voter's node to hear of task ${task}`, () => this.#task(task));
    const sealed = {
      task,
      voter: this.#key.publicKey,
      commitment: commitmentOf(tensor.id, this.#key, task, this.#salt),
    };
    return this.#cast('commitAsAttester', 'ensemble/vote-seals/v1', sealed);
  }

  /** Opens that commitment. */
  async reveal(task, tensor) {
    await blockReached(this.#api, (await this.#task(task)).commitUntil.toNumber());
    const opened = { task, voter: this.#key.publicKey, descriptor: tensor.descriptor, salt: this.#salt };
    return this.#cast('revealAsAttester', 'ensemble/vote-opens/v1', opened);
  }

  /** The task, if the voter's node knows it. */
  async #task(id) {
    return (await this.#api.query.tasks.tasks(id)).unwrapOr(undefined);
  }

  #cast(name, domain, vote) {
    const make = this.#api.tx.tasks[name];
    const { args } = make(vote, new Uint8Array(64));
    const message = u8aConcat(stringToU8a(domain), this.#api.genesisHash, args[0].toU8a());
    return submitAuthorized(this.#api, make(vote, this.#key.sign(message)));
  }
}
