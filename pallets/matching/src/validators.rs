//! The life of a validator.

use alloc::collections::BTreeSet;

use ensemble_core::{ModelType, ModuleId};
use frame_support::{ensure, pallet_prelude::*};

use crate::{
    types::{Departure, Types, Validator},
    Config, Counters, Error, Event, Pallet, Validators,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn join_validator(id: ModuleId, types: &Types, capacity: u32) {
        let mut validator = Validator { seats: Self::take_seats(types), capacity, ..Default::default() };
        Self::count_joined(id, |counts| &mut counts.validators);
        Self::resume_validator(id, &mut validator);
        Validators::<T>::insert(id, validator);
        Self::deposit_event(Event::ValidatorJoined { module: id, types: types.clone(), capacity });
    }

    /// Takes a validator in, unless something is against it. The record is the caller's to store.
    pub(crate) fn resume_validator(id: ModuleId, validator: &mut Validator) {
        if validator.is_active() || !Self::may_take_part(id, validator.off, validator.departure) {
            return;
        }
        validator.active = true;
        Counters::<T>::mutate(|counts| counts.active = counts.active.saturating_add(1));
        Self::rank(id, validator);
    }

    /// Takes a validator out, and has its matches undone. The record is the caller's to store.
    pub(crate) fn pause_validator(id: ModuleId, validator: &mut Validator) {
        if !core::mem::take(&mut validator.active) {
            return;
        }
        Self::rank(id, validator);
        Counters::<T>::mutate(|counts| counts.active = counts.active.saturating_sub(1));
        if validator.load > 0 {
            validator.departure = Departure::Pausing;
            Self::let_depart(id);
        }
    }

    pub(crate) fn leave_validator(id: ModuleId, mut validator: Validator) {
        if validator.departure == Departure::Leaving {
            return;
        }
        Self::pause_validator(id, &mut validator);
        Self::free_seats(&mut validator);
        Self::count_left(id, |counts| &mut counts.validators);
        match validator.departure {
            Departure::Staying => Validators::<T>::remove(id),
            Departure::Pausing | Departure::Leaving => {
                validator.departure = Departure::Leaving;
                Validators::<T>::insert(id, validator);
            },
        }
        Self::deposit_event(Event::Left { module: id });
    }

    /// A validator judges other types, or serves more or fewer miners.
    pub(crate) fn change_validator(id: ModuleId, types: &Types, capacity: u32) -> DispatchResult {
        let mut validator = Validators::<T>::get(id).ok_or(Error::<T>::NotInSubnet)?;
        ensure!(validator.load <= capacity, Error::<T>::CapacityBelowLoad);
        let (old, new): (BTreeSet<ModelType>, BTreeSet<ModelType>) =
            (validator.types().into_iter().collect(), types.iter().copied().collect());
        if old != new {
            ensure!(validator.load == 0, Error::<T>::HasMiners);
            Self::check_seats(&new.difference(&old).copied().collect::<alloc::vec::Vec<_>>())?;
            Self::change_seats(id, &mut validator, types);
        }

        validator.capacity = capacity;
        Self::rank(id, &mut validator);
        Validators::<T>::insert(id, validator);
        Self::deposit_event(Event::ValidatorChanged { module: id, types: types.clone(), capacity });
        Ok(())
    }

    fn change_seats(id: ModuleId, validator: &mut Validator, types: &Types) {
        let active = core::mem::take(&mut validator.active);
        Self::rank(id, validator);
        Self::free_seats(validator);
        validator.seats = Self::take_seats(types);
        validator.active = active;
    }
}
