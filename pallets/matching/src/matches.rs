//! Joining a miner and a validator, and parting them.

use ensemble_core::{
    epochs::{EpochPhase, Epochs},
    EpochIndex, ModuleId,
};
use frame_support::traits::Get;

use crate::{
    types::{Kind, Match, Miner, Validator},
    Config, Counters, Event, Miners, Pallet, Served, Validators,
};

impl<T: Config> Pallet<T> {
    /// Gives a miner, which waits nowhere, a validator that has room and is not its own. If it wants a further one, it
    /// waits again. Its record is the caller's to store.
    pub(crate) fn connect(id: ModuleId, miner: &mut Miner, validator_id: ModuleId) {
        let Some(mut validator) = Validators::<T>::get(validator_id) else { return };
        let slot = validator.load;
        if miner.matches.try_push(Match { validator: validator_id, slot, from: Self::counts_from() }).is_err() {
            return;
        }
        Served::<T>::insert((validator_id, slot), id);
        validator.gain_miner(T::Epochs::current());
        Self::rank(validator_id, &mut validator);
        Validators::<T>::insert(validator_id, validator);
        miner.changed = T::Epochs::current();
        if miner.matches.len() < Self::validators_per_miner() {
            Self::wait(id, miner, Kind::Further);
        }
        Counters::<T>::mutate(|counts| counts.matches = counts.matches.saturating_add(1));
        Self::deposit_event(Event::Matched { miner: id, validator: validator_id });
    }

    /// The first epoch in which a match that is made now counts. What was committed to is known when scores are revealed,
    /// and a module may have been scored in another part, or its deposit for another module, in this epoch.
    fn counts_from() -> EpochIndex {
        let now = T::Epochs::current();
        match T::Epochs::phase() {
            EpochPhase::Commit => now,
            EpochPhase::Reveal => now.saturating_add(1),
        }
    }

    fn validators_per_miner() -> usize {
        usize::try_from(T::ValidatorsPerMiner::get()).unwrap_or(usize::MAX)
    }

    /// Undoes the last match of a validator that does not stand in the rankings. The miner waits for another.
    pub(crate) fn part_validator(id: ModuleId, validator: &mut Validator) {
        validator.lose_miner();
        let Some(miner_id) = Served::<T>::take((id, validator.load)) else { return };
        Miners::<T>::mutate_extant(miner_id, |miner| {
            miner.matches.retain(|matched| matched.validator != id);
            miner.changed = T::Epochs::current();
            Self::wait_again(miner_id, miner);
        });
        Self::count_parted(miner_id, id);
    }

    /// Puts a miner that lost a validator where it must wait.
    fn wait_again(id: ModuleId, miner: &mut Miner) {
        if !miner.is_active() {
            return;
        }
        if miner.matches.is_empty() {
            Self::stop_waiting(miner);
            Self::wait(id, miner, Kind::First);
        } else if miner.waiting.is_none() {
            Self::wait(id, miner, Kind::Further);
        }
    }

    /// Undoes the last match of a miner that does not take part. The record is the caller's to store.
    pub(crate) fn part_miner(id: ModuleId, miner: &mut Miner) {
        let Some(Match { validator: validator_id, slot, .. }) = miner.matches.pop() else { return };
        miner.changed = T::Epochs::current();
        if let Some(mut validator) = Validators::<T>::get(validator_id) {
            validator.lose_miner();
            Self::free_slot(validator_id, slot, validator.load);
            Self::rank(validator_id, &mut validator);
            Validators::<T>::insert(validator_id, validator);
        }
        Self::count_parted(id, validator_id);
    }

    /// Frees a slot of a validator. Who is in the last one moves there.
    fn free_slot(validator: ModuleId, slot: u32, last: u32) {
        let Some(moved) = Served::<T>::take((validator, last)) else { return };
        if slot == last {
            return;
        }
        Served::<T>::insert((validator, slot), moved);
        Miners::<T>::mutate_extant(moved, |miner| {
            if let Some(matched) = miner.matches.iter_mut().find(|matched| matched.validator == validator) {
                matched.slot = slot;
            }
        });
    }

    fn count_parted(miner: ModuleId, validator: ModuleId) {
        Counters::<T>::mutate(|counts| counts.matches = counts.matches.saturating_sub(1));
        Self::deposit_event(Event::Unmatched { miner, validator });
    }
}
