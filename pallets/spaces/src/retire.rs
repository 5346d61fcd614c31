//! Retiring spaces, and removing their records.

use ensemble_core::{spaces::Activity, SpaceId};
use frame_support::{pallet_prelude::*, weights::WeightMeter};

use crate::{Closing, Config, Event, History, Members, Pallet, Rosters, Spaces, WeightInfo};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_retire(who: &T::AccountId, id: SpaceId) -> DispatchResult {
        let mut space = Self::own_space(id, who)?;
        Self::deposit_event(Event::SpaceRetired { space: id });
        match &mut space.activity {
            Activity::Running { is_last, .. } => *is_last = true,
            _ => {
                Self::rest(id, &mut space);
                Self::close(id, &mut space);
            },
        }
        Spaces::<T>::insert(id, space);
        Ok(())
    }

    /// Removes records of retired spaces as far as the meter reaches.
    pub(crate) fn remove_records(meter: &mut WeightMeter) {
        let mut closing = Closing::<T>::iter_keys();
        while meter.try_consume(<T as Config>::WeightInfo::closing_look()).is_ok() {
            let Some(id) = closing.next() else { break };
            if !Self::remove_records_of(id, meter) {
                break;
            }
        }
    }

    /// False if the weight did not suffice.
    fn remove_records_of(id: SpaceId, meter: &mut WeightMeter) -> bool {
        // One iterator for all: a new one would step over all that was removed before, again and again.
        let mut rounds = History::<T>::iter_key_prefix(id);
        loop {
            if meter.try_consume(<T as Config>::WeightInfo::forget_round()).is_err() {
                return false;
            }
            match rounds.next() {
                Some(round) => History::<T>::remove(id, round),
                None => break,
            }
        }
        if meter.try_consume(<T as Config>::WeightInfo::close_space()).is_err() {
            return false;
        }
        Self::close_space(id);
        true
    }

    /// Removes what is left of a space when its history is gone, and returns the deposit.
    pub(crate) fn close_space(id: SpaceId) {
        Closing::<T>::remove(id);
        Members::<T>::remove(id);
        let Some(space) = Spaces::<T>::take(id) else { return };
        if let Some(unreported) = space.unreported() {
            Rosters::<T>::remove(id, unreported);
        }
        Self::release(&space.owner, space.deposit);
        Self::deposit_event(Event::SpaceClosed { space: id, owner: space.owner, deposit: space.deposit });
    }
}
