/** The subnet as miners and validators see it: where the clock stands, who scores whom, scores sealed and opened. */

import { randomBytes } from 'node:crypto';
import { u8aToHex } from '@polkadot/util';
import { blake2AsHex } from '@polkadot/util-crypto';

import { inTime } from './wait.mjs';

/** What scores count in: so many parts are one. */
export const ONE = 1_000_000;
/** Most entries of one answer of the runtime. */
const PAGE = 1_000;

/** A miner's scores in the order of their fields: score, quality, availability, latency in milliseconds. */
const SCORE = '(u32, u32, u32, u32)';
/** What a commitment hides: epoch, validator, batch, scores in the order of the miners' numbers, salt. */
const SEALED = `(u32, u32, u32, Vec<(u32, ${SCORE})>, [u8; 32])`;

/**
 * Seals the scores of one batch, which are in the order of the miners' numbers: its hash can be committed to now, and the
 * rest revealed later.
 *
 * @param {import('@polkadot/api').ApiPromise} api
 * @param {{ epoch: number, validator: number, batch?: number, scores: [number, Score][], salt?: Uint8Array }} batch
 * @returns {Sealed}
 *
 * @typedef {{ score: number, quality: number, availability: number, latency: number }} Score
 * @typedef {{ epoch: number, validator: number, batch: number, scores: [number, Score][], salt: string,
 *   hash: string }} Sealed
 */
export function seal(api, { epoch, validator, batch = 0, scores, salt = randomBytes(32) }) {
  const fields = scores.map(([miner, { score, quality, availability, latency }]) => [
    miner,
    [score, quality, availability, latency],
  ]);
  const bytes = api.registry.createType(SEALED, [epoch, validator, batch, fields, salt]).toU8a();
  return { epoch, validator, batch, scores, salt: u8aToHex(salt), hash: blake2AsHex(bytes, 256) };
}

/** The call that commits a validator to what it sealed. */
export const commitCall = (api, { validator, batch, hash }) => api.tx.scores.commit(validator, batch, hash);

/** The call that opens a commitment. */
export const revealCall = (api, { validator, batch, scores, salt }) =>
  api.tx.scores.reveal(validator, batch, scores, salt);

/**
 * Where the clock stands in the block after the best one: the first that a transaction which is sent now can be in.
 *
 * @returns {Promise<{ block: number, epoch: number, phase: 'Commit' | 'Reveal', left: number, begins: number,
 *   reveals: number, ends: number }>} `left`: blocks of this phase, that one included
 */
export async function clock(api) {
  const { number, hash } = await api.rpc.chain.getHeader();
  const view = await (await api.at(hash)).call.emissionApi.epoch();
  let [epoch, begins, reveals, ends] = [view.epoch, view.begins, view.reveals, view.ends].map((at) => at.toNumber());
  const block = number.toNumber() + 1;
  if (block >= ends) [epoch, begins, reveals, ends] = [epoch + 1, ends, reveals + ends - begins, 2 * ends - begins];
  const phase = block < reveals ? 'Commit' : 'Reveal';
  return { block, epoch, phase, left: (phase === 'Commit' ? reveals : ends) - block, begins, reveals, ends };
}

/** Calls something after every block, one call after the other, until what it returns is truthy; returns that. */
export async function eachBlock(api, work) {
  let wake;
  let news = new Promise((resolve) => (wake = resolve));
  const stop = await api.rpc.chain.subscribeNewHeads(() => {
    wake();
    news = new Promise((resolve) => (wake = resolve));
  });
  try {
    for (;;) {
      const next = news;
      const answer = await work();
      if (answer) return answer;
      await next;
    }
  } finally {
    stop();
  }
}

/**
 * Waits for a phase of an epoch that leaves time to do something in it.
 *
 * @param {import('@polkadot/api').ApiPromise} api
 * @param {'Commit' | 'Reveal'} phase
 * @param {{ epoch?: number, room?: number, within?: number }} [options] `epoch`: this one, or any; `room`: blocks that
 *   must be left
 * @returns {ReturnType<typeof clock>}
 */
export function phaseReached(api, phase, { epoch, room = 1, within = 240_000 } = {}) {
  const look = async () => {
    const now = await clock(api);
    const isPast = now.epoch > epoch || (now.epoch === epoch && phase === 'Commit' && now.phase !== phase);
    if (epoch !== undefined && isPast) throw new Error(`epoch ${epoch} is past its ${phase} phase`);
    return now.phase === phase && now.left >= room && (epoch === undefined || now.epoch === epoch) && now;
  };
  return inTime(`phase ${phase} of epoch ${epoch ?? 'any'}`, eachBlock(api, look), within);
}

/** Waits until an epoch is over. */
export function epochClosed(api, epoch, within = 240_000) {
  const over = async () => (await api.call.emissionApi.epoch()).epoch.toNumber() > epoch;
  return inTime(`the end of epoch ${epoch}`, eachBlock(api, over), within);
}

/** The part of a validator of these types. */
export const judging = (types, capacity = 10) => ({ Validator: { types, capacity } });

/** What the runtime says of a miner; nothing if it is none. */
export async function minerView(api, module) {
  const view = (await api.call.matchingApi.miner(module)).unwrapOr(undefined);
  return (
    view && {
      type: view.modelType.toNumber(),
      standing: view.standing.type,
      validators: view.validators.map((validator) => validator.toNumber()),
      waiting: view.waiting.isTrue,
    }
  );
}

/** What the runtime says of a validator; nothing if it is none. */
export async function validatorView(api, module) {
  const view = (await api.call.matchingApi.validator(module)).unwrapOr(undefined);
  return (
    view && {
      types: view.types.map((type) => type.toNumber()),
      capacity: view.capacity.toNumber(),
      load: view.load.toNumber(),
      reliability: view.reliability.toNumber(),
      standing: view.standing.type,
    }
  );
}

/** All miners of a validator, in the order of their numbers. */
export async function minersOf(api, validator) {
  const pages = await allPages((first) => api.call.matchingApi.minersOf(validator, first, PAGE));
  return pages.map((miner) => miner.toNumber()).sort((one, other) => one - other);
}

/** What a validator must do in the epoch of the best block; nothing if it is not active. No `checks`: it was not drawn. */
export async function dutiesOf(api, validator) {
  const duties = (await api.call.scoresApi.duties(validator)).unwrapOr(undefined);
  return (
    duties && {
      epoch: duties.epoch.toNumber(),
      checks: duties.checks.unwrapOr(undefined)?.map((miner) => miner.toNumber()),
      unrevealed: duties.unrevealed.map(([batch, hash]) => ({ batch: batch.toNumber(), hash: hash.toHex() })),
    }
  );
}

/** Waits until a validator that took part in the epoch before is drawn what it checks in this one. */
export function checksDrawn(api, validator, epoch, within = 60_000) {
  const drawn = async () => {
    const duties = await dutiesOf(api, validator);
    return duties?.epoch === epoch && duties.checks !== undefined;
  };
  return inTime(`validator ${validator} to be drawn checks`, eachBlock(api, drawn), within);
}

/** A miner's result of an epoch; nothing if nobody scored it. */
export async function resultOf(api, epoch, miner) {
  const result = (await api.call.scoresApi.result(epoch, miner)).unwrapOr(undefined);
  return (
    result && {
      score: result.score.toJSON(),
      ratings: result.ratings.map(({ validator, stake, check, score }) => ({
        validator: validator.toNumber(),
        stake: stake.toBigInt(),
        check: check.isTrue,
        score: score.toJSON(),
      })),
      at: result.at.toNumber(),
    }
  );
}

/** What all modules got of an epoch, in planck. */
export async function allocations(api, epoch) {
  const all = await allPages((first) => api.call.emissionApi.allocations(epoch, first, PAGE));
  return all.map(({ module, miner, validator, paid }) => ({
    module: module.toNumber(),
    miner: miner.toBigInt(),
    validator: validator.toBigInt(),
    paid: paid.isTrue,
  }));
}

/** What an epoch that is over brought, in planck; nothing if it is not over, or forgotten. */
export async function closedEpoch(api, epoch) {
  const closed = (await api.call.emissionApi.epochs()).find((closed) => closed.epoch.eq(epoch));
  const { miners, validators, treasury, minerWeights, validatorWeights } = closed ?? {};
  return (
    closed && {
      miners: miners.toBigInt(),
      validators: validators.toBigInt(),
      treasury: treasury.toBigInt(),
      minerWeights: minerWeights.toBigInt(),
      validatorWeights: validatorWeights.toBigInt(),
    }
  );
}

/** All entries that the runtime tells in pages. */
async function allPages(read) {
  const entries = [];
  for (;;) {
    const page = await read(entries.length);
    entries.push(...page);
    if (page.length < PAGE) return entries;
  }
}
