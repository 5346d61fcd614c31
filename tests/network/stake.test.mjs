/** Stake from the first planck to the last: what it earns, what it answers for, and what nobody can do with it. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { encodeDerivedAddress } from '@polkadot/util-crypto';

import {
  DispatchError,
  Network,
  TUNE,
  assertIssuanceIsTold,
  balance,
  blockReached,
  moduleView,
  poolOf,
  refused,
  register,
  send,
  sendAsRoot,
  stakeOn,
} from '../harness/index.mjs';

/** What every account of a story owns in the beginning. */
const ENDOWMENT = 1_000n * TUNE;
/** A number that no module will ever have here. */
const NONE = 4_000_000;
/** More than any pool holds, and more than there is. */
const ENDLESS = 2n ** 128n - 1n;

/** Parts of a thousand million, in which slashes are counted. */
const BILLION = 1_000_000_000n;

describe('stake', () => {
  /** @type {Network} */
  let net;
  /** @type {import('@polkadot/api').ApiPromise['tx']['stake']} */
  let calls;

  before(async () => {
    net = await Network.start();
    calls = net.api.tx.stake;
  });
  after(() => net?.stop());

  describe('stories', { concurrency: 32 }, () => {
    it('earns, comes back, and is paid out when it is time, to the planck', async () => {
      const { keeper, ann, ben, payer } = await net.accounts.funded('keeper', 'ann', 'ben', 'payer');
      const [module] = await registeredBy(net, keeper, 'life-llama');
      const spent = spending();
      await Promise.all([
        spent(send(net.api, calls.stake(module, 100n * TUNE), ann)),
        send(net.api, calls.stake(module, 300n * TUNE), ben),
      ]);
      const free = ENDOWMENT - 100n * TUNE - spent.fees;
      assert.deepEqual(await balance(net.api, ann), { free, held: 0n, total: free }, 'its money is in the pot');

      // As much as there is: every share is worth twice as much.
      await send(net.api, calls.reward(module, 400n * TUNE), payer);
      assert.deepEqual(await worth(net, module, ann, ben), [200n * TUNE, 600n * TUNE]);
      const first = await spent(send(net.api, calls.unstake(module, 50n * TUNE), ann));
      spent.fees += await refused(net, ann, [[calls.withdraw(ann.address, module), 'stake.NothingDue']]);

      // What is on its way out earns nothing.
      await send(net.api, calls.reward(module, 75n * TUNE), payer);
      assert.deepEqual(await worth(net, module, ann, ben), [165n * TUNE, 660n * TUNE]);
      const second = await spent(send(net.api, calls.unstake(module, 165n * TUNE), ann));
      spent.fees += await refused(net, ann, [[calls.unstake(module, 1n), 'stake.NothingStaked']]);
      const pool = { staked: 660n * TUNE, unbonding: 215n * TUNE, moved: 0n, holders: 1, fee: 0 };
      assert.deepEqual(await poolOf(net.api, module), pool);

      const [soon, late] = [first, second].map((receipt) => numberIn(receipt, 'Unstaked', 'readyAt'));
      assert(soon < late);
      await blockReached(net.api, late);
      const due = async (number) => (await stakeOn(await blockOf(net, number), ann, module)).withdrawable;
      const withdrawable = [await due(soon - 1), await due(soon), await due(late - 1), await due(late)];
      assert.deepEqual(withdrawable, [0n, 50n * TUNE, 50n * TUNE, 215n * TUNE]);

      const paid = await send(net.api, calls.withdraw(ann.address, module), ben);
      assert.equal(amountIn(paid, 'Withdrawn'), 215n * TUNE);
      const total = ENDOWMENT + 115n * TUNE - spent.fees;
      assert.deepEqual(await balance(net.api, ann), { free: total, held: 0n, total });
      assert.deepEqual(await poolOf(net.api, module), { ...pool, unbonding: 0n });
      await refused(net, ann, [[calls.withdraw(ann.address, module), 'stake.NothingDue']]);
    });

    it('moved to another module, it earns there at once and still answers for where it came from', async () => {
      const { keeper, ann, ben, payer } = await net.accounts.funded('keeper', 'ann', 'ben', 'payer');
      const [from, to, third] = await registeredBy(net, keeper, 'from-llama', 'to-llama', 'third-llama');
      await Promise.all([ann, ben].map((account) => send(net.api, calls.stake(from, 100n * TUNE), account)));
      const move = await send(net.api, calls.moveStake(from, to, 40n * TUNE), ann);
      const source = { staked: 160n * TUNE, unbonding: 0n, moved: 40n * TUNE, holders: 2, fee: 0 };
      assert.deepEqual(await poolOf(net.api, from), source);
      await send(net.api, calls.reward(to, 10n * TUNE), payer);
      assert.deepEqual(await stakeOn(net.api, ann, to), staking({ staked: 50n * TUNE, moved: 50n * TUNE }));
      await refused(net, ann, [
        [calls.unstake(to, TUNE), 'stake.StillLiable'],
        [calls.moveStake(to, third, TUNE), 'stake.StillLiable'],
        [calls.unstake(to, 51n * TUNE), 'stake.MoreThanStaked'],
      ]);

      const slash = await slashed(net, from, 250_000_000);
      assert.deepEqual(slash, { staked: 40n * TUNE, unbonding: 0n, moved: 10n * TUNE });
      assert.deepEqual(await worth(net, from, ann, ben), [45n * TUNE, 75n * TUNE]);
      assert.deepEqual(await stakeOn(net.api, ann, to), staking({ staked: 40n * TUNE, moved: 40n * TUNE }));
      assert.equal((await poolOf(net.api, to)).staked, 50n * TUNE, 'taken when it is touched');
      const settled = await send(net.api, calls.withdraw(ann.address, to), ben);
      const { slashed: taken, over } = settled.event('stake', 'MoveSettled').data;
      assert.deepEqual([taken.toBigInt(), over.isTrue], [10n * TUNE, false]);
      assert.equal((await poolOf(net.api, to)).staked, 40n * TUNE);

      await blockReached(net.api, numberIn(move, 'Moved', 'until'));
      const out = await send(net.api, calls.unstake(to, 40n * TUNE), ann);
      assert.equal(amountIn(out, 'Unstaked'), 40n * TUNE);
      assert(out.event('stake', 'MoveSettled').data.over.isTrue);
      assert.deepEqual(await poolOf(net.api, from), { ...source, staked: 120n * TUNE, moved: 0n });
      await slashed(net, from, 100_000_000);
      assert.deepEqual((await stakeOn(net.api, ann, to)).unbonding, [40n * TUNE], 'it has answered for long enough');
    });

    it('the owner takes its fee, and raises it no faster than stakers can leave', async () => {
      const { keeper, ann, payer } = await net.accounts.funded('keeper', 'ann', 'payer');
      const [module] = await registeredBy(net, keeper, 'fee-llama');
      await refused(net, keeper, [[calls.setFee(module, 500_001), 'stake.FeeTooHigh']]);
      await refused(net, ann, [[calls.setFee(module, 10_000), 'stake.NotOwner']]);
      // Nobody has staked, so that it may be set to anything.
      const set = await send(net.api, calls.setFee(module, 100_000), keeper);
      await send(net.api, calls.stake(module, 90n * TUNE), ann);
      const reward = await send(net.api, calls.reward(module, 100n * TUNE), payer);
      assert.equal(reward.event('stake', 'Rewarded').data.fee.toBigInt(), 10n * TUNE);
      assert.deepEqual(await worth(net, module, ann, keeper), [180n * TUNE, 10n * TUNE]);

      await refused(net, keeper, [
        [calls.setFee(module, 150_001), 'stake.FeeRiseTooSteep'],
        [calls.setFee(module, 150_000), 'stake.FeeRiseTooSoon'],
      ]);
      await send(net.api, calls.setFee(module, 50_000), keeper);
      assert.equal((await poolOf(net.api, module)).fee, 50_000, 'lower it may be at any time');
      await blockReached(net.api, numberIn(set, 'FeeSet', 'riseFrom'));
      await refused(net, keeper, [[calls.setFee(module, 100_001), 'stake.FeeRiseTooSteep']]);
      await send(net.api, calls.setFee(module, 100_000), keeper);
      await refused(net, keeper, [[calls.setFee(module, 110_000), 'stake.FeeRiseTooSoon']]);
    });

    it('a slash is shared by a hundred stakers, staked or unbonding, and nothing else is lost', async () => {
      const { keeper, whale } = await net.accounts.funded('keeper', 'whale');
      const [module] = await registeredBy(net, keeper, 'crowd-llama');
      const crowd = Array.from({ length: 100 }, (_, index) => ({
        index,
        address: encodeDerivedAddress(whale.address, index, 42),
        staked: 3n * TUNE + BigInt(index) * 12_345_678_901n,
        unbonding: index % 3 === 0 ? TUNE + BigInt(index) * 7n : 0n,
      }));
      const { asDerivative, batchAll } = net.api.tx.utility;
      const byAll = (callOf) => {
        const some = crowd.filter((staker) => callOf(staker));
        return send(net.api, batchAll(some.map((staker) => asDerivative(staker.index, callOf(staker)))), whale);
      };
      const gifts = crowd.map(({ address }) => net.api.tx.balances.transferKeepAlive(address, 6n * TUNE));
      await Promise.all([
        send(net.api, batchAll(gifts), whale),
        byAll(({ staked, unbonding }) => calls.stake(module, staked + unbonding)),
        byAll(({ unbonding }) => unbonding > 0n && calls.unstake(module, unbonding)),
      ]);
      const [active, leaving] = [total(crowd, 'staked'), total(crowd, 'unbonding')];
      const pool = { staked: active, unbonding: leaving, moved: 0n, holders: 100, fee: 0 };
      assert.deepEqual(await poolOf(net.api, module), pool);

      const part = 123_456_789n;
      const lost = await slashed(net, module, part);
      assert.deepEqual(lost, { staked: partUp(active, part), unbonding: partUp(leaving, part), moved: 0n });
      const left = { staked: active - lost.staked, unbonding: leaving - lost.unbonding };
      const views = await Promise.all(crowd.map((staker) => stakeOn(net.api, staker, module)));
      views.forEach((view, at) => {
        const { staked, unbonding } = crowd[at];
        // Everybody owns the same part of what is left as of what was there, rounded down to a planck.
        assert.equal(view.staked, (staked * left.staked) / active);
        const rest = unbonding > 0n ? [(unbonding * left.unbonding) / leaving] : [];
        assert.deepEqual(view.unbonding, rest);
        // That is the slashed part, and at most one planck more.
        const difference = staked - view.staked - partUp(staked, part);
        assert(difference === 0n || difference === 1n, `${difference} planck`);
      });
      const owned = total(views, 'staked');
      assert(owned <= left.staked && owned > left.staked - 100n, 'rounding keeps less than a planck of each');

      const out = await byAll(({ index }) => calls.unstake(module, views[index].staked));
      assert.equal(amountIn(out, 'Unstaked'), left.staked, 'the last one takes what rounding left');
      await blockReached(net.api, numberIn(out, 'Unstaked', 'readyAt'));
      const withdrawals = crowd.map(({ address }) => calls.withdraw(address, module));
      const paid = await send(net.api, batchAll(withdrawals), whale);
      assert.equal(amountIn(paid, 'Withdrawn'), left.staked + left.unbonding, 'to the planck');
      assert.equal(await poolOf(net.api, module), undefined);
      const balances = await Promise.all(crowd.map((staker) => balance(net.api, staker)));
      balances.forEach((owns, at) => {
        const { staked, unbonding } = crowd[at];
        const returned = views[at].staked + (views[at].unbonding[0] ?? 0n);
        const difference = owns.total - (6n * TUNE - staked - unbonding + returned);
        // Whoever leaves late has what rounding took from those before.
        assert(difference > -2n && difference < 300n, `${difference} planck`);
      });
      assert.equal(total(balances, 'total'), 600n * TUNE - lost.staked - lost.unbonding);
    });

    it('a module is removed with stake on it: everyone leaves with all that is theirs', async () => {
      const { keeper, ann, ben, cleo, dan } = await net.accounts.funded('keeper', 'ann', 'ben', 'cleo', 'dan');
      const [module, haven] = await registeredBy(net, keeper, 'gone-llama', 'haven-llama');
      const stakers = [ann, ben, cleo, dan];
      const stakes = [100n, 200n, 300n, 150n].map((amount) => amount * TUNE);
      const spent = stakers.map(spending);
      const by = (who, call) => spent[stakers.indexOf(who)](send(net.api, call, who));
      await Promise.all([
        send(net.api, calls.setFee(module, 50_000), keeper),
        ...stakers.map((who, at) => by(who, calls.stake(module, stakes[at]))),
      ]);
      await by(ben, calls.unstake(module, 50n * TUNE));
      await send(net.api, net.api.tx.modules.remove(module), keeper);
      assert.equal(await moduleView(net.api, module), undefined);
      const pool = { staked: 700n * TUNE, unbonding: 50n * TUNE, moved: 0n, holders: 4, fee: 0 };
      assert.deepEqual(await poolOf(net.api, module), pool, 'the fee goes with the owner, and nothing else');
      spent[0].fees += await refused(net, ann, [
        [calls.stake(module, 10n * TUNE), 'stake.UnknownModule'],
        [calls.moveStake(haven, module, TUNE), 'stake.UnknownModule'],
      ]);
      await refused(net, keeper, [[calls.setFee(module, 0), 'stake.UnknownModule']]);

      const reward = await send(net.api, calls.reward(module, 70n * TUNE), keeper);
      assert(reward.event('stake', 'Rewarded').data.owner.isNone);
      const worths = [110n, 165n, 330n, 165n].map((amount) => amount * TUNE);
      assert.deepEqual(await worth(net, module, ...stakers), worths);
      const [move, ...exits] = await Promise.all([
        by(dan, calls.moveStake(module, haven, worths[3])),
        ...[ann, ben, cleo].map((who, at) => by(who, calls.unstake(module, worths[at]))),
      ]);
      await blockReached(net.api, Math.max(...exits.map((exit) => numberIn(exit, 'Unstaked', 'readyAt'))));
      await Promise.all([ann, ben, cleo].map((who) => by(who, calls.withdraw(who.address, module))));
      for (const [at, earned] of [10n, 15n, 30n].entries()) {
        const total = ENDOWMENT + earned * TUNE - spent[at].fees;
        assert.deepEqual(await balance(net.api, stakers[at]), { free: total, held: 0n, total });
      }

      await blockReached(net.api, numberIn(move, 'Moved', 'until'));
      const exit = await by(dan, calls.unstake(haven, worths[3]));
      assert.equal(amountIn(exit, 'Unstaked'), worths[3]);
      assert.equal(await poolOf(net.api, module), undefined, 'nothing is left to remember');
    });

    it('bad input: each call has an error of its own, costs its fee, and changes nothing', async () => {
      const { keeper, ann } = await net.accounts.funded('keeper', 'ann');
      const [module, other] = await registeredBy(net, keeper, 'bad-stake-llama', 'bad-stake-alpaca');
      const least = net.api.consts.stake.minStake.toBigInt();
      const { stake, unstake, withdraw, moveStake, setFee, reward, slash } = calls;
      /** Calls of Ann that must fail with these errors of this pallet, and leave all stake of hers as it is. */
      const fails = async (cases) => {
        const records = async () => [await poolOf(net.api, module), await poolOf(net.api, other), await all(net, ann)];
        const before = await records();
        const errors = Object.entries(cases).flatMap(([error, all]) => all.map((call) => [call, `stake.${error}`]));
        await refused(net, ann, errors);
        assert.deepEqual(await records(), before);
      };
      const rootFails = (call, error) =>
        assert.rejects(sendAsRoot(net.api, call, net.accounts.alice), new DispatchError(`stake.${error}`));

      await fails({
        ZeroAmount: [stake(module, 0), unstake(module, 0), moveStake(module, other, 0), reward(module, 0)],
        BelowMinimum: [stake(module, least - 1n), stake(module, 1)],
        CannotPay: [stake(module, ENDOWMENT), stake(module, ENDOWMENT * 2n)],
        PoolFull: [stake(module, ENDLESS)],
        UnknownModule: [stake(NONE, TUNE), moveStake(module, NONE, TUNE), setFee(NONE, 0)],
        NothingStaked: [unstake(module, TUNE), unstake(NONE, TUNE), moveStake(module, other, TUNE)],
        NothingDue: [withdraw(ann.address, module), withdraw(ann.address, NONE)],
        NobodyStaked: [reward(module, TUNE), reward(NONE, TUNE)],
        NotOwner: [setFee(module, 0)],
      });
      await refused(net, ann, [[slash(module, 1), 'badOrigin']]);
      await rootFails(slash(module, 1), 'NobodyStaked');

      await send(net.api, stake(module, 10n * TUNE), ann);
      await fails({
        MoreThanStaked: [unstake(module, 10n * TUNE + 1n), unstake(module, ENDLESS), moveStake(module, other, ENDLESS)],
        NothingStaked: [unstake(other, TUNE)],
        SameModule: [moveStake(module, module, TUNE)],
        UnknownModule: [moveStake(module, NONE, TUNE)],
        BelowMinimum: [moveStake(module, other, least - 1n)],
        CannotPay: [stake(module, ENDOWMENT), reward(module, ENDOWMENT)],
        PoolFull: [stake(module, 2n ** 80n), reward(module, ENDLESS)],
        NothingDue: [withdraw(ann.address, module)],
      });
      await rootFails(slash(module, 0), 'ZeroAmount');

      await send(net.api, unstake(module, 10n * TUNE), ann);
      await fails({
        NothingStaked: [unstake(module, 10n * TUNE), unstake(module, 1), moveStake(module, other, 10n * TUNE)],
        NothingDue: [withdraw(ann.address, module)],
      });
      assert.deepEqual((await stakeOn(net.api, ann, module)).unbonding, [10n * TUNE]);
    });
  });

  it('afterwards the books are right, and every planck that is missing was burnt for a name or slashed', async () => {
    await net.isFinalised();
    await net.moneyAddsUp();
    await assertIssuanceIsTold(net.api);
  });
});

/** Registers names for an account, and returns their modules' numbers. */
const registeredBy = async (net, owner, ...names) =>
  (await register(net.api, owner, ...names)).modules.map(({ id }) => id);

/** What accounts have staked on a module. */
const worth = (net, module, ...accounts) =>
  Promise.all(accounts.map(async (account) => (await stakeOn(net.api, account, module)).staked));

/** All stake of an account, as the runtime tells it. */
const all = async (net, { address }) => (await net.api.call.stakeApi.stakes(address, 0, 100)).toJSON();

/** What the runtime says of an account that has no more on a module than this. */
const staking = (stake) => ({ staked: 0n, moved: 0n, unbonding: [], withdrawable: 0n, ...stake });

/** Slashes parts of a thousand million, and returns what that took. */
async function slashed(net, module, part) {
  const receipt = await sendAsRoot(net.api, net.api.tx.stake.slash(module, part), net.accounts.alice);
  const { staked, unbonding, moved } = receipt.event('stake', 'Slashed').data;
  return { staked: staked.toBigInt(), unbonding: unbonding.toBigInt(), moved: moved.toBigInt() };
}

/** Waits for transactions of one account and adds up their fees. */
function spending() {
  const spent = async (sent) => {
    const receipt = await sent;
    spent.fees += receipt.fee;
    return receipt;
  };
  spent.fees = 0n;
  return spent;
}

/** The chain as it was in a block. */
const blockOf = async (net, number) => net.api.at(await net.api.rpc.chain.getBlockHash(number));

/** A field of the first event of this kind. */
const numberIn = (receipt, method, field) => receipt.event('stake', method).data[field].toNumber();

/** The amounts of all events of this kind together. */
const amountIn = ({ events }, wanted) =>
  sum(
    events
      .filter(({ section, method }) => section === 'stake' && method === wanted)
      .map(({ data }) => data.amount.toBigInt()),
  );

const sum = (amounts) => amounts.reduce((total, amount) => total + amount, 0n);
const total = (entries, field) => sum(entries.map((entry) => entry[field]));

/** Parts of a thousand million of an amount, rounded up. */
const partUp = (amount, part) => (amount * part + BILLION - 1n) / BILLION;
