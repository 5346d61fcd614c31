/** Sessions in which somebody fails: workers and gateways that die, stall or break the protocol, and a chain that stands. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { Network, until } from '../harness/index.mjs';
import { withShortSessions } from '../harness/inference.mjs';
import { MAX_ROW_MESSAGE, Answer, Peer, rowReply } from '../harness/peer.mjs';
import { Scene } from '../harness/scene.mjs';

/** Enough that something can happen in the middle. */
const LONG = 120;
/** After so many milliseconds without an end there is none to come. */
const SILENCE = 45_000;
/** After so many tokens it happens. */
const MIDDLE = 10;

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
    for (const name of ['kim', 'stan', 'gwen']) await net.add({ name, args: ['--offchain-worker=always'] });
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
      const scene = await Scene.on(net, 11, { workers: ['bob', 'charlie', 'kim'] });
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
      await onlyOthersArePaid(scene, session, end, place, before);
    });

    it('a worker that stalls is dropped, and one that is only late is paid', async () => {
      const scene = await Scene.on(net, 12, { workers: ['bob', 'charlie', 'stan'] });
      const stan = net.node('stan');
      const late = await scene.asks({ maxTokens: LONG, replicas: 3 });
      const pause = () => {
        stan.freeze();
        setTimeout(() => stan.thaw(), 1_000);
      };
      const { end } = await late.generate(once(MIDDLE, pause));
      await isRight(scene, end);
      assert.deepEqual(end.dropped, []);
      const { paid } = await late.settled();
      assert.deepEqual(paid, scene.due(late, end.positions));

      const before = await scene.owned();
      const session = await scene.asks({ maxTokens: LONG, replicas: 3 });
      const answer = await session.generate(once(MIDDLE, () => stan.freeze()));
      await isRight(scene, answer.end);
      stan.thaw();
      const place = session.places.indexOf(scene.on('stan'));
      await onlyOthersArePaid(scene, session, answer.end, place, before);
    });

    it('without replicas a worker that is killed ends the answer, and the requester has its money back', async () => {
      const scene = await Scene.on(net, 13, { workers: ['gwen', 'bob'], gateway: 'charlie' });
      await refundedIf(scene, { workers: 2, maxTokens: LONG }, 'gwen');
    });

    for (const [fault, messages] of Object.entries(FAULTS)) {
      it(`a worker that ${fault} is dropped, and the answer is right`, async () => {
        const peer = await Peer.start(net.api.genesisHash.toU8a(), () => Answer.absent, messages);
        try {
          await peer.join(net.first);
          const seed = 14 + Object.keys(FAULTS).indexOf(fault);
          const scene = await Scene.on(net, seed, { workers: ['bob', 'charlie'], peer });
          const before = await scene.owned();
          const session = await scene.asks({ maxTokens: 4, replicas: 3 });
          const { end } = await session.generate();
          await isRight(scene, end, 4);
          assert(peer.calls.length > 0, 'it was asked');
          assert.deepEqual(end.disagreements, []);
          const place = session.places.indexOf(scene.on('peer'));
          await onlyOthersArePaid(scene, session, end, place, before);
        } finally {
          await peer.stop();
        }
      });
    }
  });

  it('a gateway that is killed in the middle loses the session, and the requester has its money back', async () => {
    const scene = await Scene.on(net, 21, { gateway: 'gwen' });
    await refundedIf(scene, { maxTokens: LONG, replicas: 3 }, 'gwen');
  });

  it('a session outlives a chain that stands still', async (t) => {
    const scene = await Scene.on(net, 22, { workers: ['bob', 'kim', 'stan'] });
    const before = await scene.owned();
    const session = await scene.asks({ maxTokens: 8, replicas: 3 });
    const { end } = await session.generate();
    await session.event('SessionClosed');
    // Without two of four validators nothing is final, and no trace has enough attestations.
    const frozen = ['charlie', 'dave'].map((name) => net.node(name));
    for (const node of frozen) node.freeze();
    const [final, best] = [await net.first.finalized(), await net.first.best()];
    await until('some blocks that are not final', async () => (await net.first.best()) >= best + 6);
    t.diagnostic(`block ${best + 6} while ${await net.first.finalized()} is final`);
    assert((await net.first.finalized()) <= final + 1, 'finality stands still');
    for (const node of frozen) node.thaw();
    await net.isFinalising();
    const settled = await session.settled();
    assert.deepEqual([settled.paid, settled.refund], [scene.due(session, end.positions), undefined]);
    const changes = await scene.changes(before);
    assert.equal(changes.asker, settled.returned - session.price - session.fee);
    assert.equal(changes.gateway, settled.gateway);
  });

  /** The answer is the one that a machine alone gives. */
  async function isRight(scene, end, maxTokens = LONG) {
    const expected = await scene.alone(maxTokens);
    assert.deepEqual(end.tokens.slice(0, expected.length), expected);
  }

  /** One worker has served nothing that counts; all others are paid, and the requester does not pay for what is missing. */
  async function onlyOthersArePaid(scene, session, end, place, before) {
    const settled = await session.settled();
    const due = scene.due(session, end.positions, (at) => (at === place ? [] : scene.ranges(session, at)));
    assert.deepEqual([settled.paid, settled.refund, settled.slashed], [due, undefined, {}]);
    const changes = await scene.changes(before);
    for (const [at, { node, account }] of session.places.entries())
      assert.equal(changes[`on ${node.name}`], at === place ? undefined : due[account.address]);
    assert.equal(changes.asker, settled.returned - session.price - session.fee);
  }

  /** A node is killed in the middle of an answer, which therefore never ends. */
  async function refundedIf(scene, terms, name) {
    const before = await scene.owned();
    const session = await scene.asks(terms);
    const node = net.node(name);
    let killed;
    // Who listens to a node that is killed hears nothing more.
    await assert.rejects(
      session.generate(
        once(MIDDLE, () => (killed = node.kill())),
        SILENCE,
      ),
    );
    await killed;
    const settled = await session.settled();
    assert.deepEqual([settled.refund, settled.returned], ['NotClosed', session.price]);
    assert.deepEqual(
      Object.values(settled.paid),
      Object.values(settled.paid).map(() => 0n),
    );
    assert.deepEqual([settled.gateway, settled.slashed], [0n, {}]);
    assert.deepEqual(await scene.changes(before), { asker: -session.fee });
    await net.restart(node);
  }
});

/** Does something once, when so many tokens have come. */
function once(tokens, act) {
  let seen = 0;
  return ({ kind }) => {
    if (kind === 'token') seen += 1;
    if (kind === 'token' && seen === tokens) act();
  };
}
