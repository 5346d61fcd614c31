//! The market in figures: since it began, and of the latest days.

use alloc::vec::Vec;

use ensemble_core::market::{Day, DAYS_KEPT};
use frame_support::traits::Get;
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
    traits::{CheckedDiv, UniqueSaturatedInto},
    SaturatedConversion,
};

use crate::{Balance, Config, CurrentTotals, Days, Pallet};

impl<T: Config> Pallet<T> {
    /// Notes that calls were bought, and what was burnt for them.
    pub(crate) fn count_ticket(calls: u32, burnt: Balance) {
        CurrentTotals::<T>::mutate(|totals| {
            totals.tickets = totals.tickets.saturating_add(1);
            totals.sold = totals.sold.saturating_add(calls.into());
            totals.burnt = totals.burnt.saturating_add(burnt);
        });
        Self::change_today(|today| {
            today.sold = today.sold.saturating_add(calls.into());
            today.burnt = today.burnt.saturating_add(burnt);
        });
    }

    /// Notes that calls were redeemed.
    pub(crate) fn count_calls(calls: u64) {
        CurrentTotals::<T>::mutate(|totals| totals.calls = totals.calls.saturating_add(calls));
        Self::change_today(|today| today.calls = today.calls.saturating_add(calls));
    }

    /// Notes that access to a contribution was bought, and what was burnt for it.
    pub(crate) fn count_access(burnt: Balance) {
        CurrentTotals::<T>::mutate(|totals| {
            totals.accesses = totals.accesses.saturating_add(1);
            totals.burnt = totals.burnt.saturating_add(burnt);
        });
        Self::change_today(|today| today.burnt = today.burnt.saturating_add(burnt));
    }

    /// The number of the day that this block is in.
    pub(crate) fn today() -> u32 {
        let now = frame_system::Pallet::<T>::block_number();
        now.checked_div(&T::DayLength::get()).unwrap_or(now).unique_saturated_into()
    }

    /// The days that are kept and in which something happened, oldest first.
    pub(crate) fn days() -> Vec<Day<Balance>> {
        let today = Self::today();
        let oldest = today.saturating_sub(DAYS_KEPT.saturating_sub(1));
        let mut days: Vec<_> = Days::<T>::iter_values().filter(|day| day.day >= oldest).collect();
        days.sort_unstable_by_key(|day| day.day);
        days
    }

    fn change_today(change: impl FnOnce(&mut Day<Balance>)) {
        let day = Self::today();
        let slot = day.checked_rem(DAYS_KEPT).unwrap_or_default();
        let kept = Days::<T>::get(slot).filter(|kept| kept.day == day);
        let mut today = kept.unwrap_or(Day { day, ..Day::default() });
        change(&mut today);
        Days::<T>::insert(slot, today);
    }

    /// A block as a number of 64 bits, in the order of blocks.
    pub(crate) fn number_of(block: BlockNumberFor<T>) -> u64 {
        block.saturated_into()
    }
}
