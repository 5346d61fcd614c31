/** The calls in docs/polkadot-js.md work when pasted: all of them are run, in their order, against one node. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';

import { Network } from '../harness/index.mjs';

const guide = readFileSync(new URL('../../docs/polkadot-js.md', import.meta.url), 'utf8');
const blocks = [...guide.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);

describe('docs/polkadot-js.md', () => {
  /** @type {Network} */
  let net;
  // Inside tests/, so that the guide's imports are found.
  const folder = mkdtempSync(join(fileURLToPath(new URL('..', import.meta.url)), '.guide-'));

  before(async () => {
    net = await Network.start();
  });
  after(async () => {
    await net?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it(`all ${blocks.length} pieces of code run, and end as the guide says`, async () => {
    assert(blocks.length > 5);
    const code = blocks.join('\n').replaceAll('ws://127.0.0.1:9944', net.first.url);
    const path = join(folder, 'guide.mjs');
    writeFileSync(path, code);
    const { stdout } = await promisify(execFile)(process.execPath, [path], { timeout: 240_000, killSignal: 'SIGKILL' });
    assert.match(stdout, /won by [1-9]/);
    await net.moneyAddsUp();
  });
});
