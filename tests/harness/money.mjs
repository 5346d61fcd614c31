/** Whether the chain's books are right: what exists is what somebody owns, and what is held is held for a reason. */

import assert from 'node:assert/strict';

const sum = (amounts) => amounts.reduce((total, amount) => total + amount, 0n);

/**
 * Asserts, for one finalised block, that
 * - the balances of all accounts add up to the issuance,
 * - what is reserved of an account is the sum of its holds,
 * - deposits, rents, rewards and bonds held for tasks are those of the open tasks, so that none is left without one,
 * - the shares of each contribution add up to its supply.
 *
 * @param {import('@polkadot/api').ApiPromise} api
 */
export async function assertMoneyAddsUp(api) {
  const at = await api.at(await api.rpc.chain.getFinalizedHead());
  const holds = await allHolds(at);
  await assertIssuance(at, holds);
  await assertTaskHolds(at, holds);
  await assertShares(at);
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
  const owned = accounts.map(([, { data }]) => data.free.toBigInt() + data.reserved.toBigInt());
  assert.equal(sum(owned), issuance, 'balances do not add up to the issuance');
  for (const [
    {
      args: [who],
    },
    { data },
  ] of accounts) {
    const held = holds.filter((hold) => hold.who === who.toString()).map(({ amount }) => amount);
    assert.equal(data.reserved.toBigInt(), sum(held), `the holds of ${who} are not what is reserved`);
  }
}

async function assertTaskHolds(at, holds) {
  const tasks = (await at.query.tasks.tasks.entries()).map(([, task]) => task.unwrap());
  const parts = (await at.query.tasks.participations.entries()).map(([, part]) => part.unwrap());
  const held = (reason) => sum(holds.filter((hold) => hold.reason === `Tasks.${reason}`).map(({ amount }) => amount));
  assert.equal(held('TaskDeposit'), sum(tasks.map(({ deposit }) => deposit.toBigInt())), 'deposits of tasks');
  assert.equal(held('Rent'), sum(tasks.map(({ rent }) => rent.toBigInt())), 'rents of tasks');
  assert.equal(held('Reward'), sum(tasks.map(({ escrow }) => escrow.toBigInt())), 'escrows of tasks');
  assert.equal(held('Bond'), sum(parts.map(({ value }) => value.bond.toBigInt())), 'bonds of participants');
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
