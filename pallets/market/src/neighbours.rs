//! What other pallets tell the market, and what they may ask of it.

use ensemble_core::{
    epochs::EpochIndex,
    market::{OnMiner, OnScored, Sales as Selling},
    stake::OnModuleRemoved,
    AssetId, ModuleId, TaskId,
};
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_assets::FrozenBalance;
use sp_runtime::Permill;

use crate::{Accesses, Balance, Config, ListingOf, Listings, Pallet, Positions, Sales};

impl<T: Config> OnScored for Pallet<T> {
    fn on_scored(miner: ModuleId, _: EpochIndex, score: Permill) {
        Self::change_standing(miner, |listing| listing.score = Some(score));
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_scored_for_benchmark(miner: ModuleId) {
        Self::list_for_benchmark(miner);
    }
}

impl<T: Config> OnMiner for Pallet<T> {
    fn on_miner_changed(miner: ModuleId, serving: bool) {
        Self::change_standing(miner, |listing| listing.serving = serving);
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_miner_for_benchmark(miner: ModuleId) {
        Self::list_for_benchmark(miner);
    }
}

impl<T: Config> OnModuleRemoved for Pallet<T> {
    fn on_module_removed(module: ModuleId) {
        if let Some(listing) = Listings::<T>::get(module) {
            Self::remove_listing(module, listing);
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_removal_for_benchmark(module: ModuleId) {
        Self::list_for_benchmark(module);
    }
}

impl<T: Config> Pallet<T> {
    /// Notes something of a module, if it is listed and this is new; the index follows.
    fn change_standing(module: ModuleId, change: impl FnOnce(&mut ListingOf<T>)) {
        let Some(mut listing) = Listings::<T>::get(module) else { return };
        let before = (listing.score, listing.serving);
        change(&mut listing);
        if before == (listing.score, listing.serving) {
            return;
        }
        Self::enqueue(module, &mut listing);
        Listings::<T>::insert(module, listing);
    }
}

impl<T: Config> Selling<T::AccountId, BlockNumberFor<T>> for Pallet<T> {
    fn access(task: TaskId, account: &T::AccountId) -> Option<BlockNumberFor<T>> {
        let now = frame_system::Pallet::<T>::block_number();
        Accesses::<T>::get(task, account).map(|access| access.until).filter(|until| now <= *until)
    }

    fn is_sold(task: TaskId) -> bool {
        Sales::<T>::get(task).is_some_and(|sale| sale.price.is_some())
    }
}

/// Shares that take part in a sale stay in their owner's account.
impl<T: Config> FrozenBalance<AssetId, T::AccountId, Balance> for Pallet<T> {
    fn frozen_balance(asset: AssetId, who: &T::AccountId) -> Option<Balance> {
        Positions::<T>::get(asset, who).map(|position| position.shares)
    }

    /// An account with shares in a sale does not go.
    fn died(_: AssetId, _: &T::AccountId) {}

    fn contains_freezes(asset: AssetId) -> bool {
        Positions::<T>::iter_key_prefix(asset).next().is_some()
    }
}
