/** How long the client takes from its start to the answer of `ensemble network status`. */

import { Client } from '../harness/client.mjs';
import { Network } from '../harness/index.mjs';
import { progress, report } from './report.mjs';

const ROUNDS = 20;

const net = await Network.start();
const client = new Client(net.first.url);
try {
  const seconds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    await client.ask('network status');
    seconds.push((performance.now() - start) / 1000);
  }
  seconds.sort((one, other) => one - other);
  progress(`from ${seconds[0].toFixed(3)} s to ${seconds.at(-1).toFixed(3)} s in ${ROUNDS} rounds`);
  report('client.status', seconds[ROUNDS / 2], 's', { atMost: 0.5 });
} finally {
  client.remove();
  await net.stop();
}
process.exit();
