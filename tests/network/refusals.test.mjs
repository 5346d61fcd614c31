/** Bad input on the chain: each gets an error of its own, costs its sender a fee, and changes nothing. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import {
  DispatchError,
  Network,
  TUNE,
  Task,
  Tensor,
  balance,
  commitmentOf,
  createCall,
  send,
  tensorContent,
} from '../harness/index.mjs';

const tensor = Tensor.i16(
  4,
  4,
  Array.from({ length: 16 }, (_, at) => at),
);
const content = tensorContent(tensor);

describe('refusals', { concurrency: 32 }, () => {
  /** @type {Network} */
  let net;
  let absurd;

  before(async () => {
    net = await Network.start();
    await net.first.tensors.put(tensor.id, tensor.encoded);
    ({ absurd } = await net.accounts.funded('absurd'));
  });
  after(() => net?.stop());

  const refuses = (options, error) => async () => {
    const before = await balance(net.api, absurd);
    await assert.rejects(
      send(net.api, createCall(net.api, { content, ...options }), absurd),
      new DispatchError(`tasks.${error}`),
    );
    assert.equal((await balance(net.api, absurd)).held, before.held);
  };

  describe('a task that cannot be', { concurrency: 32 }, () => {
    it('no rows', refuses({ content: { Tensor: { kind: 'I16', rows: 0, cols: 4 } } }, 'InvalidContent'));
    it('no columns', refuses({ content: { Tensor: { kind: 'I16', rows: 4, cols: 0 } } }, 'InvalidContent'));
    it(
      'rows longer than a mebibyte',
      refuses({ content: { Tensor: { kind: 'I32', rows: 1, cols: 262_145 } } }, 'InvalidContent'),
    );
    it('part of a block', refuses({ content: { Tensor: { kind: 'Q8_0', rows: 1, cols: 33 } } }, 'InvalidContent'));
    it(
      'more data than a tensor may have',
      refuses({ content: { Tensor: { kind: 'I32', rows: 4_294_967_295, cols: 262_144 } } }, 'InvalidContent'),
    );
    it(
      'bytes by rows and columns',
      refuses({ content: { Tensor: { kind: 'Bytes', rows: 4, cols: 1 } } }, 'InvalidContent'),
    );
    it('at most no bytes', refuses({ content: { Bytes: { maxLen: 0 } } }, 'InvalidContent'));
    it('a bundle of nothing', refuses({ content: { Bundle: { maxBytes: 0 } } }, 'InvalidContent'));
    it(
      'a bundle that no validator could keep',
      refuses({ content: { Bundle: { maxBytes: 2n ** 34n + 1n } } }, 'ContentTooLarge'),
    );
    it('no time to commit', refuses({ phases: { commit: 0, reveal: 4, attest: 4 } }, 'InvalidPhase'));
    it('no time to reveal', refuses({ phases: { commit: 4, reveal: 0, attest: 4 } }, 'InvalidPhase'));
    it('no time to attest', refuses({ phases: { commit: 4, reveal: 4, attest: 0 } }, 'InvalidPhase'));
    it('a phase for ever', refuses({ phases: { commit: 4_294_967_295, reveal: 4, attest: 4 } }, 'InvalidPhase'));
    it('no quorum', refuses({ quorum: 0 }, 'InvalidQuorum'));
    it('a quorum larger than the task', refuses({ quorum: 4 }, 'InvalidQuorum'));
    it('no participants', refuses({ maxParticipants: 0 }, 'InvalidQuorum'));
    it('too many participants', refuses({ maxParticipants: 4_294_967_295 }, 'TooManyParticipants'));
    it('no bond', refuses({ terms: { bond: 0 } }, 'BondTooLow'));
    it('a cap below the bond', refuses({ weighting: { Bond: { cap: 1 } } }, 'CapBelowBond'));
    it('a reward that is no amount', refuses({ terms: { base: 2n ** 128n - 1n } }, 'RewardTooLarge'));
    it('a reward that its creator cannot pay', refuses({ terms: { base: 1_000n * TUNE } }, 'CannotPay'));
    it('an empty committee', refuses({ access: { Committee: [] }, maxParticipants: 1 }, 'EmptyCommittee'));
  });

  it('a committee with one member twice, or of another size', async () => {
    const { ann } = net.accounts.fresh('ann');
    const twice = { access: { Committee: [ann.address, ann.address] }, maxParticipants: 2, quorum: 1 };
    await refuses(twice, 'DuplicateMember')();
    await refuses({ ...twice, maxParticipants: 3 }, 'CommitteeSize')();
  });

  it('a creator without money is turned away by the pool', async () => {
    const { pauper } = net.accounts.fresh('pauper');
    await assert.rejects(send(net.api, createCall(net.api, { content }), pauper), /Inability to pay|1010/);
  });

  it('commitments: unknown task, twice, another bond, too many, without money', async () => {
    const { creator, ann, ben, cleo, poor } = await net.accounts.funded('creator', 'ann', 'ben', 'cleo', 'poor');
    const task = await Task.create(net, creator, {
      content,
      maxParticipants: 2,
      terms: { bond: 600n * TUNE },
      phases: { commit: 20, reveal: 4, attest: 4 },
    });
    const unknown = net.api.tx.tasks.commit(4_000_000, randomBytes(32), TUNE);
    await assert.rejects(send(net.api, unknown, ann), new DispatchError('tasks.UnknownTask'));
    await assert.rejects(task.commit(ann, tensor, { bond: 599n * TUNE }), new DispatchError('tasks.WrongBond'));
    const elsewhere = net.api.tx.balances.transferKeepAlive(creator.address, 500n * TUNE);
    await send(net.api, elsewhere, poor);
    await assert.rejects(task.commit(poor, tensor), new DispatchError('tasks.CannotBond'));
    await task.commit(ann, tensor);
    await assert.rejects(task.commit(ann, tensor), new DispatchError('tasks.AlreadyCommitted'));
    await task.commit(ben, tensor);
    await assert.rejects(task.commit(cleo, tensor, { bond: 600n * TUNE }), new DispatchError('tasks.TaskFull'));
    await net.moneyAddsUp();
  });

  it('late: neither a commitment after its phase, nor a reveal after its own', async () => {
    const { creator, ann, late } = await net.accounts.funded('creator', 'ann', 'late');
    const task = await Task.create(net, creator, { content });
    await task.commit(ann, tensor);
    await task.revealing();
    await assert.rejects(task.commit(late, tensor), new DispatchError('tasks.NotCommitting'));
    await task.revealed();
    await assert.rejects(task.reveal(ann, tensor), /tasks\.(NotRevealing|TaskOver)/);
    await task.settled();
    await assert.rejects(task.commit(late, tensor), new DispatchError('tasks.TaskOver'));
    await assert.rejects(task.reveal(ann, tensor), new DispatchError('tasks.TaskOver'));
    await net.moneyAddsUp();
  });

  it('reveals: too early, by another account, of another salt, twice', async () => {
    const { creator, ann, eve } = await net.accounts.funded('creator', 'ann', 'eve');
    const task = await Task.create(net, creator, { content });
    const salt = randomBytes(32);
    await task.commit(ann, tensor, { salt });
    await assert.rejects(task.reveal(ann, tensor), new DispatchError('tasks.NotRevealing'));
    await task.revealing();
    await assert.rejects(task.reveal(eve, tensor, salt), new DispatchError('tasks.NotCommitted'));
    await assert.rejects(task.reveal(ann, tensor, randomBytes(32)), new DispatchError('tasks.WrongOpening'));
    await task.reveal(ann, tensor);
    await assert.rejects(task.reveal(ann, tensor), new DispatchError('tasks.AlreadyRevealed'));
    await task.settled();
    await net.moneyAddsUp();
  });

  it('a copied commitment opens for nobody but its author', async () => {
    const { creator, ann, thief } = await net.accounts.funded('creator', 'ann', 'thief');
    const task = await Task.create(net, creator, { content });
    const salt = randomBytes(32);
    await task.commit(ann, tensor, { salt });
    const copy = net.api.tx.tasks.commit(task.id, commitmentOf(tensor.id, ann, task.id, salt), task.terms.bond);
    await send(net.api, copy, thief);
    await task.revealing();
    await task.reveal(ann, tensor);
    await assert.rejects(task.reveal(thief, tensor, salt), new DispatchError('tasks.WrongOpening'));
    const { participants } = await task.settled();
    assert.equal(participants[thief.address].slashed, task.terms.bond);
    await net.moneyAddsUp();
  });

  it('contents of another kind or shape, or too large', async () => {
    const { creator, ann, ben, cleo } = await net.accounts.funded('creator', 'ann', 'ben', 'cleo');
    const [tensors, bytes] = await Promise.all([
      Task.create(net, creator, { content, maxParticipants: 2 }),
      Task.create(net, creator, { content: { Bytes: { maxLen: 9 } }, maxParticipants: 1 }),
    ]);
    const [notes, wide, long] = [
      Tensor.bytes(Buffer.from('abc')),
      Tensor.i16(4, 5, Array(20).fill(0)),
      Tensor.bytes(Buffer.alloc(10)),
    ];
    await Promise.all([tensors.commit(ann, notes), tensors.commit(ben, wide), bytes.commit(cleo, long)]);
    await bytes.revealing();
    await assert.rejects(tensors.reveal(ann, notes), new DispatchError('tasks.WrongKind'));
    await assert.rejects(tensors.reveal(ben, wide), new DispatchError('tasks.WrongShape'));
    await assert.rejects(bytes.reveal(cleo, long), new DispatchError('tasks.TooLarge'));
    await Promise.all([tensors.settled(), bytes.settled()]);
    await net.moneyAddsUp();
  });

  it('an attestation that an account signs fails and costs its fee', async () => {
    const { stranger } = await net.accounts.funded('stranger');
    const attestation = { task: 0, content: tensor.id, attester: stranger.publicKey };
    const attest = net.api.tx.tasks.attest(attestation, randomBytes(64));
    const before = (await balance(net.api, stranger)).total;
    await assert.rejects(send(net.api, attest, stranger), new DispatchError('badOrigin'));
    assert((await balance(net.api, stranger)).total < before);
  });
});
