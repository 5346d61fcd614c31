/** The interpreter that has what the example miner in Python runs with. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { existing } from './binary.mjs';
import { CACHE } from './cache.mjs';
import { Daemon } from './daemon.mjs';

const MINER = fileURLToPath(new URL('../../docs/examples/miner.py', import.meta.url));

/**
 * Starts the example miner in Python.
 *
 * @param {{ url: string, name: string, answers: string, salts: string, secret: string }} options the node, the module,
 *   the folders of its files and of its salts, and its account's phrase
 */
export function pythonMiner({ url, name, answers, salts, secret }) {
  const python = existing(join(CACHE, 'python', 'bin', 'python'), 'scripts/test client-miners');
  const env = { PATH: process.env.PATH, SECRET: secret };
  return new Daemon('miner in Python', python, [MINER, url, name, answers, salts], { env, told: () => {} });
}
