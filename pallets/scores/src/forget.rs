//! Forgetting: what epochs that are long over have left.

use ensemble_core::{epochs::EpochIndex, ModuleId};
use frame_support::weights::WeightMeter;

use crate::{
    Config, Cursor, Event, Forgetting, LastScores, Lists, Pallet, Rated, Records, Results, ResultsKept, WeightInfo,
    Workers, Works,
};

type Place = Cursor<Forgetting>;

impl<T: Config> Pallet<T> {
    /// Takes the next step, if one is due and its weight suffices; returns where it leads. Epochs from `end` on are kept.
    pub(crate) fn forget_step(place: &Place, end: EpochIndex, meter: &mut WeightMeter) -> Option<Place> {
        if place.epoch >= end {
            return None;
        }
        meter.try_consume(<T as Config>::WeightInfo::look()).ok()?;
        match place.stage {
            Forgetting::Miners => Self::forget_next_miner(place, meter),
            Forgetting::Validators => Self::forget_next_validator(place, meter),
        }
    }

    fn forget_next_miner(place: &Place, meter: &mut WeightMeter) -> Option<Place> {
        let Some(miner) = Rated::<T>::get(place.epoch, place.next) else {
            meter.try_consume(<T as Config>::WeightInfo::turn()).ok()?;
            return Some(place.at_stage(Forgetting::Validators));
        };
        meter.try_consume(<T as Config>::WeightInfo::forget_miner()).ok()?;
        Rated::<T>::remove(place.epoch, place.next);
        Self::forget_result(place.epoch, miner);
        Some(place.onward())
    }

    fn forget_next_validator(place: &Place, meter: &mut WeightMeter) -> Option<Place> {
        let Some(validator) = Workers::<T>::get(place.epoch, place.next) else {
            meter.try_consume(<T as Config>::WeightInfo::turn()).ok()?;
            Lists::<T>::remove(place.epoch);
            Self::deposit_event(Event::EpochForgotten { epoch: place.epoch });
            return Some(place.at_next_epoch());
        };
        meter.try_consume(<T as Config>::WeightInfo::forget_validator()).ok()?;
        Workers::<T>::remove(place.epoch, place.next);
        Works::<T>::remove(place.epoch, validator);
        if Records::<T>::get(validator).last == place.epoch {
            Records::<T>::remove(validator);
        }
        Some(place.onward())
    }

    fn forget_result(epoch: EpochIndex, miner: ModuleId) {
        Results::<T>::remove(epoch, miner);
        ResultsKept::<T>::mutate(|kept| *kept = kept.saturating_sub(1));
        if LastScores::<T>::get(miner).is_some_and(|(last, _)| last == epoch) {
            LastScores::<T>::remove(miner);
        }
    }
}
