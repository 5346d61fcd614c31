//! What outsiders may ask: the answers of the runtime API `ScoresApi`.

use alloc::vec::Vec;

use ensemble_core::{
    epochs::{EpochIndex, Epochs},
    matching::Matching,
    scores::{Duties, ResultView},
    ModuleId,
};
use frame_system::pallet_prelude::BlockNumberFor;

use crate::{Balance, Config, Forgotten, Pallet, Results, ResultsKept, Works};

type ResultViewOf<T> = ResultView<Balance, BlockNumberFor<T>>;

impl<T: Config> Pallet<T> {
    /// What a validator must do in this epoch; nothing if it is not active.
    pub fn duties_of(validator: ModuleId) -> Option<Duties> {
        T::Matching::types(validator)?;
        let epoch = T::Epochs::current();
        let work = Works::<T>::get(epoch, validator);
        let checks = work.as_ref().map(|work| work.checks.iter().map(|check| check.miner).collect());
        let sealed = work.iter().flat_map(|work| &work.sealed);
        let unrevealed = sealed.map(|sealed| (sealed.batch, sealed.hash)).collect();
        Some(Duties { epoch, phase: T::Epochs::phase(), checks, unrevealed })
    }

    /// A miner's result of an epoch that is kept.
    pub fn result_of(epoch: EpochIndex, miner: ModuleId) -> Option<ResultViewOf<T>> {
        let verdict = Results::<T>::get(epoch, miner)?;
        let score = verdict.score();
        Some(ResultView { epoch, miner, score, ratings: verdict.ratings.into_inner(), at: verdict.at })
    }

    /// A miner's results of all epochs that are kept, oldest first.
    pub fn results_of(miner: ModuleId) -> Vec<ResultViewOf<T>> {
        let epochs = Forgotten::<T>::get().epoch..=T::Epochs::current();
        epochs.filter_map(|epoch| Self::result_of(epoch, miner)).collect()
    }

    /// The number of results of all epochs that are kept.
    pub fn results_kept() -> u32 {
        ResultsKept::<T>::get()
    }
}
