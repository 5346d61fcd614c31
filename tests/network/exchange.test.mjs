/** Restricted content is served to those who are entitled, by every node that holds it, and winners receive others'. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { hexToU8a, u8aConcat, u8aToHex } from '@polkadot/util';

import { Network, TUNE, Task, Tensor, send, tensorContent, until } from '../harness/index.mjs';
import { Peer } from '../harness/peer.mjs';

const EXCHANGED = { Restricted: { exchanged: true } };
/** Restricted, and granted to nobody. */
const KEPT = { Restricted: { exchanged: false } };
const SHARES = 1_000_000_000_000n;

/** Requests and answers of the nodes' protocol, by their numbers on the wire. */
const HAVE = 0;
const PIECE = 2;
const CHALLENGE = 3;
const ADMIT = 4;
const ANSWERS = { absent: 0, piece: 4, restricted: 5, challenge: 6, admitted: 7, denied: 8 };

describe('exchange', { concurrency: 1 }, () => {
  /** @type {Network} */
  let net;
  let accounts;
  const tensor = Tensor.i16(40, 8, [...Array(320).keys()]);
  /** @type {Task} */
  let task;

  before(async () => {
    net = await Network.start({ validators: 4 });
    accounts = await net.accounts.funded('creator', 'ann', 'ben', 'dora', 'eve');
  });
  after(() => net?.stop());

  it('a restricted content wins: the validators drawn to attest it fetch it from its owner', async () => {
    task = await win(accounts.ann, tensor);
    for (const node of net.nodes) {
      const status = await node.tensors.reaches(tensor.id, 'held');
      assert.deepEqual(status.tasks, [task.id], node.name);
    }
    const contribution = await until('the contribution to be recorded', () => task.contribution());
    assert.equal(contribution.audience.type, 'Restricted');
  });

  it('its owner is served by every node', async () => {
    await everyNode(async ({ tensors }) => {
      assert.equal((await tensors.unlock(tensor.id, accounts.ann)).title, 'shareholder');
      assert.deepEqual(await tensors.getFor(tensor.id, accounts.ann), Buffer.from(tensor.encoded));
    });
  });

  it('a stranger is refused by every node, and told how to become entitled', async () => {
    const ways = new RegExp(`buy.*{"Shares":${task.id}}.*granted`);
    await everyNode(async ({ tensors }) => {
      await assert.rejects(tensors.get(tensor.id), /20006:.*ensemble_unlockTensor/);
      await assert.rejects(tensors.get(tensor.id, `0x${'11'.repeat(32)}`), /20006:/);
      await assert.rejects(tensors.proof(tensor.id, 0), /20006:/);
      await assert.rejects(tensors.unlock(tensor.id, accounts.eve), (error) => {
        assert.match(error.message, /^20007:/);
        assert.match(error.message, ways);
        return true;
      });
    });
    const read = net.api.call.exchangeApi;
    const asker = { Account: accounts.eve.address };
    assert((await read.entitlement(asker, task.id, tensor.id)).asErr.isNotEntitled);
    assert.equal((await read.ways(task.id)).unwrap().shares.asShares.toNumber(), task.id);
  });

  it('a signature is taken once, by the node that it was made for', async () => {
    const challenges = await everyNode(async ({ tensors }) => {
      const challenge = await tensors.challenge(tensor.id);
      await tensors.answer(tensor.id, accounts.ann, challenge);
      await assert.rejects(tensors.answer(tensor.id, accounts.ann, challenge), /20009:.*used before/);
      return tensors.challenge(tensor.id);
    });
    // What the next node asked for.
    await everyNode(async ({ tensors }, number) => {
      const other = challenges[(number + 1) % challenges.length];
      await assert.rejects(tensors.answer(tensor.id, accounts.ann, other), /20008:/);
      const { challenge } = challenges[number];
      await assert.rejects(tensors.answer(tensor.id, accounts.ann, { ...other, challenge }), /20030:/);
    });
  });

  it('a forged peer is refused by every node: no signature but its own is of use to it', async () => {
    const genesis = net.api.genesisHash.toU8a();
    const peers = [];
    for (const _ of net.nodes) peers.push(await Peer.start(genesis, () => Uint8Array.of(ANSWERS.absent)));
    const id = hexToU8a(tensor.id);
    try {
      await everyNode(async (node, number) => {
        const [peer, honest] = [peers[number], peers[(number + 1) % peers.length]];
        await peer.join(node);
        const ask = (...parts) => peer.ask(node, u8aConcat(...parts));
        const refused = Buffer.from([ANSWERS.restricted, 1, ...littleEndian(task.id)]);
        assert.deepEqual(await ask([HAVE], id), refused);
        // Without a task, and as content of this one.
        const [openly, asContent] = [[0], [1, ...littleEndian(task.id)]];
        const first = (under) => ask([PIECE], id, littleEndian(0), under);
        assert.deepEqual(await first(openly), refused);
        assert.deepEqual(await first(asContent), refused);

        const name = await node.rpc('system_localPeerId');
        const admit = async (signer, party, asPeer, fromNode = name) => {
          const answer = await ask([CHALLENGE], id);
          assert.equal(answer[0], ANSWERS.challenge);
          const challenge = answer.subarray(1);
          const message = [
            'ensemble/exchange/v1',
            `Read ${tensor.id}`,
            `from ${fromNode}`,
            `by peer ${asPeer} for task ${task.id}`,
            `on chain ${net.api.genesisHash.toHex()}`,
            `challenge ${u8aToHex(challenge)}`,
          ].join('\n');
          return ask([ADMIT], id, littleEndian(task.id), [0], party.publicKey, challenge, signer.sign(message));
        };
        const { ann, eve } = accounts;
        // Ann's signature for another peer, or for another node; somebody else's in her name; and her own title.
        assert.equal((await admit(ann, ann, honest.id))[0], ANSWERS.denied);
        assert.equal((await admit(ann, ann, peer.id, honest.id))[0], ANSWERS.denied);
        assert.equal((await admit(eve, ann, peer.id))[0], ANSWERS.denied);
        assert.equal((await admit(eve, eve, peer.id))[0], ANSWERS.denied);
        assert.deepEqual(await first(asContent), refused);

        // What Ann signs for this very peer and node is good, for this peer alone.
        assert.deepEqual(await admit(ann, ann, peer.id), Buffer.from([ANSWERS.admitted]));
        // That it is restricted is said to whoever asks whether it is here.
        assert.deepEqual(await ask([HAVE], id), refused);
        assert.equal((await first(asContent))[0], ANSWERS.piece);
        assert.deepEqual(await first(openly), refused, 'it has to know as what it comes');
        assert.deepEqual(await honest.ask(node, u8aConcat([HAVE], id)), refused);
      });
    } finally {
      await Promise.all(peers.map((peer) => peer.stop()));
    }
  });

  it('who sold all shares is refused by every node, and who bought them is served', async () => {
    const { ann, ben } = accounts;
    const tokens = await everyNode(async ({ tensors }) => (await tensors.unlock(tensor.id, ann)).token);
    const sale = net.api.tx.assets.transfer({ Shares: task.id }, ben.address, SHARES);
    await send(net.api, sale, ann, { until: 'finalized' });
    await everyNode(async ({ tensors }, number) => {
      await assert.rejects(tensors.get(tensor.id, tokens[number]), /20006:/);
      await assert.rejects(tensors.unlock(tensor.id, ann), /20007:.*Owners of its shares/);
      assert.equal((await tensors.unlock(tensor.id, ben)).title, 'shareholder');
      assert.deepEqual(await tensors.getFor(tensor.id, ben), Buffer.from(tensor.encoded));
    });
  });

  it('the winner of another task is granted it; its node fetches it, and serves no stranger either', async () => {
    const { dora, eve } = accounts;
    const other = Tensor.i16(2, 2, [4, 3, 2, 1]);
    await win(dora, other);
    const [received] = await until('the grant to be recorded', async () => {
      const all = await net.api.call.exchangeApi.received(dora.address);
      return all.length > 0 && all;
    });
    assert.deepEqual([received.task.toNumber(), received.content.toHex()], [task.id, tensor.id]);
    const [grant] = await net.first.rpc('ensemble_received', dora.address);
    const [since, last] = [received.since.toNumber(), received.until.toNumber()];
    assert.deepEqual(grant, { task: task.id, content: tensor.id, since, until: last, held: true });
    assert.deepEqual(await net.first.rpc('ensemble_received', eve.address), []);
    await everyNode(async ({ tensors }) => {
      assert.equal((await tensors.unlock(tensor.id, dora)).title, 'grantee');
      assert.deepEqual(await tensors.getFor(tensor.id, dora), Buffer.from(tensor.encoded));
    });

    // The off-chain worker of a node that is no validator runs only if it is told to.
    const reader = await net.add({ name: 'reader', args: ['--offchain-worker=always'] });
    // Without a key of an entitled account it fetches nothing.
    await reader.tensors.fetch(tensor.id, undefined, task.id);
    await assert.rejects(reader.tensors.reaches(tensor.id, 'held'), /restricted/);
    await reader.rpc('author_insertKey', 'xchg', dora.secret, u8aToHex(dora.publicKey));
    const { tasks } = await until(
      'the reader to hold it',
      async () => {
        const status = await reader.tensors.status(tensor.id);
        return status.status === 'held' && status;
      },
      { within: 120_000 },
    );
    assert.deepEqual(tasks, [task.id]);
    assert.deepEqual(await reader.tensors.getFor(tensor.id, dora), Buffer.from(tensor.encoded));
    await assert.rejects(reader.tensors.get(tensor.id), /20006:/);
    await assert.rejects(reader.tensors.unlock(tensor.id, eve), /20007:/);
    await net.moneyAddsUp();
  });

  it('a holder that is restarted still refuses', async () => {
    const bob = net.node('bob');
    await bob.kill();
    await net.restart(bob);
    await assert.rejects(bob.tensors.get(tensor.id), /20006:/);
    await assert.rejects(bob.tensors.unlock(tensor.id, accounts.eve), /20007:/);
    assert.deepEqual(await bob.tensors.getFor(tensor.id, accounts.ben), Buffer.from(tensor.encoded));
    assert.deepEqual((await bob.tensors.status(tensor.id)).tasks, [task.id]);
  });

  it('a second restricted task with the same content is not attested, and entitles nobody to it', async () => {
    const { creator, ann, eve } = accounts;
    const wanted = Tensor.i16(30, 7, [...Array(210).keys()]);
    const options = { content: tensorContent(wanted), maxParticipants: 1, audience: KEPT };
    const first = await Task.create(net, creator, { ...options, phases: { commit: 6, reveal: 30, attest: 30 } });
    const { tensors } = net.node('alice');
    await tensors.restrict(wanted.id, first.id);
    await tensors.put(wanted.id, wanted.encoded);
    await first.commit(ann, wanted);
    await first.revealing();
    await first.reveal(ann, wanted);
    // What it is stands on the chain now. Eve's panel is drawn before Ann's, so that validators want it for Eve's first.
    const second = await Task.create(net, eve, { ...options, phases: { commit: 5, reveal: 4, attest: 45 } });
    await second.agree([[eve, wanted]]);
    await second.event('AttestStarted');
    assert.equal(first.count('AttestStarted'), 0);
    await first.settled();
    assert((await second.decided()).void, 'nobody would serve it to those who are entitled');
    const asker = { Account: eve.address };
    assert((await net.api.call.exchangeApi.entitlement(asker, second.id, wanted.id)).isErr);
    for (const node of validators()) {
      const status = await node.tensors.reaches(wanted.id, 'held');
      assert.deepEqual(status.tasks, [first.id], node.name);
      await assert.rejects(node.tensors.unlock(wanted.id, eve), new RegExp(`20007:.*{"Shares":${first.id}}`));
      assert.deepEqual(await node.tensors.getFor(wanted.id, ann), Buffer.from(wanted.encoded));
    }
  });

  it('a public task that names a restricted content is not attested', async () => {
    const { eve } = accounts;
    const stolen = await Task.create(net, eve, { content: tensorContent(tensor), maxParticipants: 1 });
    await stolen.agree([[eve, tensor]]);
    const outcome = await stolen.decided();
    assert(outcome.void, 'nobody vouches for it');
    for (const { tensors } of validators()) await assert.rejects(tensors.get(tensor.id), /20006:/);
  });

  it('a restricted bundle is restricted with its members, but not with what was open', async () => {
    const { ann, eve } = accounts;
    const [secret, open] = [Tensor.i16(3, 5, [...Array(15).keys()]), Tensor.bytes(Buffer.from('known to everybody'))];
    await net.node('bob').tensors.put(open.id, open.encoded);
    const bundle = Tensor.bundle({ open: open.id, secret: secret.id });
    const options = { content: { Bundle: { maxBytes: 4_096 } }, maxParticipants: 1, audience: KEPT };
    const won = await Task.create(net, accounts.creator, options);
    const { tensors } = net.node('alice');
    for (const part of [secret, bundle]) {
      await tensors.restrict(part.id, won.id, bundle.id);
      await tensors.put(part.id, part.encoded);
    }
    await won.agree([[ann, bundle]]);
    await won.settled();
    for (const node of validators()) {
      await node.tensors.reaches(bundle.id, 'held');
      for (const part of [secret, bundle]) {
        assert.deepEqual((await node.tensors.status(part.id)).tasks, [won.id], node.name);
        await assert.rejects(node.tensors.get(part.id), /20006:/);
        await assert.rejects(node.tensors.unlock(part.id, eve), /20007:/);
      }
      const { token } = await node.tensors.unlock(bundle.id, ann);
      assert.deepEqual(await node.tensors.get(secret.id, token), Buffer.from(secret.encoded));
      assert.deepEqual(await node.tensors.get(open.id), Buffer.from(open.encoded));
    }
    await net.moneyAddsUp();
  });

  /** The validators, without nodes that were added. */
  const validators = () => net.nodes.slice(0, 4);

  /** Has an account win a restricted task with a tensor that Alice's node serves to those who are entitled. */
  async function win(account, tensor) {
    const options = { content: tensorContent(tensor), maxParticipants: 1, audience: EXCHANGED };
    const task = await Task.create(net, accounts.creator, options);
    const { tensors } = net.node('alice');
    await tensors.restrict(tensor.id, task.id);
    await tensors.put(tensor.id, tensor.encoded);
    await task.agree([[account, tensor]]);
    const { participants } = await task.settled();
    assert.deepEqual(participants[account.address], { reward: 10n * TUNE, slashed: 0n, shares: SHARES });
    return task;
  }

  /** Does something with every node, one after the other, and returns what came of it. */
  async function everyNode(story) {
    const results = [];
    for (const [number, node] of net.nodes.entries()) results.push(await story(node, number));
    return results;
  }
});

const littleEndian = (number) => new Uint8Array(Uint32Array.of(number).buffer);
