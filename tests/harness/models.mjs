/** Models imported by the node's own command. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { command } from './binary.mjs';
import { Tensor } from './tensor.mjs';

/** A model's bundle in a folder, as the import has written it. */
export class Model {
  /** @param {string} folder */
  constructor(folder, facts) {
    this.folder = folder;
    this.facts = facts;
    this.id = facts.id;
    /** Path of the manifest. */
    this.manifest = facts.file;
    /** @type {Record<string, string>} ids of the members by their names */
    this.members = Object.fromEntries(facts.members.map(({ name, id }) => [name, id]));
  }

  /** Path of the file of a tensor. */
  file(id) {
    return join(this.folder, id);
  }

  /** A member, or without a name the manifest. */
  tensor(name) {
    return new Tensor(readFileSync(this.file(name === undefined ? this.id : this.members[name])));
  }

  /** Uploads manifest and members to a node, the members first. What the node has, of another model perhaps, it keeps. */
  async upload(tensors) {
    for (const id of new Set([...Object.values(this.members), this.id])) {
      const { status } = await tensors.status(id);
      if (status !== 'held') await tensors.put(id, readFileSync(this.file(id)));
    }
    await tensors.reaches(this.id, 'held');
  }
}

/**
 * Imports a .gguf file.
 *
 * @param {string} file path of the file
 * @param {string} folder where to write the bundle
 * @param {{ context?: number, within?: number }} [options]
 */
export async function imported(file, folder, { context, within = 60_000 } = {}) {
  const limit = context === undefined ? [] : ['--context', String(context)];
  const { stdout } = await command(['model', 'import', file, '--out', folder, ...limit, '--json'], { within });
  return new Model(folder, JSON.parse(stdout));
}

/** Asks a model, with this machine alone. */
export async function asked(model, question, { tokens = 16, threads = 1, within = 60_000 } = {}) {
  const limits = ['--tokens', String(tokens), '--threads', String(threads)];
  const { stdout } = await command(['model', 'ask', model.manifest, question, ...limits, '--json'], { within });
  return JSON.parse(stdout);
}
