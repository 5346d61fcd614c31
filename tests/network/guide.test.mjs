/** The calls in the guides work when pasted: all of a guide's are run, in their order, and both guides on one node. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';

import { tinyModel } from '../harness/gguf.mjs';
import { Network } from '../harness/index.mjs';
import { imported } from '../harness/models.mjs';

/** The guides, and what their code prints if it ends as they say. They use different accounts. */
const GUIDES = {
  'polkadot-js.md': [
    /won by [1-9]/,
    /round 0 settled on 0x[0-9a-f]{64}/,
    /near row 17: row [0-9]+/,
    /is scored by \[[0-9]+\]/,
    /in this epoch so far: [1-9]/,
    /referendum 0 is Approved/,
    /answers for [1-9][0-9]* planck/,
    /answered with [1-9][0-9]* tokens/,
  ],
  'mining.md': [/is scored by \[[0-9]+\]/, /score 1000000 of 1000000, said by 1/, /paid [1-9][0-9]* planck/],
};

describe('guides', () => {
  /** @type {Network} */
  let net;
  // Inside tests/, so that the guides' imports are found.
  const folder = mkdtempSync(join(fileURLToPath(new URL('..', import.meta.url)), '.guide-'));

  before(async () => {
    writeFileSync(join(folder, 'tiny.gguf'), tinyModel());
    await imported(join(folder, 'tiny.gguf'), join(folder, 'model'));
    net = await Network.start({ args: ['--gateway-replicas=1'] });
  });
  after(async () => {
    await net?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  describe('run', { concurrency: 2 }, () => {
    for (const [name, expected] of Object.entries(GUIDES)) {
      const guide = readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
      const blocks = [...guide.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);

      it(`all ${blocks.length} pieces of code in docs/${name} run, and end as it says`, async () => {
        assert(blocks.length > 5);
        const path = join(folder, name.replace('.md', '.mjs'));
        writeFileSync(path, blocks.join('\n').replaceAll('ws://127.0.0.1:9944', net.first.url));
        const env = { ...process.env, MODEL: join(folder, 'model') };
        const run = promisify(execFile)(process.execPath, [path], { timeout: 540_000, killSignal: 'SIGKILL', env });
        const { stdout } = await run;
        for (const line of expected) assert.match(stdout, line);
      });
    }
  });

  it('the books are right afterwards', async () => {
    await net.moneyAddsUp();
  });
});
