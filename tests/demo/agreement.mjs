/** Four validators agree on real word embeddings that three contributors commit, one of them dishonest. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { TUNE, Task, balance, converted, idOf, proofHolds, tensorContent, until } from '../harness/index.mjs';
import { COLS, ROWS, alterRow, embeddings } from './embeddings.mjs';
import { megabytes, short, tune } from './format.mjs';
import { bar } from './steps.mjs';

const PHASES = { commit: 6, reveal: 5, attest: 15 };
/** The row whose number is the word "king" in the table's vocabulary. */
const KING = 6_989;
/** The row that the dishonest contributor has altered. */
const ALTERED = 12_345;
const SHARES = 1_000_000_000_000n;

/** @type {import('../harness/network.mjs').Network} */
let net;

/**
 * @param {import('../harness/network.mjs').Network} network
 * @param {import('./steps.mjs').Steps} steps
 */
export async function agreement(network, steps) {
  net = network;
  const table = await steps.step('Download word embeddings', download);
  const { creator, ann, ben, eve } = await steps.step('Fund a creator and three contributors', fund);
  const contributions = await steps.step('Convert the table to 8-bit blocks, three times', (show) =>
    convertTables(table, { ann, ben, eve }, show),
  );
  await steps.step('Upload each to another node', (show) => upload(contributions, show));
  const task = await steps.step('Create a funded task', () => createTask(creator, contributions));
  await steps.step('Commit: three hashes, no content', () => commit(task, contributions));
  await steps.step('Reveal', (show) => reveal(task, contributions, show));
  await steps.step('Attest: the validators fetch the leader and verify it', (show) =>
    attest(task, contributions, show),
  );
  await steps.step('Settle: rewards, shares, slashes', () => settle(task, contributions, creator));
  const fifth = await steps.step('Start a fifth node with an empty store', startFifth);
  const id = await steps.step('It fetches the winner over libp2p', (show) => fetchWinner(fifth, task, show));
  await steps.step('It proves one row against the chain', () => proveRow(fifth, task, id, contributions));
  await fifth.stop();
}

async function download(show) {
  const file = readFileSync(await embeddings(show));
  return { shown: `${ROWS} x ${COLS} half-precision floats, ${megabytes(file.length)} MB, hash checked`, result: file };
}

async function fund() {
  const result = await net.accounts.funded('creator', 'ann', 'ben', 'eve');
  return { shown: '1000 TUNE each', result };
}

async function convertTables(table, { ann, ben, eve }, show) {
  const convert = async (name, file) => {
    show(`${name} converts`);
    return converted(file, 'safetensors');
  };
  const result = [
    { name: 'Ann', account: ann, node: 'alice', tensor: await convert('Ann', table) },
    { name: 'Ben', account: ben, node: 'bob', tensor: await convert('Ben', table) },
    { name: 'Eve', account: eve, node: 'charlie', tensor: await convert('Eve', alterRow(table, ALTERED)) },
  ];
  const [honest, second, altered] = result.map(({ tensor }) => tensor);
  assert.deepEqual([honest.kind, honest.rows, honest.cols], ['q8_0', ROWS, COLS]);
  assert.equal(honest.id, second.id, 'two who convert the same file get the same id');
  assert.notEqual(honest.id, altered.id);
  const differing = Array.from({ length: ROWS }, (_, row) => row).filter(
    (row) => Buffer.compare(honest.leaf(row), altered.leaf(row)) !== 0,
  );
  assert.deepEqual(differing, [ALTERED]);
  return { shown: `Ann and Ben ${short(honest.id)}, Eve ${short(altered.id)} (row ${ALTERED} differs)`, result };
}

async function upload(contributions, show) {
  for (const { name, node, tensor } of contributions) {
    show(`${name} uploads ${megabytes(tensor.encoded.length)} MB to ${node}`);
    assert((await net.node(node).tensors.put(tensor.id, tensor.encoded)).complete);
  }
  return { shown: contributions.map(({ name, node }) => `${name} to ${node}`).join(', ') };
}

async function createTask(creator, [{ tensor }]) {
  const task = await Task.create(net, creator, { content: tensorContent(tensor), phases: PHASES, quorum: 2 });
  assert.equal((await balance(net.api, creator)).held >= task.escrow, true);
  return { shown: `task ${task.id}, ${tune(task.escrow)} TUNE held for rewards`, result: task };
}

/** Waits until the chain has all of them: on the way from one fork to another some may be missing. */
function counted(task, what, contributions) {
  const all = async () => (await task.record())[what].toNumber() === contributions.length;
  return until(`${contributions.length} contributions to be ${what}`, all);
}

async function commit(task, contributions) {
  await Promise.all(contributions.map(({ account, tensor }) => task.commit(account, tensor)));
  await counted(task, 'committed', contributions);
  return { shown: `3 commitments, ${tune(task.terms.bond)} TUNE of bond each` };
}

async function reveal(task, contributions, show) {
  const watching = watchPhase(task, show);
  await task.revealing();
  await Promise.all(contributions.map(({ account, tensor }) => task.reveal(account, tensor)));
  watching.stop();
  await counted(task, 'revealed', contributions);
  return { shown: `leader ${short(contributions[0].tensor.id)} with 2 of 3` };
}

async function attest(task, [{ tensor }], show) {
  const watching = watchPhase(task, show);
  const { won, backers } = await task.decided();
  watching.stop();
  assert.equal(won?.root.toHex(), tensor.descriptor.root);
  assert.equal(backers, 2);
  const attested = task.count('Attested');
  assert(attested >= 3, 'two thirds of four attesters');
  return { shown: `${attested} validators attested, ${short(tensor.id)} won` };
}

/** Shows where a task stands until it is told to stop. */
function watchPhase(task, show) {
  const look = async () => {
    const [view, best] = await Promise.all([net.api.call.tasksApi.task(task.id), net.first.best()]);
    if (view.isNone) return;
    const { phase, committed, revealed, attested, commitUntil, revealUntil, attestUntil } = view.unwrap();
    const until = { Commit: commitUntil, Reveal: revealUntil, Attest: attestUntil }[phase.type];
    const start = task.commitUntil - PHASES.commit;
    const end = revealUntil.toNumber() + PHASES.attest;
    const counts = `${committed} committed, ${revealed} revealed, ${attested[0]} of ${attested[1]} attested`;
    show(
      `${bar(best - start, end - start)} ${phase.type.padEnd(6)} block ${best}${until ? ` of ${until}` : ''}: ${counts}`,
    );
  };
  const timer = setInterval(() => look().catch(() => {}), 1_000);
  return { stop: () => clearInterval(timer) };
}

async function settle(task, contributions, creator) {
  const { participants, returned } = await task.settled();
  const [ann, ben, eve] = contributions.map(({ account }) => participants[account.address]);
  // Growth of 10 % for each further participant: a pool of 3 * 10 * 0.1 * 2 = 6 TUNE for the two winners.
  assert.deepEqual(ann, { reward: 13n * TUNE, slashed: 0n, shares: SHARES / 2n });
  assert.deepEqual(ben, ann);
  assert.deepEqual(eve, { reward: 5n * TUNE, slashed: 2n * TUNE, shares: 0n });
  assert.equal(returned, task.escrow - 31n * TUNE);
  for (const { account } of [...contributions, { account: creator }]) {
    assert.equal((await balance(net.api, account)).held, 0n);
  }
  for (const { name, account } of contributions) {
    const { reward, slashed, shares } = participants[account.address];
    console.log(
      `   ${name}: paid ${tune(reward)} TUNE, slashed ${tune(slashed)} TUNE, ${(shares * 100n) / SHARES} % of the shares`,
    );
  }
  return { shown: `Ann and Ben 13 TUNE and half the shares each, Eve 5 TUNE less 2; ${tune(returned)} TUNE returned` };
}

async function startFifth() {
  const node = await net.add({ name: 'fifth' });
  assert.equal((await node.tensors.info()).tensors, 0);
  const caught = await net.first.finalized();
  await until('the fifth node to catch up', async () => (await node.finalized()) >= caught);
  return { shown: `${await node.peers()} peers, 0 tensors`, result: node };
}

async function fetchWinner(node, task, show) {
  const contribution = await until('the fifth node to know the contribution', () => task.contribution(node.api));
  const id = idOnChain(contribution);
  const start = Date.now();
  await node.tensors.fetch(id);
  const { bytes } = await until(
    `${id} to arrive`,
    async () => {
      const status = await node.tensors.status(id);
      if (status.status === 'fetching' && status.total)
        show(`${bar(status.received, status.total)} ${megabytes(status.received)} MB`);
      assert.notEqual(status.status, 'failed', status.reason);
      return status.status === 'held' && status;
    },
    { every: 50 },
  );
  return { shown: `${short(id)}, ${megabytes(bytes)} MB in ${((Date.now() - start) / 1000).toFixed(1)} s`, result: id };
}

/** The winner's id, computed from the record in the fifth node's own copy of the chain. */
function idOnChain({ descriptor: { header, root } }) {
  return idOf(header.kind.type.toLowerCase(), header.rows.toNumber(), header.cols.toNumber(), root);
}

async function proveRow(node, task, id, [{ tensor }, , { tensor: altered }]) {
  const proof = await node.tensors.proof(id, KING);
  assert(proofHolds(id, proof), 'the proof holds');
  assert.equal(proof.leaf, `0x${Buffer.from(tensor.leaf(KING)).toString('hex')}`);
  const { descriptor } = await task.contribution(node.api);
  assert.equal(descriptor.root.toHex(), tensor.descriptor.root);
  assert(!proofHolds(altered.id, proof), 'it does not hold for what Eve had');
  const forged = { ...proof, leaf: `${proof.leaf.slice(0, -1)}${proof.leaf.endsWith('0') ? '1' : '0'}` };
  assert(!proofHolds(id, forged), 'it does not hold for another row');
  return { shown: `row ${KING} ("king"): ${proof.siblings.length} hashes lead to ${short(id)}` };
}
