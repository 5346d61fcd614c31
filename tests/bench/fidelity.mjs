/** How far the integers of inference agree with floating point on the same weights, over the texts of this repository. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { built, existing } from '../harness/binary.mjs';
import { imported } from '../harness/models.mjs';
import { smollm2 } from '../harness/smollm2.mjs';
import { progress } from './report.mjs';

const TEXTS = [
  'docs/concepts.md',
  'docs/mining.md',
  'docs/validator.md',
  'docs/decisions.md',
  'docs/attacks.md',
  'LICENSE',
];

const program = existing(built('fidelity'), 'scripts/bench fidelity');
const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ensemble-fidelity-'));
try {
  const { manifest } = await imported(await smollm2(progress), folder);
  const texts = TEXTS.map((text) => join(root, text));
  const { status } = spawnSync(program, [manifest, ...texts], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}
