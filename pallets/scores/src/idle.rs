//! What is done with the weight that a block has left: settling, then forgetting, each step charged before it is taken.

use ensemble_core::epochs::Epochs;
use frame_support::{traits::Get, weights::WeightMeter};
use sp_runtime::Weight;

use crate::{Config, Cursor, Forgotten, Pallet, Settling, WeightInfo};

impl<T: Config> Pallet<T> {
    /// Settles and forgets as far as `limit` and [`Config::MaxSteps`] reach; returns what it took.
    pub(crate) fn work_off(limit: Weight) -> Weight {
        let mut meter = WeightMeter::with_limit(limit);
        // Reading and writing both cursors.
        if meter.try_consume(<T as Config>::WeightInfo::on_idle()).is_err() {
            return meter.consumed();
        }
        let current = T::Epochs::current();
        let start = Settling::<T>::get();
        let settling = walk(start, T::MaxSteps::get(), |cursor| Self::settle_step(cursor, current, &mut meter));
        if settling != start {
            Settling::<T>::put(settling);
        }
        let start = Forgotten::<T>::get();
        let end = current.saturating_sub(T::KeptEpochs::get()).min(settling.epoch);
        let forgotten = walk(start, T::MaxSteps::get(), |cursor| Self::forget_step(cursor, end, &mut meter));
        if forgotten != start {
            Forgotten::<T>::put(forgotten);
        }
        meter.consumed()
    }
}

/// Takes steps until there is none to take, or so many. Returns how far it came.
fn walk<Stage>(
    mut cursor: Cursor<Stage>,
    steps: u32,
    mut step: impl FnMut(&Cursor<Stage>) -> Option<Cursor<Stage>>,
) -> Cursor<Stage> {
    for _ in 0..steps {
        match step(&cursor) {
            Some(next) => cursor = next,
            None => break,
        }
    }
    cursor
}
