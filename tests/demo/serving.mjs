/** A network whose nodes serve a language model: the first is the gateway, the others are workers. */

import { join } from 'node:path';

import { TUNE } from '../harness/index.mjs';
import { ServedModel } from '../harness/inference.mjs';
import { imported } from '../harness/models.mjs';

/** What a worker and a gateway put up: more than they need, so that one that is slashed is a worker still. */
export const BOND = 400n * TUNE;

/** Has accounts agree on a model through a task, with time for validators to fetch it, and registers it. */
export function agreeOn(network, bundle, creator, contributors) {
  const phases = { commit: 6, reveal: 5, attest: 60 };
  return ServedModel.agreedOn(network, bundle, creator, contributors, { phases });
}

/** Has accounts become workers on nodes, and waits until those hold the model. Returns them in that order. */
export async function hire(model, crew) {
  const workers = await Promise.all(crew.map(([node, account]) => model.join(node, account, BOND)));
  await model.loaded();
  return workers;
}

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
  const model = await agreeOn(network, bundle, creator, [ann, ben]);
  progress(`its workers join, and load model ${model.id}`);
  await hire(
    model,
    network.nodes.map((node) => [node, servers[node.name]]),
  );
  return model;
}
