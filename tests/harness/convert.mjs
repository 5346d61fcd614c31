/** Tensor files made by the node's own command. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { command } from './binary.mjs';
import { Tensor } from './tensor.mjs';

/**
 * Converts the contents of a .npy or .safetensors file.
 *
 * @param {Uint8Array} file
 * @param {'npy' | 'safetensors'} ending
 * @param {string} [name] which tensor of the file
 * @returns {Promise<Tensor>}
 */
export async function converted(file, ending, name) {
  const folder = mkdtempSync(join(tmpdir(), 'ensemble-convert-'));
  const [input, output] = [join(folder, `input.${ending}`), join(folder, 'output.enst')];
  try {
    writeFileSync(input, file);
    await command(['tensor', 'convert', input, output, ...(name ? ['--name', name] : [])]);
    return new Tensor(readFileSync(output));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
