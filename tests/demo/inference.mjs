/**
 * Three accounts agree on a language model, three nodes serve it, and it answers: honestly, with a worker that lies, and
 * with a majority that does.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';

import { send } from '../harness/index.mjs';
import { imported } from '../harness/models.mjs';
import { Prices, rangesOf } from '../harness/prices.mjs';
import { SMOLLM2, smollm2 } from '../harness/smollm2.mjs';
import { roughly, short, tune } from './format.mjs';
import { BOND, agreeOn, hire } from './serving.mjs';

const QUESTION = [{ role: 'user', content: 'What is a blockchain?' }];
/** Long enough for the first sentences. */
const TOKENS = 48;
/** Everybody serves everything: three ranges in three replicas. */
const TERMS = { maxTokens: TOKENS, workers: 3, replicas: 3 };
/** A row of the first range in the gate of the eleventh layer. */
const LIE = { member: 'blk.10.ffn_gate.weight', row: 7, stage: 42 };
const SHARES = 1_000_000_000_000n;
/** Each token changes a line on a terminal. Elsewhere it takes so many to print another one. */
const STRIDE = process.stdout.isTTY ? 1 : 16;

/** @type {import('../harness/network.mjs').Network} */
let net;

/**
 * @param {import('../harness/network.mjs').Network} network
 * @param {import('./steps.mjs').Steps} steps
 */
export async function inference(network, steps) {
  net = network;
  const file = await steps.step('Download a language model', download);
  const owners = await steps.step('Three accounts import it', (show) => importModel(file, show));
  const model = await steps.step('They agree on it through a task', (show) => agree(owners, show));
  const scene = await steps.step('A gateway and three workers join and load it', () => joinNodes(model, owners));
  await steps.step('The owners lock their shares, which earn credits', () => lock(scene));
  const answer = await steps.step('Ask: "What is a blockchain?"', (show) => ask(scene, show));
  await steps.step('Votes, window, payment', () => honest(scene, answer));
  const lied = await steps.step('Ask again while one worker lies in one row', (show) => liedTo(scene, ['dave'], show));
  await steps.step('It is outvoted and slashed', () => outvoted(scene, lied, answer));
  const deceived = await steps.step('Ask again while two of three lie in that row', (show) =>
    liedTo(scene, ['bob', 'charlie'], show),
  );
  await steps.step('An honest node has the chain compute the row', () => disputed(scene, deceived));
}

async function download(show) {
  const file = await smollm2(show);
  return { shown: 'SmolLM2-135M-Instruct, 98.4 MB, hash checked', result: file };
}

async function importModel(file, show) {
  const accounts = await net.accounts.funded(
    'creator',
    'Ann',
    'Ben',
    'Cleo',
    'asker',
    'gateway',
    'bob',
    'charlie',
    'dave',
  );
  const bundles = [];
  for (const name of ['Ann', 'Ben', 'Cleo']) {
    show(`${name} imports`);
    bundles.push(await imported(file, join(net.folder, `model-${name}`), { within: 300_000 }));
  }
  for (const { id } of bundles) assert.equal(id, SMOLLM2);
  const members = Object.keys(bundles[0].members).length;
  return { shown: `three times ${short(SMOLLM2)}, ${members} members`, result: { accounts, bundle: bundles[0] } };
}

async function agree({ accounts, bundle }, show) {
  const { creator, Ann, Ben, Cleo } = accounts;
  show('Ann uploads to alice');
  await bundle.upload(net.node('alice').tensors);
  show('commit, reveal, attest');
  const model = await agreeOn(net, bundle, creator, [Ann, Ben, Cleo]);
  return { shown: `task ${model.task.id} is won by all three; it is model ${model.id}`, result: model };
}

async function joinNodes(model, { accounts }) {
  const names = ['bob', 'charlie', 'dave'];
  const crew = [['alice', accounts.gateway], ...names.map((name) => [name, accounts[name]])];
  const [gateway, ...workers] = await hire(
    model,
    crew.map(([name, account]) => [net.node(name), account]),
  );
  const prices = await Prices.of(net.api);
  const result = { model, accounts, gateway, workers, prices };
  return { shown: `${names.join(', ')} serve, alice drives; ${tune(BOND)} TUNE of bond each`, result };
}

async function lock({ model, accounts: { Ann, Ben, Cleo } }) {
  // A call is signed once: each owner has one of its own.
  const lockAs = (owner) =>
    send(net.api, net.api.tx.inference.lock(model.id, 'Contribution', SHARES / 3n), owner, { until: 'finalized' });
  await Promise.all([Ann, Ben, Cleo].map(lockAs));
  return { shown: 'a third each' };
}

/** Has the question answered, and prints the answer as it comes. */
async function ask({ model, accounts, gateway }, show) {
  const { tokens } = await model.prompt(gateway.node, QUESTION);
  const session = await model.open(accounts.asker, gateway, { ...TERMS, tokens, consent: 'asked' });
  show(`session ${session.id}: alice agrees, ${tune(session.price)} TUNE held, drawing workers`);
  await session.drawn();
  let text = '';
  let count = 0;
  const { items, end } = await session.generate((item) => {
    if (item.kind !== 'token') return;
    text += item.text;
    count += 1;
    if (count % STRIDE === 0) show(`${item.rate.toFixed(1)} tokens/s  ${text.slice(-80).replaceAll(/\s+/g, ' ')}`);
  });
  console.log(`\n   ${text.trim().replaceAll('\n', '\n   ')}\n`);
  assert.equal(items.length, end.tokens.length - tokens.length);
  await session.assigned();
  const { workers } = await session.facts();
  const shown = `${items.length} tokens, ${end.rate.toFixed(1)} a second`;
  return { shown, result: { session, workers, end, text } };
}

async function honest(scene, answer) {
  const { session, end, text } = answer;
  assert.match(text, /blockchain/i);
  assert.deepEqual([end.disagreements, end.dropped], [[], []]);
  const settled = await session.settled();
  assert.deepEqual([settled.refund, settled.slashed], [undefined, {}]);
  assert.deepEqual(settled.paid, dues(scene, session, end));
  const pieces = scene.prices.pieces(scene.model.shape, end.positions, session.question);
  assert.deepEqual([settled.gateway, settled.credits, settled.burnt], [pieces.gateway, pieces.credits, pieces.burnt]);
  printed(scene, answer, settled);
  const { Ann } = scene.accounts;
  const credits = await scene.model.credits(Ann);
  assert.equal(credits, pieces.credits / 3n);
  return {
    shown: `${tune(session.price - settled.returned)} TUNE spent; ${roughly(credits)} TUNE of credits for each owner`,
  };
}

/** Asks while workers have one row altered. */
async function liedTo(scene, liars, show) {
  const alter = (name) => scene.model.alterRow(net.node(name), LIE.member, LIE.row);
  const restore = await Promise.all(liars.map(alter));
  const { shown, result } = await ask(scene, show);
  return { shown, result: { ...result, liars, restore: () => restore.forEach((back) => back()) } };
}

async function outvoted(scene, answer, honestly) {
  const { session, end, restore } = answer;
  const [liar] = answer.liars;
  assert.deepEqual(end.tokens, honestly.end.tokens, 'the answer is the same');
  const place = placeOf(session, liar);
  for (const found of end.disagreements)
    assert.deepEqual([found.place, found.range, found.stage], [place, 0, LIE.stage]);
  const [first] = await session.voted();
  assert.deepEqual(first.outvoted, [place]);
  const settled = await session.settled();
  restore();
  const lost = scene.prices.outvoted(BOND);
  assert.deepEqual(settled.slashed, { [scene.accounts[liar].address]: lost });
  assert.deepEqual(
    settled.paid,
    dues(scene, session, end, (at, range) => at !== place || range !== 0),
  );
  printed(scene, answer, settled);
  return { shown: `${end.disagreements.length} disagreements; ${liar} is slashed ${tune(lost)} TUNE` };
}

async function disputed(scene, answer) {
  const { session, end, liars, restore } = answer;
  const [first] = await session.voted();
  const places = liars.map((liar) => placeOf(session, liar)).sort();
  assert.deepEqual(first.backers, places, 'the lie wins the vote');
  const { culprit, challenger, slashed, reward } = await session.upheld();
  assert.deepEqual(culprit, { range: 0 });
  const settled = await session.settled();
  restore();
  assert.equal(settled.refund, 'Wrong');
  printed(scene, answer, settled);
  const whose = Object.entries(scene.accounts).find(([, { address }]) => address === challenger)[0];
  assert(!liars.includes(whose));
  const paid = `${whose} is paid ${tune(reward)} TUNE of ${tune(slashed)} that ${liars.join(' and ')} lost`;
  return { shown: `${paid}; the requester has ${tune(settled.returned)} TUNE back` };
}

const placeOf = ({ places }, name) => places.findIndex(({ node }) => node.name === name);

/** What is due to each worker for the ranges of a place that count. */
function dues({ prices, model }, { places, question }, { positions }, counts = () => true) {
  const due = ({ account }, place) => {
    const ranges = rangesOf(place, question.workers, question.replicas).filter((range) => counts(place, range));
    return [account.address, prices.due(model.shape, positions, question, ranges)];
  };
  return Object.fromEntries(places.map(due));
}

/** Prints who did what in a session, and what became of the price. */
function printed({ prices, gateway }, { session, workers, end }, settled) {
  const rows = session.places.map(({ node, account: { address } }, place) => {
    const { ranges, rows } = workers[place];
    const differed = end.disagreements.filter((found) => found.place === place).length;
    return {
      node: node.name,
      ranges: ranges.join(' '),
      rows,
      disagreements: differed,
      'paid (TUNE)': roughly(settled.paid[address]),
      'slashed (TUNE)': roughly(settled.slashed[address] ?? 0n),
      shares: Number(settled.shares[address]),
    };
  });
  console.table(rows);
  const fee = prices.fee(session.question);
  const { outputs } = end;
  console.log(
    `   replicas: ${outputs.full} outputs of ranges agreed by all, ${outputs.majority} by a majority, ` +
      `${outputs.unverified} by too few\n` +
      `   of ${tune(session.price)} TUNE: gateway (${gateway.node.name}) ${roughly(settled.gateway)}, ` +
      `credits ${roughly(settled.credits)}, burnt ${roughly(settled.burnt)}, votes ${roughly(fee)}, ` +
      `returned ${roughly(settled.returned)}`,
  );
}
