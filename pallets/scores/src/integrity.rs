//! What a runtime's constants must fulfil.

use ensemble_core::matching::MAX_VALIDATORS_PER_MINER;
use frame_support::{pallet_prelude::*, weights::WeightMeter};
use frame_system::limits::BlockWeights;

use crate::{Config, Pallet, WeightInfo, MAX_CHECKS};

impl<T: Config> Pallet<T> {
    /// Stops a runtime whose constants do not fit each other; run by its tests.
    pub(crate) fn check_constants() {
        assert!(T::MaxBatches::get() > 0, "MaxBatches must be positive");
        assert!(T::MaxScores::get() > 0, "MaxScores must be positive");
        assert!(T::MaxRatings::get() > MAX_VALIDATORS_PER_MINER, "MaxRatings must leave room for checks");
        assert!(T::ChecksPerEpoch::get() < MAX_CHECKS, "ChecksPerEpoch must leave room for a source of truth");
        assert!(T::MinJudged::get() > 0, "MinJudged must be positive");
        assert!(T::MinJudged::get() <= T::JudgementsKept::get(), "MinJudged must be at most JudgementsKept");
        assert!(T::KeptEpochs::get() > 0, "KeptEpochs must be positive");
        assert!(T::MaxSteps::get() > 0, "MaxSteps must be positive");
        Self::check_weights(&T::BlockWeights::get());
    }

    /// What does not fit into an empty block would never be done.
    fn check_weights(limits: &BlockWeights) {
        let limit = limits.get(DispatchClass::Normal).max_extrinsic.unwrap_or(limits.max_block);
        let reveal = <T as Config>::WeightInfo::reveal(T::MaxScores::get());
        assert!(reveal.all_lte(limit), "a reveal of MaxScores must fit into a block");
        for step in Self::steps() {
            let mut block = WeightMeter::with_limit(limits.max_block);
            block.consume(<T as Config>::WeightInfo::on_idle());
            block.consume(<T as Config>::WeightInfo::look());
            assert!(block.can_consume(step), "every step must fit into a block");
        }
    }

    fn steps() -> [Weight; 6] {
        [
            <T as Config>::WeightInfo::turn(),
            <T as Config>::WeightInfo::draw_next(),
            <T as Config>::WeightInfo::settle_miner(T::MaxRatings::get()),
            <T as Config>::WeightInfo::settle_validator(),
            <T as Config>::WeightInfo::forget_miner(),
            <T as Config>::WeightInfo::forget_validator(),
        ]
    }
}
