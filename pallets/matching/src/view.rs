//! What an outsider may know.

use alloc::vec::Vec;

use ensemble_core::{
    matching::{Counts, MinerView, TestCase, ValidatorView},
    ModelType, ModuleId,
};
use sp_runtime::Permill;

use crate::{types::Kind, Config, Counters, Miners, Pallet, Reliabilities, Served, TestCases, Truths, Validators};

/// Most miners of an answer.
pub const MAX_MINERS: u32 = 1_000;

impl<T: Config> Pallet<T> {
    /// One miner.
    pub fn miner_view(module: ModuleId) -> Option<MinerView> {
        let miner = Miners::<T>::get(module)?;
        Some(MinerView {
            module,
            model_type: miner.model_type,
            standing: Self::standing(module, miner.off, miner.departure),
            validators: miner.validators(),
            waiting: miner.waiting.is_some_and(|waiting| waiting.kind == Kind::First),
        })
    }

    /// One validator.
    pub fn validator_view(module: ModuleId) -> Option<ValidatorView> {
        let validator = Validators::<T>::get(module)?;
        Some(ValidatorView {
            module,
            types: validator.types(),
            capacity: validator.capacity,
            load: validator.load,
            reliability: Reliabilities::<T>::get(module),
            standing: Self::standing(module, validator.off, validator.departure),
        })
    }

    /// The miners of a validator, from the one in place `first` on, at most `limit` (and [`MAX_MINERS`]).
    pub fn miners_of(validator: ModuleId, first: u32, limit: u32) -> Vec<ModuleId> {
        let load = Validators::<T>::get(validator).map_or(0, |validator| validator.load);
        let end = load.min(first.saturating_add(limit.min(MAX_MINERS)));
        (first..end).filter_map(|slot| Served::<T>::get((validator, slot))).collect()
    }

    /// The test cases of a type.
    pub fn test_cases(model_type: ModelType) -> Vec<TestCase> {
        TestCases::<T>::get(model_type).into_inner()
    }

    /// The sources of truth of a type, with the scores they deserve.
    pub fn truths(model_type: ModelType) -> Vec<(ModuleId, Permill)> {
        let truths = Truths::<T>::get(model_type).into_iter();
        truths.filter_map(|truth| Some((truth, Miners::<T>::get(truth)?.deserves?))).collect()
    }

    /// The subnet in figures.
    pub fn counts() -> Counts {
        Counters::<T>::get()
    }
}
