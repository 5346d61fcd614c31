/** The client on a real node: each command answers in its shape, and each mistake is told in a line with a remedy. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { Keyring } from '@polkadot/api';
import { u8aConcat, u8aToHex } from '@polkadot/util';
import { base58Decode } from '@polkadot/util-crypto';

import { Client, commandsOf } from '../harness/client.mjs';
import { tinyModel } from '../harness/gguf.mjs';
import { Network, TUNE, blockReached, npy, send, until } from '../harness/index.mjs';
import { imported } from '../harness/models.mjs';

/** A number that no module and no task will ever have here. */
const NONE = 4_000_000;
const DEVELOPMENT = '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY';

describe('the client', () => {
  /** @type {Network} */
  let net;
  /** @type {Client} */
  let client;
  const phrases = [];

  before(async () => {
    net = await Network.start({ args: ['--gateway-replicas=1'] });
    client = new Client(net.first.url);
  });
  after(async () => {
    client?.remove();
    await net?.stop();
  });

  /** Makes a key with so much TUNE. */
  async function funded(name, amount = '1000') {
    const phrase = client.path(`${name}.phrase`);
    const key = await client.ask(`key create ${name} --phrase-file ${phrase}`);
    phrases.push(readFileSync(phrase, 'utf8').trim());
    await client.ask(`balance transfer ${name} ${amount}`, { key: '//Alice' });
    return key;
  }

  /** Registers a module, and returns its number. */
  async function register(key, name) {
    const more = [`--endpoint=https://${name}.example/v1`];
    return (await client.ask(`module register ${name}`, { key, more })).module;
  }

  it('keeps keys that polkadot.js opens, and opens those of polkadot.js', async () => {
    const made = await client.ask(`key create first --phrase-file ${client.path('first.phrase')}`);
    const phrase = readFileSync(client.path('first.phrase'), 'utf8').trim();
    phrases.push(phrase);
    const again = await client.ask('key import again', { input: phrase });
    assert.equal(again.address, made.address);
    await client.ask('key create other --scheme ed25519', { more: [`--phrase-file=${client.path('other.phrase')}`] });
    phrases.push(readFileSync(client.path('other.phrase'), 'utf8').trim());

    const keyring = new Keyring({ type: 'sr25519' });
    await client.ask(`key export first ${client.path('exported.json')}`);
    const pair = keyring.addFromJson(JSON.parse(readFileSync(client.path('exported.json'), 'utf8')));
    pair.unlock(client.password);
    assert.equal(pair.address, made.address);
    assert.equal(pair.address, keyring.addFromUri(phrase).address);

    const theirs = keyring.addFromUri('//Theirs', { name: 'theirs' });
    writeFileSync(client.path('theirs.json'), JSON.stringify(theirs.toJson(client.password)));
    const taken = await client.ask(`key import theirs --json-file ${client.path('theirs.json')}`);
    assert.equal(taken.address, theirs.address);

    const names = (await client.ask('key list')).map(({ name }) => name);
    assert.deepEqual(names, ['again', 'first', 'other', 'theirs']);
    assert.equal((await client.ask('key show other')).scheme, 'ed25519');
    await client.ask('key remove again');
    assert.equal((await client.fail('key show again')).kind, 'key');
  });

  it('sends TUNE from keys of both schemes', async () => {
    await funded('payer', '10');
    await client.ask('balance transfer other 5TUNE', { key: 'payer' });
    const sent = await client.ask('balance transfer payer 1500mTUNE', { key: 'other' });
    assert.equal(sent.amount.planck, `${(3n * TUNE) / 2n}`);
    const { spendable, total } = await client.ask('balance show other');
    assert(BigInt(total.planck) < (7n * TUNE) / 2n && BigInt(spendable.planck) < BigInt(total.planck));
    await client.ask('balance transfer payer all', { key: 'other' });
    assert.equal((await client.ask('balance show other')).total.planck, '0');
    assert((await client.ask('balance list')).length >= 4);
  });

  it('tells of the network', async () => {
    const status = await client.ask('network status');
    assert.equal(status.genesis, net.api.genesisHash.toHex());
    assert.equal(status.sameMetadata, true, 'client/metadata.scale is old: run scripts/metadata');
    const epoch = await client.ask('network epoch');
    assert(epoch.begins <= epoch.block + 1 && epoch.block < epoch.ends);
    const supply = await client.ask('network supply');
    assert.equal(supply.issuance.planck, (await net.api.query.balances.totalIssuance()).toString());
    assert((await client.ask('network validators')).validators.some(({ account }) => account.startsWith('5')));
    assert((await client.ask('network params balances')).some(({ name }) => name === 'ExistentialDeposit'));
    await client.ask('network burn');
    await client.ask('network apr');
  });

  it('registers, finds, hands over and removes modules', async () => {
    await funded('owner');
    const heir = await funded('heir');
    assert.equal((await client.ask('module price gpt-of-owner')).isFree, true);
    const module = await register('owner', 'gpt-of-owner');
    const part = await register('owner', 'embed-of-owner');
    assert.equal((await client.ask('module info gpt-of-owner')).type, 'chat');
    await client.ask(`module update ${module}`, { key: 'owner', more: ['--description=Answers in rhymes.'] });
    const info = await client.ask(`module info ${module}`);
    assert.deepEqual([info.description, info.version], ['Answers in rhymes.', 2]);
    assert.equal(info.endpoint, 'https://gpt-of-owner.example/v1', 'what was not given stayed');

    await client.ask(`module build-on ${module} embed-of-owner`, { key: 'owner' });
    const { modules } = await client.ask(`module pipeline ${module}`);
    assert.deepEqual(
      modules.map(({ id }) => id),
      [part, module],
    );
    assert((await client.ask('module types')).some(({ name }) => name === 'chat'));
    const found = await client.ask('module search gpt-of --type chat');
    assert.deepEqual(
      found.map(({ id }) => id),
      [module],
    );

    await client.ask(`module transfer ${module} heir`, { key: 'owner' });
    await client.ask(`module transfer ${module} --cancel`, { key: 'owner' });
    await client.ask(`module transfer ${module} ${heir.address}`, { key: 'owner' });
    await client.ask(`module transfer ${module} --accept`, { key: 'heir' });
    assert.deepEqual(
      (await client.ask('module list heir')).map(({ id }) => id),
      [module],
    );
    await client.ask(`module remove ${module}`, { key: 'heir' });
    assert.equal((await client.fail(`module info ${module}`)).kind, 'not-found');
  });

  it('stakes, moves, earns and takes away', async () => {
    await funded('staker');
    const one = await register('staker', 'whisper-of-staker');
    const other = await register('staker', 'whisper-two-of-staker');
    await client.ask('stake add whisper-of-staker 100TUNE', { key: 'staker' });
    await client.ask(`stake move ${one} ${other} 40`, { key: 'staker' });
    const stakes = await client.ask('stake list staker');
    assert.deepEqual(
      stakes.map(({ module, staked }) => [module, staked.tune]),
      [
        [one, '60'],
        [other, '40'],
      ],
    );
    assert.equal((await client.ask(`stake show ${one}`)).staked.tune, '60');
    assert.equal((await client.ask('stake rewards staker')).length, 2);
    await client.ask(`stake set-fee ${one} 0.05`, { key: 'staker' });
    const { readyAt } = await client.ask(`stake remove ${one}`, { key: 'staker' });
    await blockReached(net.api, readyAt);
    const paid = await client.ask(`stake withdraw ${one}`, { key: 'staker' });
    assert.equal(paid.amount.tune, '60');
  });

  it('has miners matched with validators', async () => {
    await funded('miner');
    await funded('judge');
    const miner = await register('miner', 'gpt-of-miner');
    const judge = await register('judge', 'judge-of-judge');
    await client.ask(`miner join ${miner}`, { key: 'miner' });
    await client.ask(`validator join ${judge} --types chat --capacity 5`, { key: 'judge' });
    await until('a match', async () => (await client.ask(`miner status ${miner}`)).validators.includes(judge));
    const status = await client.ask('validator status judge-of-judge');
    assert.deepEqual([status.types, status.miners], [['chat'], [miner]]);
    assert.deepEqual(await client.ask(`miner scores ${miner}`), []);
    await client.ask(`validator scores ${judge}`);
    await client.ask(`miner pause ${miner}`, { key: 'miner' });
    assert.equal((await client.ask(`miner status ${miner}`)).standing, 'off');
    await client.ask(`miner resume ${miner}`, { key: 'miner' });
    await client.ask(`miner leave ${miner}`, { key: 'miner' });
    await client.ask(`validator pause ${judge}`, { key: 'judge' });
    await client.ask(`validator resume ${judge}`, { key: 'judge' });
    await client.ask(`validator leave ${judge}`, { key: 'judge' });
    assert.equal((await client.fail(`miner status ${miner}`)).kind, 'not-found');
  });

  it('agrees on a file, and fetches it', async () => {
    await funded('creator');
    await funded('giver');
    const file = client.path('text.txt');
    writeFileSync(file, 'What three people agree on.');
    const terms =
      '--base 1 --bond 1 --quorum 1 --participants 2 --commit-blocks 5 --reveal-blocks 4 --attest-blocks 10';
    const { task } = await client.ask(`task create bytes:1000 ${terms}`, { key: 'creator' });
    assert((await client.ask('task list --open')).some((line) => line.task === task));
    const { content } = await client.ask(`task commit ${task} ${file}`, { key: 'giver' });
    assert.equal((await client.ask(`task show ${task}`)).committed, 1);
    await client.ask(`task reveal ${task} --wait`, { key: 'giver' });
    const outcome = await client.ask(`task watch ${task}`);
    assert.deepEqual([outcome.isWon, outcome.content], [true, content]);
    const copy = client.path('copy');
    const fetched = await client.ask(`task fetch ${task} --output ${copy}`);
    assert.equal(fetched.content, content);
    assert(readFileSync(copy).equals(readFileSync(file)));

    const idle = await client.ask(`task create bytes:10 ${terms}`, { key: 'creator' });
    await client.ask(`task cancel ${idle.task}`, { key: 'creator' });
  });

  it('makes one table of those that come to a space', async () => {
    await funded('founder');
    const shape = '--rows 64 --cols 8 --anchors 16 --capacity 4 --quorum 1 --cadence 20';
    const { space } = await client.ask(`space create ${shape}`, { key: 'founder' });
    const table = client.path('table.npy');
    writeFileSync(
      table,
      npy(
        'i2',
        64,
        8,
        Array.from({ length: 64 * 8 }, (_, at) => ((at * 7919) % 26_001) - 13_000),
      ),
    );
    const terms =
      '--base 1 --bond 1 --quorum 1 --participants 1 --commit-blocks 5 --reveal-blocks 4 --attest-blocks 10';
    const { task } = await client.ask(`task create i16:64x8 ${terms} --space ${space}`, { key: 'founder' });
    await client.ask(`task commit ${task} ${table}`, { key: 'founder' });
    await client.ask(`task reveal ${task} --wait`, { key: 'founder' });
    assert.equal((await client.ask(`task watch ${task}`)).isWon, true);
    await until('a member', async () => (await client.ask(`space members ${space}`)).length === 1);
    assert((await client.ask('space list')).some((line) => line.space === space));
    const settled = async () => (await client.ask(`space show ${space}`)).state;
    await until('a round', settled, { within: 240_000, every: 2_000 });
    assert.equal((await client.ask(`space rounds ${space}`)).length, 1);
    const near = async () => (await client.ask(`space nearest ${space} 17 --count 3`)).neighbours.length === 3;
    await until('neighbours', near);
    await client.ask(`space suspend ${space} ${task}`, { key: 'founder' });
    await client.ask(`space readmit ${space} ${task}`, { key: 'founder' });
    await client.ask(`space retire ${space}`, { key: 'founder' });
  });

  it('registers a model, and asks it', async () => {
    const [alice, bob] = ['//Alice', '//Bob'].map((uri) => new Keyring({ type: 'sr25519' }).addFromUri(uri));
    writeFileSync(client.path('tiny.gguf'), tinyModel());
    const made = await client.ask(`model import ${client.path('tiny.gguf')} --out ${client.path('model')}`);
    const { bytes, manifest } = made;
    const { id } = await imported(client.path('tiny.gguf'), client.path('same'));
    assert.equal(made.content, id, 'the node makes the same of it');
    const terms =
      '--base 1 --bond 1 --quorum 1 --participants 1 --commit-blocks 5 --reveal-blocks 4 --attest-blocks 20';
    const { task } = await client.ask(`task create bundle:${bytes} ${terms}`, { key: '//Alice' });
    await client.ask(`task commit ${task} ${manifest}`, { key: '//Alice' });
    await client.ask(`task reveal ${task} --wait`, { key: '//Alice' });
    assert.equal((await client.ask(`task watch ${task}`)).isWon, true);
    const { model } = await client.ask(`model register ${task} ${manifest}`, { key: '//Alice' });
    assert((await client.ask('model list')).some((line) => line.model === model));
    assert.equal((await client.ask(`model show ${model}`)).task, task);

    await net.first.rpc('author_insertKey', 'atst', '//Bob', u8aToHex(bob.publicKey));
    const peer = u8aToHex(base58Decode((await net.api.rpc.system.localPeerId()).toString()));
    for (const account of [alice, bob]) {
      const proof = account.sign(u8aConcat('POP_', account.publicKey));
      await send(net.api, net.api.tx.inference.join(model, peer, account.publicKey, proof, 100n * TUNE), account);
    }
    await client.ask(`session quote ${model} --tokens 30`);
    await client.ask(`session credits ${model} //Alice`);
    const shape = `--tokens 8 --workers 1 --replicas 1 --gateway ${alice.address}`;
    await funded('asker');
    const answer = await client.ask(`ask ${model}`, { key: 'asker', more: ['What is a chain?', ...shape.split(' ')] });
    assert(answer.answerTokens > 0 && answer.answerTokens <= 8);
    const sessions = await client.ask('session list --of asker');
    assert.deepEqual(
      sessions.map(({ session }) => session),
      [answer.session],
    );
    await client.ask(`session show ${answer.session}`);

    const spare = `${client.path('tiny.gguf')} --out ${client.path('spare')} --context 16`;
    const { bytes: size, manifest: unused } = await client.ask(`model import ${spare}`);
    const other = await client.ask(`task create bundle:${size} ${terms}`, { key: '//Alice' });
    await client.ask(`task commit ${other.task} ${unused}`, { key: '//Alice' });
    await client.ask(`task reveal ${other.task} --wait`, { key: '//Alice' });
    await client.ask(`task watch ${other.task}`);
    const second = await client.ask(`model register ${other.task} ${unused}`, { key: '//Alice' });
    await client.ask(`model retire ${second.model}`, { key: '//Alice' });
  });

  it('writes manuals, and scripts for shells', async () => {
    assert((await client.ask(`man ${client.path('man')}`)).files > 30);
    assert.match((await client.ask('completion bash')).script, /ensemble/);
  });

  describe('tells a mistake in a line with a remedy', () => {
    before(() => funded('poor', '0.5'));

    it('a wrong password', async () => {
      writeFileSync(client.path('wrong'), 'another\n');
      const { kind, message } = await client.fail('balance transfer //Bob 1', { key: 'poor', password: 'wrong' });
      assert.deepEqual([kind, message], ['wrong-password', 'the password does not open the key `poor`']);
    });

    it('another network', async () => {
      const more = [`--genesis=0x${'11'.repeat(32)}`];
      assert.equal((await client.fail('network status', { more })).kind, 'wrong-network');
    });

    it('no node', async () => {
      const error = await client.fail('network status', { url: 'ws://127.0.0.1:1' });
      assert.equal(error.kind, 'no-node');
      assert.match(error.remedy, /--url/);
    });

    it('old metadata', async () => {
      const proxy = await otherRuntime(net.first.url);
      try {
        await client.ask('network epoch', { url: proxy.url });
        assert.equal((await client.fail('stake list //Alice', { url: proxy.url })).kind, 'old-metadata');
      } finally {
        proxy.close();
      }
    });

    it('no funds', async () => {
      assert.equal((await client.fail('balance transfer //Bob 100', { key: 'poor' })).kind, 'no-funds');
      await client.ask(`key create empty --phrase-file ${client.path('empty.phrase')}`);
      phrases.push(readFileSync(client.path('empty.phrase'), 'utf8').trim());
      assert.equal((await client.fail('balance transfer //Bob 1', { key: 'empty' })).kind, 'no-funds');
    });

    it("somebody else's module", async () => {
      await register('//Alice', 'gpt-not-yours');
      const { kind, message, remedy } = await client.fail('module remove gpt-not-yours', { key: 'poor' });
      assert.equal(kind, 'not-yours');
      assert.match(message, /Modules.NotOwner: Only the module's owner may do this/);
      assert.match(remedy, /--key/);
    });

    it('a file that is no tensor', async () => {
      const broken = client.path('broken.npy');
      writeFileSync(broken, 'no table');
      const { kind, message } = await client.fail(`task commit 0 ${broken}`, { key: 'poor' });
      assert.equal(kind, 'file');
      assert(message.includes(broken));
    });

    it('what the chain refuses, with the reason that the chain gives', async () => {
      const error = await client.fail('stake add gpt-not-yours 1planck', { key: 'poor' });
      assert.equal(error.kind, 'refused');
      assert.match(error.message, /Stake.BelowMinimum: The stake would be lower than the chain allows/);
      assert.match(error.remedy, /0.1 TUNE/);
    });

    it('what is not there', async () => {
      assert.equal((await client.fail(`module info ${NONE}`)).kind, 'not-found');
      assert.equal((await client.fail(`task show ${NONE}`)).kind, 'not-found');
      assert.equal((await client.fail(`session show ${NONE}`)).kind, 'not-found');
      assert.equal((await client.fail('balance show', { key: 'nobody' })).kind, 'key');
    });

    it('nobody who agrees', async () => {
      const before = await client.ask('balance show poor');
      const error = await client.fail('balance transfer //Bob 0.1', { key: 'poor', yes: false });
      assert.equal(error.kind, 'not-confirmed');
      assert.deepEqual(await client.ask('balance show poor'), before);
    });

    it('a command that is none', async () => {
      assert.equal((await client.run('stake ad 1 1')).code, 2);
    });
  });

  it('was asked each command, and showed no secret', () => {
    assert.deepEqual(
      commandsOf('client').filter((name) => !client.answered.has(name)),
      [],
    );
    assert(phrases.length > 5);
    for (const secret of [...phrases, client.password]) assert(!client.printed.includes(secret));
    assert(!client.printed.includes('panicked') && !client.printed.includes('stack backtrace'));
    assert(client.printed.includes(DEVELOPMENT));
  });
});

/** The way to a node, on which an API of its runtime gets another name. */
async function otherRuntime(url) {
  const [name, renamed] = ['StakeApi', 'StakeApj'].map((text) => Buffer.from(text).toString('hex'));
  const port = Number(new URL(url).port);
  const sockets = new Set();
  const server = createServer((client) => {
    const node = connect(port, '127.0.0.1');
    [client, node].forEach((socket) => sockets.add(socket.on('error', () => {})));
    // The node answers those alone who ask for its own address.
    client.once('data', (request) => {
      const own = request.toString('latin1').replace(`:${server.address().port}`, `:${port}`);
      node.write(own, 'latin1');
      client.pipe(node);
    });
    // A name may come in two pieces: what could be its beginning waits for the rest.
    let kept = '';
    node.on('data', (data) => {
      const text = (kept + data.toString('latin1')).replaceAll(name, renamed);
      const begins = Array.from(name, (_, at) => name.slice(0, at)).findLast((start) => text.endsWith(start));
      kept = begins;
      client.write(text.slice(0, text.length - begins.length), 'latin1');
    });
    node.on('close', () => client.destroy());
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    sockets.forEach((socket) => socket.destroy());
    server.close();
  };
  return { url: `ws://127.0.0.1:${server.address().port}`, close };
}
