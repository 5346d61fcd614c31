/** Loading a chain with transactions that were signed before, by accounts that genesis has funded. */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

import { until } from '../harness/index.mjs';
import { progress } from './report.mjs';
import { sender } from './senders.mjs';

/** Arguments of nodes whose pools have room for what is sent ahead of the blocks. */
export const POOL = ['--pool-limit=50000', '--pool-kbytes=100000'];
/** Transactions in one request. */
const BATCH = 250;
/** What a block holds besides transactions: the time. */
const INHERENTS = 1;

/** Gives each sender so much, in planck. */
export function endow({ balances }, senders, amount) {
  for (let index = 0; index < senders; index += 1) balances.balances.push([sender(index).address, Number(amount)]);
}

/**
 * Signs transactions in worker threads: the nonce-th of each sender before the next of any.
 *
 * @param {import('@polkadot/api').ApiPromise} api
 * @param {{ kind: keyof import('./senders.mjs').CALLS, senders: number, count: number, first?: number, nonce?: number,
 *   data?: object }} load `first`: number of the first sender; `nonce`: the first of each; `data`: what calls are made of
 * @returns {Promise<string[]>}
 */
export async function sign(api, { kind, senders, count, first = 0, nonce = 0, data }) {
  const chain = {
    metadata: api.runtimeMetadata.toHex(),
    genesis: api.genesisHash.toHex(),
    version: {
      specVersion: api.runtimeVersion.specVersion.toNumber(),
      transactionVersion: api.runtimeVersion.transactionVersion.toNumber(),
    },
  };
  const perSender = Math.ceil(count / senders);
  const workers = availableParallelism();
  const share = Math.ceil(senders / workers);
  const parts = await Promise.all(
    Array.from({ length: workers }, (_, worker) => {
      const [from, to] = [worker * share, Math.min((worker + 1) * share, senders)];
      return inWorker({ chain, kind, first: first + from, last: first + to, nonce, perSender, data });
    }),
  );
  const bySender = parts.flat();
  const rounds = Array.from({ length: perSender }, (_, nonce) => bySender.map((own) => own[nonce]));
  return rounds.flat().slice(0, count);
}

function inWorker(workerData) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('signer.mjs', import.meta.url), { workerData });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

/**
 * Sends everything in batches, never more than `ahead` beyond what is in finalised blocks, and waits until all of it
 * is.
 *
 * @param {import('../harness/index.mjs').Network} net
 * @param {string[]} signed
 * @param {number} ahead
 * @returns {Promise<Block[]>} the finalised blocks from before the first transaction to the last
 *
 * @typedef {{ hash: string, transactions: number, time: number }} Block  time in milliseconds
 */
export async function run(net, signed, ahead) {
  const counter = await countFinalised(net);
  await submit(net.first, signed, counter, ahead);
  const all = () => counter.transactions >= signed.length;
  await until('all transactions to be finalised', all, { within: 300_000, every: 200 });
  counter.stop();
  const last = counter.blocks.findLastIndex(({ transactions }) => transactions > 0);
  const first = counter.blocks.findIndex(({ transactions }) => transactions > 0);
  return counter.blocks.slice(first - 1, last + 1);
}

async function submit(node, signed, counter, ahead) {
  for (let sent = 0; sent < signed.length; sent += BATCH) {
    await until('the pool to have room', () => sent - counter.transactions < ahead, { within: 300_000, every: 20 });
    await post(node, signed.slice(sent, sent + BATCH));
  }
}

/** Puts signed transactions into a node's pool. */
export async function post(node, signed) {
  const url = node.url.replace('ws:', 'http:');
  const headers = { 'content-type': 'application/json' };
  for (let sent = 0; sent < signed.length; sent += BATCH) {
    const body = signed.slice(sent, sent + BATCH).map((extrinsic, id) => ({
      jsonrpc: '2.0',
      id,
      method: 'author_submitExtrinsic',
      params: [extrinsic],
    }));
    const answers = await (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).json();
    const refused = answers.find(({ error }) => error);
    if (refused) throw new Error(`a transaction was refused: ${JSON.stringify(refused.error)}`);
  }
}

/** Counts transactions in finalised blocks as they come, from the block that is finalised now. */
async function countFinalised(net) {
  const { api } = net;
  const counter = { transactions: 0, blocks: [] };
  let next = await net.first.finalized();
  let reading = Promise.resolve();
  const read = async (last) => {
    for (; next <= last; next += 1) {
      const hash = (await api.rpc.chain.getBlockHash(next)).toHex();
      // Not decoded: this shares the machine with the nodes that it measures.
      const [{ block }, now] = await Promise.all([
        net.first.rpc('chain_getBlock', hash),
        net.first.rpc('state_getStorage', api.query.timestamp.now.key(), hash),
      ]);
      const transactions = block.extrinsics.length - INHERENTS;
      counter.blocks.push({ hash, transactions, time: Number(Buffer.from(now.slice(2), 'hex').readBigUInt64LE()) });
      counter.transactions += transactions;
    }
  };
  counter.stop = await api.rpc.chain.subscribeFinalizedHeads(({ number }) => {
    reading = reading.then(() => read(number.toNumber()));
    reading.catch((error) => progress(`cannot read a block: ${error.message}`));
  });
  return counter;
}
