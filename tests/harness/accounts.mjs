/** Accounts of stories: fresh keys, funded by Alice. */

import { Keyring } from '@polkadot/api';
import { cryptoWaitReady } from '@polkadot/util-crypto';

import { send } from './transactions.mjs';

/** One TUNE in planck. */
export const TUNE = 1_000_000_000_000n;

await cryptoWaitReady();
const keyring = new Keyring({ type: 'sr25519', ss58Format: 42 });

/** The key pair of a well-known account, or of any other derivation. */
export const wellKnown = (name) => keyring.addFromUri(`//${name[0].toUpperCase()}${name.slice(1)}`);

/** The key pair of a secret phrase. */
export const pairOf = (secret) => keyring.addFromUri(secret);

let stories = 0;

export class Accounts {
  #api;

  /** @param {import('@polkadot/api').ApiPromise} api */
  constructor(api) {
    this.#api = api;
    this.alice = wellKnown('alice');
  }

  /**
   * Key pairs that nobody has used yet, by name, with the phrases that they are of for programs that sign themselves.
   * Their accounts do not exist on the chain.
   */
  fresh(...names) {
    stories += 1;
    const pair = (secret) => Object.assign(pairOf(secret), { secret });
    return Object.fromEntries(names.map((name) => [name, pair(`//${process.pid}/${stories}/${name}`)]));
  }

  /**
   * Fresh key pairs whose accounts own 1000 TUNE each, in a finalised block.
   *
   * @param {...string} names
   * @returns {Promise<Record<string, import('@polkadot/keyring/types').KeyringPair>>}
   */
  async funded(...names) {
    const pairs = this.fresh(...names);
    const calls = Object.values(pairs).map(({ address }) =>
      this.#api.tx.balances.transferKeepAlive(address, 1_000n * TUNE),
    );
    await send(this.#api, this.#api.tx.utility.batchAll(calls), this.alice, { until: 'finalized' });
    return pairs;
  }
}

/** What an account owns: free, held and in all, in planck. */
export async function balance(api, { address }) {
  const { free, reserved } = (await api.query.system.account(address)).data;
  return { free: free.toBigInt(), held: reserved.toBigInt(), total: free.toBigInt() + reserved.toBigInt() };
}
