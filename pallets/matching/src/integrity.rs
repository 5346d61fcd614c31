//! What a runtime's constants must fulfil.

use ensemble_core::matching::MAX_VALIDATORS_PER_MINER;
use frame_support::pallet_prelude::*;

use crate::{idle::Task, types::Kind, Config, Pallet, WeightInfo};

impl<T: Config> Pallet<T> {
    /// Stops a runtime whose constants do not fit each other; run by its tests.
    pub(crate) fn check_constants() {
        assert!(T::ValidatorsPerMiner::get() > 0, "ValidatorsPerMiner must be positive");
        let most = MAX_VALIDATORS_PER_MINER;
        assert!(T::ValidatorsPerMiner::get() <= most, "ValidatorsPerMiner must be at most {most}");
        assert!(T::MaxSteps::get() > 0, "MaxSteps must be positive");
        assert!(T::MaxTruths::get() > 0, "MaxTruths must be positive");
        assert!(T::MaxTestCases::get() > 0, "MaxTestCases must be positive");
        Self::check_weights();
    }

    /// Whatever cannot be done in an empty block could never be done.
    fn check_weights() {
        let limit = T::BlockWeights::get().max_block;
        for task in [Task::Part(0), Task::Find(Kind::First, 0)] {
            let block = <T as Config>::WeightInfo::idle().saturating_add(task.most::<T>());
            assert!(block.all_lte(limit), "a step must fit into a block");
        }
    }
}
