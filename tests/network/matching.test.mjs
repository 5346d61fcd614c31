/**
 * Matching, scores and emission move by move: who is matched with whom when somebody comes, goes or is flagged, what
 * time does to those who do not do their work, and what the chain refuses.
 *
 * Each story has a type of its own, so that nobody else's modules are matched with those in it.
 */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import {
  DispatchError,
  Network,
  ONE,
  TUNE,
  allocations,
  assertIssuanceIsTold,
  balance,
  checksDrawn,
  clock,
  commitCall,
  dutiesOf,
  epochClosed,
  judging,
  minerView,
  minersOf,
  phaseReached,
  refused,
  register,
  resultOf,
  revealCall,
  seal,
  send,
  sendAsRoot,
  validatorView,
} from '../harness/index.mjs';

/** A number that no module will ever have here. */
const NONE = 4_000_000;
/** What every account of a story owns in the beginning. */
const ENDOWMENT = 1_000n * TUNE;
/** What a validator can be relied on when it comes, and what is left of that when it did not reveal. */
const RELIABILITY = 500_000;
const FALLEN = 375_000;
/** What names begin with, by the story that they are of. */
const WORDS = [
  ...['zzswitch', 'zzflag', 'zzfill', 'zzleave', 'zztruth', 'zzsilent'],
  ...['zzbad', 'zzother', 'zztwice', 'zzknown'],
];

describe('matching, scores and emission', () => {
  /** @type {Network} */
  let net;
  /** @type {import('@polkadot/api').ApiPromise} */
  let api;
  /** Numbers of the stories' types, by the words that names begin with. */
  let types;

  before(async () => {
    net = await Network.start();
    api = net.api;
    const { addType, addPattern } = api.tx.modules;
    const asRoot = (calls) => sendAsRoot(api, api.tx.utility.batchAll(calls), net.accounts.alice);
    const added = eventsOf(await asRoot(WORDS.map((word) => addType(word))), 'modules', 'TypeAdded');
    types = Object.fromEntries(added.map(({ modelType }, at) => [WORDS[at], modelType.toNumber()]));
    await asRoot(WORDS.map((word) => addPattern(word, types[word])));
  });
  after(() => net?.stop());

  describe('stories', { concurrency: 32 }, () => {
    it('switched off, a module is matched with nobody; switched on, it is again', async () => {
      const { owner } = await net.accounts.funded('owner');
      const { switchOff, switchOn } = api.tx.matching;
      const { miners, validators } = await cast(owner, 'zzswitch', { miners: 2, capacities: [10, 10] });
      const [[a, b], [one, two]] = [miners, validators];
      assert.deepEqual(await scoredBy(a, b), [validators, validators]);

      await send(api, switchOff(one), owner);
      assert.deepEqual(await scoredBy(a, b), [[two], [two]]);
      const off = { types: [types.zzswitch], capacity: 10, load: 0, reliability: RELIABILITY, standing: 'Off' };
      assert.deepEqual(await validatorView(api, one), off);
      await send(api, switchOff(two), owner);
      assert.deepEqual(await scoredBy(a, b), [[], []]);
      assert((await minerView(api, a)).waiting);
      await send(api, switchOn(one), owner);
      assert.deepEqual(await scoredBy(a, b), [[one], [one]]);
      assert(!(await minerView(api, a)).waiting);

      await send(api, switchOff(a), owner);
      const idle = { type: types.zzswitch, standing: 'Off', validators: [], waiting: false };
      assert.deepEqual(await minerView(api, a), idle);
      assert.deepEqual(await minersOf(api, one), [b]);
      await send(api, switchOn(a), owner);
      assert.deepEqual(await scoredBy(a, b), [[one], [one]]);
    });

    it('flagged for a reason, a module is out until it is unflagged, whatever its owner does', async () => {
      const { owner } = await net.accounts.funded('owner');
      const { alice } = net.accounts;
      const { flag, unflag, switchOff, switchOn } = api.tx.matching;
      const { miners, validators } = await cast(owner, 'zzflag', { miners: 2, capacities: [10, 10] });
      const [[a, b], [one, two]] = [miners, validators];
      const reason = 'the same picture for every prompt \u{2013} seen on Tuesday';
      const receipt = await sendAsRoot(api, flag(one, reason), alice);
      const { module, reason: told } = receipt.event('matching', 'Flagged').data;
      assert.deepEqual([module.toNumber(), told.asStated.toUtf8()], [one, reason]);
      const { standing } = (await api.call.matchingApi.validator(one)).unwrap();
      assert.equal(standing.asFlagged.asStated.toUtf8(), reason);
      assert.deepEqual(await scoredBy(a, b), [[two], [two]]);

      await sendAsRoot(api, flag(a, reason), alice);
      assert.deepEqual(await scoredBy(a, b), [[], [two]]);
      await assertStatus();
      await sendAll(owner, [switchOff(one), switchOn(one)]);
      assert.equal((await validatorView(api, one)).standing, 'Flagged');
      assert.deepEqual(await minersOf(api, one), []);

      await sendAsRoot(api, api.tx.utility.batchAll([unflag(one), unflag(a)]), alice);
      assert.deepEqual(await scoredBy(a, b), [validators, validators]);
      const { standing: now, reliability } = await validatorView(api, one);
      assert.deepEqual([now, reliability], ['Active', RELIABILITY]);
    });

    it('no validator has more miners than it can serve, and nobody waits while there is room', async () => {
      const { owner } = await net.accounts.funded('owner');
      const { setRole } = api.tx.modules;
      const { miners, validators } = await cast(owner, 'zzfill', { miners: 5, capacities: [2, 2] });
      const [one, two] = validators;
      const waiting = () => Promise.all(miners.map(async (miner) => (await minerView(api, miner)).waiting));
      assert.deepEqual(await waiting(), [false, false, false, false, true], 'first come, first served');
      assert.deepEqual(await loads(one, two), [2, 2]);

      await send(api, setRole(two, judging([types.zzfill], 3)), owner);
      assert.deepEqual(await waiting(), [false, false, false, false, false]);
      assert.deepEqual(await loads(one, two), [2, 3]);
      await refused(net, owner, [
        [setRole(two, judging([types.zzfill], 2)), 'matching.CapacityBelowLoad'],
        [setRole(two, judging([types.zzother], 3)), 'matching.HasMiners'],
      ]);

      // As soon as there is room for it, every miner has a second one.
      await sendAll(
        owner,
        validators.map((validator) => setRole(validator, judging([types.zzfill], 10))),
      );
      assert.deepEqual(await loads(one, two), [5, 5]);
      assert.deepEqual(
        await scoredBy(...miners),
        miners.map(() => validators),
      );
      await send(api, setRole(one, 'Idle'), owner);
      assert.equal(await validatorView(api, one), undefined);
      assert.deepEqual(
        await scoredBy(...miners),
        miners.map(() => [two]),
      );
    });

    it('who leaves in the middle of an epoch keeps what it has earned, and earns no more', async () => {
      const { owner } = await net.accounts.funded('owner');
      const { setRole, remove } = api.tx.modules;
      const { miners, validators } = await cast(owner, 'zzleave', { miners: 3, capacities: [10, 10] });
      const [[idle, gone, scored], [stays, leaves]] = [miners, validators];
      const { epoch } = await phaseReached(api, 'Commit', { room: 5 });
      const scores = miners.map((miner) => [miner, score(ONE)]);
      const batches = validators.map((validator) => seal(api, { epoch, validator, scores }));
      const [{ hash, ...sealed }] = batches;
      assert.equal((await api.call.scoresApi.seal(sealed)).toHex(), hash);
      const draws = validators.map((validator) => api.tx.scores.draw(validator));
      await sendAll(owner, [...draws, ...batches.map((batch) => commitCall(api, batch))]);
      await sendAll(owner, [setRole(idle, 'Idle'), remove(gone), setRole(leaves, 'Idle')]);
      assert.deepEqual(await minersOf(api, stays), [scored]);

      await phaseReached(api, 'Reveal', { epoch, room: 4 });
      const [revealed] = eventsOf(await send(api, revealCall(api, batches[0]), owner), 'scores', 'Revealed');
      assert.deepEqual(revealed.ignored.toJSON(), [idle, gone]);
      await refused(net, owner, [[revealCall(api, batches[1]), 'scores.NotActive']]);
      assert.deepEqual((await resultOf(api, epoch, scored)).score, score(ONE));
      await send(api, remove(scored), owner);

      await epochClosed(api, epoch);
      const paid = await inEpoch('emission', 'Paid', epoch, ({ module }) => module.eq(scored));
      const all = new Map((await allocations(api, epoch)).map((allocation) => [allocation.module, allocation]));
      assert(all.get(scored).miner > 0n);
      assert.equal(paid.owner.toString(), owner.address);
      assert.deepEqual([paid.toOwner.toBigInt(), paid.toStakers.toBigInt()], [all.get(scored).miner, 0n]);
      assert(all.get(stays).validator > 0n);
      assert.deepEqual([all.has(idle), all.has(gone), all.has(leaves)], [false, false, false]);
      const settled = await inEpoch('scores', 'ValidatorSettled', epoch, ({ validator }) => validator.eq(leaves));
      assert.deepEqual([settled.unrevealed.toNumber(), settled.reliability.toNumber()], [1, FALLEN]);
      // Its reliability waits for it.
      await send(api, setRole(leaves, judging([types.zzleave])), owner);
      assert.equal((await validatorView(api, leaves)).reliability, FALLEN);
    });

    it('a source of truth tells who judges rightly', async () => {
      const { owner } = await net.accounts.funded('owner');
      // One place each, so that the source of truth is neither's. The honest one is registered last: its name was
      // dearer, so that its word weighs more.
      const { miners, validators } = await cast(owner, 'zztruth', { miners: 3, capacities: [1, 1] });
      const [[, , truth], [liar, honest]] = [miners, validators];
      assert.deepEqual(await scoredBy(truth), [[]]);
      await sendAsRoot(api, api.tx.matching.setTruth(truth, 900_000), net.accounts.alice);
      const truths = await api.call.matchingApi.truths(types.zztruth);
      assert.deepEqual(truths.toJSON(), [[truth, 900_000]]);

      const { epoch } = await phaseReached(api, 'Commit', { room: 5 });
      await sendAll(
        owner,
        validators.map((validator) => api.tx.scores.draw(validator)),
      );
      const checks = await Promise.all(validators.map(checksOf));
      assert(
        checks.every((miners) => miners.includes(truth)),
        JSON.stringify(checks),
      );
      await refused(net, owner, [[api.tx.scores.draw(honest), 'scores.AlreadyDrawn']]);
      const batches = await Promise.all(
        [
          [liar, 100_000],
          [honest, 900_000],
        ].map(async ([validator, value]) => {
          const scored = [...(await minersOf(api, validator)), ...(await checksOf(validator))].sort(byNumber);
          return seal(api, { epoch, validator, scores: scored.map((miner) => [miner, score(value)]) });
        }),
      );
      await sendAll(
        owner,
        batches.map((batch) => commitCall(api, batch)),
      );
      await phaseReached(api, 'Reveal', { epoch, room: 3 });
      await sendAll(
        owner,
        batches.map((batch) => revealCall(api, batch)),
      );
      const { ratings } = await resultOf(api, epoch, truth);
      assert.deepEqual(
        ratings.map(({ check }) => check),
        [true, true],
      );
      const settled = (of) => inEpoch('scores', 'ValidatorSettled', epoch, ({ validator }) => validator.eq(of));
      const [lied, judged] = [await settled(liar), await settled(honest)];
      assert(lied.judged.toNumber() > 0 && judged.judged.toNumber() > 0);
      assert.deepEqual([lied.agreed.toNumber(), judged.agreed.toNumber()], [0, judged.judged.toNumber()]);
      const reliabilities = [lied, judged].map(({ reliability }) => reliability.toNumber());
      // A tenth of the way, to nothing and to everything.
      assert.deepEqual(reliabilities, [450_000, 550_000]);
    });

    it('who is silent for a whole epoch is reported, and its miners go to others', async () => {
      const { owner, stranger } = await net.accounts.funded('owner', 'stranger');
      const { miners, validators } = await cast(owner, 'zzsilent', { miners: 1, capacities: [10] });
      const [[miner], [silent]] = [miners, validators];
      const report = api.tx.scores.reportSilent(silent);
      await refused(net, stranger, [[report, 'scores.NotSilent']]);
      const { epoch } = await clock(api);
      await epochClosed(api, epoch + 1);
      const [told] = eventsOf(await send(api, report, stranger), 'scores', 'SilentReported');
      assert.deepEqual([told.validator.toNumber(), told.reliability.toNumber()], [silent, FALLEN]);
      const { standing, reliability } = await validatorView(api, silent);
      assert.deepEqual([standing, reliability], ['Off', FALLEN]);
      assert.deepEqual(await scoredBy(miner), [[]]);
      await refused(net, stranger, [[report, 'scores.NotActive']]);
      await send(api, api.tx.matching.switchOn(silent), owner);
      assert.deepEqual(await scoredBy(miner), [[silent]]);
      await refused(net, stranger, [[report, 'scores.NotSilent']]);
    });

    it('anyone burns what is his, and the books tell', async () => {
      const { ann } = await net.accounts.funded('ann');
      const receipt = await send(api, api.tx.emission.burn(5n * TUNE), ann);
      const [{ who, amount }] = eventsOf(receipt, 'emission', 'Burnt');
      assert.deepEqual([who.unwrap().toString(), amount.toBigInt()], [ann.address, 5n * TUNE]);
      const total = ENDOWMENT - 5n * TUNE - receipt.fee;
      assert.deepEqual(await balance(api, ann), { free: total, held: 0n, total });
      await refused(net, ann, [
        [api.tx.emission.burn(0), 'emission.ZeroAmount'],
        [api.tx.emission.burn(ENDOWMENT), 'emission.CannotPay'],
        [api.tx.balances.burn(TUNE, false), 'system.CallFiltered'],
      ]);
    });

    it('scores that nobody may commit to or reveal', async () => {
      const { owner, stranger } = await net.accounts.funded('owner', 'stranger');
      const { commit, reveal, draw } = api.tx.scores;
      const [mine, others] = [
        await cast(owner, 'zzbad', { miners: 2, capacities: [10, 1] }),
        await cast(owner, 'zzother', { miners: 1, capacities: [1] }),
      ];
      const [[a, b], [one, two], [foreign]] = [mine.miners, mine.validators, others.miners];
      // In the epoch in which a miner comes, nobody is blamed for scoring it.
      const epoch = (await clock(api)).epoch + 1;
      await phaseReached(api, 'Commit', { epoch, room: 6 });
      const batchOf = (batch, scores, more = {}) => seal(api, { epoch, validator: one, batch, scores, ...more });
      const batches = [
        [
          [b, score(ONE)],
          [a, score(ONE)],
        ],
        [
          [a, score(ONE)],
          [a, score(ONE)],
        ],
        [[a, { ...score(ONE), score: ONE + 1 }]],
        [[a, { ...score(ONE), quality: 2 ** 32 - 1 }]],
        [[a, { ...score(ONE), availability: ONE + 1 }]],
        [
          [a, score(ONE)],
          [foreign, score(ONE)],
        ],
        [[a, score(ONE)]],
        [
          [a, score(ONE)],
          [b, score(ONE)],
        ],
      ].map((scores, batch) => batchOf(batch, scores));
      const late = seal(api, { epoch, validator: two, scores: [] });
      const hash = `0x${'00'.repeat(32)}`;
      const salt = randomBytes(32);
      const { maxBatches } = api.consts.scores;
      await refused(net, owner, [
        [commit(NONE, 0, hash), 'scores.UnknownModule'],
        [commit(a, 0, hash), 'scores.NotActive'],
        [commit(one, maxBatches, hash), 'scores.NoSuchBatch'],
        [reveal(one, 0, [], salt), 'scores.NotRevealPhase'],
        [draw(NONE), 'scores.UnknownModule'],
        [draw(a), 'scores.NotActive'],
        [commit(one, 0, hash), 'scores.NotDrawn'],
      ]);
      await refused(net, stranger, [
        [commit(one, 0, hash), 'scores.NotOwner'],
        [reveal(one, 0, [], salt), 'scores.NotOwner'],
        [draw(one), 'scores.NotOwner'],
      ]);
      const commits = [...batches, late].map((batch) => commitCall(api, batch));
      await sendAll(owner, [draw(one), draw(two), ...commits]);
      await refused(net, owner, [
        [commitCall(api, batches[0]), 'scores.AlreadyCommitted'],
        [draw(one), 'scores.AlreadyDrawn'],
      ]);
      const { unrevealed } = await dutiesOf(api, one);
      assert.deepEqual(
        unrevealed,
        batches.map(({ batch, hash }) => ({ batch, hash })),
      );

      await phaseReached(api, 'Reveal', { epoch, room: 5 });
      const all = (errors) => errors.map((error, at) => [revealCall(api, batches[at]), `scores.${error}`]);
      const sixth = batches[6];
      await refused(net, owner, [
        [commit(two, 1, hash), 'scores.NotCommitPhase'],
        [draw(two), 'scores.NotCommitPhase'],
        ...all(['NotInOrder', 'NotInOrder', 'ScoreAboveOne', 'ScoreAboveOne', 'ScoreAboveOne', 'NotYourMiner']),
        [revealCall(api, { ...sixth, salt }), 'scores.NotAsCommitted'],
        [revealCall(api, { ...sixth, scores: [[a, score(ONE - 1)]] }), 'scores.NotAsCommitted'],
        [revealCall(api, { ...sixth, batch: 5 }), 'scores.NotAsCommitted'],
        [revealCall(api, { ...sixth, validator: two, batch: 0 }), 'scores.NotAsCommitted'],
        [revealCall(api, { ...sixth, validator: two }), 'scores.NotCommitted'],
        [revealCall(api, { ...sixth, validator: NONE }), 'scores.UnknownModule'],
        [revealCall(api, { ...sixth, validator: a }), 'scores.NotActive'],
      ]);
      await send(api, revealCall(api, sixth), owner);
      await refused(net, owner, [
        [revealCall(api, sixth), 'scores.NotCommitted'],
        [revealCall(api, batches[7]), 'scores.AlreadyScored'],
      ]);

      // What was not revealed cannot be revealed in another epoch, whether it is committed to anew or not.
      const next = epoch + 1;
      await phaseReached(api, 'Commit', { epoch: next, room: 6 });
      await checksDrawn(api, one, next);
      await send(api, commitCall(api, { ...batches[6], batch: 6 }), owner);
      await phaseReached(api, 'Reveal', { epoch: next, room: 3 });
      await refused(net, owner, [
        [revealCall(api, late), 'scores.NotCommitted'],
        [revealCall(api, batches[7]), 'scores.NotCommitted'],
        [revealCall(api, sixth), 'scores.NotAsCommitted'],
      ]);
    });
  });

  describe('bad input', { concurrency: 32 }, () => {
    it('parts that a module cannot play, and switches that are as they are', async () => {
      const { owner, stranger } = await net.accounts.funded('owner', 'stranger');
      const { switchOff, switchOn, flag, unflag, setTruth } = api.tx.matching;
      const { setRole } = api.tx.modules;
      const { miners, validators } = await cast(owner, 'zztwice', { miners: 3, capacities: [3] });
      const [[miner, other, idle], [validator]] = [miners, validators];
      await sendAll(owner, [setRole(idle, 'Idle'), switchOff(other)]);
      const before = await views();
      await refused(net, owner, [
        [setRole(miner, 'Miner'), 'modules.NothingToChange'],
        [setRole(validator, judging([types.zztwice], 3)), 'modules.NothingToChange'],
        [setRole(validator, judging([types.zztwice, types.zzother], 3)), 'matching.HasMiners'],
        [api.tx.utility.batchAll([setRole(miner, 'Idle'), setRole(miner, 'Miner')]), 'matching.StillLeaving'],
        [switchOn(miner), 'matching.AlreadyOn'],
        [switchOff(other), 'matching.AlreadyOff'],
        [switchOff(idle), 'matching.NotInSubnet'],
        [switchOn(idle), 'matching.NotInSubnet'],
        [switchOff(NONE), 'matching.UnknownModule'],
        [switchOn(NONE), 'matching.UnknownModule'],
      ]);
      await refused(net, stranger, [
        [switchOff(validator), 'matching.NotOwner'],
        [switchOn(other), 'matching.NotOwner'],
        [flag(miner, 'no good'), 'badOrigin'],
        [unflag(miner), 'badOrigin'],
        [setTruth(miner, ONE), 'badOrigin'],
      ]);
      await rootFails(flag(NONE, 'nobody'), 'matching.UnknownModule');
      await rootFails(flag(miner, ''), 'matching.NoReason');
      await rootFails(flag(miner, 'a'.repeat(129)), 'matching.ReasonTooLong');
      await rootFails(flag(miner, '0xfffe'), 'matching.ReasonNotUtf8');
      await rootFails(unflag(miner), 'matching.NotFlagged');
      await rootFails(setTruth(validator, ONE), 'matching.NotMiner');
      await rootFails(setTruth(idle, ONE), 'matching.NotMiner');
      await rootFails(setTruth(miner, null), 'matching.NothingToChange');
      assert.deepEqual(await views(), before);
      await sendAsRoot(api, flag(miner, 'a'.repeat(128)), net.accounts.alice);
      await rootFails(flag(miner, 'again'), 'matching.AlreadyFlagged');

      function views() {
        return Promise.all([...miners.map((id) => minerView(api, id)), validatorView(api, validator)]);
      }
    });

    it('sources of truth and test cases, no more than there may be', async () => {
      const { owner, stranger } = await net.accounts.funded('owner', 'stranger');
      const { setTruth, addTestCase, removeTestCase } = api.tx.matching;
      const { maxTruths, maxTestCases } = api.consts.matching;
      const count = maxTruths.toNumber();
      const { miners } = await cast(owner, 'zzknown', { miners: count + 1, capacities: [] });
      const type = types.zzknown;
      const hash = (number) => `0x${number.toString(16).padStart(64, '0')}`;
      const test = (number) => ({ inputs: hash(number), outputs: hash(0), tolerance: 10_000 });
      await refused(net, owner, [[addTestCase(type, test(1)), 'matching.NotTruthOwner']]);
      const truths = miners.slice(0, count).map((miner) => setTruth(miner, 500_000));
      await sendAsRoot(api, api.tx.utility.batchAll(truths), net.accounts.alice);
      await rootFails(setTruth(miners.at(-1), 500_000), 'matching.TooManyTruths');

      const tests = Array.from({ length: maxTestCases.toNumber() }, (_, at) => addTestCase(type, test(at + 1)));
      await send(api, api.tx.utility.batchAll(tests), owner);
      const known = await api.call.matchingApi.testCases(type);
      assert.deepEqual([known.length, known[0].toJSON()], [tests.length, test(1)]);
      await refused(net, owner, [
        [addTestCase(type, { ...test(1), outputs: hash(7) }), 'matching.TestCaseExists'],
        [addTestCase(type, test(1_000)), 'matching.TooManyTestCases'],
        [removeTestCase(type, hash(1_000)), 'matching.UnknownTestCase'],
      ]);
      await refused(net, stranger, [
        [addTestCase(type, test(1_000)), 'matching.NotTruthOwner'],
        [removeTestCase(type, hash(1)), 'matching.NotTruthOwner'],
      ]);
      await send(api, removeTestCase(type, hash(1)), owner);
      assert.equal((await api.call.matchingApi.testCases(type)).length, tests.length - 1);
    });

    it('emission that nobody is owed, and shares that do not make one', async () => {
      const { ann } = await net.accounts.funded('ann');
      const { claim, setSplit } = api.tx.emission;
      const { epoch } = await clock(api);
      const split = { miners: 600_000, validators: 300_000, treasury: 100_001 };
      await refused(net, ann, [
        [claim(epoch + 1, 0), 'emission.EpochNotClosed'],
        [claim(2 ** 32 - 1, 0), 'emission.EpochNotClosed'],
        [claim(0, NONE), 'emission.NothingOwed'],
        [setSplit({ ...split, treasury: 100_000 }), 'badOrigin'],
      ]);
      await rootFails(setSplit(split), 'emission.SplitNotOne');
      await rootFails(setSplit({ miners: 0, validators: 0, treasury: 0 }), 'emission.SplitNotOne');
    });
  });

  it('afterwards the books are right, and all that came or went was told', async () => {
    await assertStatus();
    await net.isFinalised();
    await net.moneyAddsUp();
    await assertIssuanceIsTold(api);
  });

  const rootFails = (call, error) =>
    assert.rejects(sendAsRoot(api, call, net.accounts.alice), new DispatchError(error));

  /** Registers miners and validators of a type for one owner, and gives them their parts in one block. */
  async function cast(owner, word, { miners, capacities }) {
    const names = (kind, count) => Array.from({ length: count }, (_, at) => `${word}-${kind}-${at}`);
    const all = [...names('validator', capacities.length), ...names('miner', miners)];
    const ids = (await register(api, owner, ...all)).modules.map(({ id }) => id);
    const roles = ids.map((id, at) => {
      const role = at < capacities.length ? judging([types[word]], capacities[at]) : 'Miner';
      return api.tx.modules.setRole(id, role);
    });
    await send(api, api.tx.utility.batchAll(roles), owner);
    return { validators: ids.slice(0, capacities.length), miners: ids.slice(capacities.length) };
  }

  /** The validators of each miner, in the order of their numbers. */
  const scoredBy = (...miners) =>
    Promise.all(miners.map(async (miner) => (await minerView(api, miner)).validators.sort(byNumber)));

  const loads = async (...validators) =>
    (await Promise.all(validators.map((validator) => validatorView(api, validator)))).map(({ load }) => load);

  /** What a validator was drawn to check. */
  const checksOf = async (validator) => (await dutiesOf(api, validator)).checks;

  /** Waits for what an event says that is about an epoch. */
  async function inEpoch(section, method, epoch, matches) {
    const isIt = (event) => event.section === section && event.method === method && event.data.epoch.eq(epoch);
    const found = await net.chronicle.first(`${section}.${method}`, (event) => isIt(event) && matches(event.data));
    return found.data;
  }

  /** Sends calls of one account, in this order, and waits for all of them. */
  const sendAll = (account, calls) => Promise.all(calls.map((call) => send(api, call, account)));

  /** What the runtime says in one call of the whole subnet is what is found by looking at every module. */
  async function assertStatus() {
    const at = await api.at(await api.rpc.chain.getBlockHash());
    const ids = (await at.query.modules.modules.keys()).map(({ args: [id] }) => id.toNumber());
    const views = async (view) => (await Promise.all(ids.map((id) => view(at, id)))).filter(Boolean);
    const [miners, validators] = [await views(minerView), await views(validatorView)];
    const standing = (wanted) => [...miners, ...validators].filter(({ standing }) => standing === wanted).length;
    const { counts, epoch, results, listings, supply, burnt } = await at.call.matchingApi.status();
    assert.deepEqual(counts.toJSON(), {
      miners: miners.length,
      validators: validators.length,
      active: standing('Active'),
      flagged: standing('Flagged'),
      matches: sum(miners.map(({ validators }) => validators.length)),
      waiting: miners.filter(({ waiting }) => waiting).length,
    });
    assert.equal(sum(validators.map(({ load }) => load)), counts.matches.toNumber());
    assert.equal(epoch.toNumber(), (await at.call.emissionApi.epoch()).epoch.toNumber());
    assert.equal(results.toNumber(), (await at.query.scores.results.keys()).length);
    assert.equal(listings.toNumber(), 0);
    assert.equal(supply.toBigInt(), (await at.query.balances.totalIssuance()).toBigInt());
    assert.equal(burnt.toBigInt(), (await at.call.emissionApi.supply()).burnt.toBigInt());
  }
});

/** What the events of this kind say that a transaction led to. */
const eventsOf = ({ events }, section, method) =>
  events.filter((event) => event.section === section && event.method === method).map(({ data }) => data);

/** A score that is the same throughout. */
const score = (value) => ({ score: value, quality: value, availability: value, latency: 10 });

const byNumber = (one, other) => one - other;

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
