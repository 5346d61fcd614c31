//! What a runtime's constants must fulfil.

use ensemble_core::inference::{MAX_MANIFEST_BYTES, MAX_SESSION_WORKERS};
use frame_support::pallet_prelude::*;
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::{One, Saturating, Zero};

use crate::{Config, Lengths, Pallet, WeightInfo};

/// Columns of the widest row whose product must be disputable in one transaction.
const WIDE_ROW: u32 = 4_096;

impl<T: Config> Pallet<T> {
    /// Stops a runtime whose constants do not fit each other; run by its tests.
    pub(crate) fn check_constants() {
        assert!(T::MaxModels::get() > 0, "MaxModels must be positive");
        assert!(T::MaxWorkers::get() > 0, "MaxWorkers must be positive");
        assert!(T::MaxSessions::get() > 0, "MaxSessions must be positive");
        assert!(T::MaxPositions::get() > 0, "MaxPositions must be positive");
        assert!(T::SettlePerCall::get() > 0, "SettlePerCall must be positive");
        assert!(T::AssignDelay::get() >= BlockNumberFor::<T>::one(), "AssignDelay must be at least one block");
        assert!(T::ConsentLength::get() >= BlockNumberFor::<T>::one(), "ConsentLength must be at least one block");
        assert!(T::ProductsPerShare::get() > 0, "ProductsPerShare must be positive");
        assert!(T::MinShares::get() > 0, "MinShares must be positive");
        Self::check_amounts();
        Self::check_lengths(&T::DefaultLengths::get());
        Self::check_weights();
    }

    fn check_amounts() {
        let existential = Self::existential_deposit();
        assert!(T::ModelDeposit::get() >= existential, "ModelDeposit must be at least the existential deposit");
        assert!(T::SessionDeposit::get() >= existential, "SessionDeposit must be at least the existential deposit");
        assert!(T::MinBond::get() >= existential, "MinBond must be at least the existential deposit");
        assert!(T::DisputeDeposit::get() >= existential, "DisputeDeposit must be at least the existential deposit");
        assert!(T::MinBond::get() >= T::DisputeDeposit::get(), "MinBond must be at least DisputeDeposit");
        assert!(T::BondCap::get() >= T::MinBond::get(), "BondCap must be at least MinBond");
        assert!(T::DefaultParameters::get().split.is_valid(), "the parts of a price must be at most the whole");
    }

    /// Stops a genesis whose lengths do not fit each other.
    pub(crate) fn check_lengths(lengths: &Lengths<BlockNumberFor<T>>) {
        let Lengths { answer, votes, window, leave } = lengths;
        let steps = [answer, &votes.commit, &votes.reveal, &votes.attest, window];
        assert!(steps.iter().all(|step| !step.is_zero()), "everything in a session must take time");
        let longest = steps.into_iter().fold(T::AssignDelay::get(), |sum, step| sum.saturating_add(*step));
        assert!(*leave >= longest, "leaving must take at least as long as a session");
        // Whoever leaves and comes back has no consents that could be used a second time.
        assert!(*leave >= T::ConsentLength::get(), "leaving must take at least as long as a consent holds");
    }

    /// Whatever cannot be done in an empty block would never be done.
    fn check_weights() {
        let limits = T::BlockWeights::get();
        let look = <T as Config>::WeightInfo::agenda_look();
        let steps = [
            ("largest_step", Self::largest_step()),
            ("settle_worker", <T as Config>::WeightInfo::settle_worker()),
            ("finish", <T as Config>::WeightInfo::finish()),
        ];
        for (step, weight) in steps {
            assert!(weight.saturating_add(look).all_lte(limits.max_block), "{step} must fit into a block");
        }
        let limit = limits.get(DispatchClass::Normal).max_extrinsic.unwrap_or(limits.max_block);
        // The row in blocks of 34 bytes, the input in 2 bytes an element, and as much again for all hashes and a trace.
        let row = <T as Config>::WeightInfo::dispute_row(WIDE_ROW.saturating_mul(8))
            .saturating_add(<T as Config>::WeightInfo::authorize_dispute(WIDE_ROW.saturating_mul(8)));
        let calls = [
            ("register_model", <T as Config>::WeightInfo::register_model(MAX_MANIFEST_BYTES)),
            ("advance", Self::advance_weight(T::SettlePerCall::get())),
            ("a wide row's dispute", row),
            // Four bytes for each token.
            ("a prompt's dispute", <T as Config>::WeightInfo::dispute_prompt(T::MaxPositions::get().saturating_mul(4))),
        ];
        for (call, weight) in calls {
            assert!(weight.all_lte(limit), "{call} must fit into a block");
        }
        const { assert!(MAX_SESSION_WORKERS <= u32::BITS, "the places of workers must fit into the bits of a number") };
    }
}
