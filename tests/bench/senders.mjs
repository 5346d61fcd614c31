/** The accounts of the benchmarks that load a chain, by number, and what they sign: the same in every process. */

import { Keyring } from '@polkadot/api';
import { blake2AsHex, blake2AsU8a, cryptoWaitReady, encodeAddress } from '@polkadot/util-crypto';

import { TUNE } from '../harness/accounts.mjs';
import { EACH, participant } from './crowd.mjs';

await cryptoWaitReady();
const keyring = new Keyring({ type: 'sr25519', ss58Format: 42 });

const RECEIVERS = 100;
/** Words that names of modules begin with: of most types that a chain begins with, and one of none. */
const FAMILIES = ['llama', 'whisper', 'sdxl', 'sentence-transformers', 'mobilenet', 'acme-tool'];
/** The most that a name may cost: twice what the highest demand asks for a long one. */
const MAX_PRICE = 200n * TUNE;

/** The hash of a document that there is not. */
const NOTHING = `0x${'00'.repeat(32)}`;

/** The key pair of a sender. */
export const sender = (index) => keyring.addFromSeed(blake2AsU8a(`ensemble bench sender ${index}`, 256));

/** The addresses of those that transfers go to. */
export const receivers = Array.from({ length: RECEIVERS }, (_, index) =>
  encodeAddress(blake2AsU8a(`ensemble bench receiver ${index}`, 256), 42),
);

/** The name of the module that a sender registers with its nonce-th transaction. */
export const moduleName = (index, nonce) => `${FAMILIES[(index + nonce) % FAMILIES.length]}-${index}-${nonce}`;

/** What a sender calls with its nonce-th transaction, by the kind of load. */
export const CALLS = {
  transfer: (tx, index, nonce) =>
    tx.balances.transferKeepAlive({ Id: receivers[(index + nonce) % receivers.length] }, 1),

  register(tx, index, nonce) {
    const name = moduleName(index, nonce);
    const profile = {
      endpoint: `https://models.example.org/${name}`,
      metadata: blake2AsHex(`metadata of ${name}`),
      description: `The model ${name}.`,
      implementation: blake2AsHex(`implementation of ${name}`),
    };
    return tx.modules.register(name, profile, MAX_PRICE);
  },

  /** The module of a miner or validator. */
  enrol(tx, index, nonce) {
    const { name } = participant(index * EACH + nonce);
    const profile = { endpoint: `https://models.example.org/${name}`, metadata: NOTHING, description: '' };
    return tx.modules.register(name, { ...profile, implementation: null }, MAX_PRICE);
  },

  /** The part of a miner or validator, whose module it registered with as many transactions before. */
  join(tx, index, nonce, { ids, types }) {
    const number = index * EACH + nonce - EACH;
    const { judges, capacity } = participant(number);
    const role = judges ? { Validator: { types: [types[judges]], capacity } } : 'Miner';
    return tx.modules.setRole(ids[number], role);
  },
};
