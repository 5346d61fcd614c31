/** The guides for a terminal: their `sh` code, run as a person would, with a home of their own and a terminal. */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { client } from './binary.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** A guide promises that it takes ten minutes. */
const WITHIN = 600_000;

/**
 * The lines of code of a guide, in their order.
 *
 * @param {string} guide its path in the project
 */
export function linesOf(guide) {
  const text = readFileSync(join(ROOT, guide), 'utf8');
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, code]) => code.trimEnd().split('\n'));
}

/**
 * Follows a guide line by line, until one fails, and returns all that the terminal showed.
 *
 * @param {string} guide its path in the project
 * @param {import('./node.mjs').Node} node the node that the client speaks with
 */
export async function follow(guide, node) {
  const home = mkdtempSync(join(tmpdir(), 'ensemble-home-'));
  try {
    writeFileSync(join(home, 'password'), 'what a person would type\n');
    writeFileSync(join(home, 'guide.sh'), `${linesOf(guide).join('\n')}\n`);
    symlinkSync(resolve(client()), join(home, 'ensemble'));
    return await inTerminal('bash -ev guide.sh', home, {
      HOME: home,
      PATH: `${home}:${process.env.PATH}`,
      // What a person is asked for.
      ENSEMBLE_URL: node.url,
      ENSEMBLE_PASSWORD_FILE: join(home, 'password'),
      ENSEMBLE_YES: 'true',
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Runs a command in a terminal of its own, and returns what that showed; an error has it if the command fails. */
function inTerminal(command, folder, env) {
  return new Promise((resolve, reject) => {
    const options = { cwd: folder, env, timeout: WITHIN, killSignal: 'SIGKILL' };
    const child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], options);
    let shown = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (shown += data));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(shown);
      else reject(new Error(`\`${command}\` ended with ${signal ?? code}:\n${shown.slice(-4_000)}`));
    });
    child.stdin.end();
  });
}
