/** Four validators that run until they are told to stop. Run by scripts/localnet. */

import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { CACHE } from '../harness/cache.mjs';
import { Network } from '../harness/index.mjs';
import { smollm2 } from '../harness/smollm2.mjs';
import { serve } from './serving.mjs';

const FIRST_RPC_PORT = 9944;

const options = process.argv.slice(2);
const keep = options.includes('--keep');
if (keep && options.includes('--model')) {
  console.error('localnet: --keep goes on with what the network serves already; leave --model out');
  process.exit(2);
}
const named = options.find((option) => !option.startsWith('--'));
const folder = resolve(named ?? join(CACHE, 'localnet'));

if (!keep) rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

let net;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.removeAllListeners(signal);
  process.once(signal, async () => {
    console.log('Stopping');
    await net?.stop();
    process.exit(signal === 'SIGINT' ? 130 : 0);
  });
}

console.log(`Starting four validators in ${folder}`);
net = await Network.start({ validators: 4, keep: folder, firstRpcPort: FIRST_RPC_PORT });
for (const { name, url, log } of net.nodes) console.log(`  ${name.padEnd(8)} ${url}  ${log}`);
if (options.includes('--model')) {
  const file = await smollm2(console.log);
  const model = await serve(net, file, (text) => console.log(`${text[0].toUpperCase()}${text.slice(1)}`));
  console.log(
    `SmolLM2-135M-Instruct is model ${model.id}, and answers: ensemble ask ${model.id} "What is a blockchain?"`,
  );
}
console.log('The network finalises blocks. Ctrl-C stops it.');
