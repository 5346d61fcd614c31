//! What is done with the weight that a block has left, each step charged before it is taken.

use ensemble_core::{
    spaces::Activity,
    votes::{Sort, Votes},
    SpaceId,
};
use frame_support::{pallet_prelude::*, weights::WeightMeter};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::Saturating;

use crate::{Agenda, Config, NextDue, Pallet, Spaces, WeightInfo};

impl<T: Config> Pallet<T> {
    /// Begins rounds and removes records as far as `limit` reaches; returns what it took.
    pub(crate) fn work_off(now: BlockNumberFor<T>, limit: Weight) -> Weight {
        let mut meter = WeightMeter::with_limit(limit);
        Self::open_rounds(now, &mut meter);
        Self::remove_records(&mut meter);
        meter.consumed()
    }

    /// Begins the rounds that are due in block `now`, oldest first.
    fn open_rounds(now: BlockNumberFor<T>, meter: &mut WeightMeter) {
        // Every look at the agenda is charged before it is taken; the first one with reading and writing the cursor.
        let look = <T as Config>::WeightInfo::agenda_look();
        if meter.try_consume(look).is_err() {
            return;
        }
        let start = NextDue::<T>::get();
        let mut cursor = start;
        // One iterator for each block of the agenda: a new one would step over all that was removed before. Nothing is
        // added behind it, because a round that cannot begin is due again in a later block.
        let mut entries = Agenda::<T>::iter_key_prefix(cursor);
        while cursor <= now {
            match entries.next() {
                Some(id) if !Self::open_due(id, cursor, now, meter) => break,
                Some(_) => (),
                None => {
                    cursor.saturating_inc();
                    entries = Agenda::<T>::iter_key_prefix(cursor);
                },
            }
            if cursor > now || meter.try_consume(look).is_err() {
                break;
            }
        }
        if cursor != start {
            NextDue::<T>::put(cursor);
        }
    }

    /// Begins the round of the space that stands under `due`. False if the weight did not suffice, or as many rounds
    /// run as may.
    fn open_due(id: SpaceId, due: BlockNumberFor<T>, now: BlockNumberFor<T>, meter: &mut WeightMeter) -> bool {
        let Some(space) = Spaces::<T>::get(id).filter(|space| space.activity == Activity::Due(due)) else {
            Agenda::<T>::remove(due, id);
            return true;
        };
        if T::Votes::room(Sort::Round) == 0 || meter.try_consume(<T as Config>::WeightInfo::open_round()).is_err() {
            return false;
        }
        Self::open_round(id, space, now);
        true
    }
}
