/**
 * A validator: learns from the chain which miners it scores, asks them what it knows the answers to, and commits to and
 * reveals what it found, epoch after epoch.
 *
 *   SECRET=//Bob node validator.mjs ws://127.0.0.1:9944 NAME [--port=8000] [--lie]
 *
 * NAME is the name of its module, SECRET the secret phrase of the module's owner. The owner registers it and makes it a
 * validator, before or after this program was started. On its own endpoint it tells what it found last.
 *
 * With `--lie` it says of every miner the opposite of what it found.
 */

import { parseArgs } from 'node:util';
import { blake2AsHex } from '@polkadot/util-crypto';

import { pairOf } from '../harness/accounts.mjs';
import { ONE, clock, commitCall, dutiesOf, eachBlock, minersOf, revealCall, seal } from '../harness/subnet.mjs';
import { send } from '../harness/transactions.mjs';
import { casesOf } from './models.mjs';
import { connect, moduleNamed, say, serve } from './service.mjs';

/** Blocks in the beginning of an epoch in which the chain draws checks for those who took part in the last one. */
const DRAWING = 2;
/** Milliseconds after which an answer does not count, and those within which it is as good as at once. */
const PATIENCE = 5_000;
const AT_ONCE = 500;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { port: { type: 'string', default: '0' }, lie: { type: 'boolean', default: false } },
});
const [url, name] = positionals;
const owner = pairOf(process.env.SECRET);

/** What was measured last, by miner. */
let measured = [];
serve(Number(options.port), () => ({ name, measured }));

const api = await connect(url);
const module = await moduleNamed(api, name);
say(module);

/** The last epoch in which it scored somebody. */
let scored = -1;
/** What it committed to and did not reveal yet. */
let sealed = [];

await eachBlock(api, async () => {
  const now = await clock(api);
  try {
    if (now.phase === 'Commit' && scored < now.epoch) await commit(now);
    if (now.phase === 'Reveal' && sealed[0]?.epoch === now.epoch) await reveal();
  } catch (error) {
    say({ epoch: now.epoch, error: error.message });
  }
});

/**
 * Scores everybody whom it must score, and commits to that, in as many batches as it takes. If the chain does not draw
 * what it must check, because it is new, it does so itself, and commits after the next block.
 */
async function commit({ epoch, block, begins }) {
  const [duties, own] = [await dutiesOf(api, module.id), await minersOf(api, module.id)];
  if (duties?.epoch !== epoch) return;
  if (duties.checks === undefined) {
    if (own.length > 0 && block >= begins + DRAWING) await send(api, api.tx.scores.draw(module.id), owner);
    return;
  }
  const miners = [...new Set([...own, ...duties.checks])].sort((one, other) => one - other);
  if (miners.length === 0) return;
  measured = await Promise.all(miners.map(async (miner) => [miner, await score(miner)]));
  const told = options.lie ? measured.map(([miner, score]) => [miner, opposite(score)]) : measured;
  const size = api.consts.scores.maxScores.toNumber();
  sealed = [];
  for (let first = 0; first < told.length; first += size) {
    const scores = told.slice(first, first + size);
    sealed.push(seal(api, { epoch, validator: module.id, batch: sealed.length, scores }));
  }
  scored = epoch;
  await Promise.all(sealed.map((batch) => send(api, commitCall(api, batch), owner)));
  say({ committed: epoch, measured, told });
}

async function reveal() {
  const batches = sealed;
  sealed = [];
  await Promise.all(batches.map((batch) => send(api, revealCall(api, batch), owner)));
  say({ revealed: batches[0].epoch });
}

/** Asks a miner everything that there is a right answer to, one question after the other. */
async function score(miner) {
  const { endpoint, modelType } = (await api.call.modulesApi.module(miner)).unwrap();
  const cases = await knownCases(modelType);
  const answers = [];
  for (const { input, output } of cases) answers.push(await ask(endpoint.toUtf8(), input, output));
  const answered = answers.filter(Boolean);
  const mean = (numbers) => (numbers.length ? numbers.reduce((sum, number) => sum + number, 0) / numbers.length : 0);
  const quality = mean(answered.map(({ right }) => (right ? 1 : 0)));
  const availability = answered.length / cases.length;
  const latency = mean(answered.map(({ milliseconds }) => milliseconds));
  const speed = Math.min(1, AT_ONCE / Math.max(latency, 1));
  return {
    score: Math.round(ONE * quality * availability * speed),
    quality: Math.round(ONE * quality),
    availability: Math.round(ONE * availability),
    latency: Math.round(latency),
  };
}

/** The cases of a type that it knows and that are those on the chain. */
async function knownCases(modelType) {
  const types = await api.call.modulesApi.modelTypes();
  const type = types.find(([number]) => number.eq(modelType))[1].toUtf8();
  const published = await api.call.matchingApi.testCases(modelType);
  const hash = (content) => blake2AsHex(JSON.stringify(content), 256);
  return casesOf(type).filter(({ input, output }) =>
    published.some((test) => test.inputs.eq(hash(input)) && test.outputs.eq(hash(output))),
  );
}

/** Whether a miner answers rightly, and after how long; nothing if it does not answer. */
async function ask(endpoint, input, output) {
  const start = performance.now();
  try {
    const body = JSON.stringify({ input });
    const response = await fetch(endpoint, { method: 'POST', body, signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok) return undefined;
    const right = JSON.stringify((await response.json()).output) === JSON.stringify(output);
    return { right, milliseconds: performance.now() - start };
  } catch {
    return undefined;
  }
}

/** What a liar says of a miner. */
function opposite(score) {
  return { ...score, score: ONE - score.score, quality: ONE - score.quality };
}
