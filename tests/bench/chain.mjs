/**
 * Sustained transfers per second, counted in finalised blocks: of one node, then of four validators on this machine.
 *
 * Every transfer is signed before the clock starts, by accounts that genesis has funded. What counts is what receivers
 * own in the end, so that a transfer that failed counts for nothing.
 */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

import { Network, TUNE, until } from '../harness/index.mjs';
import { progress, report } from './report.mjs';
import { receiver, sender } from './senders.mjs';

const SENDERS = 2_000;
const RECEIVERS = 100;
/** Room for what is sent ahead of the blocks. */
const POOL = ['--pool-limit=50000', '--pool-kbytes=100000'];
/** Transfers in one request. */
const BATCH = 250;
/** What a block holds besides transfers: the time. */
const INHERENTS = 1;
const BAR = 1_000;

// `ahead`: two full blocks wait to be finalised, and one or two in the pool. A larger pool costs each of four nodes more.
const one = await load({ validators: 1, transfers: 60_000, ahead: 14_000 });
report('chain.transfers', one.rate, 'transfers/s', { atLeast: BAR });
report('chain.block', one.fullest, 'transfers in the fullest block');
const four = await load({ validators: 4, transfers: 20_000, ahead: 10_000 });
report('chain.four.transfers', four.rate, 'transfers/s');
report('chain.four.lag', four.lag, 'finalised blocks between first and last node', { atMost: 3 });
process.exit();

/**
 * Starts a network, loads its first node with transfers until all are finalised, and measures. At most `ahead` transfers
 * are sent beyond what is in finalised blocks.
 */
async function load({ validators, transfers, ahead }) {
  progress(`starting ${validators} validator${validators > 1 ? 's' : ''}`);
  const net = await Network.start({ validators, args: POOL, genesis: endow });
  try {
    progress(`signing ${transfers} transfers`);
    const signed = await sign(net.api, transfers);
    progress('sending');
    const watch = watchFinality(net);
    const counted = countTransfers(net);
    await submit(net.first, signed, counted, ahead);
    await until('all transfers to be finalised', () => counted.transfers >= transfers, { within: 300_000, every: 200 });
    counted.stop();
    await assertReceived(net.api, transfers);
    return { ...counted.measure(), lag: watch.stop() };
  } finally {
    await net.stop();
  }
}

function endow({ balances }) {
  for (let index = 0; index < SENDERS; index += 1)
    balances.balances.push([sender(index).address, Number(1_000n * TUNE)]);
  for (let index = 0; index < RECEIVERS; index += 1) balances.balances.push([receiver(index), Number(TUNE)]);
}

/** Signs transfers in worker threads: the nonce-th of each sender before the next of any. */
async function sign(api, transfers) {
  const chain = {
    metadata: api.runtimeMetadata.toHex(),
    genesis: api.genesisHash.toHex(),
    version: {
      specVersion: api.runtimeVersion.specVersion.toNumber(),
      transactionVersion: api.runtimeVersion.transactionVersion.toNumber(),
    },
  };
  const perSender = Math.ceil(transfers / SENDERS);
  const workers = availableParallelism();
  const share = Math.ceil(SENDERS / workers);
  const parts = await Promise.all(
    Array.from({ length: workers }, (_, worker) => {
      const [first, last] = [worker * share, Math.min((worker + 1) * share, SENDERS)];
      return inWorker({ chain, first, last, perSender, receivers: RECEIVERS });
    }),
  );
  const bySender = parts.flat();
  const rounds = Array.from({ length: perSender }, (_, nonce) => bySender.map((own) => own[nonce]));
  return rounds.flat().slice(0, transfers);
}

function inWorker(workerData) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('signer.mjs', import.meta.url), { workerData });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

/** Sends everything in batches, never more than `ahead` beyond what is in finalised blocks. */
async function submit(node, signed, counted, ahead) {
  const url = node.url.replace('ws:', 'http:');
  for (let sent = 0; sent < signed.length; sent += BATCH) {
    await until('the pool to have room', () => sent - counted.transfers < ahead, { within: 300_000, every: 20 });
    const body = signed.slice(sent, sent + BATCH).map((extrinsic, id) => ({
      jsonrpc: '2.0',
      id,
      method: 'author_submitExtrinsic',
      params: [extrinsic],
    }));
    const headers = { 'content-type': 'application/json' };
    const answers = await (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).json();
    const refused = answers.find(({ error }) => error);
    if (refused) throw new Error(`a transfer was refused: ${JSON.stringify(refused.error)}`);
  }
}

/** Counts transfers in finalised blocks as they come. */
function countTransfers(net) {
  const { api } = net;
  const blocks = [];
  const counter = { transfers: 0 };
  let next;
  let reading = Promise.resolve();
  const read = async (last) => {
    for (next ??= last; next <= last; next += 1) {
      const hash = await api.rpc.chain.getBlockHash(next);
      // Not decoded: this shares the machine with the nodes that it measures.
      const [{ block }, now] = await Promise.all([
        net.first.rpc('chain_getBlock', hash.toHex()),
        net.first.rpc('state_getStorage', api.query.timestamp.now.key(), hash.toHex()),
      ]);
      const transfers = block.extrinsics.length - INHERENTS;
      blocks.push({ transfers, time: Number(Buffer.from(now.slice(2), 'hex').readBigUInt64LE()) });
      counter.transfers += transfers;
    }
  };
  const stop = api.rpc.chain.subscribeFinalizedHeads(({ number }) => {
    reading = reading.then(() => read(number.toNumber()));
    reading.catch((error) => progress(`cannot read a block: ${error.message}`));
  });
  counter.stop = async () => (await stop)();
  counter.measure = () => measure(blocks);
  return counter;
}

/** The rate from the first block with transfers to the last but one: the last is filled by what is left. */
function measure(blocks) {
  const first = blocks.findIndex(({ transfers }) => transfers > 0);
  const last = blocks.findLastIndex(({ transfers }) => transfers > 0) - 1;
  const loaded = blocks.slice(first, last + 1);
  const transfers = loaded.reduce((sum, block) => sum + block.transfers, 0);
  const elapsed = (blocks[last].time - blocks[first - 1].time) / 1000;
  progress(
    `${transfers} transfers in ${loaded.length} blocks and ${elapsed} s: ${loaded.map((block) => block.transfers).join(' ')}`,
  );
  return { rate: transfers / elapsed, fullest: Math.max(...loaded.map((block) => block.transfers)) };
}

/** Watches how far the nodes' finalised heights are apart. */
function watchFinality(net) {
  let worst = 0;
  const timer = setInterval(async () => {
    const heights = await Promise.all(net.nodes.map((node) => node.finalized())).catch(() => []);
    if (heights.length > 0) worst = Math.max(worst, Math.max(...heights) - Math.min(...heights));
  }, 500);
  return {
    stop() {
      clearInterval(timer);
      return worst;
    },
  };
}

/** Every transfer has arrived: receivers own one planck more for each. */
async function assertReceived(api, transfers) {
  const addresses = Array.from({ length: RECEIVERS }, (_, index) => receiver(index));
  const accounts = await api.query.system.account.multi(addresses);
  const received = accounts.reduce((sum, { data }) => sum + data.free.toBigInt() - TUNE, 0n);
  if (received !== BigInt(transfers)) throw new Error(`${received} of ${transfers} transfers arrived`);
}
