//! What other pallets may ask of stake, and tell it.

#[cfg(feature = "runtime-benchmarks")]
use ensemble_core::stake::OnStakeChanged;
use ensemble_core::{
    epochs::Epochs,
    stake::{OnModuleRemoved, Reward, Stake},
    ModuleId,
};
#[cfg(feature = "runtime-benchmarks")]
use frame_support::{pallet_prelude::DispatchResult, traits::Get};
use sp_runtime::{Perbill, Permill};

use crate::{Balance, Config, CreditOf, Pallet, Pools};

impl<T: Config> Stake<T::AccountId, Balance> for Pallet<T> {
    fn staked(module: ModuleId) -> Balance {
        Pools::<T>::get(module).active.value
    }

    fn steady(module: ModuleId) -> Balance {
        Pools::<T>::get(module).steady.at(T::Epochs::current())
    }

    fn staked_by(account: &T::AccountId, module: ModuleId) -> Balance {
        Self::worth_of(account, module, &Pools::<T>::get(module))
    }

    fn slash(module: ModuleId, part: Perbill) -> Balance {
        Self::slash_pools(module, part)
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn stake_for_benchmark(account: &T::AccountId, module: ModuleId, amount: Balance) -> DispatchResult {
        Self::do_stake(account.clone(), module, amount)
    }
}

impl<T: Config> Reward<CreditOf<T>> for Pallet<T> {
    fn reward(module: ModuleId, credit: CreditOf<T>) -> Result<(), CreditOf<T>> {
        Self::do_reward_credit(module, credit)
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_reward_for_benchmark(module: ModuleId) {
        Pools::<T>::mutate(module, |pool| pool.fee = T::MaxFee::get());
        T::OnChanged::prepare_stake_change_for_benchmark(module);
    }
}

impl<T: Config> OnModuleRemoved for Pallet<T> {
    /// Nobody takes a fee any more; without stake there is nothing left to remember.
    fn on_module_removed(module: ModuleId) {
        if !Pools::<T>::contains_key(module) {
            return;
        }
        let mut pool = Pools::<T>::get(module);
        pool.fee = Permill::zero();
        Self::store(module, pool);
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_removal_for_benchmark(module: ModuleId) {
        Pools::<T>::mutate(module, |pool| pool.fee = T::MaxFee::get());
    }
}
