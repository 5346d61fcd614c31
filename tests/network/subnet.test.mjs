/**
 * The subnet as it was first described, with real miners and validators: processes behind HTTP endpoints that know
 * nothing of each other but what the chain tells them.
 */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { blake2AsHex } from '@polkadot/util-crypto';

import {
  Network,
  ONE,
  Program,
  TUNE,
  allocations,
  assertIssuanceIsTold,
  balance,
  clock,
  closedEpoch,
  epochClosed,
  judging,
  minerView,
  minersOf,
  modelTypes,
  poolOf,
  registerCall,
  registered,
  resultOf,
  send,
  sendAsRoot,
  until,
  validatorView,
} from '../harness/index.mjs';
import { casesOf, isSpoilt } from '../programs/models.mjs';

/** What every module has at stake: what its owner stakes on it is this less its deposit. */
const STAKE = 10n * TUNE;
/** The part of a chain's emission that goes to miners, and to validators, in millionths. */
const SPLIT = { miners: 600_000n, validators: 300_000n };

/** The documented miners and validators, and one of each further type: the n-th miner belongs to the n-th validator. */
const VALIDATORS = {
  'val-001': { name: 'diffusion-verification', type: 'diffusion', capacity: 20 },
  'val-002': { name: 'chat-verification', type: 'chat' },
  'val-003': { name: 'image-class-verification', type: 'image-classification' },
  'val-004': { name: 'audio-verification', type: 'audio-processing' },
  'val-005': { name: 'embedding-verification', type: 'embedding' },
  'val-006': { name: 'video-verification', type: 'video-generation' },
  'val-007': { name: 'speech-verification', type: 'text-to-speech' },
};
const MINERS = {
  'miner-001': { name: 'stable-diffusion-xl' },
  'miner-002': { name: 'gpt-4-turbo' },
  'miner-003': { name: 'resnet-50', wrong: 0.25 },
  'miner-004': { name: 'whisper-large-v3', delay: 1_000 },
  'miner-005': { name: 'sentence-transformer-mini' },
  'miner-006': { name: 'sora-2' },
  'miner-007': { name: 'eleven-voices', wrong: 0.5 },
  // Of no known type, but for the pattern that is registered for it.
  custom: { name: 'my-custom-model', of: 'val-001' },
};
const validatorOf = (label) => MINERS[label].of ?? label.replace('miner', 'val');
const LABELS = [...Object.keys(VALIDATORS), ...Object.keys(MINERS)];

describe('the subnet', () => {
  /** @type {Network} */
  let net;
  /** @type {import('@polkadot/api').ApiPromise} */
  let api;
  /** Numbers of types by name. */
  let types;
  /** Owners, running programs and modules, by label. */
  let owners;
  const programs = {};
  const modules = {};
  /** The first epoch through which everybody had as much at stake. */
  let epoch;

  before(async () => {
    net = await Network.start();
    api = net.api;
    types = await modelTypes(api);
    owners = await net.accounts.funded(...LABELS, 'copier', 'liar');
    await sendAsRoot(api, api.tx.utility.batchAll(testCases()), net.accounts.alice);
  });
  after(async () => {
    Object.values(programs).forEach((program) => program.kill());
    await net?.stop();
  });

  it('a custom pattern makes a model of a known type', async () => {
    const typeOf = async () => (await api.call.modulesApi.typeOfName('my-custom-model')).asOk.toNumber();
    assert.equal(await typeOf(), types.unknown);
    const { alice } = net.accounts;
    await sendAsRoot(api, api.tx.modules.addPattern('my-custom-model', types.diffusion), alice);
    assert.equal(await typeOf(), types.diffusion);
  });

  it('every miner is matched with the validator of its type, at once', async () => {
    await Promise.all(
      Object.entries(VALIDATORS).map(async ([label, { name, type, capacity }]) => {
        const program = Program.start('validator', [net.first.url, name], owners[label]);
        await join(label, name, await program, judging([types[type]], capacity));
      }),
    );
    const joinings = await Promise.all(
      Object.entries(MINERS).map(async ([label, { name, wrong = 0, delay = 0 }]) => {
        const program = Program.start('miner', [net.first.url, name, `--wrong=${wrong}`, `--delay=${delay}`]);
        return [label, await join(label, name, await program, 'Miner')];
      }),
    );
    for (const label of Object.keys(MINERS)) {
      assert.equal(modules[label].type, types[VALIDATORS[validatorOf(label)].type], label);
    }
    const nobodyElses = Object.keys(MINERS).map((label) => [label, [validatorOf(label)]]);
    assert.deepEqual(await matches(), Object.fromEntries(nobodyElses));
    for (const [label, { block }] of joinings) {
      const events = (await (await api.at(block)).query.system.events()).map(({ event }) => event);
      const matched = events.filter(({ section, method }) => section === 'matching' && method === 'Matched');
      assert(
        matched.some(({ data: { miner } }) => miner.toNumber() === modules[label].id),
        `${label} in that block`,
      );
    }
    const { capacity, load } = await validatorView(api, modules['val-001'].id);
    assert.deepEqual([capacity, load], [20, 2]);
    assert.equal((await validatorView(api, modules['val-002'].id)).capacity, 10);
  });

  it('the miners have learned it from the chain', async () => {
    await Promise.all(
      Object.keys(MINERS).map((label) =>
        programs[label].said('by whom it is scored', ({ validators }) =>
          same(validators, [modules[validatorOf(label)].id]),
        ),
      ),
    );
  });

  it('what the validators measured stands on the chain', async () => {
    epoch = (await clock(api)).epoch + 1;
    const validators = Object.keys(VALIDATORS);
    await Promise.all(validators.map((label) => saidOf(programs[label], 'revealed', epoch)));
    const view = await api.call.emissionApi.epoch();
    for (const label of validators) {
      const { measured, told } = programs[label].last(({ committed }) => committed === epoch);
      assert.deepEqual(told, measured);
      const miners = measured.map(([miner]) => miner);
      assert.deepEqual(miners, await minersOf(api, modules[label].id));
      for (const [miner, score] of measured) {
        const result = await resultOf(api, epoch, miner);
        assert.deepEqual(result.score, score);
        const all = await api.call.scoresApi.results(miner);
        assert.deepEqual(all.at(-1).toJSON(), (await api.call.scoresApi.result(epoch, miner)).toJSON());
        const [rating, ...others] = result.ratings;
        assert.deepEqual([rating.validator, rating.check, rating.score], [modules[label].id, false, score]);
        assert.equal(rating.stake, STAKE);
        assert.deepEqual(others, []);
        assert(result.at >= view.reveals.toNumber() && result.at < view.ends.toNumber(), `in block ${result.at}`);
      }
      const { measured: shown } = await (await fetch(programs[label].url)).json();
      assert.deepEqual(shown, measured);
    }
    for (const [label, { wrong = 0, delay = 0 }] of Object.entries(MINERS)) {
      const { score } = await resultOf(api, epoch, modules[label].id);
      const { type } = VALIDATORS[validatorOf(label)];
      const cases = casesOf(type);
      const right = cases.filter(({ input }) => !isSpoilt(input, wrong)).length;
      assert.equal(score.quality, (ONE * right) / cases.length, label);
      assert.equal(score.availability, ONE, label);
      assert(score.latency >= delay && score.score <= score.quality, label);
      if (delay > 0) assert(score.score < ONE / 2 + 1 && score.score > 0, `${label} is slow: ${score.score}`);
    }
  });

  it('the epoch pays miners their score over the sum of all scores, to the planck', async () => {
    const { begins, ends } = await api.call.emissionApi.epoch();
    await epochClosed(api, epoch);
    const before = await api.at(await api.rpc.chain.getBlockHash(ends.toNumber() - 1));
    const all = await until('all of them to be paid', async () => {
      const all = await allocations(api, epoch);
      return all.every(({ paid }) => paid) && all;
    });
    const reward = api.consts.emission.firstReward.toBigInt();
    const parts = Object.values(SPLIT).map((part) => (reward * part) / 1_000_000n);
    const { miners, validators, treasury, minerWeights, validatorWeights } = await closedEpoch(api, epoch);
    assert.deepEqual([miners, validators, treasury], [...parts, reward - parts[0] - parts[1]]);
    const scores = await Promise.all(
      Object.keys(MINERS).map(async (label) => [
        label,
        BigInt((await resultOf(api, epoch, modules[label].id)).score.score),
      ]),
    );
    const total = sum(scores.map(([, score]) => score));
    assert.equal(minerWeights, total * STAKE);
    const reliability = BigInt((await validatorView(api, modules['val-001'].id)).reliability);
    assert.equal(validatorWeights, 7n * reliability * STAKE);

    const got = Object.fromEntries(all.map(({ module, miner, validator }) => [module, { miner, validator }]));
    const due = [
      ...scores.map(([label, score]) => [label, { miner: (miners * score) / total, validator: 0n }]),
      ...Object.keys(VALIDATORS).map((label) => [label, { miner: 0n, validator: validators / 7n }]),
    ].map(([label, amounts]) => [modules[label].id, amounts]);
    assert.deepEqual(got, Object.fromEntries(due));
    for (const label of Object.keys(MINERS)) await assertPaid(label, before, got[modules[label].id].miner);
    const after = await api.at(await api.rpc.chain.getBlockHash(ends));
    const length = ends.toNumber() - begins.toNumber();
    for (const label of Object.keys(MINERS)) await assertYear(label, after, length, got[modules[label].id].miner);
  });

  it('issuance is what there was, and what was emitted, less what was burnt', async () => {
    const at = await api.at(await api.rpc.chain.getBlockHash());
    const { issuance, genesis, emitted, burnt, circulating, treasury, owed, cap } = await at.call.emissionApi.supply();
    assert.equal(issuance.toBigInt(), (await at.query.balances.totalIssuance()).toBigInt());
    assert.equal(issuance.toBigInt(), genesis.toBigInt() + emitted.toBigInt() - burnt.toBigInt());
    assert.equal(circulating.toBigInt(), issuance.toBigInt() - treasury.toBigInt() - owed.toBigInt());
    assert(emitted.toBigInt() > 0n && emitted.toBigInt() <= cap.toBigInt());
  });

  describe('among those who cheat', { concurrency: 2 }, () => {
    it('who copies another cannot open what it committed to, earns nothing, and is relied on less', async () => {
      const name = 'copycat-verification';
      const args = [net.first.url, name, VALIDATORS['val-005'].name];
      await join('copier', name, await Program.start('copier', args, owners.copier), judging([types.embedding]));
      const [copier, victim] = [modules.copier.id, modules['val-005'].id];
      const { validators } = await minerView(api, modules['miner-005'].id);
      assert.deepEqual(validators.sort(), [copier, victim].sort());

      const { refused, error } = await programs.copier.said('that it was refused', (line) => line.refused);
      assert.equal(error, 'scores.NotAsCommitted');
      await saidOf(programs['val-005'], 'revealed', refused);
      const { ratings } = await resultOf(api, refused, modules['miner-005'].id);
      assert.deepEqual(
        ratings.map(({ validator }) => validator),
        [victim],
      );
      await epochClosed(api, refused);
      const earned = async (module) => {
        const all = await allocations(api, refused);
        return all.find((allocation) => allocation.module === module)?.validator ?? 0n;
      };
      assert.equal(await earned(copier), 0n);
      assert((await earned(victim)) > 0n);
      assert.deepEqual(await settled(copier, refused), { judged: 0, agreed: 0, unrevealed: 1, reliability: 375_000 });
    });

    it('who lies changes no score, and is relied on less', async () => {
      const name = 'contrary-verification';
      const program = Program.start('validator', [net.first.url, name, '--lie'], owners.liar);
      await join('liar', name, await program, judging([types['video-generation']]));
      const [liar, honest, miner] = ['liar', 'val-006', 'miner-006'].map((label) => modules[label].id);
      const line = await programs.liar.said('what it committed to', (line) => line.told);
      const { committed, measured, told } = line;
      assert.deepEqual([measured[0][0], told[0][0], told.length], [miner, miner, 1]);
      assert.equal(told[0][1].score, ONE - measured[0][1].score);
      await Promise.all(['liar', 'val-006'].map((label) => saidOf(programs[label], 'revealed', committed)));
      const { score, ratings } = await resultOf(api, committed, miner);
      assert.equal(ratings.length, 2);
      const truth = ratings.find(({ validator }) => validator === honest).score;
      assert.deepEqual(score, truth, 'the liar has too little at stake');

      const all = { judged: 1, unrevealed: 0 };
      assert.deepEqual(await settled(liar, committed), { ...all, agreed: 0, reliability: 450_000 });
      assert.deepEqual(await settled(honest, committed), { ...all, agreed: 1, reliability: 550_000 });
    });
  });

  it('the programs end in good order, and the books are right', async () => {
    const codes = await Promise.all(Object.values(programs).map((program) => program.stop()));
    assert.deepEqual(new Set(codes), new Set([0]));
    await net.isFinalised();
    await net.moneyAddsUp();
    await assertIssuanceIsTold(api);
  });

  /** What validators ask of miners, as the chain is told it. */
  function testCases() {
    const hash = (content) => blake2AsHex(JSON.stringify(content), 256);
    return Object.values(VALIDATORS).flatMap(({ type }) =>
      casesOf(type).map(({ input, output }) =>
        api.tx.matching.addTestCase(types[type], { inputs: hash(input), outputs: hash(output), tolerance: 0 }),
      ),
    );
  }

  /** Registers a program's module, and gives it its part. All that are documented have as much at stake. */
  async function join(label, name, program, role) {
    programs[label] = program;
    const owner = owners[label];
    const [module] = registered(await send(api, registerCall(api, name, { endpoint: program.url }), owner));
    modules[label] = module;
    const calls = [api.tx.modules.setRole(module.id, role)];
    if (LABELS.includes(label)) calls.unshift(api.tx.stake.stake(module.id, STAKE - module.deposit));
    return send(api, api.tx.utility.batchAll(calls), owner);
  }

  /** The labels of the validators of all miners, by label. */
  async function matches() {
    const labels = Object.fromEntries(Object.entries(modules).map(([label, { id }]) => [id, label]));
    const views = await Promise.all(
      Object.keys(MINERS).map(async (label) => [label, (await minerView(api, modules[label].id)).validators]),
    );
    return Object.fromEntries(views.map(([label, validators]) => [label, validators.map((id) => labels[id])]));
  }

  /** What a miner got for the epoch went where it belongs: the deposit's part to its owner, the rest to its stake. */
  async function assertPaid(label, before, amount) {
    const { id, deposit } = modules[label];
    const { data } = await net.chronicle.first(
      `${label} to be paid`,
      ({ section, method, data }) =>
        section === 'emission' && method === 'Paid' && data.epoch.eq(epoch) && data.module.eq(id),
    );
    const toOwner = (amount * deposit) / STAKE;
    assert.deepEqual([data.toOwner.toBigInt(), data.toStakers.toBigInt()], [toOwner, amount - toOwner], label);
    const owned = async (at) => (await balance(at, owners[label])).free;
    assert.equal(await owned(api), (await owned(before)) + toOwner, label);
    const staked = async (at) => (await poolOf(at, id)).staked;
    assert.equal(await staked(api), (await staked(before)) + amount - toOwner, label);
  }

  /** What the runtime says of the stake on a miner: so much of itself in a year of epochs like the last one. */
  async function assertYear(label, after, length, amount) {
    const { id, deposit } = modules[label];
    const toStakers = amount - (amount * deposit) / STAKE;
    const year = api.consts.emission.blocksPerYear.toBigInt();
    const part = (toStakers * year * 10n ** 18n) / ((STAKE - deposit) * BigInt(length));
    assert.equal((await after.call.emissionApi.apr(id)).unwrap().toBigInt(), part, label);
    const [own, ...others] = await after.call.emissionApi.allocationsOf(id, epoch, 2 ** 32 - 1);
    assert.deepEqual([own.epoch.toNumber(), own.miner.toBigInt(), others], [epoch, amount, []], label);
  }

  /** What came of a validator's work in an epoch when it was over. */
  async function settled(validator, epoch) {
    const { data } = await net.chronicle.first(
      `validator ${validator} to be settled for epoch ${epoch}`,
      ({ section, method, data }) =>
        section === 'scores' && method === 'ValidatorSettled' && data.epoch.eq(epoch) && data.validator.eq(validator),
    );
    const fields = ['judged', 'agreed', 'unrevealed', 'reliability'].map((field) => [field, data[field].toNumber()]);
    return Object.fromEntries(fields);
  }
});

/** Waits until a program has done this in an epoch. */
const saidOf = (program, what, epoch) =>
  program.said(`that it ${what} in epoch ${epoch}`, (line) => line[what] === epoch, 180_000);

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const sum = (amounts) => amounts.reduce((total, amount) => total + amount, 0n);
