//! Recomputes everything from its parts and says what is off.

use alloc::collections::{BTreeMap, BTreeSet};

use ensemble_core::{modules::Modules, stake::Stake, EraIndex};
use frame_support::{ensure, traits::Get};
use sp_runtime::TryRuntimeError;

use crate::{
    Attendances, Authored, Bars, Candidates, Config, Pallet, Ranking, Seats, SessionLength, SessionsPerEra, StandsWith,
    Validators,
};

type Check = Result<(), TryRuntimeError>;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_try_state() -> Check {
        Self::check_lengths()?;
        Self::check_candidates()?;
        Self::check_indexes()?;
        Self::check_seats()?;
        Self::check_bars()?;
        Self::check_attendances()
    }

    fn check_lengths() -> Check {
        ensure!(SessionLength::<T>::get() > 0, "sessions have no length");
        ensure!(SessionsPerEra::<T>::get() > 0, "eras have no length");
        Ok(())
    }

    /// A candidate without session keys is nothing unsound: it may remove them, and the next election chills it.
    fn check_candidates() -> Check {
        let era = Self::current_era();
        for (module, candidate) in Candidates::<T>::iter() {
            ensure!(T::Modules::owner(module).as_ref() == Some(&candidate.validator), "a candidate is somebody else's");
            ensure!(Self::is_validator(module), "a candidate plays another part");
            ensure!(T::Stake::staked(module) == candidate.stake, "a candidate has another stake");
            ensure!(candidate.stake >= T::MinStake::get(), "a candidate has too little stake");
            let barred = Bars::<T>::get(&candidate.validator).is_some_and(|until| until > era);
            ensure!(!barred, "a candidate is barred");
        }
        let count = Candidates::<T>::iter_keys().count();
        ensure!(usize::try_from(Candidates::<T>::count()) == Ok(count), "candidates are miscounted");
        ensure!(Candidates::<T>::count() <= T::MaxCandidates::get(), "there are too many candidates");
        Ok(())
    }

    /// Each candidate stands in the ranking and among the accounts once, where it belongs.
    fn check_indexes() -> Check {
        let count = Candidates::<T>::iter_keys().count();
        for (rank, validator) in Ranking::<T>::iter() {
            let candidate = Candidates::<T>::get(rank.tie()).ok_or("who is ranked does not stand")?;
            ensure!(candidate.stake == rank.number(), "a rank is not that of the stake");
            ensure!(candidate.validator == validator, "a rank is somebody else's");
        }
        ensure!(Ranking::<T>::iter_keys().count() == count, "a candidate is not ranked");
        for (validator, module) in StandsWith::<T>::iter() {
            let candidate = Candidates::<T>::get(module).ok_or("an account stands with a module that does not")?;
            ensure!(candidate.validator == validator, "an account stands with somebody else's module");
        }
        ensure!(StandsWith::<T>::iter_keys().count() == count, "an account does not know what it stands with");
        Ok(())
    }

    fn check_seats() -> Check {
        let planned = Self::era_of(pallet_session::Pallet::<T>::current_index().saturating_add(1));
        let oldest = planned.saturating_sub(Self::kept_eras());
        for (era, seats) in Seats::<T>::iter() {
            ensure!((oldest..=planned).contains(&era), "seats of an era are kept that nobody needs");
            let distinct: BTreeSet<_> = seats.iter().map(|seat| &seat.validator).collect();
            ensure!(distinct.len() == seats.len(), "a validator has two seats");
        }
        let seats = Seats::<T>::get(planned);
        let seated: BTreeSet<_> = seats.iter().map(|seat| &seat.validator).collect();
        let validators = Validators::<T>::get();
        let distinct: BTreeSet<_> = validators.iter().collect();
        ensure!(distinct.len() == validators.len(), "a validator stands in the set twice");
        ensure!(distinct.is_subset(&seated), "a validator has no seat");
        Ok(())
    }

    fn check_bars() -> Check {
        let mut offenders = BTreeMap::<T::AccountId, EraIndex>::new();
        for (era, seats) in Seats::<T>::iter() {
            for seat in seats.into_iter().filter(|seat| seat.offended) {
                offenders.entry(seat.validator).and_modify(|last| *last = era.max(*last)).or_insert(era);
            }
        }
        for (who, until) in Bars::<T>::iter() {
            let last = offenders.get(&who).ok_or("somebody is barred who did nothing")?;
            ensure!(until <= last.saturating_add(Self::kept_eras()), "a bar would never be forgotten");
        }
        Ok(())
    }

    fn check_attendances() -> Check {
        let attendances = Attendances::<T>::get();
        let distinct: BTreeSet<_> = attendances.iter().map(|entry| &entry.validator).collect();
        ensure!(distinct.len() == attendances.len(), "a validator attends twice");
        let validators = pallet_session::Pallet::<T>::validators();
        for (author, blocks) in Authored::<T>::iter() {
            ensure!(blocks > 0, "no blocks are counted for somebody");
            ensure!(validators.contains(&author), "somebody authored who is no validator");
        }
        Ok(())
    }
}
