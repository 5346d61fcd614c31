/** Validators that fail while a task runs: the chain goes on, and the task ends as it should. */

import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { Network, Task, Tensor, tensorContent, until } from '../harness/index.mjs';

describe('failing validators', () => {
  /** @type {Network} */
  let net;

  before(async () => {
    net = await Network.start({ validators: 4 });
  });
  after(() => net?.stop());

  it('one of four down for the whole task: finality and settlement go on', async () => {
    const accounts = await net.accounts.funded('creator', 'ann', 'ben');
    await net.node('dave').kill();
    const tensor = Tensor.i16(
      20,
      20,
      Array.from({ length: 400 }, (_, at) => at),
    );
    await net.node('bob').tensors.put(tensor.id, tensor.encoded);
    const { creator, ann, ben } = accounts;
    const task = await Task.create(net, creator, { content: tensorContent(tensor), maxParticipants: 2 });
    await task.agree([
      [ann, tensor],
      [ben, tensor],
    ]);
    const { participants } = await task.settled();
    assert.equal(participants[ann.address].shares, 500_000_000_000n);
    await net.isFinalising();
    await net.moneyAddsUp();
  });

  it('killed while it fetches what it has to attest, a validator attests after its restart', async () => {
    // Dave is down, so that the word of each of the others is needed.
    const { creator, ann } = await net.accounts.funded('creator', 'ann');
    const tensor = Tensor.bytes(randomFillSync(Buffer.alloc(96 * 1024 * 1024)));
    await net.node('alice').tensors.put(tensor.id, tensor.encoded);
    const task = await Task.create(net, creator, {
      content: { Bytes: { maxLen: tensor.rows } },
      maxParticipants: 1,
      phases: { commit: 8, reveal: 5, attest: 40 },
    });
    const bob = net.node('bob');
    await task.agree([[ann, tensor]]);
    await until('bob to fetch', async () => (await bob.tensors.status(tensor.id)).status !== 'absent', {
      within: 90_000,
      every: 5,
    });
    await bob.kill();
    await net.restart(bob);
    const { won } = await task.decided();
    assert.equal(won?.root.toHex(), tensor.descriptor.root);
    await bob.tensors.reaches(tensor.id, 'held');
    const { participants } = await task.settled();
    assert.equal(participants[ann.address].slashed, 0n);
    await net.moneyAddsUp();
  });

  it('back again, the fourth catches up and attests with the others', async () => {
    const dave = net.node('dave');
    await net.restart(dave);
    await net.isFinalising();
    const { creator, ann } = await net.accounts.funded('creator', 'ann');
    const tensor = Tensor.i16(1, 1, [77]);
    await dave.tensors.put(tensor.id, tensor.encoded);
    const task = await Task.create(net, creator, { content: tensorContent(tensor), maxParticipants: 1 });
    await task.agree([[ann, tensor]]);
    const { won } = await task.decided();
    assert.equal(won?.root.toHex(), tensor.descriptor.root);
    await task.settled();
    await net.moneyAddsUp();
  });
});
