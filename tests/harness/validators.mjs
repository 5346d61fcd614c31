/** Block validators: who stands, who sits, and who authors and finalises. Amounts are in planck. */

import { encodeAddress } from '@polkadot/util-crypto';

import { modelTypes, register } from './modules.mjs';
import { send } from './transactions.mjs';
import { until } from './wait.mjs';

/** Genesis with sessions of half a minute, after each of which validators are elected. */
export function withShortEras({ validators }) {
  Object.assign(validators, { sessionLength: 10, sessionsPerEra: 1 });
}

/**
 * Registers a module, stakes on it, and has it stand for election.
 *
 * @param {import('@polkadot/api').ApiPromise} api
 * @param {import('@polkadot/keyring/types').KeyringPair} owner
 * @param {string} name
 * @param {bigint} stake
 * @returns {Promise<number>} the module
 */
export async function standsWith(api, owner, name, stake) {
  const id = await judge(api, owner, name);
  const { stand } = api.tx.validators;
  await send(api, api.tx.utility.batchAll([api.tx.stake.stake(id, stake), stand(id)]), owner);
  return id;
}

/** Registers a module with the role of a validator, and returns its number. */
export async function judge(api, owner, name) {
  const { modules } = await register(api, owner, name);
  const [{ id }] = modules;
  const { chat } = await modelTypes(api);
  await send(api, api.tx.modules.setRole(id, { Validator: { types: [chat], capacity: 10 } }), owner);
  return id;
}

/** The seat of a validator in the current era; nothing if it has none. */
export async function seatOf(api, { address }) {
  const { seats } = await api.call.validatorsApi.era();
  const seat = seats.find(({ validator }) => validator.toString() === address);
  return seat && { module: seat.module.unwrapOr(undefined)?.toNumber() };
}

/** Waits until the validators of the current session are these, in whatever order. */
export async function sessionOf(api, accounts, within = 180_000) {
  const wanted = accounts.map(({ address }) => address).sort();
  const names = `${wanted.length} validators`;
  const current = async () => (await api.query.session.validators()).map(String).sort();
  await until(`a session of ${names}`, async () => String(await current()) === String(wanted), { within, every: 500 });
}

/** The key with which a validator finalises. */
export async function finalityKey(api, { address }) {
  return encodeAddress((await api.query.session.nextKeys(address)).unwrap().grandpa.toU8a(), 42);
}

/** Waits until a node has counted a vote that was signed with this key, in the round of finality that it is in. */
export async function votes(node, key, within = 60_000) {
  const voted = async () => {
    const { best } = await node.api.rpc.grandpa.roundState();
    const { currentWeight, missing } = best.prevotes;
    return currentWeight.toNumber() > 0 && ![...missing].some((voter) => voter.toString() === key);
  };
  await until(`${node.name} to count a vote of ${key}`, voted, { within, every: 50 });
}
