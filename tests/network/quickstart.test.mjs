/** The guides for a terminal work from nothing to the result, line by line, each in less than ten minutes. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { serve } from '../demo/serving.mjs';
import { tinyModel } from '../harness/gguf.mjs';
import { Network } from '../harness/index.mjs';
import { withShortSessions } from '../harness/inference.mjs';
import { follow, linesOf } from '../harness/shell.mjs';

/** The guides that need a chain of one node alone, and what the terminal shows if they end as they say. */
const ALONE = {
  'README.md': [/gpt-of-me/, /chat/],
  'docs/contributing.md': [/copy\.txt/],
  'docs/scoring.md': [/gpt-of-turner 1\.000/, /revealed batch/],
};

/** Follows a guide, and says how long that took. */
async function followed(t, guide, node, expected) {
  assert(linesOf(guide).length > 4);
  const start = Date.now();
  const shown = await follow(guide, node);
  for (const line of expected) assert.match(shown, line);
  t.diagnostic(`${guide}: ${((Date.now() - start) / 60_000).toFixed(1)} min`);
}

describe('guides for a terminal', { concurrency: 2 }, () => {
  describe('on a development node', { concurrency: 2 }, () => {
    let net;
    before(async () => {
      net = await Network.start();
    });
    after(() => net?.stop());

    for (const [guide, expected] of Object.entries(ALONE)) {
      it(`${guide} works line by line`, (t) => followed(t, guide, net.first, expected));
    }
  });

  describe('on a development node of its own, whose tasks a miner answers', () => {
    let net;
    before(async () => {
      net = await Network.start();
    });
    after(() => net?.stop());

    const expected = [/module [0-9]+ joined/, /task 0: committed/, /task 0: revealed/];
    it('docs/mining.md works line by line', (t) => followed(t, 'docs/mining.md', net.first, expected));
  });

  describe('on a network that serves a model', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ensemble-quickstart-'));
    let net;
    before(async () => {
      writeFileSync(join(folder, 'tiny.gguf'), tinyModel());
      net = await Network.start({ validators: 4, genesis: withShortSessions });
      await serve(net, join(folder, 'tiny.gguf'));
    });
    after(async () => {
      await net?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    it('docs/asking.md works line by line', (t) => followed(t, 'docs/asking.md', net.first, [/tokens/]));
  });
});
