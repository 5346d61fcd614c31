/** A node's tensor store as its RPC shows it. */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { u8aToHex } from '@polkadot/util';

import { Tensor, encodedLength } from './tensor.mjs';
import { until } from './wait.mjs';

/** Bytes in one part of an upload, and in one part of a download. */
const PART = 2 * 1024 * 1024;

export class Tensors {
  #node;

  /** @param {import('./node.mjs').Node} node */
  constructor(node) {
    this.#node = node;
  }

  /**
   * Uploads a tensor in parts.
   *
   * @param {string} id
   * @param {Uint8Array} bytes canonical encoding
   */
  async put(id, bytes) {
    let answer;
    for (let offset = 0; offset < bytes.length && !answer?.complete; offset += PART) {
      answer = await this.putPart(id, offset, bytes.subarray(offset, offset + PART));
    }
    return answer;
  }

  /** Uploads one part of a tensor. */
  putPart(id, offset, part) {
    return this.#node.rpc('ensemble_putTensor', id, offset, Buffer.from(part).toString('base64'));
  }

  /** Downloads a whole tensor; a restricted one with a token. */
  async get(id, token) {
    const { header } = await this.status(id);
    const total = encodedLength(header);
    const parts = [];
    for (let offset = 0; offset < total; offset += PART)
      parts.push(await this.range(id, offset, Math.min(PART, total - offset), token));
    return Buffer.concat(parts);
  }

  /** Downloads a whole tensor, and makes sure that it is the one that was asked for. */
  async download(id) {
    const tensor = new Tensor(await this.get(id));
    if (tensor.id !== id) throw new Error(`${this.#node.name} answered with ${tensor.id} for ${id}`);
    return tensor;
  }

  /** Downloads a range of a tensor's canonical encoding; of a restricted one with a token. */
  async range(id, offset, length, token) {
    const params = [id, offset, length, ...(token ? [token] : [])];
    return Buffer.from(await this.#node.rpc('ensemble_getTensor', ...params), 'base64');
  }

  /** Has a tensor, before it is uploaded, served to those alone who are entitled to what wins a task: it, or a bundle. */
  restrict(id, task, bundle) {
    return this.#node.rpc('ensemble_restrictTensor', id, task, ...(bundle ? [bundle] : []));
  }

  /** What an account has to sign to be served a restricted tensor. */
  challenge(id) {
    return this.#node.rpc('ensemble_challenge', id);
  }

  /** Shows an account's signature of a challenge. Returns a token and the account's title. */
  answer(id, account, { challenge, message }) {
    return this.#node.rpc('ensemble_unlockTensor', id, account.address, challenge, u8aToHex(account.sign(message)));
  }

  /** A token with which an account is served a restricted tensor, and its title. */
  async unlock(id, account) {
    return this.answer(id, account, await this.challenge(id));
  }

  /** Downloads a whole tensor that is restricted, for an account. */
  async getFor(id, account) {
    const { token } = await this.unlock(id, account);
    return this.get(id, token);
  }

  /** What the node has of a tensor: its `status` is absent, fetching, held or failed. */
  status(id) {
    return this.#node.rpc('ensemble_hasTensor', id);
  }

  /** A proof that a row belongs to the tensor. */
  proof(id, row) {
    return this.#node.rpc('ensemble_tensorProof', id, row);
  }

  /** Starts to fetch a tensor from other nodes; a restricted one as what won a task. */
  fetch(id, maxBytes, task) {
    const params = task === undefined ? [maxBytes] : [maxBytes ?? null, task];
    return this.#node.rpc('ensemble_fetchTensor', id, ...params.filter((param) => param !== undefined));
  }

  pin(id) {
    return this.#node.rpc('ensemble_pinTensor', id);
  }

  unpin(id) {
    return this.#node.rpc('ensemble_unpinTensor', id);
  }

  remove(id) {
    return this.#node.rpc('ensemble_removeTensor', id);
  }

  info() {
    return this.#node.rpc('ensemble_storeInfo');
  }

  /** Waits until the node has a status for the tensor, and returns all that it says of it. */
  async reaches(id, wanted, { within = 60_000, every = 50 } = {}) {
    const answer = await until(
      `${this.#node.name} to say "${wanted}" of ${id}`,
      async () => {
        const answer = await this.status(id);
        return answer.status === wanted || answer.status === 'failed' ? answer : undefined;
      },
      { within, every },
    );
    if (answer.status !== wanted) throw new Error(`${this.#node.name} could not fetch ${id}: ${answer.reason}`);
    return answer;
  }

  /** The file in which the node keeps a tensor. */
  file(id) {
    const name = id.slice(2);
    const found = search(join(this.#node.folder, 'data'), (path) => path.includes(name));
    if (!found) throw new Error(`${this.#node.name} keeps no file for ${id}`);
    return found;
  }
}

function search(folder, matches) {
  if (!existsSync(folder)) return undefined;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const found = statSync(path).isDirectory() ? search(path, matches) : matches(path) && path;
    if (found) return found;
  }
  return undefined;
}
