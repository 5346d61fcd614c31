//! Why a module takes part or does not: its role, its switch, and flags.

use ensemble_core::{
    emission::Earnings,
    matching::{Counts, FlagReason, Standing},
    modules::Modules,
    ModuleId,
};
use frame_support::{ensure, pallet_prelude::*};

use crate::{
    types::{Departure, Miner, Validator},
    Config, Counters, Error, Event, Flags, Miners, Pallet, Validators,
};

/// What plays a part in the subnet.
pub(crate) enum Participant {
    /// A miner that is not leaving.
    Miner(Miner),
    /// A validator that is not leaving.
    Validator(Validator),
}

impl Participant {
    fn is_off(&self) -> bool {
        match self {
            Self::Miner(miner) => miner.off,
            Self::Validator(validator) => validator.off,
        }
    }

    fn set_off(&mut self, off: bool) {
        match self {
            Self::Miner(miner) => miner.off = off,
            Self::Validator(validator) => validator.off = off,
        }
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn participant(id: ModuleId) -> Option<Participant> {
        if let Some(miner) = Miners::<T>::get(id) {
            return (miner.departure != Departure::Leaving).then_some(Participant::Miner(miner));
        }
        let validator = Validators::<T>::get(id)?;
        (validator.departure != Departure::Leaving).then_some(Participant::Validator(validator))
    }

    pub(crate) fn may_take_part(id: ModuleId, off: bool, departure: Departure) -> bool {
        !off && departure == Departure::Staying && !Flags::<T>::contains_key(id)
    }

    /// Lets a participant take part, or not, as its switch and its flag say, and stores it.
    fn settle(id: ModuleId, participant: Participant) {
        let flagged = Flags::<T>::contains_key(id);
        let out = flagged || participant.is_off();
        match participant {
            Participant::Miner(mut miner) => {
                match out {
                    true => Self::pause_miner(id, &mut miner),
                    false => Self::resume_miner(id, &mut miner),
                }
                Miners::<T>::insert(id, miner);
            },
            Participant::Validator(mut validator) => {
                match out {
                    true => Self::pause_validator(id, &mut validator),
                    false => Self::resume_validator(id, &mut validator),
                }
                Validators::<T>::insert(id, validator);
            },
        }
    }

    pub(crate) fn do_switch(who: T::AccountId, id: ModuleId, off: bool) -> DispatchResult {
        let owner = T::Modules::owner(id).ok_or(Error::<T>::UnknownModule)?;
        ensure!(owner == who, Error::<T>::NotOwner);
        let participant = Self::participant(id).ok_or(Error::<T>::NotInSubnet)?;
        ensure!(participant.is_off() != off, if off { Error::<T>::AlreadyOff } else { Error::<T>::AlreadyOn });

        Self::put_switch(id, participant, off);
        Ok(())
    }

    pub(crate) fn put_switch(id: ModuleId, mut participant: Participant, off: bool) {
        participant.set_off(off);
        Self::settle(id, participant);
        Self::deposit_event(match off {
            true => Event::SwitchedOff { module: id },
            false => Event::SwitchedOn { module: id },
        });
    }

    /// Switches off what is on.
    pub(crate) fn force_off(id: ModuleId) {
        if let Some(participant) = Self::participant(id).filter(|participant| !participant.is_off()) {
            Self::put_switch(id, participant, true);
        }
    }

    pub(crate) fn do_flag(id: ModuleId, reason: alloc::vec::Vec<u8>) -> DispatchResult {
        ensure!(T::Modules::owner(id).is_some(), Error::<T>::UnknownModule);
        ensure!(!Flags::<T>::contains_key(id), Error::<T>::AlreadyFlagged);
        ensure!(!reason.is_empty(), Error::<T>::NoReason);
        ensure!(core::str::from_utf8(&reason).is_ok(), Error::<T>::ReasonNotUtf8);
        let reason = reason.try_into().map_err(|_| Error::<T>::ReasonTooLong)?;

        Self::put_flag(id, FlagReason::Stated(reason));
        Ok(())
    }

    /// Flags a module that is not flagged.
    pub(crate) fn put_flag(id: ModuleId, reason: FlagReason) {
        Flags::<T>::insert(id, &reason);
        if let Some(participant) = Self::participant(id) {
            Counters::<T>::mutate(|counts| counts.flagged = counts.flagged.saturating_add(1));
            Self::settle(id, participant);
        }
        T::Earnings::forfeit(id);
        Self::deposit_event(Event::Flagged { module: id, reason });
    }

    pub(crate) fn do_unflag(id: ModuleId) -> DispatchResult {
        ensure!(Flags::<T>::contains_key(id), Error::<T>::NotFlagged);

        Flags::<T>::remove(id);
        if let Some(participant) = Self::participant(id) {
            Counters::<T>::mutate(|counts| counts.flagged = counts.flagged.saturating_sub(1));
            Self::settle(id, participant);
        }
        Self::deposit_event(Event::Unflagged { module: id });
        Ok(())
    }

    pub(crate) fn count_joined(id: ModuleId, kind: impl FnOnce(&mut Counts) -> &mut u32) {
        let flagged = Flags::<T>::contains_key(id);
        Counters::<T>::mutate(|counts| {
            counts.flagged = counts.flagged.saturating_add(flagged.into());
            let count = kind(counts);
            *count = count.saturating_add(1);
        });
    }

    pub(crate) fn count_left(id: ModuleId, kind: impl FnOnce(&mut Counts) -> &mut u32) {
        let flagged = Flags::<T>::contains_key(id);
        Counters::<T>::mutate(|counts| {
            counts.flagged = counts.flagged.saturating_sub(flagged.into());
            let count = kind(counts);
            *count = count.saturating_sub(1);
        });
    }

    /// Why a module is as it is.
    pub(crate) fn standing(id: ModuleId, off: bool, departure: Departure) -> Standing {
        match (Flags::<T>::get(id), off, departure) {
            (Some(reason), ..) => Standing::Flagged(reason),
            (None, _, Departure::Leaving) => Standing::Leaving,
            (None, true, _) => Standing::Off,
            (None, false, Departure::Pausing) => Standing::Leaving,
            (None, false, Departure::Staying) => Standing::Active,
        }
    }
}
