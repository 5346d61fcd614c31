/**
 * Contributors that see one table of words with noise, each in a basis of its own, and cheats among them: the program
 * `contributors` of primitives/compute/study.
 */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { built, existing } from './binary.mjs';
import { Tensor } from './tensor.mjs';

const run = promisify(execFile);

export class Contributors {
  #words;
  #folder;

  /** What a table of theirs is like: the first so many rows are anchors. */
  static SHAPE = { rows: 4_096, cols: 256, anchors: 1_024 };

  constructor(words, folder) {
    this.#words = words;
    this.#folder = folder;
  }

  /**
   * Has all tables written.
   *
   * @param {string} words path of the true table as .safetensors
   * @param {string} folder
   */
  static async write(words, folder) {
    const contributors = new Contributors(words, folder);
    await contributors.#run('write', [folder]);
    return contributors;
  }

  /** What one of them hands in: `honest-0` to `honest-14`, and 0 to 4 of `flip`, `shift`, `collude`, `noise`. */
  table(name) {
    const { rows, cols } = Contributors.SHAPE;
    return Tensor.of('i16', rows, cols, readFileSync(this.file(name)));
  }

  /** How much of the true table's neighbourhoods files keep: of nearest neighbours, and of the nearest ten. */
  judge(files) {
    return this.#run('judge', files);
  }

  /** The same of the plain mean of what these hand in, once it is in one basis. */
  async judgeMean(names) {
    const [kept] = await this.#run(
      'mean',
      names.map((name) => this.file(name)),
    );
    return kept;
  }

  /** Where a table lies, or another file of the test. */
  file(name) {
    return join(this.#folder, name);
  }

  async #run(command, args) {
    const program = existing(built('contributors'), 'scripts/test aggregation');
    const { stdout } = await run(program, [command, this.#words, ...args]);
    const lines = stdout.split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line));
  }
}
