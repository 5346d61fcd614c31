/**
 * A worker of a model's rows that has no node of its own: `ensemble miner run --model` joins, is drawn, multiplies, votes
 * and is paid by the RPC of a node that others run, while that node and the worker itself are killed and started again.
 */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { u8aToHex } from '@polkadot/util';

import { Client, commandsOf } from '../harness/client.mjs';
import { Network, blockReached, pairOf, send, until } from '../harness/index.mjs';
import { LENGTHS, letLeaveAfter } from '../harness/inference.mjs';
import { rowReply } from '../harness/peer.mjs';
import { freePorts } from '../harness/ports.mjs';
import { placesOf } from '../harness/prices.mjs';
import { Relay } from '../harness/relay.mjs';
import { BOND, Scene } from '../harness/scene.mjs';

/** Enough that something can happen in the middle, and a model whose answer is that long. */
const LONG = 80;
const SEED = 31;
/** After so many tokens it happens. */
const MIDDLE = 10;
/** Replicas of the sessions, by what happens in them. In each the client is one of three workers. */
const SESSIONS = { majority: 3, alone: 1, restarted: 1, broken: 3, next: 1 };
/** Votes that leave time for a restart, and no more. */
const VOTES = { commit: 10, reveal: 8, attest: 20 };
/** Those of the task by which the network agrees on the model. */
const PHASES = { commit: 5, reveal: 4, attest: 12 };
/** So many blocks old may the number be with which somebody asks a relay. */
const AGE = 32;
/** For so many workers the relay hands messages on. */
const RELAYS = 2;
/** A node of others: nobody may do everything with it, but give it tensors. */
const RELAY = ['--rpc-methods=safe', '--tensor-rpc-writes', `--row-relays=${RELAYS}`];
const NONE = 4_000_000;

const withShortVotes = (genesis) => (genesis.inference = { lengths: { ...LENGTHS, votes: VOTES, window: 6 } });

describe('a worker without a node', () => {
  /** @type {Network} */
  let net;
  let relay;
  /** @type {Client} */
  let client;
  let miner;
  /** @type {Scene} */
  let scene;
  let owned;
  /** @type {Record<keyof typeof SESSIONS, import('../harness/inference.mjs').Session>} */
  const sessions = {};
  /** How they were answered. */
  const ends = {};

  before(async () => {
    const [rpcPort] = await freePorts(1);
    net = await Network.start({ genesis: withShortVotes });
    [, relay] = await Promise.all([
      net.add({ name: 'bob', args: ['--offchain-worker=always'] }),
      net.add({ name: 'relay', rpcPort, open: false, args: RELAY }),
    ]);
    client = new Client(relay.url);
  });
  after(async () => {
    miner?.kill();
    client?.remove();
    await net?.stop();
  });

  /** The account of the client, and the key that it signs with as a worker. */
  const account = () => scene.accounts['on client'];
  const key = ({ secret }) => pairOf(`${secret}//rows`);
  const place = ({ places }) => places.findIndex(({ node }) => node.name === 'client');

  /** Starts the client's miner. */
  function start(model, { secret }) {
    miner = client.start(`miner run --model ${model} --bond ${BOND}planck`, { key: secret });
    return miner;
  }

  /** Has a session answered, as a machine alone would, and tells `each` of what comes. */
  async function answered(name, each) {
    const { end } = await sessions[name].generate(each);
    ends[name] = end;
    assert.deepEqual(end.tokens, await scene.alone(LONG));
    assert.deepEqual([end.cut, end.disagreements], [undefined, []]);
    return end;
  }

  /** The client has told that it served a session to its end. */
  async function toldOf(name) {
    const { id } = sessions[name];
    const isIt = ({ session }) => session === id;
    const [begun, ended] = [miner.tells('sessionBegun', isIt), miner.tells('sessionEnded', isIt)];
    const { place: at, ranges } = await begun;
    assert.deepEqual([at, ranges], [place(sessions[name]), scene.ranges(sessions[name], at)]);
    assert.deepEqual([(await ended).place, (await ended).positions], [at, ends[name].positions]);
    assert.equal(miner.all('sessionBegun').filter(isIt).length, 1);
  }

  it('becomes a worker, which is reached at the node that it uses', async () => {
    const guest = {
      name: 'client',
      async join({ id, bundle }, account, bond) {
        await bundle.upload(relay.tensors);
        const unknown = await client.fail(`miner run --model ${NONE}`, { key: account.secret });
        assert.equal(unknown.kind, 'not-found', unknown.message);
        const joined = await start(id, account).tells('workerJoined');
        assert.deepEqual([joined.model, joined.bond.planck], [id, `${bond}`]);
        const serving = await miner.tells('serving');
        const peer = await relay.rpc('system_localPeerId');
        assert.deepEqual([serving.model, serving.peer, serving.key], [id, peer, u8aToHex(key(account).publicKey)]);
        const worker = await client.ask('model worker', { key: account.secret });
        const { address } = account;
        assert.deepEqual([worker.account, worker.model, worker.key, worker.peer], [address, id, serving.key, peer]);
        assert.deepEqual([worker.bond.planck, worker.leavesAt], [`${bond}`, null]);
      },
    };
    const workers = ['alice', 'bob'];
    const others = ['stranger', 'mute', 'late'];
    scene = await Scene.on(net, SEED, { workers, others, guest, phases: PHASES });
    owned = await scene.owned();
  });

  it('is drawn for sessions', async () => {
    const opened = Object.entries(SESSIONS).map(async ([name, replicas]) => {
      sessions[name] = await scene.asks({ maxTokens: LONG, workers: 3, replicas });
      assert(place(sessions[name]) >= 0);
    });
    // They are workers who leave: nobody draws them, and they have keys all the same.
    const leavers = ['mute', 'late'].map(async (name) => {
      const { inference, utility } = net.api.tx;
      const join = scene.model.joinCall(await relay.rpc('system_localPeerId'), scene.accounts[name], BOND);
      await send(net.api, utility.batchAll([join, inference.leave()]), scene.accounts[name], { until: 'finalized' });
    });
    await Promise.all([...opened, ...leavers]);
  });

  describe('at work', { concurrency: true }, () => {
    it('it is one of three who agree, and the only one who has a range', async () => {
      for (const name of ['majority', 'alone']) {
        assert.deepEqual((await answered(name)).dropped, []);
        await toldOf(name);
      }
      assert(ends.majority.outputs.full > 0);
      assert.deepEqual([ends.majority.outputs.majority, ends.majority.outputs.unverified], [0, 0]);
    });

    it('who has no right to what comes for it, or answers what was not asked, is told what to do', async () => {
      const { stranger, mute, late } = scene.accounts;
      const rows = await Relay.of(relay);
      await blockReached(relay.api, AGE + 2);
      const best = await relay.best();
      await refused(rows.serve(stranger, best), 22_101, /no worker has this key; join a model/);
      await refused(rows.serve(scene.on('bob').account, best), 22_102, /announced another node; announce/);
      await refused(rows.serve(mute, best + 1_000), 22_103, /name a block/);
      await refused(rows.serve(mute, best - AGE - 1), 22_103, /name a block/);
      await refused(rows.serve(mute, best, rows.sign(mute, best - 1)), 22_104, /not the signature/);
      await refused(rows.serve(mute, best, rows.sign(late, best)), 22_104, /not the signature/);

      const first = await rows.serve(mute, best - 1);
      await refused(rows.serve(mute, best - 1), 22_103, /newer than before/);
      await refused(rows.serve(late, best), 22_100, /--row-relays/);
      const second = await rows.serve(mute, best);
      const reply = rowReply({ session: sessions.alone.id, place: place(sessions.alone), number: 1 }, [1n]);
      await refused(rows.answer(first.token, reply), 22_105, /subscribe again/);
      await refused(rows.answer(u8aToHex(randomBytes(32)), reply), 22_105, /subscribe again/);
      await refused(rows.answer(second.token, reply), 22_107, /waits for an answer/);
      // A gateway's message, and bytes that are none.
      await refused(rows.answer(second.token, Uint8Array.of(1, ...reply.subarray(1, 9))), 22_106, /no answer/);
      await refused(rows.answer(second.token, Uint8Array.of(9, 9, 9)), 22_106, /no answer/);
      await refused(relay.rpc('ensemble_answerRows', second.token, 'none'), 22_106, /no answer/);
      await second.end();
      await until('room for another worker', () => rows.serve(late, best).then(({ end }) => end()));
    });
  });

  it('the node is killed in the middle, and it answers to the end when that is back', async () => {
    let back;
    const restart = async () => {
      await relay.kill();
      await net.restart(relay);
    };
    const end = await answered(
      'restarted',
      once(MIDDLE, () => (back = restart())),
    );
    await back;
    assert.deepEqual(end.dropped, []);
    assert(miner.all('disconnected').length > 0);
    assert.equal(miner.all('serving').length, 2);
    await toldOf('restarted');
  });

  it('killed itself, it takes no part in that session any more, and serves the next one', async () => {
    const { model, account: own } = { model: scene.model.id, account: account() };
    const { id } = sessions.broken;
    const kill = async () => {
      await miner.tells('sessionBegun', ({ session }) => session === id);
      await miner.kill();
      start(model, own);
    };
    let back;
    const end = await answered(
      'broken',
      once(MIDDLE, () => (back = kill())),
    );
    await back;
    assert.deepEqual(
      end.dropped.map((worker) => worker.place),
      [place(sessions.broken)],
    );
    assert.equal(end.outputs.unverified, 0);
    await miner.tells('serving');
    assert.deepEqual([miner.all('workerJoined'), miner.all('announced')], [[], []]);
    assert.deepEqual((await answered('next')).dropped, []);
    await toldOf('next');
    assert.deepEqual(
      miner.all('sessionBegun').map(({ session }) => session),
      [sessions.next.id],
    );
  });

  it('leaves, and votes for all that it served to the end, is paid that, and tells so', async () => {
    await letLeaveAfter(net, 2);
    const [left, ...gains] = await Promise.all([
      client.ask('model leave', { key: account().secret }),
      ...Object.keys(SESSIONS).map(settles),
    ]);
    assert.deepEqual([left.done, left.model, left.bond.planck], ['left', scene.model.id, `${BOND}`]);
    const gained = gains.reduce((sum, gain) => sum + gain, 0n);
    // Nothing else: votes cost nothing.
    assert.equal((await scene.changes(owned))['on client'], gained - BigInt(left.fee.planck));
    assert.deepEqual([miner.all('failed'), miner.all('abstained')], [[], []]);
  });

  /** A session ends as it should. Returns what the client is paid. */
  async function settles(name) {
    const [session, { positions }] = [sessions[name], ends[name]];
    const { workers, replicas } = session.question;
    const [own, isServed] = [place(session), name !== 'broken'];
    const votes = await session.voted();
    const backers = (range) => placesOf(range, workers, replicas).filter((at) => isServed || at !== own);
    const expected = votes.map((_, range) => ({ backers: backers(range).sort(), outvoted: [] }));
    assert.deepEqual(votes, expected, name);
    const settled = await session.settled();
    const due = scene.due(session, positions, (at) => (isServed || at !== own ? scene.ranges(session, at) : []));
    assert.deepEqual([settled.paid, settled.refund, settled.slashed], [due, undefined, {}], name);
    if (isServed) await tellsOfVotes(session, settled);
    return due[account().address];
  }

  /** The client tells for what it voted in a session, and what it was paid. */
  async function tellsOfVotes(session, settled) {
    const { address } = account();
    const isIt = (event) => event.session === session.id;
    const { paid, shares, slashed } = await miner.tells('sessionSettled', isIt);
    assert.deepEqual([paid.planck, slashed.planck], [`${settled.paid[address]}`, '0']);
    assert.equal(shares, `${settled.shares[address]}`);
    const voted = miner.all('voted').filter(isIt);
    const ranges = scene.ranges(session, place(session));
    assert.deepEqual(voted.map(({ range }) => range).sort(), [...ranges].sort());
    const won = session.events('RangeDecided').map(({ range, vote }) => [range.toNumber(), vote.asWon.toHex()]);
    for (const { range, content } of voted) assert.equal(content, Object.fromEntries(won)[range]);
  }

  it('has its bond back, and the books are right', async () => {
    assert.equal(await miner.stop(), 0);
    assert.equal(miner.events.at(-1).event, 'stopped');
    const signer = { key: account().secret };
    const back = await client.ask('model withdraw', signer);
    assert.deepEqual([back.done, back.bond.planck], ['withdrawn', `${BOND}`]);
    const { kind, exitCode } = await client.fail('model worker', signer);
    assert.deepEqual([kind, exitCode], ['not-found', 10]);
    assert(!client.printed.includes(account().secret));
    await net.isFinalised();
    await net.moneyAddsUp();
    assert.deepEqual(
      commandsOf('client-rows').filter((name) => !client.answered.has(name)),
      [],
    );
  });
});

/** The node refuses, with a code of its own, and says what to do. */
async function refused(call, code, message) {
  await assert.rejects(call, (error) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
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
