/**
 * Specifications of the chains that tests run, with the state of the first block computed once: a node would have to compile
 * the runtime for that. What was computed, and what nodes compiled, stays in the cache for the next network.
 */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { BINARY, command } from './binary.mjs';
import { CACHE } from './cache.mjs';

const NETWORKS = join(CACHE, 'networks');
/** Where nodes of tests keep compiled runtimes. */
export const RUNTIMES = join(NETWORKS, 'runtimes');
const SPECIFICATIONS = join(NETWORKS, 'chains');
/** Specifications that were made so many milliseconds ago are removed. */
const KEPT = 7 * 24 * 3600 * 1000;

/**
 * Writes a specification with its first state into a folder, and returns its path.
 *
 * @param {string} preset
 * @param {string} folder
 * @param {(genesis: object) => void} [change] changes the preset's genesis
 */
export async function specification(preset, folder, change) {
  const path = join(folder, 'chain.json');
  let plain = await cached(`${preset} of ${build()}`, () => print(preset));
  if (change) {
    const spec = JSON.parse(plain);
    change(spec.genesis.runtimeGenesis.patch ?? spec.genesis.runtimeGenesis.config);
    plain = JSON.stringify(spec);
  }
  const made = await cached(plain, () => {
    writeFileSync(path, plain);
    return print(path, '--raw');
  });
  writeFileSync(path, made);
  return path;
}

async function print(chain, ...options) {
  const { stdout } = await command(['build-spec', `--chain=${chain}`, '--disable-default-bootnode', ...options]);
  return stdout;
}

/** What tells this build of the node from any other. */
function build() {
  const { ino, size, mtimeMs } = statSync(BINARY);
  return [BINARY, ino, size, mtimeMs].join(' ');
}

/** The text that was made for this name before, or is made now. */
async function cached(name, make) {
  const path = join(SPECIFICATIONS, createHash('sha256').update(name).digest('hex'));
  if (existsSync(path)) return readFileSync(path, 'utf8');
  mkdirSync(SPECIFICATIONS, { recursive: true });
  const text = await make();
  removeOld();
  // Another process may make the same: each sees all of it or nothing.
  const own = `${path}.${process.pid}`;
  writeFileSync(own, text);
  renameSync(own, path);
  return text;
}

function removeOld() {
  for (const file of readdirSync(SPECIFICATIONS)) {
    const path = join(SPECIFICATIONS, file);
    const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (Date.now() - made > KEPT) rmSync(path, { force: true });
  }
}
