/** Writes the state that a story leaves on four validators. Run by scripts/snapshot. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Network } from '../harness/index.mjs';
import { encoded, stateOf } from './state.mjs';
import { play } from './story.mjs';

const STATES = fileURLToPath(new URL('../../runtime/tests/states', import.meta.url));
const progress = (text) => console.error(text);

progress('Starting four validators');
const net = await Network.start({ validators: 4, args: ['--gateway-replicas=1'] });
try {
  await play(net, progress);
  const hash = await net.api.rpc.chain.getFinalizedHead();
  const { number } = await net.api.rpc.chain.getHeader(hash);
  const file = resolve(process.argv[2] ?? join(STATES, `spec-${net.api.runtimeVersion.specVersion}.scale`));
  const state = encoded(await stateOf(net.first, hash));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, state);
  console.log(`${file}: ${state.length} bytes, the state of block ${number}`);
} finally {
  await net.stop();
}
process.exit();
