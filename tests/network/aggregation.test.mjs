/** Contributions of fifteen who share no basis become one state on four validators, though some of them cheat. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { embeddings } from '../demo/embeddings.mjs';
import { Contributors, Network, Space, TUNE, Tensor, until } from '../harness/index.mjs';

const MEMBERS = 15;
/** How many of them cheat: the first. */
const CHEATS = 5;
/** What a space keeps at least of nearest neighbours and of the nearest ten, without cheats and with them. */
const BARS = { honest: { nearest: 0.94, ten: 0.92 }, cheated: { nearest: 0.94, ten: 0.9 } };
/** Fewest members whom a report accepts: three fifths, because two fifths may cheat. */
const FEWEST = 9;
/**
 * The attacks, and how many of those who follow it a report rejects at least. No rule can tell for certain who shifts
 * within the spread of the honest: there the state must be good, whoever is rejected.
 */
const ATTACKS = {
  flip: { what: 'flip signs', rejected: CHEATS },
  shift: { what: 'shift within the spread of the honest', rejected: 0 },
  collude: { what: 'collude on one table', rejected: CHEATS },
  noise: { what: 'send noise', rejected: CHEATS },
};

const numbers = (count) => [...Array(count).keys()];
const names = (attack, count, first = 0) => numbers(count).map((number) => `${attack}-${number + first}`);
/** Who hands in what: five cheats, and ten honest ones. */
const cheated = (attack) => [...names(attack, CHEATS), ...names('honest', MEMBERS - CHEATS, CHEATS)];

/** What a row stands for. */
const token = (row) => `word ${row}`;

describe('aggregation', { concurrency: 1 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'ensemble-aggregation-'));
  const vocabulary = Tensor.bytes(Buffer.from(numbers(Contributors.SHAPE.rows).map(token).join('\n')));
  /** @type {Network} */
  let net;
  /** @type {Contributors} */
  let contributors;
  let owner;
  let accounts;
  /** The most that one of fifteen honest ones keeps. */
  let alone;
  /** @type {Map<string, Tensor>} tables that a node holds, by their names */
  const tables = new Map();
  /** @type {Record<string, { space: Space, parts: string[] }>} by attack; `honest` for the one without */
  const spaces = {};
  /** What each space has settled on. */
  const states = {};

  before(async () => {
    const words = await embeddings(() => {});
    [contributors, net] = await Promise.all([Contributors.write(words, folder), Network.start({ validators: 4 })]);
    ({ owner, ...accounts } = await net.accounts.funded('owner', ...names('contributor', MEMBERS)));
  });
  after(async () => {
    await net?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('admits fifteen honest tables', async (t) => {
    await net.first.tensors.put(vocabulary.id, vocabulary.encoded);
    await contribute('honest', names('honest', MEMBERS), { vocabulary: vocabulary.id });
    t.diagnostic(`${MEMBERS} members, each through a task of its own`);
  });

  it('admits five cheats among fifteen to each of four spaces', async (t) => {
    await Promise.all(Object.keys(ATTACKS).map((attack) => contribute(attack, cheated(attack))));
    t.diagnostic(`${MEMBERS * Object.keys(ATTACKS).length} more members`);
  });

  it('one contributor alone keeps less than any space', async (t) => {
    const kept = await contributors.judge(names('honest', MEMBERS).map((name) => contributors.file(name)));
    const best = (part) => Math.max(...kept.map((kept) => kept[part]));
    alone = { nearest: best('nearest'), ten: best('ten') };
    t.diagnostic(`the best of ${MEMBERS} contributors keeps ${figures(alone)}`);
    assert(alone.nearest < BARS.cheated.nearest && alone.ten < BARS.cheated.ten, figures(alone));
  });

  it('without cheats: keeps 0.94 of nearest neighbours and 0.92 of the nearest ten', async (t) => {
    await settles(t, 'honest', BARS.honest);
  });

  for (const [attack, { what, rejected }] of Object.entries(ATTACKS)) {
    it(`five of fifteen ${what}: keeps 0.94 and 0.90, and says whom it rejects`, async (t) => {
      const findings = await settles(t, attack, BARS.cheated);
      const cheats = findings.slice(0, CHEATS).filter(({ rejection }) => rejection !== undefined);
      assert(cheats.length >= rejected, `${cheats.length} of ${CHEATS} cheats are rejected`);
    });
  }

  it('the plain mean of the same tables keeps far less where cheats collude', async (t) => {
    const mean = await contributors.judgeMean(cheated('collude'));
    t.diagnostic(`the plain mean keeps ${figures(mean)}`);
    assert(mean.nearest < 0.5 && mean.ten < 0.5, figures(mean));
  });

  it('anyone looks up what is near, by row, by vector and by token', async () => {
    const { space } = spaces.honest;
    const { round, content, table } = states.honest;
    const node = net.node('bob');
    const row = rowOf(table, 1_234);
    const mirrored = row.map((number) => -number).reverse();
    const answers = {
      row: await nearest(node, space.id, 1_234, 10),
      itself: await nearest(node, space.id, [...row], 1),
      vector: await nearest(node, space.id, [...mirrored], 100),
      // The node has the vocabulary fetched when it is first asked.
      token: await until('bob to have the vocabulary', () => nearest(node, space.id, token(1_234), 10)),
    };
    for (const answer of Object.values(answers)) assert.deepEqual([answer.round, answer.content], [round, content]);
    areNearest(answers.row.neighbours, table, row, 10, 1_234);
    areNearest(answers.itself.neighbours, table, row, 1);
    assert.equal(answers.itself.neighbours[0].row, 1_234);
    areNearest(answers.vector.neighbours, table, mirrored, 100);
    assert.deepEqual(
      answers.token.neighbours,
      answers.row.neighbours.map(({ row, cosine }) => ({ row, token: token(row), cosine })),
    );
  });

  it('a question that makes no sense is refused with what to do instead', async () => {
    const { space } = spaces.honest;
    const empty = await Space.create(net, owner, Contributors.SHAPE);
    const { rows, cols } = Contributors.SHAPE;
    const cases = [
      [[space.id, 0, 0], /21000: ask for 1 to 100 rows/],
      [[space.id, 0, 101], /21000: ask for 1 to 100 rows/],
      [[empty.id + 1, 0, 1], /21003: .*spacesApi\.spaces/],
      [[empty.id, 0, 1], /21004: .*settled on nothing yet/],
      [[spaces.noise.space.id, token(0), 1], /21010: .*by the number of a row, or by a vector/],
      [[space.id, 'Word 0', 1], /21011: .*byte by byte/],
      [[space.id, rows, 1], /21012: .*has 4096 rows/],
      [[space.id, [1, 2, 3], 1], /21013: .*3 numbers, and a row of the table 256/],
      [[space.id, Array(cols).fill(0), 1], /21014: /],
    ];
    for (const [params, message] of cases) {
      await assert.rejects(net.node('bob').rpc('ensemble_nearest', ...params), message, JSON.stringify(params[1]));
    }
    await net.moneyAddsUp();
  });

  /** Creates a space, and has each account win a task for it with one of these tables. */
  async function contribute(name, parts, options) {
    const spec = { ...Contributors.SHAPE, tolerated: 400_000, capacity: MEMBERS, quorum: MEMBERS, ...options };
    const [space] = await Promise.all([Space.create(net, owner, spec), ...parts.map(upload)]);
    spaces[name] = { space, parts };
    const entries = Object.values(accounts).map((account, number) => [account, tables.get(parts[number])]);
    await space.admit(owner, entries, { phases: { commit: 10, reveal: 5, attest: 30 }, terms: { base: TUNE } });
  }

  /** Uploads a table to one of the nodes, if none has it yet: the others fetch it. */
  async function upload(name, number) {
    if (tables.has(name)) return;
    const table = contributors.table(name);
    tables.set(name, table);
    await net.nodes[number % net.nodes.length].tensors.put(table.id, table.encoded);
  }

  /** Waits until a space has settled, judges its state, and returns what its report found of each part. */
  async function settles(t, name, bars) {
    const { space, parts } = spaces[name];
    const { round, content } = await space.settled();
    const { task } = await space.opened(round);
    const table = await held(space, content);
    states[name] = { round, content, table };
    const file = contributors.file(`state of ${name}`);
    writeFileSync(file, table.data);
    const [kept] = await contributors.judge([file]);
    const failures = Object.values(await space.failures(task));
    t.diagnostic(`round ${round}: the state keeps ${figures(kept)}; ${failures.length} validators failed ${failures}`);

    const { accepted, rejected } = await space.reported(round);
    const all = await space.findings();
    const findings = parts.map((part) => all[tables.get(part).id]);
    for (const [number, { rejection, distance }] of findings.entries()) {
      if (rejection) t.diagnostic(`${parts[number]} is rejected: ${rejection}, distance ${distance}`);
    }
    assert.deepEqual([accepted, accepted + rejected], [findings.filter((found) => !found.rejection).length, MEMBERS]);
    assert(accepted >= FEWEST, `${accepted} of ${MEMBERS} are accepted`);
    assert(kept.nearest >= bars.nearest && kept.ten >= bars.ten, figures(kept));
    assert(kept.nearest > alone.nearest && kept.ten > alone.ten, `one alone keeps ${figures(alone)}`);
    computed(t, content);
    return findings;
  }

  /** The table of a state, which every node holds and says is the space's. */
  async function held(space, content) {
    const copies = await Promise.all(
      net.nodes.map(async (node) => {
        await node.tensors.reaches(content, 'held');
        const { members } = await node.tensors.download(content);
        assert.deepEqual(Object.keys(members), ['report', 'state']);
        await until(`${node.name} to say that it is the state`, async () => {
          const state = await node.api.call.spacesApi.state(space.id);
          return state.isSome && state.unwrap().content.toHex() === content;
        });
        return node.tensors.download(members.state);
      }),
    );
    for (const copy of copies) assert.equal(copy.id, copies[0].id);
    return copies[0];
  }

  /** Validators computed a state themselves: as many as a majority takes. */
  function computed(t, content) {
    const line = new RegExp(`Combined ${MEMBERS} tables of 4096 x 256 in (\\d+) ms.*${content}`);
    const milliseconds = net.nodes.map((node) => line.exec(node.output())?.[1]).filter(Boolean);
    t.diagnostic(`computed on ${milliseconds.length} nodes in ${milliseconds.join(', ')} ms`);
    assert(milliseconds.length >= 3, `computed on ${milliseconds.length} nodes`);
  }
});

const figures = ({ nearest, ten }) =>
  `${nearest.toFixed(3)} of nearest neighbours and ${ten.toFixed(3)} of the nearest ten`;

const nearest = (node, ...params) => node.rpc('ensemble_nearest', ...params);

const rowOf = ({ numbers, cols }, row) => numbers.subarray(row * cols, (row + 1) * cols);

/** Asserts that these are the rows that point most nearly where a vector points, the nearest first, without `asked`. */
function areNearest(found, table, vector, count, asked) {
  const { numbers, rows, cols } = table;
  const inner = (one, other) => one.reduce((sum, number, at) => sum + number * other[at], 0);
  const lines = Array.from({ length: rows }, (_, row) => Array.from(numbers.subarray(row * cols, (row + 1) * cols)));
  const plain = Array.from(vector);
  const length = Math.sqrt(inner(plain, plain));
  const cosines = lines.map((line) => (1e6 * inner(line, plain)) / (Math.sqrt(inner(line, line)) * length));
  const others = cosines.filter((_, row) => row !== asked).sort((one, other) => other - one);
  assert.equal(found.length, count);
  found.forEach(({ row, cosine }, place) => {
    // The node rounds towards zero, and rows that are as near as that may change places.
    for (const expected of [cosines[row], others[place]]) {
      assert(Math.abs(cosine - expected) < 2, `place ${place}: row ${row} has ${cosine}, expected ${expected}`);
    }
  });
}
