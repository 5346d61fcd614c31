/**
 * What the chain had stored after its blocks, each read by the types of the runtime that made it. `api.at` of polkadot.js
 * does the same until the chain is upgraded: it then goes on to read the blocks that it has read before by the types that
 * it had for them in the first place, which meanwhile are those of the next runtime.
 */

import { Metadata, StorageKey, TypeRegistry, expandMetadata } from '@polkadot/types';
import { hexToU8a } from '@polkadot/util';

export class History {
  #api;
  /** By version, its storage and what its types are. */
  #runtimes = new Map();

  /** @param {import('@polkadot/api').ApiPromise} api */
  constructor(api) {
    this.#api = api;
  }

  /** What was stored after the block of this number, which is finalised and not the first one. */
  async at(number) {
    const hash = await this.#api.rpc.chain.getBlockHash.raw(number);
    return new State(this.#api, hash, await this.#runtime(hash));
  }

  /** The runtime that made a block: the one that its parent has stored. */
  async #runtime(hash) {
    const { chain, state } = this.#api.rpc;
    const { parentHash } = await chain.getHeader.raw(hash);
    const { specVersion } = await state.getRuntimeVersion.raw(parentHash);
    if (!this.#runtimes.has(specVersion)) this.#runtimes.set(specVersion, await this.#load(parentHash));
    return this.#runtimes.get(specVersion);
  }

  async #load(hash) {
    const registry = new TypeRegistry();
    const metadata = new Metadata(registry, await this.#api.rpc.state.getMetadata.raw(hash));
    registry.setChainProperties(this.#api.registry.getChainProperties());
    registry.setMetadata(metadata, undefined, undefined, true);
    return { registry, query: expandMetadata(registry, metadata).query };
  }
}

class State {
  #api;
  #hash;
  #runtime;

  constructor(api, hash, runtime) {
    this.#api = api;
    this.#hash = hash;
    this.#runtime = runtime;
  }

  /**
   * An item of storage.
   *
   * @param {string} pallet
   * @param {string} item
   * @param {...unknown} keys
   */
  async read(pallet, item, ...keys) {
    const { registry, query } = this.#runtime;
    const entry = query[pallet][item];
    const key = new StorageKey(registry, keys.length > 0 ? [entry, keys] : entry);
    const stored = await this.#api.rpc.state.getStorage.raw(key.toHex(), this.#hash);
    const { fallback, modifier } = entry.meta;
    const decode = (bytes) => registry.createType(key.outputType, hexToU8a(bytes));
    if (modifier.isOptional) return registry.createType(`Option<${key.outputType}>`, stored && decode(stored));
    return decode(stored ?? fallback.toHex());
  }
}
