//! What a runtime's constants must fulfil.

use frame_support::pallet_prelude::*;
use sp_runtime::traits::Zero;

use crate::{existential_deposit, Config, Pallet, WeightInfo};

/// Most words that a module's name can have.
const NAME_WORDS: u32 = 16;

impl<T: Config> Pallet<T> {
    /// Stops a runtime whose constants do not fit each other; run by its tests.
    pub(crate) fn check_constants() {
        let least = existential_deposit::<T>();
        assert!(T::ListingDeposit::get() >= least, "ListingDeposit must be at least the existential deposit");
        assert!(T::TicketDeposit::get() >= least, "TicketDeposit must be at least the existential deposit");
        assert!(T::AccessDeposit::get() >= least, "AccessDeposit must be at least the existential deposit");
        assert!(T::MaxOffers::get() > 0, "MaxOffers must be positive");
        assert!(T::MaxWords::get() >= NAME_WORDS, "MaxWords must have room for all words of a name");
        assert!(T::MaxReceipts::get() > 0, "MaxReceipts must be positive");
        assert!(!T::MaxValidity::get().is_zero(), "MaxValidity must be positive");
        assert!(!T::AccessPeriod::get().is_zero(), "AccessPeriod must be positive");
        assert!(!T::DayLength::get().is_zero(), "DayLength must be positive");
        Self::check_weights();
    }

    /// Whatever cannot be done in an empty block could never be done.
    fn check_weights() {
        let limits = T::BlockWeights::get();
        let limit = limits.get(DispatchClass::Normal).max_extrinsic.unwrap_or(limits.max_block);
        let longest = <T as Config>::WeightInfo::redeem(T::MaxReceipts::get());
        assert!(longest.all_lte(limit), "redeem must fit into a block");
        let steps = [<T as Config>::WeightInfo::refresh(), <T as Config>::WeightInfo::end()];
        for step in steps {
            let step = step.saturating_add(<T as Config>::WeightInfo::idle_look());
            assert!(step.all_lte(limits.max_block), "each step must fit into a block");
        }
    }
}
