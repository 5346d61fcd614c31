/** Validators are elected: one joins a running network, one equivocates, one falls silent, and finality goes on. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { u8aToHex } from '@polkadot/util';

import { runGuide } from '../harness/guides.mjs';
import { DispatchError, Network, TUNE, refused, register, send, stakeOn, until, wellKnown } from '../harness/index.mjs';
import { finalityKey, judge, seatOf, sessionOf, standsWith, votes, withShortEras } from '../harness/validators.mjs';

/** What each founder stakes, in planck. */
const STAKE = 10_000n * TUNE;
/** Parts of a thousand million, in which slashes are counted. */
const BILLION = 1_000_000_000n;

describe('elected validators', () => {
  /** @type {Network} */
  let net;
  const names = ['alice', 'bob', 'charlie', 'dave'];
  const founders = names.map(wellKnown);
  const [alice, bob, charlie, dave] = founders;
  const [eve, ferdie] = ['eve', 'ferdie'].map(wellKnown);
  /** The modules that answer for validators, by their owners. */
  const modules = new Map();
  let delegator;

  before(async () => {
    net = await Network.start({ validators: 4, genesis: withShortEras });
    ({ delegator } = await net.accounts.funded('delegator'));
  });
  after(() => net?.stop());

  describe('beginnings', { concurrency: 2 }, () => {
    it('founders sit without a module until they stand, and are elected with one then', async () => {
      const seats = () => Promise.all(founders.map(async (founder) => (await seatOf(net.api, founder)).module));
      assert.deepEqual(await seats(), [undefined, undefined, undefined, undefined]);
      const stands = (founder, number) => standsWith(net.api, founder, `founder-${names[number]}`, STAKE);
      const standing = await Promise.all(founders.map(stands));
      founders.forEach((founder, number) => modules.set(founder, standing[number]));
      const elected = async () => String(await seats()) === String(standing);
      await until('the founders to be elected', elected, { within: 150_000, every: 500 });
    });

    it('a fifth validator joins by the guide alone: it is elected, authors blocks and votes on finality', async () => {
      // Safe as installed: the guide needs nothing but the node's own machine.
      const node = await net.add({ name: 'eve', validator: true, sessionKeys: [], open: false });
      const printed = await runGuide('validator.md', node);
      assert.match(printed, /stands with [1-9][0-9]* planck, with session keys/);
      assert.match(printed, /authored [1-9][0-9]* blocks in this session/);
      modules.set(eve, (await seatOf(net.api, eve)).module);

      await sessionOf(net.api, [...founders, eve]);
      await votes(net.first, await finalityKey(net.api, eve));
      await net.isFinalising();
    });
  });

  it('two nodes with the same keys cost their validator stake and seat', async () => {
    const before = await delegatedTo(dave);
    const twin = await net.add({ name: 'twin', validator: true, account: 'dave' });
    await net.chronicle.first('dave to lose his seat', isOf('Excluded', dave));
    await Promise.all([net.node('dave').stop(), twin.stop()]);

    await sessionOf(net.api, [alice, bob, charlie, eve]);
    await net.isFinalising();
    // One of five: the square of three fifths.
    assert.equal((await slashed(dave, before))[0], (BILLION * 9n) / 25n);
    const standing = net.api.tx.validators.stand(modules.get(dave));
    await assert.rejects(send(net.api, standing, dave), new DispatchError('validators.Barred'));
  });

  describe('while a validator is switched off', { concurrency: 2 }, () => {
    it('one that is switched off loses stake and its seat to another, and finality goes on all the while', async () => {
      const before = await delegatedTo(eve);
      await net.node('eve').stop();
      const node = await net.add({ name: 'ferdie', validator: true, sessionKeys: [], open: false });
      const joining = runGuide('validator.md', node, { env: { SECRET: '//Ferdie' } });
      await net.isFinalising();

      await net.chronicle.first('eve to be found silent', isOf('Silent', eve), 360_000);
      await joining;
      await sessionOf(net.api, [alice, bob, charlie, ferdie]);
      await net.isFinalising();
      // A thousandth, as long as few are silent.
      assert.deepEqual(await slashed(eve, before), [BILLION / 1_000n]);
      await net.moneyAddsUp();
    });

    it("who must not stand is told why, and keys are nobody's without proof", async () => {
      const { api } = net;
      const { newcomer } = await net.accounts.funded('newcomer');
      const { stand, chill } = api.tx.validators;
      const { setKeys } = api.tx.session;
      const rotated = (owner) => net.first.rpc('author_rotateKeysWithOwner', u8aToHex(owner.publicKey));
      const [own, foreign] = await Promise.all([rotated(newcomer), rotated(bob)]);
      const idle = (await register(api, newcomer, 'idle-module')).modules[0].id;
      const judging = await judge(api, newcomer, 'judge-of-the-newcomer');
      await refused(net, newcomer, [
        [setKeys(own.keys, '0x'), 'session.InvalidProof'],
        [setKeys(foreign.keys, foreign.proof), 'session.InvalidProof'],
        [stand(judging), 'validators.NoSessionKeys'],
        [stand(idle), 'validators.NotValidator'],
        [stand(modules.get(alice)), 'validators.NotOwner'],
        [stand(4_000_000), 'validators.UnknownModule'],
        [chill(judging), 'validators.NotStanding'],
        [chill(modules.get(alice)), 'validators.NotOwner'],
      ]);
      await send(api, setKeys(own.keys, own.proof), newcomer);
      await send(api, api.tx.stake.stake(judging, TUNE), newcomer);
      await refused(net, newcomer, [[stand(judging), 'validators.StakeTooLow']]);

      const second = await judge(api, alice, 'second-of-alice');
      const fails = (call, error) => assert.rejects(send(api, call, alice), new DispatchError(`validators.${error}`));
      await fails(stand(second), 'StandsElsewhere');
      await fails(stand(modules.get(alice)), 'StandsAlready');
    });
  });

  /** Has the delegator stake on a validator's module, and returns what it and the owner have there then. */
  async function delegatedTo(owner) {
    const module = modules.get(owner);
    await send(net.api, net.api.tx.stake.stake(module, 100n * TUNE), delegator, { until: 'finalized' });
    return stakes(owner);
  }

  function stakes(owner) {
    const accounts = [owner, delegator];
    return Promise.all(accounts.map(async (who) => (await stakeOn(net.api, who, modules.get(owner))).staked));
  }

  /**
   * The parts of its stake that a validator lost, by session in which it committed offences. It stands no more, and who
   * delegated to it has lost the same part as its owner.
   */
  async function slashed(owner, before) {
    const module = modules.get(owner);
    assert((await net.api.call.validatorsApi.candidate(module)).isNone);
    const [chilled] = net.chronicle.all(isOf('Chilled', owner));
    assert.equal(chilled.data.reason.type, 'Offence');
    const parts = net.chronicle.all(isOf('Slashed', owner)).map(({ data }) => data.part.toBigInt());
    const left = (amount) => parts.reduce((rest, part) => (rest * (BILLION - part)) / BILLION, amount);
    const now = await stakes(owner);
    before.forEach((amount, at) => {
      const gap = left(amount) - now[at];
      assert(gap >= -1n && gap <= BigInt(parts.length), `${now[at]} planck are left of ${amount}, slashed by ${parts}`);
    });
    return parts;
  }
});

/** Selects events of the pallet that are about this validator. */
function isOf(name, { address }) {
  return ({ section, method, data }) =>
    section === 'validators' && method === name && data.validator.toString() === address;
}
