/** Whether the chain's books are right: what exists is what somebody owns, and what is held is held for a reason. */

import assert from 'node:assert/strict';
import { stringToU8a, u8aConcat } from '@polkadot/util';
import { encodeAddress } from '@polkadot/util-crypto';

/** The keyless account in which all stake is held. */
export const POT = encodeAddress(stringToU8a('modlens/stak'.padEnd(32, '\0')), 42);

/** The events that say for what money was burnt, and how much of it. */
const BURNS = {
  'balances.DustLost': ({ amount }) => amount.toBigInt(),
  'emission.Burnt': ({ who, amount }) => (who.isSome ? amount.toBigInt() : 0n),
  'emission.EpochForgotten': ({ burnt }) => burnt.toBigInt(),
  'market.AccessBought': ({ toll }) => toll.toBigInt(),
  'market.DepositBurnt': ({ amount }) => amount.toBigInt(),
  'market.TicketBought': ({ way, price, toll }) => (way.isBurn ? price : toll).toBigInt(),
  'modules.ModuleRegistered': ({ burnt }) => burnt.toBigInt(),
  'stake.Slashed': ({ staked, unbonding }) => staked.toBigInt() + unbonding.toBigInt(),
  'stake.MoveSettled': ({ slashed }) => slashed.toBigInt(),
};

/** What the event of an epoch that is over says of new money. */
const emittedBy = ({ miners, validators, treasury }) => miners.toBigInt() + validators.toBigInt() + treasury.toBigInt();

const sum = (amounts) => amounts.reduce((total, amount) => total + amount, 0n);

/**
 * Asserts, for one finalised block, that
 * - the balances of all accounts add up to the issuance,
 * - what is reserved of an account is the sum of its holds and of its deposits for referenda and assets,
 * - deposits, rents, rewards and bonds held for tasks are those of the open tasks, so that none is left without one,
 * - deposits held for modules are those of their owners' modules, and those for spaces of their owners' spaces,
 * - what is held as stake is held in the pot alone, and is what is staked and unbonding in all pools,
 * - what is held as emission is what epochs that are over still owe,
 * - what is held for inference are the deposits of models, the bonds of workers, and deposits and prices of open sessions;
 *   gateways' bonds answer for the prices of their open sessions and nothing else; and each model's pot has what it owes
 *   its shareholders beside what open sessions have in it,
 * - deposits held for the market are those of listings, tickets and accesses, and its account has what sales owe,
 * - the shares of each contribution add up to its supply.
 *
 * @param {import('@polkadot/api').ApiPromise} api
 */
export async function assertMoneyAddsUp(api) {
  const at = await api.at(await api.rpc.chain.getFinalizedHead());
  const holds = await allHolds(at);
  await assertIssuance(at, holds);
  await assertTaskHolds(at, holds);
  await assertModuleHolds(at, holds);
  await assertSpaceHolds(at, holds);
  await assertStakeHolds(at, holds);
  await assertEmissionHolds(at, holds);
  await assertInferenceHolds(at, holds);
  await assertModelPots(at);
  await assertMarketHolds(at, holds);
  await assertShares(at);
}

/**
 * Asserts that all by which the issuance differs from that of the first block was emitted by an epoch, or burnt by an
 * event that says so: a name's price, a slash of stake, or the call for it. For chains on which no task was settled.
 *
 * @param {import('@polkadot/api').ApiPromise} api
 */
export async function assertIssuanceIsTold(api) {
  const head = await api.rpc.chain.getFinalizedHead();
  const last = (await api.rpc.chain.getHeader(head)).number.toNumber();
  const numbers = Array.from({ length: last }, (_, at) => at + 1);
  const events = (await Promise.all(numbers.map((number) => eventsIn(api, number)))).flat();
  const burnt = sum(events.map(({ name, data }) => BURNS[name]?.(data) ?? 0n));
  const emitted = sum(events.map(({ name, data }) => (name === 'emission.EpochClosed' ? emittedBy(data) : 0n)));
  const issuance = async (hash) => (await (await api.at(hash)).query.balances.totalIssuance()).toBigInt();
  const expected = (await issuance(api.genesisHash)) + emitted - burnt;
  assert.equal(await issuance(head), expected, 'money came or went without an event');
  const supply = await (await api.at(head)).call.emissionApi.supply();
  assert.deepEqual([supply.emitted.toBigInt(), supply.burnt.toBigInt()], [emitted, burnt], 'the books of emission');
}

async function eventsIn(api, number) {
  const at = await api.at(await api.rpc.chain.getBlockHash(number));
  const events = (await at.query.system.events()).map(({ event }) => event);
  return events.map(({ section, method, data }) => ({ name: `${section}.${method}`, data }));
}

async function allHolds(at) {
  const entries = await at.query.balances.holds.entries();
  return entries.flatMap(
    ([
      {
        args: [who],
      },
      holds,
    ]) =>
      holds.map(({ id, amount }) => ({
        who: who.toString(),
        reason: `${id.type}.${id.value.type}`,
        amount: amount.toBigInt(),
      })),
  );
}

async function assertIssuance(at, holds) {
  const issuance = (await at.query.balances.totalIssuance()).toBigInt();
  const accounts = await at.query.system.account.entries();
  const deposits = byAccount([...(await referendumDeposits(at)), ...(await assetDeposits(at))]);
  const owned = accounts.map(([, { data }]) => data.free.toBigInt() + data.reserved.toBigInt());
  assert.equal(sum(owned), issuance, 'balances do not add up to the issuance');
  for (const [
    {
      args: [who],
    },
    { data },
  ] of accounts) {
    const held = holds.filter((hold) => hold.who === who.toString()).map(({ amount }) => amount);
    const expected = sum(held) + (deposits[who] ?? 0n);
    assert.equal(data.reserved.toBigInt(), expected, `the holds of ${who} are not what is reserved`);
  }
}

/** What is reserved for referenda that are not refunded yet, by account. */
async function referendumDeposits(at) {
  const infos = (await at.query.referenda.referendumInfoFor.entries()).map(([, info]) => info.unwrap());
  const deposits = infos.flatMap((info) => {
    if (info.isKilled) return [];
    if (!info.isOngoing)
      return [info.value[1], info.value[2]].filter(({ isSome }) => isSome).map((some) => some.unwrap());
    const { submissionDeposit, decisionDeposit } = info.asOngoing;
    return [submissionDeposit, ...(decisionDeposit.isSome ? [decisionDeposit.unwrap()] : [])];
  });
  return deposits.map(({ who, amount }) => ({ who: who.toString(), amount: amount.toBigInt() }));
}

/** What is reserved for classes of assets, for their names, and for accounts that they do not keep alive themselves. */
async function assetDeposits(at) {
  const [classes, names, accounts] = await Promise.all(
    ['asset', 'metadata', 'account'].map((map) => at.query.assets[map].entries()),
  );
  const owners = new Map(classes.map(([key, details]) => [key.args[0].toHex(), details.unwrap().owner.toString()]));
  const forClasses = classes.map(([, details]) => details.unwrap());
  const forAccounts = accounts.flatMap(([key, account]) => {
    const { reason } = account.unwrap();
    if (reason.isDepositHeld) return [{ who: key.args[1].toString(), amount: reason.asDepositHeld.toBigInt() }];
    if (!reason.isDepositFrom) return [];
    const [who, amount] = reason.asDepositFrom;
    return [{ who: who.toString(), amount: amount.toBigInt() }];
  });
  return [
    ...forClasses.map(({ owner, deposit }) => ({ who: owner.toString(), amount: deposit.toBigInt() })),
    ...names.map(([key, { deposit }]) => ({ who: owners.get(key.args[0].toHex()), amount: deposit.toBigInt() })),
    ...forAccounts,
  ];
}

async function assertTaskHolds(at, holds) {
  const tasks = (await at.query.tasks.tasks.entries()).map(([, task]) => task.unwrap());
  const parts = (await at.query.tasks.participations.entries()).map(([, part]) => part.unwrap());
  const held = (reason) => sum(holds.filter((hold) => hold.reason === `Tasks.${reason}`).map(({ amount }) => amount));
  // Votes hold nothing.
  const orders = tasks.map(({ purpose }) => purpose).filter(({ isContribution }) => isContribution);
  const total = (field) => sum(orders.map(({ asContribution }) => asContribution[field].toBigInt()));
  assert.equal(held('TaskDeposit'), total('deposit'), 'deposits of tasks');
  assert.equal(held('Rent'), total('rent'), 'rents of tasks');
  assert.equal(held('Reward'), total('escrow'), 'escrows of tasks');
  assert.equal(held('Bond'), sum(parts.map(({ value }) => value.bond.toBigInt())), 'bonds of participants');
}

async function assertModuleHolds(at, holds) {
  const modules = (await at.query.modules.modules.entries()).map(([, module]) => module.unwrap());
  const deposits = modules.map(({ owner, deposit, patternDeposit }) => ({
    who: owner.toString(),
    amount: deposit.toBigInt() + patternDeposit.toBigInt(),
  }));
  assert.deepEqual(heldFor(holds, 'Modules.Module'), byAccount(deposits), 'deposits of modules');
}

async function assertSpaceHolds(at, holds) {
  const spaces = (await at.query.spaces.spaces.entries()).map(([, space]) => space.unwrap());
  const deposits = spaces.map(({ owner, deposit }) => ({ who: owner.toString(), amount: deposit.toBigInt() }));
  assert.deepEqual(heldFor(holds, 'Spaces.SpaceDeposit'), byAccount(deposits), 'deposits of spaces');
}

async function assertStakeHolds(at, holds) {
  const pools = (await at.query.stake.pools.entries()).map(([, pool]) => pool);
  const staked = sum(pools.map(({ active, unbonding }) => active.value.toBigInt() + unbonding.value.toBigInt()));
  assert.deepEqual(heldFor(holds, 'Stake.Stake'), staked > 0n ? { [POT]: staked } : {}, 'stake in the pot');
}

async function assertEmissionHolds(at, holds) {
  const periods = (await at.query.emission.periods.entries()).map(([, period]) => period.unwrap());
  const held = Object.values(heldFor(holds, 'Emission.Owed'));
  assert(held.length <= 1, 'what is owed is held in one account');
  assert.equal(sum(held), sum(periods.map(({ owed }) => owed.toBigInt())), 'what epochs owe');
}

async function assertInferenceHolds(at, holds) {
  const [models, workers, sessions] = await Promise.all(
    ['models', 'workers', 'sessions'].map((map) => at.query.inference[map].entries()),
  );
  const deposits = models.map(([, model]) => model.unwrap());
  const open = sessions.map(([, session]) => session.unwrap());
  const prices = open.filter(({ payment }) => payment.isTune);
  const expected = {
    Model: deposits.map(({ registrant, deposit }) => ({ who: registrant.toString(), amount: deposit.toBigInt() })),
    Bond: workers.map(([key, worker]) => ({ who: key.args[0].toString(), amount: worker.unwrap().bond.toBigInt() })),
    Session: open.map(({ requester, deposit }) => ({ who: requester.toString(), amount: deposit.toBigInt() })),
    Price: prices.map(({ requester, held }) => ({ who: requester.toString(), amount: held.toBigInt() })),
    Dispute: [],
  };
  for (const [reason, amounts] of Object.entries(expected))
    assert.deepEqual(heldFor(holds, `Inference.${reason}`), withoutNothing(byAccount(amounts)), `held as ${reason}`);
  const pledged = workers.map(([key, worker]) => ({ who: key.args[0].toString(), amount: worker.unwrap().pledged }));
  const answered = open.map(({ gateway, price }) => ({ who: gateway.account.toString(), amount: price }));
  assert.deepEqual(pledges(pledged), pledges(answered), 'what bonds answer for');
}

async function assertMarketHolds(at, holds) {
  const [listings, tickets, accesses, sales] = await Promise.all(
    ['listings', 'tickets', 'accesses', 'sales'].map((map) => at.query.market[map].entries()),
  );
  const deposits = (entries, of) =>
    byAccount(
      entries.map(([key, entry]) => ({
        who: of(entry.unwrap(), key).toString(),
        amount: entry.unwrap().deposit.toBigInt(),
      })),
    );
  assert.deepEqual(
    heldFor(holds, 'Market.Listing'),
    deposits(listings, ({ depositor }) => depositor),
    'for listings',
  );
  assert.deepEqual(
    heldFor(holds, 'Market.Ticket'),
    deposits(tickets, ({ buyer }) => buyer),
    'for tickets',
  );
  assert.deepEqual(
    heldFor(holds, 'Market.Access'),
    deposits(accesses, (_, key) => key.args[1]),
    'for accesses',
  );
  const owed = sum(sales.map(([, sale]) => sale.unwrap().income.owed.toBigInt()));
  assert.equal(sum(Object.values(heldFor(holds, 'Market.Sales'))), owed, 'what sales owe');
}

const pledges = (amounts) =>
  withoutNothing(byAccount(amounts.map(({ who, amount }) => ({ who, amount: amount.toBigInt() }))));

async function assertModelPots(at) {
  const existential = at.consts.balances.existentialDeposit.toBigInt();
  const sessions = (await at.query.inference.sessions.entries()).map(([, session]) => session.unwrap());
  for (const [key, record] of await at.query.inference.pots.entries()) {
    const [model, pot] = [key.args[0], record.unwrap()];
    const own = sessions.filter((session) => session.model.eq(model));
    const inSessions = own.map(
      ({ purse, payment, held }) => purse.toBigInt() + (payment.isCredits ? held.toBigInt() : 0n),
    );
    const { free } = (await at.query.system.account(potOf(model.toNumber()))).data;
    const expected = existential + pot.owed.toBigInt() + sum(inSessions);
    assert.equal(free.toBigInt(), expected, `the pot of model ${model}`);
    await assertLocks(at, model, pot);
  }
}

/** Locked shares are those of their owners, and lie in the pot. */
async function assertLocks(at, model, pot) {
  const holdings = (await at.query.inference.holdings.entries(model)).map(([, holding]) => holding);
  const task = (await at.query.inference.taskOfModel(model)).unwrap();
  for (const [name, asset] of Object.entries({ contribution: { Shares: task }, rows: { Rows: model } })) {
    const locked = sum(holdings.map((holding) => holding[name].amount.toBigInt()));
    assert.equal(pot[name].locked.toBigInt(), locked, `${name} locked in the pot of model ${model}`);
    const account = await at.query.assets.account(asset, potOf(model.toNumber()));
    assert.equal(account.isSome ? account.unwrap().balance.toBigInt() : 0n, locked, `${name} in the pot of ${model}`);
  }
}

/** The keyless account of a model's pot. */
const potOf = (model) =>
  encodeAddress(
    u8aConcat(stringToU8a('modlens/infr'), new Uint8Array(Uint32Array.of(model).buffer), new Uint8Array(16)),
    42,
  );

const withoutNothing = (sums) => Object.fromEntries(Object.entries(sums).filter(([, amount]) => amount > 0n));

/** What is held for a reason, by account. */
const heldFor = (holds, reason) => byAccount(holds.filter((hold) => hold.reason === reason));

/** The sums of amounts by account. */
function byAccount(amounts) {
  const sums = {};
  for (const { who, amount } of amounts) sums[who] = (sums[who] ?? 0n) + amount;
  return sums;
}

async function assertShares(at) {
  const classes = await at.query.assets.asset.entries();
  const accounts = await at.query.assets.account.entries();
  for (const [
    {
      args: [id],
    },
    details,
  ] of classes) {
    const owned = accounts
      .filter(([{ args }]) => args[0].eq(id))
      .map(([, account]) => account.unwrap().balance.toBigInt());
    assert.equal(sum(owned), details.unwrap().supply.toBigInt(), `the units of ${id} do not add up to its supply`);
  }
}
