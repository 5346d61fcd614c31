/** Spaces on real nodes: contributions become one state, although a validator lies and another is killed. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { Network, Space, Task, Tensor, Voter, blockReached, until, wellKnown } from '../harness/index.mjs';

const SHAPE = { rows: 64, cols: 8, anchors: 32 };

/** A table near to one that all members share: of random numbers, with a little noise of its own. */
function memberOf(shared) {
  const noise = randomBytes(shared.length);
  return Tensor.i16(SHAPE.rows, SHAPE.cols, Int16Array.from(shared, (value, at) => value + (noise[at] >> 3) - 16));
}

describe('a space on four validators, one of whose keys is the test', () => {
  /** @type {Network} */
  let net;
  /** @type {Space} */
  let space;
  const shared = Int16Array.from({ length: SHAPE.rows * SHAPE.cols }, () => randomBytes(2).readInt16LE() >> 4);

  before(async () => {
    // Dave's node does not run. The other three are just what a result needs.
    net = await Network.start({
      validators: 3,
      genesis: (genesis) => (genesis.spaces.phases = { commit: 30, reveal: 8, attest: 20 }),
    });
  });
  after(() => net?.stop());

  it('takes in what wins tasks that name it', async () => {
    const { owner, ...members } = await net.accounts.funded('owner', 'ann', 'ben', 'cleo');
    space = await Space.create(net, owner, { ...SHAPE, quorum: 3 });
    for (const account of Object.values(members)) {
      const tensor = memberOf(shared);
      await net.first.tensors.put(tensor.id, tensor.encoded);
      const task = await Task.create(net, owner, { ...space.task, maxParticipants: 1 });
      await task.agree([[account, tensor]]);
      await task.settled();
    }
    assert.equal((await space.members()).length, 3);
  });

  it('a wrong result loses, and a validator that is killed in between returns and votes', async () => {
    const { task, entrants } = await space.opened(0);
    assert.equal(entrants, 3);
    const charlie = net.node('charlie');
    await charlie.kill();
    const dave = wellKnown('dave');
    const [voter, wrong] = [new Voter(net.api, dave), Tensor.bundle({ state: memberOf(shared).id })];
    await voter.commit(task, wrong);
    await net.restart(charlie);

    const { commitUntil } = (await net.api.query.tasks.tasks(task)).unwrap();
    await blockReached(net.api, commitUntil.toNumber());
    await voter.reveal(task, wrong);
    const state = await space.settled(0);
    assert.notEqual(state, wrong.id);
    const failures = Object.values(await space.failures(task));
    assert.deepEqual(failures, ['Outvoted']);
    for (const node of net.nodes) await node.tensors.reaches(state, 'held');
  });

  it('its report is read, and accepts the members', async () => {
    const { accepted, rejected } = await space.reported(0);
    assert.equal(accepted + rejected, 3);
    assert(accepted >= 2, `${accepted} of 3 accepted`);
    const state = await until('the report to be seen', async () => {
      const state = await space.state();
      return state?.reported.isTrue && state;
    });
    assert.equal(state.round.toNumber(), 0);
    await net.moneyAddsUp();
  });
});
