/** How long a node takes to execute a block that it has: again, and by itself, so that nothing else is measured. */

import { compactToU8a, u8aToHex } from '@polkadot/util';

/** So often a block is executed; the fastest counts. */
const TIMES = 3;

/**
 * Milliseconds that a block takes: `whole`, and what happens `before` its first transaction.
 *
 * The runtime executes the block on the state of its parent, as any node does that imports it.
 *
 * @param {import('../harness/index.mjs').Network} net whose first node still has the state of the block's parent
 * @param {number} number
 */
export async function execution(net, number) {
  const hash = (await net.api.rpc.chain.getBlockHash(number)).toHex();
  const { block } = await net.first.rpc('chain_getBlock', hash);
  const { header, extrinsics } = block;
  // The last item is the author's signature of all of the others: it is not there yet when a block is executed.
  const digest = { logs: header.digest.logs.slice(0, -1) };
  const encoded = net.api.registry.createType('Header', { ...header, digest }).toHex();
  const body = [u8aToHex(compactToU8a(extrinsics.length)), ...extrinsics].map((part) => part.slice(2)).join('');
  const call = (method, data) => net.first.rpc('state_call', method, data, header.parentHash);
  return {
    whole: await fastest(() => call('Core_execute_block', encoded + body)),
    before: await fastest(() => call('Core_initialize_block', encoded)),
    transactions: extrinsics.length,
  };
}

async function fastest(work) {
  let best = Infinity;
  for (let time = 0; time < TIMES; time += 1) {
    const start = performance.now();
    await work();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}
