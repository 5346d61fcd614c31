/**
 * A runtime upgrade that a referendum decides on, on four validators that many accounts send transactions to: from this
 * runtime to the next one (`scripts/build next`). Every transfer takes effect once, and the chain goes on without a gap.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { u8aToHex } from '@polkadot/util';
import { blake2AsHex } from '@polkadot/util-crypto';

import { POOL, endow } from '../bench/load.mjs';
import { CALLS, receivers, sender } from '../bench/senders.mjs';
import { Network, TUNE, send, until, wellKnown } from '../harness/index.mjs';
import { NEXT_RUNTIME } from '../harness/binary.mjs';
import { History } from '../harness/history.mjs';
import { Referendum, standard } from '../harness/referenda.mjs';
import { Stream } from '../harness/stream.mjs';

const SENDERS = 100;
/** Accounts with most of all TUNE together. */
const VOTERS = ['alice', 'bob', 'charlie', 'dave', 'eve', 'ferdie'].flatMap((name) => [name, `${name}//stash`]);
const STAKE = 900_000n * TUNE;
/** Blocks before and after the upgrade in which transfers must be. */
const AROUND = 5;

describe('a runtime upgrade by referendum under load', { concurrency: 1 }, () => {
  /** @type {Network} */
  let net;
  /** @type {Stream} */
  let stream;
  /** `spec_version` before. */
  let spec;
  /** The number of the block that stored the next runtime: the one after it is the first that it runs. */
  let upgrade;
  const next = readFileSync(NEXT_RUNTIME);

  before(async () => {
    net = await Network.start({ validators: 4, args: POOL, genesis });
    spec = net.api.runtimeVersion.specVersion.toNumber();
    const pairs = Array.from({ length: SENDERS }, (_, number) => sender(number));
    const call = (number, nonce) => CALLS.transfer(net.api.tx, number, nonce);
    stream = await new Stream(net, pairs, call).start();
  });
  after(() => net?.stop());

  it('passes, and whoever has the code applies it', async () => {
    const { api } = net;
    const [alice, bob] = [wellKnown('alice'), wellKnown('bob')];
    const call = api.tx.system.authorizeUpgrade(blake2AsHex(next, 256));
    const referendum = await Referendum.propose(api, { origin: { system: 'Root' }, call, by: alice });
    await referendum.votes(VOTERS.map(wellKnown), standard(true, STAKE));
    assert.equal((await referendum.enacted()).error, undefined);
    const apply = api.tx.system.applyAuthorizedUpgrade(u8aToHex(next));
    // Not followed by polkadot.js, which would read the events of that block by the types of the next runtime.
    const signed = await apply.signAsync(bob, { nonce: -1 });
    await net.first.rpc('author_submitExtrinsic', signed.toHex());
    const isUpdate = ({ section, method }) => section === 'system' && method === 'CodeUpdated';
    upgrade = net.chronicle.blockOf(await net.chronicle.first('the next runtime to be stored', isUpdate));
    await until('the next runtime to run', async () => (await net.first.finalized()) >= upgrade + 2 * AROUND, {
      within: 180_000,
    });
  });

  it('runs from the next block on, on every node', async () => {
    for (const node of net.nodes) {
      await until(`${node.name} to get there`, async () => (await node.finalized()) > upgrade);
      await until('the connection to learn it', () => node.api.runtimeVersion.specVersion.eq(spec + 1));
      const history = new History(node.api);
      const lastUpgrade = async (number) => {
        const last = await (await history.at(number)).read('system', 'lastRuntimeUpgrade');
        return last.unwrap().specVersion.toNumber();
      };
      assert.deepEqual([await lastUpgrade(upgrade), await lastUpgrade(upgrade + 1)], [spec, spec + 1], node.name);
    }
    assert.equal(net.api.runtimeVersion.transactionVersion.toNumber(), 1);
  });

  it('loses no transaction, and takes none twice', async (t) => {
    await stream.end();
    const { blocks, lost, twice } = await stream.found();
    t.diagnostic(`${stream.transfers} transfers; ${stream.resent} were signed and sent again`);
    t.diagnostic(`refused: ${JSON.stringify(stream.refusals)}`);
    assert.deepEqual({ lost, twice }, { lost: [], twice: [] });
    const sum = (first, last) =>
      [...blocks].filter(([number]) => number >= first && number <= last).reduce((sum, [, count]) => sum + count, 0);
    assert(sum(upgrade - AROUND, upgrade) > SENDERS, 'there was load before');
    assert(sum(upgrade + 1, upgrade + 2 * AROUND) > SENDERS, 'there was load after');
    const accounts = await net.api.query.system.account.multi(receivers);
    const received = accounts.reduce((sum, { data }) => sum + data.free.toBigInt() - TUNE, 0n);
    assert.equal(received, BigInt(stream.transfers), 'each has brought its planck');
  });

  it('loses no block: all nodes have finalised the same ones, and no session is missing', async (t) => {
    const last = await net.first.finalized();
    const chains = await Promise.all(net.nodes.map((node) => chainOf(node, last)));
    for (const [number, chain] of chains.entries()) assert.deepEqual(chain, chains[0], net.nodes[number].name);
    for (let number = 1; number <= last; number += 1) {
      assert.equal(chains[0][number].parent, chains[0][number - 1].hash, `block ${number} follows the one before`);
    }
    await until('their events to be read', () => net.chronicle.last >= last);
    const sessions = net.chronicle
      .all(({ section, method }) => section === 'session' && method === 'NewSession')
      .map(({ data }) => data.sessionIndex.toNumber());
    assert(sessions.length > 0);
    assert.deepEqual(
      sessions,
      sessions.map((_, at) => sessions[0] + at),
    );
    t.diagnostic(`longest time without a block: ${await longestPause(upgrade - 2 * AROUND, last)} s`);
  });

  it('takes what is signed for it, and refuses what was signed for the one before', async () => {
    const { api } = net;
    const [bob, receiver] = [wellKnown('bob'), net.accounts.fresh('receiver').receiver];
    const transfer = api.tx.balances.transferKeepAlive(receiver.address, TUNE);
    await send(api, transfer, bob, { until: 'finalized' });
    assert.equal((await api.query.system.account(receiver.address)).data.free.toBigInt(), TUNE);
    const { genesisHash } = api;
    const old = transfer.sign(bob, {
      blockHash: genesisHash,
      genesisHash,
      nonce: (await api.rpc.system.accountNextIndex(bob.address)).toNumber(),
      runtimeVersion: { specVersion: spec, transactionVersion: 1 },
      tip: 0,
    });
    await assert.rejects(net.first.rpc('author_submitExtrinsic', old.toHex()), /1010: .*bad signature/i);
  });

  /** Seconds between the two neighbouring blocks that are furthest apart. */
  async function longestPause(first, last) {
    const history = new History(net.api);
    const times = [];
    for (let number = first; number <= last; number += 1) {
      const now = await (await history.at(number)).read('timestamp', 'now');
      times.push(now.toNumber());
    }
    return Math.max(...times.slice(1).map((time, at) => time - times[at])) / 1_000;
  }
});

/** Hashes of a node's blocks up to this one, with those of their parents. */
async function chainOf(node, last) {
  await until(`${node.name} to finalise block ${last}`, async () => (await node.finalized()) >= last);
  const blocks = [];
  for (let number = 0; number <= last; number += 1) {
    const hash = await node.rpc('chain_getBlockHash', number);
    blocks.push({ hash, parent: (await node.rpc('chain_getHeader', hash)).parentHash });
  }
  return blocks;
}

function genesis(chain) {
  endow(chain, SENDERS, 1_000n * TUNE);
  for (const receiver of receivers) chain.balances.balances.push([receiver, Number(TUNE)]);
}
