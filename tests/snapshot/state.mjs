/** All that a chain stores, as one file. */

import { compactAddLength, compactToU8a, hexToU8a, u8aConcat } from '@polkadot/util';

/** The key of the runtime's code, which is not the state's. */
const CODE = '0x3a636f6465';

/**
 * Keys and values of a block's state without the runtime's code, in the order of the keys.
 *
 * @param {import('../harness/node.mjs').Node} node
 * @param {{ toHex: () => string }} hash of the block
 * @returns {Promise<[string, string][]>} in hexadecimal
 */
export async function stateOf(node, hash) {
  const pairs = await node.rpc('state_getPairs', '0x', hash.toHex());
  return pairs.filter(([key]) => key !== CODE).sort(([one], [other]) => (one < other ? -1 : 1));
}

/** SCALE: a vector of pairs of byte strings. */
export function encoded(pairs) {
  const strings = pairs.flat().map((hex) => compactAddLength(hexToU8a(hex)));
  return u8aConcat(compactToU8a(pairs.length), ...strings);
}
