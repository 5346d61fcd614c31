//! What this pallet does for others.

use ensemble_core::{
    epochs::EpochIndex,
    scores::{Score, Scores},
    ModuleId,
};

use crate::{Config, LastScores, Pallet};

impl<T: Config> Scores for Pallet<T> {
    fn last_score(miner: ModuleId) -> Option<(EpochIndex, Score)> {
        LastScores::<T>::get(miner)
    }
}
