//! What this pallet does for others.

use ensemble_core::{
    epochs::EpochIndex,
    scores::{Score, Scores, Settlement},
    ModuleId,
};

#[cfg(feature = "runtime-benchmarks")]
use crate::Cursor;
use crate::{Config, LastScores, Pallet, Settling};

impl<T: Config> Scores for Pallet<T> {
    fn last_score(miner: ModuleId) -> Option<(EpochIndex, Score)> {
        LastScores::<T>::get(miner)
    }
}

impl<T: Config> Settlement for Pallet<T> {
    fn first_unsettled() -> EpochIndex {
        Settling::<T>::get().epoch
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn settle_before_for_benchmark(epoch: EpochIndex) {
        Settling::<T>::put(Cursor { epoch, ..Default::default() });
    }
}
