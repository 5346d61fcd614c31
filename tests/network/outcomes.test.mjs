/** How tasks end that nobody wins, and who pays for it. One node, many tasks side by side. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import {
  DispatchError,
  Network,
  TUNE,
  Task,
  Tensor,
  balance,
  blockReached,
  send,
  tensorContent,
} from '../harness/index.mjs';

const one = Tensor.i16(2, 2, [1, 2, 3, 4]);
const other = Tensor.i16(2, 2, [1, 2, 3, 5]);
const third = Tensor.i16(2, 2, [1, 2, 3, 6]);
const content = tensorContent(one);

describe('outcomes', { concurrency: 32 }, () => {
  /** @type {Network} */
  let net;

  before(async () => {
    net = await Network.start();
    await net.first.tensors.put(one.id, one.encoded);
  });
  after(() => net?.stop());

  it('nobody comes: the creator has everything back', async () => {
    const { creator } = await net.accounts.funded('creator');
    const task = await Task.create(net, creator, { content });
    assert.deepEqual(await task.decided(), { void: 'NobodyCame' });
    const { returned, participants } = await task.settled();
    assert.deepEqual([returned, participants], [task.escrow, {}]);
    assert.deepEqual(await balance(net.api, creator), ownsAllBut(task.fee));
    await net.moneyAddsUp();
  });

  it('no majority: bonds return, the creator is refunded', async () => {
    const { creator, ann, ben, cleo } = await net.accounts.funded('creator', 'ann', 'ben', 'cleo');
    const task = await Task.create(net, creator, { content });
    await task.agree([
      [ann, one],
      [ben, other],
      [cleo, third],
    ]);
    assert.deepEqual(await task.decided(), { void: 'NoMajority' });
    const { returned, participants } = await task.settled();
    assert.equal(returned, task.escrow);
    for (const account of [ann, ben, cleo]) {
      assert.deepEqual(participants[account.address], { reward: 0n, slashed: 0n, shares: 0n });
      assert.equal((await balance(net.api, account)).held, 0n);
    }
    await net.moneyAddsUp();
  });

  it('half of the committed weight is no majority, if the other half is silent', async () => {
    const { creator, ann, silent } = await net.accounts.funded('creator', 'ann', 'silent');
    const task = await Task.create(net, creator, { content });
    await Promise.all([task.commit(ann, one), task.commit(silent, one)]);
    await task.revealing();
    await task.reveal(ann, one);
    assert.deepEqual(await task.decided(), { void: 'NoMajority' });
    const { participants } = await task.settled();
    assert.equal(participants[ann.address].slashed, 0n);
    assert.equal(participants[silent.address].slashed, 5n * TUNE, 'silence costs the whole bond');
    assert.equal((await balance(net.api, silent)).held, 0n);
    await net.moneyAddsUp();
  });

  it('fewer reveals than the quorum', async () => {
    const { creator, ann } = await net.accounts.funded('creator', 'ann');
    const task = await Task.create(net, creator, { content, quorum: 2 });
    await task.agree([[ann, one]]);
    assert.deepEqual(await task.decided(), { void: 'QuorumMissed' });
    assert.equal((await task.settled()).participants[ann.address].slashed, 0n);
    await net.moneyAddsUp();
  });

  it('a winner that nobody can fetch is void, and those who vouched for it pay', async () => {
    const { creator, ann, ben } = await net.accounts.funded('creator', 'ann', 'ben');
    const hidden = Tensor.i16(2, 2, [9, 9, 9, 9]);
    const task = await Task.create(net, creator, { content, phases: { commit: 8, reveal: 5, attest: 4 } });
    await task.agree([
      [ann, hidden],
      [ben, hidden],
    ]);
    await task.event('AttestStarted');
    assert.deepEqual(await task.decided(), { void: 'Unavailable' });
    const { returned, participants } = await task.settled();
    assert.equal(returned, task.escrow);
    assert.deepEqual(participants[ann.address], { reward: 0n, slashed: 2n * TUNE, shares: 0n });
    assert.equal((await net.api.query.tasks.contributions(task.id)).isNone, true);
    await net.moneyAddsUp();
  });

  it('cancelled before the first commitment: deposit and escrow return', async () => {
    const { creator, ann } = await net.accounts.funded('creator', 'ann');
    const task = await Task.create(net, creator, { content });
    const cancel = net.api.tx.tasks.cancel(task.id);
    await assert.rejects(send(net.api, cancel, ann), new DispatchError('tasks.NotCreator'));
    const { fee } = await send(net.api, cancel, creator);
    assert.deepEqual(await balance(net.api, creator), ownsAllBut(task.fee + fee));
    await assert.rejects(task.commit(ann, one), new DispatchError('tasks.TaskOver'));
    await net.moneyAddsUp();
  });

  it('not cancelled once somebody has committed', async () => {
    const { creator, ann } = await net.accounts.funded('creator', 'ann');
    const task = await Task.create(net, creator, { content });
    await task.commit(ann, one);
    await assert.rejects(
      send(net.api, net.api.tx.tasks.cancel(task.id), creator),
      new DispatchError('tasks.HasCommitments'),
    );
    await net.moneyAddsUp();
  });

  it('anyone may ask for what is due, and is told when nothing is', async () => {
    const { creator, ann, passerby } = await net.accounts.funded('creator', 'ann', 'passerby');
    const task = await Task.create(net, creator, { content });
    const advance = net.api.tx.tasks.advance(task.id);
    await assert.rejects(send(net.api, advance, passerby), new DispatchError('tasks.NothingDue'));
    await task.agree([[ann, one]]);
    await task.settled();
    await assert.rejects(send(net.api, advance, passerby), new DispatchError('tasks.TaskOver'));
    assert.equal(task.count('TaskDecided'), 1, 'one outcome per task');
    await net.moneyAddsUp();
  });

  it('growth: the reward per participant rises with their number', async () => {
    const names = ['ann', 'ben', 'cleo', 'dan', 'eli'];
    const { creator, ...crowd } = await net.accounts.funded('creator', ...names);
    const task = await Task.create(net, creator, { content, maxParticipants: 5 });
    await task.agree(Object.values(crowd).map((account) => [account, one]));
    const { participants } = await task.settled();
    // 10 TUNE * (1 + 0.1 * 4) for each of five.
    for (const { address } of Object.values(crowd)) {
      assert.deepEqual(participants[address], { reward: 14n * TUNE, slashed: 0n, shares: 200_000_000_000n });
    }
    assert.equal(await remaining(net, task), 0n);
    await net.moneyAddsUp();
  });
});

/** What an account owns whose money is all free, but for fees. */
const ownsAllBut = (fees) => ({ free: 1_000n * TUNE - fees, held: 0n, total: 1_000n * TUNE - fees });

/** Entries that a settled task has left behind, beside its contribution. */
async function remaining(net, task) {
  await blockReached(net.api, (await net.first.finalized()) + 1);
  const { tasks } = net.api.query;
  const entries = await Promise.all([
    tasks.participations.entries(task.id),
    tasks.tallies.entries(task.id),
    tasks.tasks.entries().then((all) =>
      all.filter(
        ([
          {
            args: [id],
          },
        ]) => id.toNumber() === task.id,
      ),
    ),
  ]);
  return BigInt(entries.flat().length);
}
