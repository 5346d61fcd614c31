/** The node binary and its subcommands. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { CACHE } from './cache.mjs';

const run = promisify(execFile);

/** Path of the node binary: `ENSEMBLE_NODE`, or where scripts/build puts it. */
export const BINARY = existing(process.env.ENSEMBLE_NODE ?? built('ensemble-node'), 'scripts/build');

/** Path of the client: `ENSEMBLE_CLIENT`, or where scripts/build puts it. It need be there only where it is run. */
export const client = () => existing(process.env.ENSEMBLE_CLIENT ?? built('ensemble'), 'scripts/build client');

/** Where cargo puts a program. */
export function built(name) {
  const target = process.env.CARGO_TARGET_DIR ?? join(CACHE, 'target');
  return join(target, 'release', name);
}

/** Path of the wasm of the runtime after the one that is tested: `scripts/build next` makes it. */
export const NEXT_RUNTIME = built(
  join('wbuild', 'ensemble-runtime-next', 'ensemble_runtime_next.compact.compressed.wasm'),
);

/** The path of a program that must be there; `remedy` builds it. */
export function existing(path, remedy) {
  if (!existsSync(path)) throw new Error(`there is no program at ${path}: run ${remedy} first`);
  return path;
}

/**
 * Runs a subcommand to its end. Some compile the runtime, which takes long where several do on one core.
 *
 * @param {string[]} args
 * @param {{ within?: number }} [limits] deadline in milliseconds
 * @returns {Promise<{ stdout: string, stderr: string }>} rejects with an error that has both if the exit code is not 0
 */
export function command(args, { within = 180_000 } = {}) {
  return run(BINARY, args, { maxBuffer: 64 * 1024 * 1024, timeout: within, killSignal: 'SIGKILL' });
}

/** Runs a subcommand that must fail, and returns what it said. */
export async function failing(args, limits) {
  const outcome = await command(args, limits).catch((error) => error);
  if (!(outcome instanceof Error)) throw new Error(`\`${args.join(' ')}\` should have failed and did not`);
  return { code: outcome.code, stdout: outcome.stdout, stderr: outcome.stderr };
}
