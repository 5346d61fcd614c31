/** The accounts of the chain benchmark, by number: the same in every process. */

import { Keyring } from '@polkadot/api';
import { blake2AsU8a, cryptoWaitReady, encodeAddress } from '@polkadot/util-crypto';

await cryptoWaitReady();
const keyring = new Keyring({ type: 'sr25519', ss58Format: 42 });

/** The key pair of a sender. */
export const sender = (index) => keyring.addFromSeed(blake2AsU8a(`ensemble bench sender ${index}`, 256));

/** The address of a receiver. */
export const receiver = (index) => encodeAddress(blake2AsU8a(`ensemble bench receiver ${index}`, 256), 42);
