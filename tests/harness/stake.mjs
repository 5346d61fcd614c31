/** Stake as the runtime tells it. Amounts are in planck. */

/**
 * An account's stake on a module, `moved` being the part that is still liable for where it came from.
 *
 * @param {import('@polkadot/api').ApiPromise} api or the chain in one block
 * @param {{ address: string }} account
 * @param {number} module
 */
export async function stakeOn(api, { address }, module) {
  const [view] = await api.call.stakeApi.stakes(address, module, 1);
  if (view?.module.toNumber() !== module) return { staked: 0n, moved: 0n, unbonding: [], withdrawable: 0n };
  return {
    staked: view.staked.toBigInt(),
    moved: view.moved.isSome ? view.moved.unwrap().amount.toBigInt() : 0n,
    unbonding: view.unbonding.map(({ amount }) => amount.toBigInt()),
    withdrawable: view.withdrawable.toBigInt(),
  };
}

/** The stake on a module; nothing if nobody has any and its owner set no fee. */
export async function poolOf(api, module) {
  const view = (await api.call.stakeApi.pool(module)).unwrapOr(undefined);
  return (
    view && {
      staked: view.staked.toBigInt(),
      unbonding: view.unbonding.toBigInt(),
      moved: view.moved.toBigInt(),
      holders: view.holders.toNumber(),
      fee: view.fee.toNumber(),
    }
  );
}
