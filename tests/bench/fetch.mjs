/** How long an 8 MB tensor takes to a node with an empty store on this machine, and what it costs in memory. */

import { randomFillSync } from 'node:crypto';

import { Network, Tensor, headerBytes, until } from '../harness/index.mjs';
import { progress, report } from './report.mjs';

const ROUNDS = 3;
const MB = 1_000_000;

const net = await Network.start();
try {
  const results = [];
  for (let round = 1; round <= ROUNDS; round += 1) results.push(await fetchOnce(round));
  report('fetch.seconds', Math.max(...results.map(({ seconds }) => seconds)), 's', { atMost: 5 });
  report('fetch.memory', Math.max(...results.map(({ rise }) => rise)) / MB, 'MB', { atMost: 32 });
} finally {
  await net.stop();
}
process.exit();

/** Has a node that was just started fetch a tensor that no other round has used. The worst round counts. */
async function fetchOnce(round) {
  const tensor = new Tensor(Buffer.concat([headerBytes('i16', 1_000, 4_000), randomFillSync(Buffer.alloc(8 * MB))]));
  await net.first.tensors.put(tensor.id, tensor.encoded);
  const node = await net.add({ name: `empty-${round}` });
  await until('the node to catch up', async () => (await node.finalized()) >= (await net.first.finalized()));
  await node.tensors.info();

  const before = node.memory();
  let peak = before;
  const start = performance.now();
  await node.tensors.fetch(tensor.id);
  await until(
    'the tensor to arrive',
    async () => {
      peak = Math.max(peak, node.memory());
      return (await node.tensors.status(tensor.id)).status === 'held';
    },
    { every: 10 },
  );
  const seconds = (performance.now() - start) / 1000;
  progress(`round ${round}: ${seconds.toFixed(2)} s, ${((peak - before) / MB).toFixed(1)} MB`);
  await node.stop();
  return { seconds, rise: peak - before };
}
