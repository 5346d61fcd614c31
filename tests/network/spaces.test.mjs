/** Spaces on four nodes: one validator lies, another is killed while a round is voted on, some members are useless. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { u8aToHex } from '@polkadot/util';

import {
  DispatchError,
  Network,
  Space,
  Task,
  Tensor,
  Voter,
  blockReached,
  until,
  wellKnown,
} from '../harness/index.mjs';

const SHAPE = { rows: 64, cols: 8, anchors: 32 };
/** A small matrix beside each table, whose columns are in its basis. */
const HEAD = { name: 'head', rows: 3, cols: SHAPE.cols, basis: 'Cols' };

const UNIT = 32_768;
/** Length of rows without noise. */
const LENGTH = 0.9;
/** Noise in each number: a fifth of what these usually are, as standard deviations. */
const NOISE = 0.11;

/** Numbers between -1 and 1, the same at every run: a linear congruential generator. */
function* random(seed) {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    yield state / 2 ** 31;
  }
}

const drawn = (numbers, count) => Array.from({ length: count }, () => numbers.next().value);

/** What all members see: rows in all directions. */
const truth = (() => {
  const numbers = random(1);
  const row = () => {
    const row = drawn(numbers, SHAPE.cols);
    const length = Math.hypot(...row);
    return row.map((number) => (LENGTH * number) / length);
  };
  return Array.from({ length: SHAPE.rows }, row).flat();
})();

/** What an honest member sees: numbers with noise of its own. */
function seen(seed) {
  const noise = drawn(random(1_000 + seed), truth.length);
  const limited = (number) => Math.max(-UNIT, Math.min(UNIT - 1, Math.round(UNIT * number)));
  return truth.map((number, at) => limited(number + NOISE * noise[at]));
}

const table = (numbers, cols = SHAPE.cols) => Tensor.i16(numbers.length / cols, cols, numbers);

/** A contribution with a matrix: the tensors that make it up, the bundle last. */
function withHead(state, seed) {
  const head = Tensor.i16(
    HEAD.rows,
    HEAD.cols,
    drawn(random(seed), HEAD.rows * HEAD.cols).map((number) => Math.round(1_000 * number)),
  );
  return [state, head, Tensor.bundle({ state: state.id, head: head.id })];
}

/** Contributions that no round can use, by the reason that their reports must name. */
const USELESS = {
  IllConditioned: table(seen(6).map((number, at) => (at % SHAPE.cols < 5 ? number : 0))),
  AllZero: table(seen(7).map(() => 0)),
  Saturated: table(seen(8).map((number) => (number < 0 ? -UNIT : UNIT - 1))),
  RowTooLong: table(seen(9).map((number, at) => (Math.floor(at / SHAPE.cols) === 40 ? 30_000 : number))),
  WrongShape: table(
    seen(10).filter((_, at) => at % SHAPE.cols > 0),
    SHAPE.cols - 1,
  ),
};
/** How many honest contributions there are besides, and how many of them a report accepts: two thirds, rounded up. */
const [HONEST, FEWEST] = [5, 4];

describe('spaces on four validators', { concurrency: 1 }, () => {
  /** @type {Network} */
  let net;
  /** @type {Space} a space of tables */
  let plain;
  /** @type {Space} a space of tables with a matrix */
  let mixed;
  /** Contributions to `mixed` by their names: the bundles. */
  const bundles = {};
  /** What `plain` has settled on. */
  let state;
  const dave = wellKnown('dave');

  before(async () => {
    // Dave's node makes and finalises blocks like the others. Its attester key is the test's, which votes with it.
    net = await Network.start({
      validators: 4,
      sessionKeys: { dave: ['babe', 'gran', 'audi'] },
      genesis: (genesis) => (genesis.spaces.phases = { commit: 30, reveal: 8, attest: 20 }),
    });
  });
  after(() => net?.stop());

  it('take in what wins tasks that name them, and nothing of another shape', async () => {
    const one = (_, number) => [`honest-${number}`, withHead(table(seen(number)), number)];
    const honest = Array.from({ length: HONEST }, one);
    // The table of another, with a matrix of its own: as a whole it is another content.
    const copied = ['copied', withHead(table(seen(0)), 100)];
    const useless = Object.entries(USELESS).map(([reason, state], number) => [reason, withHead(state, 200 + number)]);
    const parts = [...honest, copied, ...useless];
    const tables = [21, 22, 23].map((seed) => table(seen(seed)));

    const names = parts.map(([name]) => name);
    const { owner, ann, ben, cleo, ...others } = await net.accounts.funded('owner', 'ann', 'ben', 'cleo', ...names);
    [plain, mixed] = await Promise.all([
      Space.create(net, owner, { ...SHAPE, quorum: tables.length }),
      Space.create(net, owner, { ...SHAPE, matrices: [HEAD], quorum: parts.length }),
    ]);
    for (const tensor of [...tables, ...parts.flatMap(([, tensors]) => tensors)]) {
      await net.first.tensors.put(tensor.id, tensor.encoded);
    }
    for (const [name, tensors] of parts) bundles[name] = tensors.at(-1);
    await Promise.all([
      plain.admit(
        owner,
        [ann, ben, cleo].map((account, number) => [account, tables[number]]),
      ),
      mixed.admit(
        owner,
        names.map((name) => [others[name], bundles[name]]),
      ),
      assert.rejects(
        Task.create(net, owner, { ...plain.task, content: { Tensor: { kind: 'I16', rows: 64, cols: 9 } } }),
        new DispatchError('spaces.WrongContent'),
      ),
    ]);
    assert.deepEqual([(await plain.members()).length, (await mixed.members()).length], [tables.length, parts.length]);
  });

  it('a wrong result loses, and a validator that was killed returns and opens its commitment', async (t) => {
    const [{ task, entrants }, other] = await Promise.all([plain.opened(0), mixed.opened(0)]);
    assert.equal(entrants, 3);
    const liar = new Voter(net.node('dave').api, dave);
    const wrong = Tensor.bundle({ state: table(seen(99)).id });
    await liar.commit(task, wrong);

    // Charlie is killed when its commitments are final. It can reveal with the salts alone that it has written down.
    const charlie = net.node('charlie');
    for (const [space, vote] of [
      [plain, task],
      [mixed, other.task],
    ]) {
      await space.voted('VoteCommitted', vote, wellKnown('charlie'));
    }
    await charlie.kill();
    const killed = await net.first.best();
    const { commitUntil } = (await net.api.query.tasks.tasks(task)).unwrap();
    assert(killed < commitUntil.toNumber(), 'it is killed while others may still commit');
    await blockReached(net.api, killed + 3);
    await net.restart(charlie);
    t.diagnostic(`Charlie was away from block ${killed} to ${await net.first.best()}; reveals from ${commitUntil} on`);

    await liar.reveal(task, wrong);
    state = (await plain.settled(0)).content;
    assert.notEqual(state, wrong.id);
    const revealed = await plain.voted('VoteRevealed', task, wellKnown('charlie'));
    assert.equal(revealed.data.content.toHex(), state);
    assert.deepEqual(await plain.failures(task), { [u8aToHex(dave.publicKey)]: 'Outvoted' });
    assert(!/Combined \d+ tables/.test(charlie.output()), 'Charlie did not compute again what it knew');
    for (const name of ['alice', 'bob', 'charlie']) await net.node(name).tensors.reaches(state, 'held');
  });

  it('the report is read, and accepts the members', async () => {
    const { accepted, rejected } = await plain.reported(0);
    assert.equal(accepted + rejected, 3);
    assert(accepted >= 2, `${accepted} of 3 accepted`);
    const settled = await until('the report to be seen', async () => {
      const settled = await plain.state();
      return settled?.reported.isTrue && settled;
    });
    assert.deepEqual([settled.round.toNumber(), settled.content.toHex()], [0, state]);
  });

  it('members that are worth nothing are rejected, each with its reason, and the round settles', async (t) => {
    const { content } = await mixed.settled(0);
    const { accepted, rejected } = await mixed.reported(0);
    const findings = await mixed.findings();
    const reasons = Object.fromEntries(
      Object.entries(bundles).map(([name, bundle]) => [name, findings[bundle.id].rejection]),
    );
    for (const [name, reason] of Object.entries(reasons)) t.diagnostic(`${name}: ${reason ?? 'accepted'}`);

    for (const reason of Object.keys(USELESS)) assert.equal(reasons[reason], reason);
    // Of two with the same table the one that was admitted first counts.
    const contents = await mixed.members();
    const admitted = (name) => contents.find(({ content }) => content.toHex() === bundles[name].id).admitted.toNumber();
    const twins = ['honest-0', 'copied'].sort((one, other) => admitted(one) - admitted(other));
    assert.equal(reasons[twins[1]], 'Duplicate');
    const honest = Object.keys(bundles).filter((name) => !(name in USELESS) && name !== twins[1]);
    const good = honest.filter((name) => reasons[name] === undefined);
    assert(good.length >= FEWEST && honest.every((name) => [undefined, 'Outvoted'].includes(reasons[name])));
    assert.deepEqual([accepted, rejected], [good.length, Object.keys(bundles).length - good.length]);

    // A node whose validator was too late to vote fetches what the others have computed.
    await net.first.tensors.reaches(content, 'held');
    const { members } = await net.first.tensors.download(content);
    assert.deepEqual(Object.keys(members), ['head', 'report', 'state']);
    await net.first.tensors.reaches(members.head, 'held');
    const head = await net.first.tensors.download(members.head);
    assert.deepEqual([head.kind, head.rows, head.cols], ['i32', HEAD.rows, HEAD.cols]);
    await net.moneyAddsUp();
  });
});
