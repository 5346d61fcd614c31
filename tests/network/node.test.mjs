/** The node's command line, its specifications, and what its RPC answers to whom. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { u8aToHex } from '@polkadot/util';
import { decodeAddress } from '@polkadot/util-crypto';

import { DispatchError, Network, Tensor, blockReached, command, failing, send, wellKnown } from '../harness/index.mjs';

/** Pallets with calls, and functions of the runtime APIs. */
const PALLETS = [
  ...['assets', 'balances', 'emission', 'exchange', 'matching', 'modules', 'multisig', 'proxy', 'scores', 'session'],
  ...['spaces', 'stake', 'sudo', 'tasks', 'utility', 'validators'],
];
const APIS = {
  tasksApi: ['openTasks', 'task', 'obligations'],
  exchangeApi: ['entitlement', 'received', 'ways'],
  spacesApi: ['space', 'spaces', 'members', 'rounds', 'history', 'state'],
  modulesApi: ['module', 'moduleByName', 'search', 'pipeline', 'price', 'typeOfName', 'modelTypes'],
  stakeApi: ['pool', 'stakes'],
  validatorsApi: ['candidates', 'candidate', 'era', 'barredUntil'],
  matchingApi: ['miner', 'validator', 'minersOf', 'truths', 'testCases', 'status'],
  scoresApi: ['duties', 'result', 'results', 'seal'],
  emissionApi: ['epoch', 'epochs', 'allocations', 'allocationsOf', 'prospect', 'supply', 'apr'],
};

const folder = mkdtempSync(join(tmpdir(), 'ensemble-cli-'));
const path = (name) => join(folder, name);
after(() => rmSync(folder, { recursive: true, force: true }));

describe('the command line', () => {
  it('--version names the commit', async () => {
    const { stdout } = await command(['--version']);
    assert.match(stdout, /^ensemble-node \d+\.\d+\.\d+-[0-9a-f]{11}\s*$/);
    const head = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: new URL('../..', import.meta.url) }).toString();
    assert(head.startsWith(/-([0-9a-f]{11})/.exec(stdout)[1]), 'the binary was built from this commit');
  });

  it('key: generates, inspects, inserts', async () => {
    await command(['key', 'generate-node-key', '--file', path('node-key')]);
    assert.match(readFileSync(path('node-key'), 'utf8'), /^[0-9a-f]{64}$/);
    const { stdout: peer } = await command(['key', 'inspect-node-key', '--file', path('node-key')]);
    assert.match(peer, /^12D3Koo/);
    const alice = JSON.parse((await command(['key', 'inspect', '--output-type=json', '//Alice'])).stdout);
    assert.equal(alice.ss58Address, wellKnown('alice').address);
    const insert = ['key', 'insert', '--chain=local', `--base-path=${path('keys')}`, '--suri=//Alice'];
    await command([...insert, '--key-type=atst', '--scheme=sr25519']);
    const file = path(`keys/chains/ensemble_local/keystore/61747374${alice.publicKey.slice(2)}`);
    assert(existsSync(file), file);
  });

  it('build-spec: dev and local have a sudo key, production has none, and none of its accounts is a known one', async () => {
    const genesis = async (chain) =>
      JSON.parse((await command(['build-spec', `--chain=${chain}`])).stdout).genesis.runtimeGenesis;
    const alice = wellKnown('alice').address;
    assert.equal((await genesis('dev')).patch.sudo.key, alice);
    assert.equal((await genesis('local')).patch.sudo.key, alice);
    assert.equal((await genesis('local')).patch.session.keys.length, 4);
    const production = await genesis('production');
    assert.equal(production.patch.sudo?.key ?? null, null);
    assert(!JSON.stringify(production.patch).includes(alice));
  });

  it('an unknown chain is named in the error', async () => {
    const { code, stderr } = await failing(['build-spec', '--chain=nowhere']);
    assert.notEqual(code, 0);
    assert.match(stderr, /nowhere/);
  });

  it('a validator without a node key does not start', async () => {
    const { stderr } = await failing([
      '--chain=local',
      '--alice',
      `--base-path=${path('keyless')}`,
      '--rpc-port=0',
      '--port=0',
    ]);
    assert.match(stderr, /key/i);
  });
});

describe('the database', () => {
  const data = path('chain');
  const on =
    (folder) =>
    (name, ...args) =>
      command([name, '--chain=dev', `--base-path=${folder}`, ...args]);
  const onData = on(data);
  const info = async (run) => JSON.parse((await run('chain-info')).stdout);

  before(async () => {
    const net = await Network.start();
    try {
      await blockReached(net.api, 6);
      await net.isFinalising();
      await net.first.stop();
      cpSync(join(net.first.folder, 'data'), data, { recursive: true });
    } finally {
      await net.stop();
    }
  });

  it('chain-info, check-block, export-blocks and import-blocks', async () => {
    const original = await info(onData);
    assert(original.best_number >= 6 && original.finalized_number >= 1);
    await onData('check-block', '3');
    await onData('export-blocks', '--from=1', '--to=5', '--binary', path('blocks.bin'));
    const onCopy = on(path('copy'));
    await onCopy('import-blocks', '--binary', path('blocks.bin'));
    const copy = await info(onCopy);
    assert.equal(copy.best_number, 5);
    assert.equal(copy.genesis_hash, original.genesis_hash);
  });

  it('opens in a fraction of the time once the runtime was compiled, and without harm if that is spoilt', async (t) => {
    const runtimes = join(data, 'runtimes');
    const opening = async () => {
      const start = performance.now();
      await onData('export-blocks', '--from=1', '--to=1', '--binary', path('first.bin'));
      return performance.now() - start;
    };
    rmSync(runtimes, { recursive: true, force: true });
    const [compiling, again] = [await opening(), await opening()];
    t.diagnostic(`${(compiling / 1_000).toFixed(1)} s, then ${(again / 1_000).toFixed(1)} s`);
    assert(again < compiling / 4, `${again} ms and not ${compiling} ms`);

    const files = readdirSync(runtimes, { recursive: true }).map((file) => join(runtimes, file));
    const compiled = files.filter((file) => statSync(file).size > 1_000_000);
    assert(compiled.length > 0);
    for (const file of compiled) writeFileSync(file, 'spoilt');
    await opening();
  });

  it('export-state, revert and purge-chain', async () => {
    const { stdout } = await onData('export-state');
    assert(JSON.parse(stdout).genesis.raw, 'the state is a specification');
    const before = await info(onData);
    await onData('revert', '1');
    // What is finalised is not reverted.
    assert.equal((await info(onData)).best_number, Math.max(before.best_number - 1, before.finalized_number));
    await onData('purge-chain', '-y');
    assert.equal((await info(onData)).best_number, 0);
  });
});

describe('the RPC', () => {
  /** @type {Network} */
  let net;
  const tensor = Tensor.bytes(Buffer.from('anything'));
  const unsafe = [
    ['author_rotateKeys'],
    ['author_insertKey', 'atst', '//Eve', `0x${'00'.repeat(32)}`],
    ['system_addReservedPeer', '/ip4/127.0.0.1/tcp/1/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp'],
  ];
  const writes = [
    ['ensemble_putTensor', tensor.id, 0, Buffer.from(tensor.encoded).toString('base64')],
    ['ensemble_fetchTensor', tensor.id],
    ['ensemble_pinTensor', tensor.id],
    ['ensemble_unpinTensor', tensor.id],
    ['ensemble_removeTensor', tensor.id],
    ['ensemble_restrictTensor', tensor.id, 0],
    ['ensemble_unrestrictTensor', tensor.id],
  ];

  before(async () => {
    net = await Network.start({ metrics: true });
  });
  after(() => net?.stop());

  it('a node that is reached from outside refuses unsafe methods and writing, and answers the rest', async () => {
    const node = await net.add({ name: 'public', open: false, args: ['--rpc-external'] });
    for (const [method, ...params] of [...unsafe, ...writes]) {
      await assert.rejects(node.rpc(method, ...params), /unsafe/i, method);
    }
    assert.deepEqual(await node.tensors.status(tensor.id), { status: 'absent' });
    assert.equal((await node.tensors.info()).tensors, 0);
    assert.equal((await node.api.rpc.system.chain()).toString(), 'Ensemble Development');
  });

  it('--tensor-rpc-writes opens uploading, and nothing else', async () => {
    const node = await net.add({ name: 'store', open: false, args: ['--rpc-methods=safe', '--tensor-rpc-writes'] });
    for (const [method, ...params] of unsafe) await assert.rejects(node.rpc(method, ...params), /unsafe/i, method);
    assert.equal((await node.tensors.put(tensor.id, tensor.encoded)).complete, true);
    const others = writes.filter(([method]) => method !== 'ensemble_putTensor');
    for (const [method, ...params] of others) await assert.rejects(node.rpc(method, ...params), /unsafe/i, method);
    assert.equal((await node.tensors.status(tensor.id)).status, 'held');
  });

  it('without options it listens on loopback only', async () => {
    const node = await net.add({ name: 'plain', open: false });
    assert.match(node.output(), /Running JSON-RPC server: addr=127\.0\.0\.1:\d+(,\[::1\]:\d+)?[,\s]/);
  });

  it('metrics tell of blocks, tensors and aggregation', async () => {
    const metrics = await net.first.metrics();
    const names = [...metrics.keys()].map((name) => name.replace(/\{.*/, ''));
    for (const name of ['substrate_block_height', 'ensemble_tensors_held', 'ensemble_aggregation_combined_total']) {
      assert(names.includes(name), name);
    }
  });

  it('a look-up in a space that does not exist says which there are', async () => {
    await assert.rejects(net.first.rpc('ensemble_nearest', 7, 'a token', 3), /there is no space 7; call .* spaces/);
    await assert.rejects(net.first.rpc('ensemble_nearest', 7, [1, 2], 0), /ask for 1 to 100 rows/);
  });

  it('a transaction carries the hash of the metadata, and wallets may leave it out', async () => {
    const { extrinsic } = net.api.registry.metadata;
    const extensions = extrinsic.signedExtensions ?? extrinsic.transactionExtensions;
    assert(extensions.some(({ identifier }) => identifier.toString() === 'CheckMetadataHash'));
    assert(net.api.registry.signedExtensions.includes('CheckMetadataHash'));
  });

  it('every pallet and runtime API is there for polkadot.js', () => {
    for (const pallet of PALLETS) assert(net.api.tx[pallet], pallet);
    for (const [section, calls] of Object.entries(APIS)) {
      for (const call of calls) assert(net.api.call[section]?.[call], `${section}.${call}`);
    }
  });

  it('its memory at rest is below 500 MB', () => {
    assert(net.first.memory() < 500e6, `${Math.round(net.first.memory() / 1e6)} MB`);
  });
});

describe('session keys', () => {
  /** @type {Network} */
  let net;

  before(async () => {
    net = await Network.start();
  });
  after(() => net?.stop());

  it('are made in the node, proved to be owned, and set by their account alone', async () => {
    const { owner, thief } = await net.accounts.funded('owner', 'thief');
    const { keys, proof } = await net.first.rpc('author_rotateKeysWithOwner', u8aToHex(decodeAddress(owner.address)));
    const set = net.api.tx.session.setKeys(keys, proof);
    await assert.rejects(send(net.api, set, thief), new DispatchError('session.InvalidProof'));
    await send(net.api, set, owner);
    const next = await net.api.query.session.nextKeys(owner.address);
    assert.equal(next.unwrap().toHex(), keys);
  });
});
