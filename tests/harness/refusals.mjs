/** Calls that the chain must refuse. */

import assert from 'node:assert/strict';
import { xxhashAsHex } from '@polkadot/util-crypto';

import { balance } from './accounts.mjs';
import { send } from './transactions.mjs';
import { until } from './wait.mjs';

/**
 * Sends calls at once, and asserts that each fails with its error, and that all of them cost their sender their fees
 * and nothing else. Meanwhile nobody else may change what the sender owns.
 *
 * @param {import('./network.mjs').Network} network
 * @param {import('@polkadot/keyring/types').KeyringPair} sender
 * @param {[import('@polkadot/api/types').SubmittableExtrinsic<'promise'>, string][]} cases calls and names of errors
 * @param {{ untouched?: string[] }} [options] pallets whose storage must stay as it is, byte for byte
 * @returns {Promise<bigint>} the fees, in planck
 */
export async function refused(network, sender, cases, { untouched = [] } = {}) {
  const storage = () => Promise.all(untouched.map((pallet) => stored(network.first, pallet)));
  const before = await balance(network.api, sender);
  const storedBefore = await storage();
  const fees = await Promise.all(cases.map(([call, error]) => refusal(network.api, sender, call, error)));
  const fee = fees.reduce((sum, fee) => sum + fee, 0n);
  const { free, held, total } = before;
  const expected = { free: free - fee, held, total: total - fee };
  // Another block may have taken the place of one that had some of them: they are in a later one then.
  await until(
    'all of them to be in the chain',
    async () => (await balance(network.api, sender)).total <= expected.total,
  );
  assert.deepEqual(await balance(network.api, sender), expected);
  assert.deepEqual(await storage(), storedBefore);
  return fee;
}

/** Sends a call that must fail, and returns its fee. */
async function refusal(api, sender, call, error) {
  const label = `${call.method.method}(${call.method.args})`.slice(0, 100);
  const outcome = await send(api, call, sender).then(
    () => 'no error',
    (error) => error,
  );
  assert.equal(`${label}: ${outcome.message ?? outcome}`, `${label}: ${error}`);
  return outcome.fee;
}

/** All that a pallet stores. */
async function stored(node, pallet) {
  const pairs = await node.rpc('state_getPairs', xxhashAsHex(pallet, 128));
  assert(pairs.length > 0, `the pallet ${pallet} stores nothing`);
  return pairs;
}
