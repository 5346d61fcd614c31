//! What a runtime's constants must fulfil.

use ensemble_core::{spaces::MAX_MEMBERS, tasks::Phases};
use frame_support::{pallet_prelude::*, traits::fungible::Inspect};
use sp_runtime::traits::{One, Zero};

use crate::{Config, Pallet, WeightInfo};

/// Whether there is a block for everything that a round consists of.
pub(crate) fn take_time<BlockNumber: Zero>(phases: &Phases<BlockNumber>) -> bool {
    [&phases.commit, &phases.reveal, &phases.attest].iter().all(|phase| !phase.is_zero())
}

impl<T: Config> Pallet<T> {
    /// Stops a runtime whose constants do not fit each other; run by its tests.
    pub(crate) fn check_constants() {
        assert!(T::MaxSpaces::get() > 0, "MaxSpaces must be positive");
        assert!((1..=MAX_MEMBERS).contains(&T::MaxMembers::get()), "MaxMembers must be from 1 to {MAX_MEMBERS}");
        assert!(T::MaxRejections::get() > 0, "MaxRejections must be positive");
        assert!(T::KeptRounds::get() > 0, "KeptRounds must be positive");
        assert!(T::MinCadence::get() >= One::one(), "MinCadence must be at least one block");
        assert!(T::MinCadence::get() <= T::MaxCadence::get(), "MinCadence must be at most MaxCadence");
        assert!(take_time(&T::DefaultPhases::get()), "every phase of a round must take time");
        let existential = <T::Currency as Inspect<T::AccountId>>::minimum_balance();
        assert!(T::SpaceDeposit::get() >= existential, "SpaceDeposit must be at least the existential deposit");
        Self::check_weights();
    }

    /// Whatever cannot be done in an empty block would never be done.
    fn check_weights() {
        let limits = T::BlockWeights::get();
        let look = <T as Config>::WeightInfo::agenda_look().saturating_add(<T as Config>::WeightInfo::closing_look());
        let steps = [
            ("open_round", <T as Config>::WeightInfo::open_round()),
            ("forget_round", <T as Config>::WeightInfo::forget_round()),
            // A look at the history comes before it.
            (
                "close_space",
                <T as Config>::WeightInfo::close_space().saturating_add(<T as Config>::WeightInfo::forget_round()),
            ),
        ];
        for (step, weight) in steps {
            assert!(weight.saturating_add(look).all_lte(limits.max_block), "{step} must fit into a block");
        }
        let limit = limits.get(DispatchClass::Normal).max_extrinsic.unwrap_or(limits.max_block);
        let report = <T as Config>::WeightInfo::submit_report(T::MaxMembers::get())
            .saturating_add(<T as Config>::WeightInfo::authorize_submit_report());
        assert!(report.all_lte(limit), "a report of MaxMembers must fit into a block");
    }
}
