/** A network whose nodes serve a language model: the first is the gateway, the others are workers. */

import { join } from 'node:path';

import { TUNE } from '../harness/index.mjs';
import { ServedModel } from '../harness/inference.mjs';
import { imported } from '../harness/models.mjs';

/** What a worker and a gateway put up. */
const BOND = 400n * TUNE;

/**
 * Imports a .gguf file, has two accounts agree on it through a task, and has four nodes serve it.
 *
 * @param {import('../harness/network.mjs').Network} network
 * @param {string} file
 * @param {(text: string) => void} progress
 * @returns {Promise<ServedModel>}
 */
export async function serve(network, file, progress = () => {}) {
  const { creator, ann, ben, ...servers } = await network.accounts.funded(
    'creator',
    'ann',
    'ben',
    ...network.nodes.map(({ name }) => name),
  );
  progress('importing the model');
  const bundle = await imported(file, join(network.folder, 'model'), { within: 300_000 });
  await bundle.upload(network.first.tensors);
  progress('agreeing on it: commit, reveal, attest');
  const phases = { commit: 6, reveal: 5, attest: 60 };
  const model = await ServedModel.agreedOn(network, bundle, creator, [ann, ben], { phases });
  progress(`its workers join, and load model ${model.id}`);
  await Promise.all(network.nodes.map((node) => model.join(node, servers[node.name], BOND)));
  await model.loaded();
  return model;
}
