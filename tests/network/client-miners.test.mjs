/**
 * Two miners that have no node of their own, `ensemble miner run` and the example in Python: by the RPC of one node they
 * are matched, scored and paid, and agree on the content of a task, while the node is killed and started again.
 */

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { Client } from '../harness/client.mjs';
import {
  Network,
  ONE,
  TUNE,
  Task,
  Tensor,
  allocations,
  judging,
  minersOf,
  modelTypes,
  registerCall,
  registered,
  scored,
  send,
  until,
} from '../harness/index.mjs';
import { freePorts } from '../harness/ports.mjs';
import { pythonMiner } from '../harness/python.mjs';

const SCORES = { rust: 900_000, python: 600_000 };
/** Long enough for an odd number of leaves. */
const TEXT = Buffer.from('What two programs agree on.'.repeat(700));
const SECRET = Buffer.from('What only those read who are entitled to it.');
const CONTENT = { Bytes: { max_len: 20_000 } };
/** A task for the two, with time for a restart. */
const PHASES = { commit: 12, reveal: 10, attest: 12 };
describe('miners without a node', () => {
  /** @type {Network} */
  let net;
  /** @type {Client} */
  let client;
  let accounts;
  /** Numbers of the modules. */
  const ids = {};
  /** The programs that run. */
  const miners = {};
  /** What both answer, what is for the client's miner and for those who are entitled, and what is for somebody else. */
  let task;
  let secret;
  let foreign;

  before(async () => {
    const [firstRpcPort] = await freePorts(1);
    net = await Network.start({ firstRpcPort });
    client = new Client(net.first.url);
    mkdirSync(client.path('answers'));
    writeFileSync(client.path('text'), TEXT);
    writeFileSync(client.path('secret'), SECRET);
    accounts = await net.accounts.funded('rust', 'python', 'judge', 'asker');
    const { chat } = await modelTypes(net.api);
    const names = { rust: 'gpt-in-rust', python: 'gpt-in-python', judge: 'judge-of-both' };
    await Promise.all(
      Object.entries(names).map(async ([who, name]) => {
        [{ id: ids[who] }] = registered(await send(net.api, registerCall(net.api, name), accounts[who]));
      }),
    );
    await send(net.api, net.api.tx.modules.setRole(ids.judge, judging([chat])), accounts.judge);
  });
  after(async () => {
    for (const miner of Object.values(miners)) miner.kill();
    client?.remove();
    await net?.stop();
  });

  /** Starts the miner of the client. */
  function startRust() {
    const [asked, text, secret] = ['asked', 'text', 'secret'].map((name) => client.path(name));
    const choose = `case $task in *'"audience":"private"'*) echo '${secret}';; *) echo '${text}';; esac`;
    const command = `read -r task; printf '%s\\n' "$task" >> '${asked}'; ${choose}`;
    const more = [`--answer=${command}`, '--min-reward=10'];
    miners.rust = client.start('miner run gpt-in-rust', { key: accounts.rust.secret, more });
    return miners.rust.tells('connected');
  }

  it('both join, and are matched', async () => {
    const { secret } = accounts.python;
    const [answers, salts] = [client.path('answers'), client.path('salts')];
    miners.python = pythonMiner({ url: net.first.url, name: 'gpt-in-python', answers, salts, secret });
    await Promise.all([startRust(), miners.python.tells('connected')]);
    assert.equal((await miners.rust.tells('joined')).module, ids.rust);
    assert.equal((await miners.python.tells('joined')).module, ids.python);
    const both = [ids.rust, ids.python].sort((one, other) => one - other);
    await until('both to be matched', async () => `${await minersOf(net.api, ids.judge)}` === `${both}`);
    const twice = await client.fail('miner run gpt-in-rust', { key: accounts.rust.secret });
    assert.equal(twice.kind, 'key', twice.message);
  });

  it('both commit to a task, and come back with the node that is killed', async () => {
    const { asker, rust } = accounts;
    const only = ({ address }) => ({ access: { Committee: [address] }, quorum: 1, maxParticipants: 1 });
    const create = (options) => Task.create(net, asker, { content: CONTENT, phases: PHASES, ...options });
    [task, secret, foreign] = await Promise.all([
      create({ quorum: 2, maxParticipants: 2 }),
      create({ ...only(rust), audience: { Restricted: { exchanged: false } } }),
      create(only(asker)),
    ]);
    for (const { id } of [task, secret, foreign]) writeFileSync(client.path(`answers/${id}`), TEXT);
    const committed = await Promise.all([
      ...Object.values(miners).map((miner) => miner.tells('committed', (event) => event.task === task.id)),
      miners.rust.tells('committed', (event) => event.task === secret.id),
    ]);
    assert.deepEqual(
      committed.map((event) => event.content),
      [TEXT, TEXT, SECRET].map((text) => Tensor.bytes(text).id),
    );
    await net.isFinalised();
    await net.first.kill();
    await Promise.all([miners.rust.tells('disconnected'), miners.python.tells('disconnected')]);
    await net.restart(net.first);
    const again = (miner) => until('a new connection', () => miner.all('connected').length === 2);
    await Promise.all(Object.values(miners).map(again));
    // Of the client's miner nothing is left either but what is on its disk.
    await miners.rust.kill();
    await startRust();
  });

  describe('afterwards', { concurrency: 2 }, () => {
    it('they reveal, and are paid by the task', async () => {
      const told = ({ id }) => miners.rust.tells('settled', (event) => event.task === id, 180_000);
      const [{ participants }, shared, alone] = await Promise.all([task.settled(), told(task), told(secret)]);
      assert.equal((await task.contribution()).content.toHex(), Tensor.bytes(TEXT).id);
      for (const who of ['rust', 'python']) {
        const { reward, slashed, shares } = participants[accounts[who].address];
        assert.equal(slashed, 0n, who);
        assert(reward >= 10n * TUNE && shares > 0n, who);
      }
      const { reward } = participants[accounts.rust.address];
      assert.deepEqual([shared.isWon, shared.reward.planck, shared.slashed.planck], [true, `${reward}`, '0']);
      assert.deepEqual([alone.isWon, alone.reward.planck], [true, `${secret.terms.base}`]);
      const { audience } = await secret.contribution();
      assert(audience.isRestricted);
      const asked = readFileSync(client.path('asked'), 'utf8').trim().split('\n');
      assert.deepEqual(
        asked.map((line) => JSON.parse(line).task).sort((one, other) => one - other),
        [task.id, secret.id].sort((one, other) => one - other),
        'the command is asked once for each, and for nothing that is for others',
      );
      for (const miner of Object.values(miners)) assert.deepEqual(miner.all('failed'), []);
    });

    it('they are scored, and paid by the epoch', async () => {
      const scores = Object.fromEntries(Object.entries(SCORES).map(([who, score]) => [ids[who], score]));
      const epoch = (await scored(net, accounts.judge, ids.judge, scores)) - 1;
      const [paid] = await Promise.all([
        miners.rust.tells('paid', (event) => event.amount.planck !== '0'),
        miners.rust.tells('epoch', ({ lastScore }) => lastScore === SCORES.rust / ONE),
        miners.python.tells('epoch', ({ score, paid }) => score === SCORES.python && paid > 0),
      ]);
      assert(paid.epoch <= epoch);
      const due = (await allocations(net.api, paid.epoch)).find(({ module }) => module === ids.rust);
      assert.deepEqual([paid.module, paid.amount.planck, due.paid], [ids.rust, `${due.miner}`, true]);
    });
  });

  it('told to end, the client ends in good order, and the books are right', async () => {
    assert.equal(await miners.rust.stop(), 0);
    assert.equal(miners.rust.events.at(-1).event, 'stopped');
    await net.moneyAddsUp();
  });
});
