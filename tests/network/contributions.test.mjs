/** Four validators agree on what accounts contribute: tensors, bundles and bytes, and pay for it. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import {
  DispatchError,
  Network,
  TUNE,
  Task,
  Tensor,
  balance,
  converted,
  npy,
  proofHolds,
  send,
  tensorContent,
  until,
} from '../harness/index.mjs';

const SHARES = 1_000_000_000_000n;

describe('contributions', { concurrency: 32 }, () => {
  /** @type {Network} */
  let net;

  before(async () => {
    net = await Network.start({ validators: 4 });
  });
  after(() => net?.stop());

  it('two of three honest tables win: rewards, slashes and shares are those of the terms', async () => {
    const { creator, ann, ben, eve } = await net.accounts.funded('creator', 'ann', 'ben', 'eve');
    const honest = await convertedTable(300, 64);
    const altered = honest.altered(17);
    await Promise.all([
      net.node('alice').tensors.put(honest.id, honest.encoded),
      net.node('bob').tensors.put(honest.id, honest.encoded),
      net.node('charlie').tensors.put(altered.id, altered.encoded),
    ]);

    const task = await Task.create(net, creator, { content: tensorContent(honest) });
    // 3 * 10 TUNE, and 10 % growth for each of two further participants: 3 * 10 * 0.1 * 2.
    assert.equal(task.escrow, 36n * TUNE);
    // At most one MiB, which is paid for when a content has won.
    assert.equal(task.rent, TUNE / 100n);
    assert.equal((await balance(net.api, creator)).held, 36n * TUNE + deposit(net) + task.rent);

    await task.agree([
      [ann, honest],
      [ben, honest],
      [eve, altered],
    ]);
    const outcome = await task.decided();
    assert.equal(outcome.won?.root.toHex(), honest.descriptor.root);

    const { participants, returned } = await task.settled();
    // The pool of 6 TUNE is the winners' by weight; the minority has half of the base and loses 40 % of its bond.
    assert.deepEqual(participants, {
      [ann.address]: { reward: 13n * TUNE, slashed: 0n, shares: SHARES / 2n },
      [ben.address]: { reward: 13n * TUNE, slashed: 0n, shares: SHARES / 2n },
      [eve.address]: { reward: 5n * TUNE, slashed: 2n * TUNE, shares: 0n },
    });
    assert.equal(returned, 5n * TUNE);
    const { held, total } = await balance(net.api, creator);
    assert.deepEqual([held, total], [0n, 1_000n * TUNE - 31n * TUNE - task.fee - task.rent]);

    await everyValidatorKeeps(net, task, honest);
    await net.moneyAddsUp();
  });

  it('bytes: any data that fits', async () => {
    const { creator, ann } = await net.accounts.funded('creator', 'ann');
    const words = Tensor.bytes(Buffer.from('the quick brown fox '.repeat(600)));
    await net.node('dave').tensors.put(words.id, words.encoded);
    const task = await Task.create(net, creator, { content: { Bytes: { maxLen: 12_000 } }, maxParticipants: 1 });
    await task.agree([[ann, words]]);
    const { participants } = await task.settled();
    assert.deepEqual(participants[ann.address], { reward: 10n * TUNE, slashed: 0n, shares: SHARES });
    const copy = await net.node('bob').tensors.get(words.id);
    assert.deepEqual(copy, Buffer.from(words.encoded));
    await net.moneyAddsUp();
  });

  it('a bundle: the validators keep every member', async () => {
    const { creator, ann, ben } = await net.accounts.funded('creator', 'ann', 'ben');
    const members = {
      'layer.0': Tensor.i16(3, 5, range(15)),
      'layer.1': Tensor.i16(40, 8, range(320)),
      notes: Tensor.bytes(Buffer.from('x')),
    };
    const bundle = Tensor.bundle(Object.fromEntries(Object.entries(members).map(([name, { id }]) => [name, id])));
    for (const tensor of [...Object.values(members), bundle])
      await net.node('bob').tensors.put(tensor.id, tensor.encoded);

    const task = await Task.create(net, creator, {
      content: { Bundle: { maxBytes: 4_096 } },
      maxParticipants: 2,
      quorum: 2,
    });
    await task.agree([
      [ann, bundle],
      [ben, bundle],
    ]);
    assert.equal((await task.decided()).backers, 2);
    for (const { id } of Object.values(members)) {
      await Promise.all(net.nodes.map((node) => node.tensors.reaches(id, 'held')));
    }
    const status = await net.node('dave').tensors.status(bundle.id);
    const bytes = [bundle, ...Object.values(members)].reduce((sum, { data }) => sum + data.length, 0);
    assert.deepEqual([status.bytes, status.pinned], [bytes, true]);
    await net.moneyAddsUp();
  });

  it('a committee: nobody else may take part', async () => {
    const { creator, ann, ben, eve } = await net.accounts.funded('creator', 'ann', 'ben', 'eve');
    const tensor = Tensor.i16(2, 2, [1, -2, 3, -4]);
    await net.node('alice').tensors.put(tensor.id, tensor.encoded);
    const access = { Committee: [ben.address, ann.address] };
    const task = await Task.create(net, creator, {
      content: tensorContent(tensor),
      access,
      maxParticipants: 2,
      quorum: 2,
    });
    await assert.rejects(task.commit(eve, tensor), new DispatchError('tasks.NotInCommittee'));
    await task.agree([
      [ann, tensor],
      [ben, tensor],
    ]);
    const { participants } = await task.settled();
    assert.deepEqual(Object.keys(participants).sort(), [ann.address, ben.address].sort());
    await net.moneyAddsUp();
  });

  it('weighting by bond: the larger bond outvotes two smaller ones, and is paid by weight', async () => {
    const { creator, whale, ann, ben } = await net.accounts.funded('creator', 'whale', 'ann', 'ben');
    const [heavy, light] = [Tensor.i16(1, 3, [7, 7, 7]), Tensor.i16(1, 3, [8, 8, 8])];
    await net.node('charlie').tensors.put(heavy.id, heavy.encoded);
    const task = await Task.create(net, creator, {
      content: tensorContent(heavy),
      weighting: { Bond: { cap: 50n * TUNE } },
      terms: { minoritySlash: 100_000 },
    });
    await assert.rejects(task.commit(whale, heavy, { bond: 51n * TUNE }), new DispatchError('tasks.BondAboveCap'));
    await assert.rejects(task.commit(ann, light, { bond: 4n * TUNE }), new DispatchError('tasks.BondBelowTerms'));
    await Promise.all([
      task.commit(whale, heavy, { bond: 50n * TUNE }),
      task.commit(ann, light, { bond: 20n * TUNE }),
      task.commit(ben, light, { bond: 20n * TUNE }),
    ]);
    await task.revealing();
    await Promise.all([task.reveal(whale, heavy), task.reveal(ann, light), task.reveal(ben, light)]);
    const { participants } = await task.settled();
    assert.deepEqual(participants[whale.address], { reward: 16n * TUNE, slashed: 0n, shares: SHARES });
    assert.deepEqual(participants[ann.address], { reward: 5n * TUNE, slashed: 2n * TUNE, shares: 0n });
    await net.moneyAddsUp();
  });

  it('shares are sold like any token, and nobody can mint more', async () => {
    const { creator, ann, buyer } = await net.accounts.funded('creator', 'ann', 'buyer');
    const tensor = Tensor.i16(1, 2, [5, 6]);
    await net.node('alice').tensors.put(tensor.id, tensor.encoded);
    const task = await Task.create(net, creator, { content: tensorContent(tensor), maxParticipants: 1 });
    await task.agree([[ann, tensor]]);
    await task.settled();

    const shares = { Shares: task.id };
    await send(net.api, net.api.tx.assets.transfer(shares, buyer.address, SHARES / 4n), ann, { until: 'finalized' });
    const owned = async ({ address }) =>
      (await net.api.query.assets.account(shares, address)).unwrap().balance.toBigInt();
    assert.deepEqual([await owned(ann), await owned(buyer)], [(SHARES / 4n) * 3n, SHARES / 4n]);
    await assert.rejects(
      send(net.api, net.api.tx.assets.mint(shares, ann.address, 1), ann),
      new DispatchError('assets.NoPermission'),
    );
    await assert.rejects(
      send(net.api, net.api.tx.assets.create({ Shares: 4_000_000 }, ann.address, 1), ann),
      new DispatchError('badOrigin'),
    );
    await net.moneyAddsUp();
  });

  it('anyone reads from the runtime what is open and what an account owes', async () => {
    const { creator, ann } = await net.accounts.funded('creator', 'ann');
    const tensor = Tensor.i16(1, 4, [1, 2, 3, 4]);
    const task = await Task.create(net, creator, { content: tensorContent(tensor), maxParticipants: 1 });
    await task.commit(ann, tensor);
    const read = net.api.call.tasksApi;
    const view = await until('the commitment to be seen', async () => {
      const view = (await read.task(task.id)).unwrap();
      return view.committed.toNumber() === 1 && view;
    });
    assert.equal(view.purpose.asContribution.creator.toString(), creator.address);
    assert.equal(view.phase.type, 'Commit');
    assert.deepEqual([view.commitUntil.toNumber(), view.revealUntil.toNumber()], [task.commitUntil, task.revealUntil]);
    const open = await read.openTasks(0, 100);
    assert(open.some(({ id }) => id.toNumber() === task.id));
    const [obligation] = await read.obligations(ann.address, 0, 10);
    assert.deepEqual([obligation.task.toNumber(), obligation.duty.type], [task.id, 'Reveal']);
    assert.equal(obligation.bond.toBigInt(), task.terms.bond);
    await task.revealing();
    await task.reveal(ann, tensor);
    assert.equal((await read.obligations(ann.address, 0, 10))[0].duty.type, 'Wait');
  });
});

/** A table of floats, converted to 8-bit blocks by the node's own command. */
function convertedTable(rows, cols) {
  const values = Array.from({ length: rows * cols }, (_, at) => Math.sin(at * 0.37) * 2);
  return converted(npy('f4', rows, cols, values), 'npy');
}

/** Every validator has fetched, verified and pinned the winner, whose id follows from the chain's record alone. */
async function everyValidatorKeeps(net, task, tensor) {
  const contribution = await until('the contribution to be recorded', () => task.contribution());
  assert.equal(contribution.descriptor.root.toHex(), tensor.descriptor.root);
  for (const node of net.nodes) {
    const status = await node.tensors.reaches(tensor.id, 'held');
    assert.deepEqual(status.header, { kind: tensor.kind, rows: tensor.rows, cols: tensor.cols });
    assert.equal(status.root, tensor.descriptor.root);
    await until(`${node.name} to pin it`, async () => (await node.tensors.status(tensor.id)).pinned);
    assert(proofHolds(tensor.id, await node.tensors.proof(tensor.id, 42)));
  }
}

const deposit = (net) => net.api.consts.tasks.taskDeposit.toBigInt();
const range = (length) => Array.from({ length }, (_, at) => at);
