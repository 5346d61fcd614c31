/** Modules as their owners see them: registered, and read from the runtime. */

import { TUNE } from './accounts.mjs';
import { send } from './transactions.mjs';

/** What an owner says of a module where a story does not say otherwise. */
export const PROFILE = {
  endpoint: 'https://models.example.com/v1',
  metadata: `0x${'00'.repeat(32)}`,
  description: '',
  implementation: null,
};

/**
 * The call that registers a name.
 *
 * @param {import('@polkadot/api').ApiPromise} api
 * @param {string} name text, or bytes in hexadecimal
 * @param {object} [options] what differs from `PROFILE`, and the most to pay, in planck
 */
export function registerCall(api, name, { maxPrice = 1_000n * TUNE, ...profile } = {}) {
  return api.tx.modules.register(name, { ...PROFILE, ...profile }, maxPrice);
}

/**
 * Registers names in one transaction, all or none.
 *
 * @param {import('@polkadot/api').ApiPromise} api
 * @param {import('@polkadot/keyring/types').KeyringPair} owner
 * @param {...string} names
 * @returns {Promise<{ modules: Registered[], cost: bigint }>} the modules, and what is gone for good: what was burnt
 *   for the names, and the transaction's fee
 */
export async function register(api, owner, ...names) {
  const calls = names.map((name) => registerCall(api, name));
  const receipt = await send(api, api.tx.utility.batchAll(calls), owner);
  const modules = registered(receipt);
  return { modules, cost: modules.reduce((cost, { burnt }) => cost + burnt, receipt.fee) };
}

/**
 * The modules that a transaction registered.
 *
 * @param {import('./transactions.mjs').Receipt} receipt
 * @returns {Registered[]}
 *
 * @typedef {{ id: number, name: string, type: number, burnt: bigint, deposit: bigint }} Registered
 */
export function registered({ events }) {
  return events
    .filter(({ section, method }) => section === 'modules' && method === 'ModuleRegistered')
    .map(({ data: { module, name, modelType, burnt, deposit } }) => ({
      id: module.toNumber(),
      name: name.toUtf8(),
      type: modelType.toNumber(),
      burnt: burnt.toBigInt(),
      deposit: deposit.toBigInt(),
    }));
}

/** What the runtime says of a module; nothing if there is none of this number. */
export async function moduleView(api, id) {
  return (await api.call.modulesApi.module(id)).unwrapOr(undefined);
}

/** The numbers of the types of models, by their names. */
export async function modelTypes(api) {
  const types = await api.call.modulesApi.modelTypes();
  return Object.fromEntries(types.map(([number, name]) => [name.toUtf8(), number.toNumber()]));
}

/**
 * Searches to the end.
 *
 * @param {import('@polkadot/api').ApiPromise} api
 * @param {{ prefix?: string, modelType?: number, owner?: string }} query
 * @param {number} [limit] most modules of a page
 * @returns {Promise<string[][]>} the names found, page by page
 */
export async function search(api, { prefix = '', modelType = null, owner = null }, limit = 100) {
  const pages = [];
  let after = null;
  do {
    const { modules, next } = await api.call.modulesApi.search({ prefix, modelType, owner }, after, limit);
    pages.push(modules.map(({ name }) => name.toUtf8()));
    after = next.isSome ? next.unwrap().toHex() : null;
  } while (after !== null);
  return pages;
}
