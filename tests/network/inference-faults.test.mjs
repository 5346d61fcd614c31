/** Sessions in which somebody fails: workers and gateways that die, stall or break the protocol, and a chain that stands. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { Network, until } from '../harness/index.mjs';
import { withShortSessions } from '../harness/inference.mjs';
import { MAX_ROW_MESSAGE, Answer, Peer, rowReply } from '../harness/peer.mjs';
import { Scene } from '../harness/scene.mjs';

/** Enough that something can happen in the middle. */
const LONG = 80;
/** After so many tokens it happens. */
const MIDDLE = 10;
/** Of models whose answers are that long. */
const SEEDS = { killed: 31, stalled: 32, cut: 37, gateway: 39, chain: 22 };
/** Nodes that fail and are no validators, so that nothing else fails with them. */
const MORTALS = ['kim', 'stan', 'gwen', 'glen'];
/** After so many milliseconds nobody listens any more to a node that was killed. */
const SILENCE = 120_000;
/** The time in which five blocks should come, in milliseconds. */
const FIVE_BLOCKS = 15_000;

/** What workers that are none send for a call. */
const FAULTS = {
  'answers for another session': (call) => [rowReply({ ...call, session: call.session + 1_000 }, [1n])],
  'gives too few outputs': (call) => [rowReply(call, [1n, 2n, 3n])],
  'sends frames that are too long': () => [new Uint8Array(MAX_ROW_MESSAGE + 1)],
  'sends what is no message': () => [Uint8Array.of(9, 9, 9)],
};

describe('inference that fails', { concurrency: 1 }, () => {
  /** @type {Network} */
  let net;

  before(async () => {
    net = await Network.start({ validators: 4, genesis: withShortSessions });
    for (const name of MORTALS) await net.add({ name, args: ['--offchain-worker=always'] });
  });
  after(async () => {
    try {
      await net?.moneyAddsUp();
    } finally {
      await net?.stop();
    }
  });

  describe('on a chain that goes on', { concurrency: true }, () => {
    it('a worker that is killed in the middle is missed by nobody, and not paid', async () => {
      const scene = await Scene.on(net, SEEDS.killed, { workers: ['bob', 'charlie', 'kim'] });
      const kim = net.node('kim');
      const before = await scene.owned();
      const session = await scene.asks({ maxTokens: LONG, replicas: 3 });
      const { end } = await session.generate(once(MIDDLE, () => kim.kill()));
      await isRight(scene, end);
      assert(end.outputs.majority > 0, 'the last answers are those of two of three');
      assert.equal(end.outputs.unverified, 0);
      await net.restart(kim);

      const place = session.places.indexOf(scene.on('kim'));
      for (const { backers, outvoted } of await session.voted()) {
        assert.deepEqual(
          backers,
          [0, 1, 2].filter((other) => other !== place),
        );
        assert.deepEqual(outvoted, []);
      }
      await onlyOthersArePaid(scene, [[session, end, place]], before);
    });

    it('a worker that stalls is dropped, and one that is only late is paid', async () => {
      const scene = await Scene.on(net, SEEDS.stalled, { workers: ['bob', 'charlie', 'stan'] });
      const stan = net.node('stan');
      const before = await scene.owned();
      const terms = { maxTokens: LONG, replicas: 3 };
      // It stalls first: whoever stands still while a session is voted on is silent there.
      const stalled = await scene.asks(terms);
      const stall = stalled.generate(once(MIDDLE, () => stan.freeze()));
      const [{ end }, late] = await Promise.all([stall, scene.asks(terms)]);
      stan.thaw();
      // It has to import what it has missed, which takes longer than a call may on a machine that has much to do.
      const best = await net.first.best();
      await until('stan to be back', async () => (await stan.best()) >= best);
      const pause = () => {
        stan.freeze();
        setTimeout(() => stan.thaw(), 1_000);
      };
      const answer = await late.generate(once(MIDDLE, pause));
      const place = stalled.places.indexOf(scene.on('stan'));
      const dropped = [end, answer.end].map(({ dropped }) => dropped.map((worker) => worker.place));
      const reasons = [end, answer.end].flatMap(({ dropped }) => dropped.map(({ reason }) => reason));
      assert.deepEqual(dropped, [[place], []], reasons.join('; '));
      for (const each of [end, answer.end]) await isRight(scene, each);
      const sessions = [
        [stalled, end, place],
        [late, answer.end],
      ];
      await onlyOthersArePaid(scene, sessions, before);
    });

    it('without replicas a worker that is killed ends the answer, and what there is of it is paid', async () => {
      const scene = await Scene.on(net, SEEDS.cut, { workers: ['gwen', 'bob'], gateway: 'charlie' });
      const gwen = net.node('gwen');
      const before = await scene.owned();
      const session = await scene.asks({ workers: 2, maxTokens: LONG });
      const { items, end } = await session.generate(once(MIDDLE, () => gwen.kill()));
      await net.restart(gwen);
      assert.match(end.cut, /no worker of range/);
      const told = items.map(({ token }) => token);
      assert(told.length >= MIDDLE && told.length < LONG);
      assert.deepEqual(end.tokens, [...session.tokens, ...told]);
      assert.deepEqual(end.tokens, (await scene.alone(LONG)).slice(0, end.tokens.length));

      // It cannot vote for what it has lost. What it and the gateway would have got is burnt: the requester has its answer.
      const lost = session.places.indexOf(scene.on('gwen'));
      const won = 1 - lost;
      const votes = await session.voted();
      assert.deepEqual([votes[lost].backers, votes[won].backers], [[], [won]]);
      const settled = await session.settled();
      const { amount } = scene.pieces(session, end.positions);
      const { workers: forBob } = scene.pieces(session, end.positions, [won]);
      const { address } = scene.on('bob').account;
      const { [address]: paid, ...others } = settled.paid;
      assert.deepEqual([paid, Object.values(others)], [forBob, [0n]]);
      assert.deepEqual([settled.refund, settled.slashed, settled.gateway], [undefined, {}, 0n]);
      assert.equal(settled.burnt, amount - forBob);
      const spent = scene.prices.fee(session.question) + amount;
      assert.equal(settled.returned, session.price - spent);
      assert.deepEqual(await scene.changes(before), { asker: -spent - session.fee, 'on bob': forBob });
    });

    it('a gateway that is killed in the middle pays for the session, and the requester has its money back', async () => {
      const scene = await Scene.on(net, SEEDS.gateway, { gateway: 'glen' });
      const glen = net.node('glen');
      const before = await scene.owned();
      const session = await scene.asks({ maxTokens: LONG, replicas: 3 });
      await diesWhileItAnswers(session, glen);
      await net.restart(glen);
      const settled = await session.settled();
      assert.deepEqual([settled.refund, settled.returned, settled.gateway], ['NotClosed', session.price, 0n]);
      assert.deepEqual(Object.values(settled.paid), [0n, 0n, 0n]);
      assert.deepEqual(settled.slashed, { [scene.gateway.account.address]: session.price });
      const changes = await scene.changes(before);
      assert.deepEqual(changes, { asker: -session.fee, gateway: -session.price });
    });

    for (const [fault, messages] of Object.entries(FAULTS)) {
      it(`a worker that ${fault} is dropped, and the answer is right`, async () => {
        const peer = await Peer.start(net.api.genesisHash.toU8a(), () => Answer.absent, messages);
        try {
          await peer.join(net.first);
          const seed = 15 + Object.keys(FAULTS).indexOf(fault);
          const scene = await Scene.on(net, seed, { workers: ['bob', 'charlie'], peer });
          const before = await scene.owned();
          const session = await scene.asks({ maxTokens: 4, replicas: 3 });
          const { end } = await session.generate();
          await isRight(scene, end, 4);
          assert(peer.calls.length > 0, 'it was asked');
          assert.deepEqual(end.disagreements, []);
          const place = session.places.indexOf(scene.on('peer'));
          await onlyOthersArePaid(scene, [[session, end, place]], before);
        } finally {
          await peer.stop();
        }
      });
    }
  });

  it('a session outlives a chain that stands still', async (t) => {
    // None of them is a validator, so that the answer goes on when all of those stand.
    const scene = await Scene.on(net, SEEDS.chain, { workers: ['kim', 'stan'], gateway: 'gwen' });
    const before = await scene.owned();
    const gwen = net.node('gwen');
    const session = await scene.asks({ maxTokens: LONG, workers: 2 });
    const validators = ['alice', 'bob', 'charlie', 'dave'].map((name) => net.node(name));
    let end;
    try {
      ({ end } = await session.generate(once(MIDDLE, () => freeze(validators))));
      const stamp = async () => (await gwen.api.query.timestamp.now()).toNumber();
      await until('five blocks to be missing', async () => Date.now() - (await stamp()) > FIVE_BLOCKS);
      const view = await gwen.api.call.inferenceApi.session(session.id);
      assert(view.unwrap().phase.isAssigned, 'it is answered, and no block has closed it');
    } finally {
      thaw(validators);
    }
    await isRight(scene, end);
    await session.event('SessionClosed');

    // Without two of four nothing is final, and no trace has enough attestations.
    const two = validators.slice(2);
    freeze(two);
    const [final, best] = [await net.first.finalized(), await net.first.best()];
    // Half of all slots are those of the two that stand.
    const ahead = async () => (await net.first.best()) >= best + 6;
    await until('some blocks that are not final', ahead, { within: 180_000 });
    t.diagnostic(`block ${best + 6} while ${await net.first.finalized()} is final`);
    assert((await net.first.finalized()) <= final + 1, 'finality stands still');
    thaw(two);
    await net.isFinalising();

    const settled = await session.settled();
    const due = scene.due(session, end.positions);
    assert.deepEqual([settled.paid, settled.refund, settled.slashed], [due, undefined, {}]);
    for (const once of ['SessionAssigned', 'SessionClosed', 'SessionOver', 'SessionSettled'])
      assert.equal(session.events(once).length, 1, once);
    assert.equal(session.events('WorkerSettled').length, 2);
    const paid = session.places.map(({ node, account }) => [`on ${node.name}`, due[account.address]]);
    assert.deepEqual(await scene.changes(before), {
      asker: settled.returned - session.price - session.fee,
      gateway: settled.gateway,
      ...Object.fromEntries(paid),
    });
  });

  /** The answer is the one that a machine alone gives, and as long as was asked for. */
  async function isRight(scene, end, maxTokens = LONG) {
    const expected = await scene.alone(maxTokens);
    assert.deepEqual(end.tokens, expected);
  }

  /**
   * In each of some sessions one worker at most, at a place, has served nothing that counts; all others are paid, and the
   * requester does not pay for what is missing.
   */
  async function onlyOthersArePaid(scene, sessions, before) {
    const gains = {};
    const add = (name, amount) => (gains[name] = (gains[name] ?? 0n) + amount);
    for (const [session, end, place] of sessions) {
      const settled = await session.settled();
      const due = scene.due(session, end.positions, (at) => (at === place ? [] : scene.ranges(session, at)));
      assert.deepEqual([settled.paid, settled.refund, settled.slashed], [due, undefined, {}]);
      for (const { node, account } of session.places) add(`on ${node.name}`, due[account.address]);
      add('asker', settled.returned - session.price - session.fee);
      add('gateway', settled.gateway);
    }
    const nonzero = Object.entries(gains).filter(([, amount]) => amount !== 0n);
    assert.deepEqual(await scene.changes(before), Object.fromEntries(nonzero));
  }
});

const freeze = (nodes) => nodes.forEach((node) => node.freeze());
const thaw = (nodes) => nodes.forEach((node) => node.thaw());

/** Has a node answer, and kills it in the middle. Nobody hears the end. */
function diesWhileItAnswers(session, node) {
  return new Promise((resolve, reject) => {
    const end = once(MIDDLE, () => resolve(node.kill()));
    session.generate(end, SILENCE).then(() => reject(new Error(`${node.name} answered before it was killed`)), reject);
  });
}

/** Does something once, when so many tokens have come. */
function once(tokens, act) {
  let seen = 0;
  return ({ kind }) => {
    if (kind === 'token') seen += 1;
    if (kind === 'token' && seen === tokens) act();
  };
}
