//! What a runtime's constants must fulfil.

use frame_support::pallet_prelude::*;
use sp_runtime::Permill;

use crate::{epochs::MIN_LENGTH, Config, GenesisIssuance, Pallet, WeightInfo};

impl<T: Config> Pallet<T> {
    /// Stops a runtime whose constants do not fit each other; run by its tests.
    pub(crate) fn check_constants() {
        Self::check_clock();
        assert!(T::HalvingPeriod::get() > 0, "HalvingPeriod must be positive");
        assert!(T::DefaultSplit::get().is_whole(), "the parts of DefaultSplit must make one");
        assert!(T::KeptEpochs::get() > 0, "KeptEpochs must be positive");
        assert!(T::MaxStepsPerBlock::get() > 0, "MaxStepsPerBlock must be positive");
        assert!(Self::weights_fit(), "weights of all TUNE must be numbers");
        Self::check_weights();
    }

    fn check_clock() {
        assert!(T::DefaultEpochLength::get() >= MIN_LENGTH.into(), "DefaultEpochLength must be at least four blocks");
        let commit = T::CommitPart::get();
        assert!(commit >= Permill::from_percent(25), "CommitPart must be at least a quarter");
        assert!(commit <= Permill::from_percent(75), "CommitPart must be at most three quarters");
        assert!(T::BlocksPerYear::get() >= MIN_LENGTH.into(), "a year must have at least four blocks");
    }

    /// Whether the weights of all TUNE that there can ever be add up to a number, on each side.
    pub(crate) fn weights_fit() -> bool {
        let most = GenesisIssuance::<T>::get().checked_add(T::Cap::get());
        most.and_then(|most| most.checked_mul(Permill::one().deconstruct().into())).is_some()
    }

    /// Whatever cannot be done in an empty block would never be done.
    fn check_weights() {
        let step = T::WeightInfo::pay().max(T::WeightInfo::forget_earner()).max(T::WeightInfo::forget_epoch());
        let needed = T::WeightInfo::close_epoch().saturating_add(T::WeightInfo::idle()).saturating_add(step);
        assert!(needed.all_lte(T::BlockWeights::get().max_block), "a step must fit into a block");
    }
}
