/** Governance on real nodes: what is decided by referendum, who votes with what, and what is refused. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import {
  Network,
  Referendum,
  TUNE,
  balance,
  blockReached,
  closedEpoch,
  epochClosed,
  refused,
  register,
  send,
  standard,
  wellKnown,
} from '../harness/index.mjs';

const ALL = { miners: 0, validators: 0, treasury: 1_000_000 };
const VOTERS = ['alice', 'bob', 'charlie', 'dave', 'eve', 'ferdie'].map(wellKnown);

describe('governance on a local network', () => {
  /** @type {Network} */
  let net;
  /** @type {import('@polkadot/api').ApiPromise} */
  let api;

  before(async () => {
    net = await Network.start({ validators: 4 });
    ({ api } = net);
  });
  after(() => net?.stop());

  describe('stories', { concurrency: 8 }, () => {
    it("a parameter that is changed by referendum alters the next epoch's split", async () => {
      const call = api.tx.emission.setSplit(ALL);
      const referendum = await Referendum.propose(api, { origin: { Origins: 'Parameters' }, call, by: VOTERS[0] });
      await referendum.votes(VOTERS, standard(true, 600_000n * TUNE));
      const { enacted, error } = await referendum.enacted();
      assert.equal(error, undefined);

      const { epoch } = (await (await at(enacted)).call.emissionApi.epoch()).toJSON();
      await epochClosed(api, epoch);
      const [before, changed] = [await closedEpoch(api, epoch - 1), await closedEpoch(api, epoch)];
      assert.equal(changed.treasury, 10n * before.treasury, 'a tenth became all');
      assert.equal(changed.miners + changed.validators, 0n);
      await referendum.refund(VOTERS[1]);
      await send(api, api.tx.preimage.unnotePreimage(call.method.hash), VOTERS[0]);
    });

    it('the treasury pays what a referendum spends', async () => {
      const { receiver } = net.accounts.fresh('receiver');
      const call = api.tx.treasury.spend(null, 100n * TUNE, receiver.address, null);
      const referendum = await Referendum.propose(api, { origin: { Origins: 'SmallSpender' }, call, by: VOTERS[1] });
      await referendum.votes(VOTERS, standard(true, 600_000n * TUNE));
      assert.equal((await referendum.enacted()).error, undefined);
      await send(api, api.tx.treasury.payout(0), VOTERS[2]);
      assert.equal((await balance(api, receiver)).free, 100n * TUNE);
      await referendum.refund(VOTERS[1]);
    });

    it('staked TUNE votes once, and what voted cannot be sent on', async () => {
      const { keeper, staker, other } = await net.accounts.funded('keeper', 'staker', 'other');
      const { modules } = await register(api, keeper, 'gov-llama');
      const module = modules[0].id;
      await send(api, api.tx.stake.stake(module, 900n * TUNE), staker);
      const referendum = await Referendum.propose(api, {
        origin: { Origins: 'Registry' },
        call: api.tx.modules.addType('governed'),
        by: VOTERS[3],
      });
      await send(api, referendum.vote(standard(true, 950n * TUNE)), staker);
      assert.equal((await referendum.tally()).ayes, 950n * TUNE);
      assert.equal((await balance(api, staker)).held, 50n * TUNE, 'what the stake does not cover');

      const unstaked = await send(api, api.tx.stake.unstake(module, 900n * TUNE), staker);
      await blockReached(api, unstaked.event('stake', 'Unstaked').data.readyAt.toNumber());
      await send(api, api.tx.stake.withdraw(staker.address, module), keeper);
      assert.equal((await balance(api, staker)).held, 950n * TUNE);
      await refused(net, staker, [
        [api.tx.balances.transferKeepAlive(other.address, 900n * TUNE), 'token.FundsUnavailable'],
        [api.tx.stake.stake(module, 900n * TUNE), 'stake.CannotPay'],
        [api.tx.voters.recount(staker.address, referendum.track), 'voters.NothingToRecount'],
      ]);
      // A second vote replaces the first.
      await send(api, referendum.vote(standard(false, 10n * TUNE)), staker);
      const { ayes, nays } = await referendum.tally();
      assert.deepEqual([ayes, nays], [0n, 10n * TUNE]);
    });

    it('delegated TUNE follows whom it was given to', async () => {
      const { giver, taker } = await net.accounts.funded('giver', 'taker');
      const referendum = await Referendum.propose(api, {
        origin: { Origins: 'Slasher' },
        call: api.tx.system.remark('0x07'),
        by: VOTERS[4],
      });
      const { delegate, undelegate } = api.tx.convictionVoting;
      await send(api, delegate(referendum.track, taker.address, 'Locked2x', 100n * TUNE), giver);
      await send(api, referendum.vote(standard(true, 50n * TUNE)), taker);
      assert.deepEqual(await referendum.tally(), { ayes: 250n * TUNE, nays: 0n, support: 150n * TUNE });
      await send(api, undelegate(referendum.track), giver);
      assert.deepEqual(await referendum.tally(), { ayes: 50n * TUNE, nays: 0n, support: 50n * TUNE });
    });

    it('refuses what has no deposit, no balance and no right', async () => {
      const { asker } = await net.accounts.funded('asker');
      const call = api.tx.system.remark('0x08');
      const referendum = await Referendum.submit(api, { origin: { system: 'Root' }, call, by: asker });
      const { referenda } = api.tx;
      const inline = { Inline: call.method.toHex() };
      await refused(net, asker, [
        [referenda.placeDecisionDeposit(referendum.index), 'balances.InsufficientBalance'],
        [referenda.submit({ system: { Signed: asker.address } }, inline, { After: 0 }), 'referenda.NoTrack'],
        [referendum.vote(standard(true, 1_001n * TUNE)), 'convictionVoting.InsufficientFunds'],
        [api.tx.convictionVoting.vote(9_999, standard(true, TUNE)), 'convictionVoting.NotOngoing'],
        [referenda.refundSubmissionDeposit(referendum.index), 'referenda.BadStatus'],
        [referenda.nudgeReferendum(referendum.index), 'badOrigin'],
        [api.tx.emission.setSplit(ALL), 'badOrigin'],
        [api.tx.parameters.setParameter({ Names: { Base: [null, TUNE] } }), 'badOrigin'],
      ]);
    });
  });

  it('has books that add up', async () => {
    await net.moneyAddsUp();
  });

  const at = async (number) => api.at(await api.rpc.chain.getBlockHash(number));
});
