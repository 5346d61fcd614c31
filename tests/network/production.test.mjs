/** A network of one's own, from the production preset, as docs/validator.md tells its founders to start it. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { Network, Referendum, TUNE, balance, command, pairOf, send, standard, wellKnown } from '../harness/index.mjs';

const FOUNDERS = ['first', 'second'];
const SESSION_KEYS = [
  ['babe', 'sr25519'],
  ['gran', 'ed25519'],
  ['audi', 'sr25519'],
  ['atst', 'sr25519'],
];

describe('a network from the production preset', () => {
  /** @type {Network} */
  let net;
  let founders;

  before(async () => {
    net = Network.empty((folder) => join(folder, 'chain-raw.json'));
    founders = await Promise.all(FOUNDERS.map(async (name) => ({ name, ...(await keys()) })));
    await freeze(net.folder, founders);
    await Promise.all(founders.map((founder) => insertKeys(net, founder)));
    for (const { name } of founders) await net.add({ name, args: ['--validator'] });
    await net.isFinalising();
  });
  after(() => net?.stop());

  it('finalises blocks of the founders, and of nobody else', async () => {
    const validators = (await net.api.query.session.validators()).map(String);
    assert.deepEqual(validators.sort(), founders.map(({ account }) => account.ss58Address).sort());
    assert.equal((await balance(net.api, wellKnown('alice'))).total, 0n);
  });

  it('has no sudo key', async () => {
    assert((await net.api.query.sudo.key()).isNone);
    const call = net.api.tx.sudo.sudo(net.api.tx.system.remark('0x00'));
    for (const { pair } of founders) await assert.rejects(send(net.api, call, pair), { message: 'sudo.RequireSudo' });
  });

  it('is governed by referendum', async () => {
    const [first, second] = founders.map(({ pair }) => pair);
    const { api } = net;
    const split = { miners: 500_000, validators: 300_000, treasury: 200_000 };
    const call = api.tx.emission.setSplit(split);
    const referendum = await Referendum.propose(api, { origin: { Origins: 'Parameters' }, call, by: first });
    await referendum.votes([first, second], standard(true, 4_000n * TUNE));
    assert.equal((await referendum.enacted()).error, undefined);
    assert.deepEqual((await api.query.emission.currentSplit()).toJSON(), split);
  });

  it('lets a founder spend what genesis gave', async () => {
    const [{ pair }] = founders;
    const receiver = wellKnown('bob');
    await send(net.api, net.api.tx.balances.transferKeepAlive(receiver.address, 5n * TUNE), pair, {
      until: 'finalized',
    });
    assert.equal((await balance(net.api, receiver)).free, 5n * TUNE);
  });
});

/** A founder's secrets: of its account, and one for its session keys. */
async function keys() {
  const generate = async () => JSON.parse((await command(['key', 'generate', '--output-type=json'])).stdout);
  const [account, session] = await Promise.all([generate(), generate()]);
  const inspect = (scheme) =>
    command(['key', 'inspect', `--scheme=${scheme}`, '--output-type=json', session.secretPhrase]);
  const [sr25519, ed25519] = await Promise.all(
    ['sr25519', 'ed25519'].map(async (scheme) => JSON.parse((await inspect(scheme)).stdout).ss58PublicKey),
  );
  const pair = pairOf(account.secretPhrase);
  return { account, session, pair, sr25519, ed25519 };
}

/** Fills in the preset, and writes the specification that every node starts from. */
async function freeze(folder, founders) {
  const form = JSON.parse((await command(['build-spec', '--chain=production'])).stdout);
  const { patch } = form.genesis.runtimeGenesis;
  const addresses = founders.map(({ account }) => account.ss58Address);
  patch.balances = { balances: addresses.map((address) => [address, Number(8_000n * TUNE)]) };
  patch.validators = { ...patch.validators, validators: addresses };
  patch.session = {
    keys: founders.map(({ account: { ss58Address }, sr25519, ed25519 }) => [
      ss58Address,
      ss58Address,
      { babe: sr25519, grandpa: ed25519, authority_discovery: sr25519, attester: sr25519 },
    ]),
  };
  // A day of half a minute, so that a referendum passes while one waits.
  patch.origins = { day: 10 };
  const filled = join(folder, 'chain.json');
  writeFileSync(filled, JSON.stringify(form));
  const { stdout } = await command(['build-spec', `--chain=${filled}`, '--raw']);
  writeFileSync(join(folder, 'chain-raw.json'), stdout);
}

/** Puts a founder's session keys where its node will look for them. */
async function insertKeys({ folder }, { name, session }) {
  const base = [`--chain=${join(folder, 'chain-raw.json')}`, `--base-path=${join(folder, name, 'data')}`];
  const insert = ['key', 'insert', ...base, `--suri=${session.secretPhrase}`];
  for (const [type, scheme] of SESSION_KEYS) await command([...insert, `--key-type=${type}`, `--scheme=${scheme}`]);
}
