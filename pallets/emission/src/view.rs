//! What outsiders may ask: the answers of the runtime API `EmissionApi`.

use alloc::vec::Vec;

use ensemble_core::{
    emission::{Allocation, Closed, Supply},
    epochs::EpochIndex,
    stake::Stake,
    ModuleId,
};
use frame_support::traits::{fungible::Inspect, Get};
use sp_runtime::{traits::UniqueSaturatedInto, FixedPointNumber, FixedU128};

use crate::{
    Balance, Config, Earned, Earners, EpochLength, Forgetting, GenesisIssuance, Open, Pallet, Payout, Period, Periods,
    TotalBurnt, TotalEmitted,
};

/// Most entries of an answer.
const MAX_ENTRIES: u32 = 1_000;

impl<T: Config> Pallet<T> {
    /// What epochs brought that are kept, oldest first.
    pub fn epochs() -> Vec<Closed<Balance>> {
        Self::kept(0, EpochIndex::MAX).map(|(epoch, period)| period.view(epoch)).collect()
    }

    /// What modules got of an epoch that is kept, in the order in which they first earned, from this place on, at most
    /// `limit` (and 1,000). What a module forfeited when the epoch was over is there as not paid, so that they add up
    /// to what the epoch brought, less what rounding left.
    pub fn allocations(epoch: EpochIndex, first: u32, limit: u32) -> Vec<Allocation<Balance>> {
        let Some(period) = Periods::<T>::get(epoch) else { return Vec::new() };
        let end = first.saturating_add(limit.min(MAX_ENTRIES)).min(period.earners);
        let modules = (first..end).filter_map(|place| Earners::<T>::get(epoch, place));
        modules.filter_map(|module| Self::allocation(epoch, module, &period)).collect()
    }

    /// What a module got of the kept epochs from `first` to `last`.
    pub fn allocations_of(module: ModuleId, first: EpochIndex, last: EpochIndex) -> Vec<Allocation<Balance>> {
        Self::kept(first, last).filter_map(|(epoch, period)| Self::allocation(epoch, module, &period)).collect()
    }

    /// What a module would get if the current epoch ended now.
    pub fn prospect(module: ModuleId) -> Allocation<Balance> {
        let open = Open::<T>::get();
        let period = Period::new(&open, Self::due_parts(&open));
        let nothing = Allocation { epoch: open.epoch, module, miner: 0, validator: 0, paid: false };
        Self::allocation(open.epoch, module, &period).unwrap_or(nothing)
    }

    /// All TUNE.
    pub fn supply() -> Supply<Balance> {
        let (issuance, owed) = (T::Currency::total_issuance(), Self::held());
        let treasury = T::Currency::total_balance(&T::Treasury::get());
        Supply {
            issuance,
            genesis: GenesisIssuance::<T>::get(),
            emitted: TotalEmitted::<T>::get(),
            burnt: TotalBurnt::<T>::get(),
            circulating: issuance.saturating_sub(treasury).saturating_sub(owed),
            treasury,
            owed,
            cap: T::Cap::get(),
            next: Self::reward_of(Open::<T>::get().epoch),
        }
    }

    /// What stake on a module would earn in a year of epochs like the last, as a part of itself, before the owner's
    /// fee; none if there is no stake, or it earned nothing or forfeited it.
    pub fn apr(module: ModuleId) -> Option<FixedU128> {
        let last = Open::<T>::get().epoch.checked_sub(1)?;
        let (period, earner) = (Periods::<T>::get(last)?, Earned::<T>::get(last, module)?);
        if matches!(earner.payout, Payout::Forfeited(_)) {
            return None;
        }
        let amount = period.amount(&earner);
        let earned = amount.saturating_sub(earner.owners_part(amount));
        if earned == 0 || earner.staked == 0 || T::Stake::staked(module) == 0 {
            return None;
        }
        let year: u128 = T::BlocksPerYear::get().unique_saturated_into();
        let epoch: u128 = EpochLength::<T>::get().unique_saturated_into();
        FixedU128::checked_from_rational(earned.checked_mul(year)?, earner.staked.checked_mul(epoch)?)
    }

    /// The kept epochs from `first` to `last`.
    fn kept(first: EpochIndex, last: EpochIndex) -> impl Iterator<Item = (EpochIndex, Period)> {
        let first = first.max(Forgetting::<T>::get().epoch);
        let end = last.saturating_add(1).min(Open::<T>::get().epoch);
        (first..end).filter_map(|epoch| Some((epoch, Periods::<T>::get(epoch)?)))
    }

    fn allocation(epoch: EpochIndex, module: ModuleId, period: &Period) -> Option<Allocation<Balance>> {
        Earned::<T>::get(epoch, module).map(|earner| period.allocation(epoch, module, &earner))
    }
}
