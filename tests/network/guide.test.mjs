/** The calls in the guides work when pasted: all of a guide's are run, in their order, and both guides on one node. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { tinyModel } from '../harness/gguf.mjs';
import { piecesOf, runGuide } from '../harness/guides.mjs';
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
    /score 900000, usage 0, 2 ways to pay/,
    /2 calls left/,
    /referendum 0 is Approved/,
    /answers for [1-9][0-9]* planck/,
    /answered with [1-9][0-9]* tokens/,
  ],
  'mining.md': [
    /is scored by \[[0-9]+\]/,
    /score 1000000 of 1000000, said by 1/,
    /paid [1-9][0-9]* planck/,
    /listed with a score of 1000000/,
    /good for this call and 9 more/,
    /1 call redeemed, usage 1000/,
  ],
};

describe('guides', () => {
  /** @type {Network} */
  let net;
  const folder = mkdtempSync(join(tmpdir(), 'ensemble-guide-'));

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
    for (const [guide, expected] of Object.entries(GUIDES)) {
      const { length } = piecesOf(guide);

      it(`all ${length} pieces of code in docs/${guide} run, and end as it says`, async () => {
        assert(length > 5);
        const printed = await runGuide(guide, net.first, { env: { MODEL: join(folder, 'model') } });
        for (const line of expected) assert.match(printed, line);
      });
    }
  });

  it('the books are right afterwards', async () => {
    await net.moneyAddsUp();
  });
});
