/** The guides in docs/: their code, run as one program. */

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const TESTS = fileURLToPath(new URL('..', import.meta.url));

/**
 * The pieces of code in a guide, in their order.
 *
 * @param {string} guide name of its file
 */
export function piecesOf(guide) {
  const text = readFileSync(new URL(`../../docs/${guide}`, import.meta.url), 'utf8');
  return [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);
}

/**
 * Runs all pieces of a guide as one program, and returns what it printed.
 *
 * @param {string} guide name of its file
 * @param {import('./node.mjs').Node} node the node that it speaks with
 * @param {{ env?: Record<string, string>, within?: number }} [options] variables of its environment; deadline in milliseconds
 */
export async function runGuide(guide, node, { env = {}, within = 540_000 } = {}) {
  // Inside tests/, so that the guide's imports are found.
  const folder = mkdtempSync(join(TESTS, '.guide-'));
  try {
    const path = join(folder, guide.replace('.md', '.mjs'));
    writeFileSync(path, piecesOf(guide).join('\n').replaceAll('ws://127.0.0.1:9944', node.url));
    const limits = { timeout: within, killSignal: 'SIGKILL', env: { ...process.env, ...env } };
    return (await promisify(execFile)(process.execPath, [path], limits)).stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
