//! Forgetting: a bounded number of records in each block, so that the chain does not grow by what is long over.

use ensemble_core::epochs::EpochIndex;
use frame_support::{pallet_prelude::*, weights::WeightMeter};

use crate::{Config, Cursor, Earned, Earners, Event, Forgetting, Open, Pallet, Paying, Period, Periods, WeightInfo};

impl<T: Config> Pallet<T> {
    /// Epochs before this one can be forgotten: all of their modules had their turn.
    pub(crate) fn first_kept() -> EpochIndex {
        Open::<T>::get().epoch.saturating_sub(T::KeptEpochs::get()).min(Paying::<T>::get().epoch)
    }

    pub(crate) fn forget_in_turn(meter: &mut WeightMeter) {
        let (end, start) = (Self::first_kept(), Forgetting::<T>::get());
        let step = T::WeightInfo::forget_earner().max(T::WeightInfo::forget_epoch());
        let mut cursor = start;
        for _ in 0..T::MaxStepsPerBlock::get() {
            if cursor.epoch >= end || meter.try_consume(step).is_err() {
                break;
            }
            Self::forget_next(&mut cursor);
        }
        if cursor != start {
            Forgetting::<T>::put(cursor);
        }
    }

    /// Forgets the next module that earned in an epoch, or the epoch if there is none.
    pub(crate) fn forget_next(cursor: &mut Cursor) {
        match Earners::<T>::take(cursor.epoch, cursor.place) {
            Some(module) => {
                Earned::<T>::remove(cursor.epoch, module);
                cursor.next_place();
            },
            None => {
                if let Some(period) = Periods::<T>::take(cursor.epoch) {
                    Self::forget_epoch(cursor.epoch, &period);
                }
                cursor.next_epoch();
            },
        }
    }

    fn forget_epoch(epoch: EpochIndex, period: &Period) {
        let to_treasury = Self::leave_to_treasury(period.owed);
        let burnt = period.owed.saturating_sub(to_treasury);
        Self::deposit_event(Event::EpochForgotten { epoch, to_treasury, burnt });
    }
}
