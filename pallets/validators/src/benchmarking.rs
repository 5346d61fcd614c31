//! Benchmarks: each call and hook at its worst. None has a component in the number of candidates, of whom an election
//! reads as many as there are seats, and some more.

use alloc::vec;

use codec::Decode;
use ensemble_core::modules::Role;
use frame_benchmarking::v2::*;
use frame_system::RawOrigin;
use pallet_authorship::EventHandler;
use sp_runtime::traits::TrailingZeroInput;
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

use super::*;

type Benched<R = ()> = Result<R, BenchmarkError>;

impl<T: Config> Pallet<T> {
    /// Has a module stand for which nothing else holds that should, so that whatever becomes of it next chills it.
    pub(crate) fn stand_for_benchmark(module: ModuleId) {
        let validator = account("standing", module, 0);
        Self::add_candidate(module, Candidate { validator, stake: Balance::MAX, stood: 0 });
    }
}

fn set_keys<T: Config>(who: &T::AccountId) -> Benched {
    let keys = T::Keys::decode(&mut TrailingZeroInput::zeroes()).map_err(|_| "zeros are no keys")?;
    pallet_session::NextKeys::<T>::insert(who, keys);
    Ok(())
}

/// Somebody with session keys whose module may stand.
fn validator<T: Config>(number: u32) -> Benched<(T::AccountId, ModuleId)> {
    let who: T::AccountId = account("validator", number, 0);
    let module = T::Modules::register_for_benchmark(&who)?;
    T::Modules::play_for_benchmark(module, Role::Validator { types: BoundedVec::truncate_from(vec![1]), capacity: 1 });
    T::Stake::stake_for_benchmark(&who, module, T::MinStake::get())?;
    set_keys::<T>(&who)?;
    Ok((who, module))
}

/// Validators who stand and sit in the first session.
fn sitting_validators<T: Config>(count: u32) -> Benched<Vec<T::AccountId>> {
    let mut seats = Vec::new();
    for number in 0..count {
        let (who, module) = validator::<T>(number)?;
        Pallet::<T>::do_stand(who.clone(), module)?;
        seats.push(Seat::new(who, Some(module)));
    }
    let validators: Vec<_> = seats.iter().map(|seat| seat.validator.clone()).collect();
    Seats::<T>::insert(0, SeatsOf::<T>::truncate_from(seats));
    Validators::<T>::put(BoundedVec::truncate_from(validators.clone()));
    pallet_session::Validators::<T>::put(&validators);
    Ok(validators)
}

/// Accounts that stand with modules that nobody registered, from the number `first` on.
fn candidates<T: Config>(first: u32, count: u32, stake: Balance) -> Benched<Vec<T::AccountId>> {
    let numbers = first..first.saturating_add(count);
    let standing = numbers.map(|number| {
        let validator: T::AccountId = account("candidate", number, 0);
        set_keys::<T>(&validator)?;
        let candidate = Candidate { validator: validator.clone(), stake, stood: 0 };
        Pallet::<T>::add_candidate(number, candidate);
        Ok(validator)
    });
    standing.collect()
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn stand() -> Result<(), BenchmarkError> {
        let (who, module) = validator::<T>(0)?;
        // Barred until now.
        Bars::<T>::insert(&who, Pallet::<T>::current_era());

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), module);

        assert_eq!(StandsWith::<T>::get(who), Some(module));
        Ok(())
    }

    #[benchmark]
    fn chill() -> Result<(), BenchmarkError> {
        let (who, module) = validator::<T>(0)?;
        Pallet::<T>::do_stand(who.clone(), module)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), module);

        assert!(!StandsWith::<T>::contains_key(who));
        Ok(())
    }

    #[benchmark]
    fn note_author() -> Result<(), BenchmarkError> {
        let who: T::AccountId = account("validator", 0, 0);

        #[block]
        {
            <Pallet<T> as EventHandler<_, _>>::note_author(who.clone());
        }

        assert_eq!(Authored::<T>::get(who), 1);
        Ok(())
    }

    /// As many stand as sit, none of whom sits, behind as many without session keys as are passed over. All who sit
    /// stand as well, with less. The era that is forgotten barred all of its validators.
    #[benchmark]
    fn elect(n: Linear<1, { T::MaxValidators::get() }>) -> Result<(), BenchmarkError> {
        let skips = T::MaxSkips::get().saturating_sub(1);
        let sitting = candidates::<T>(0, n, 1)?;
        candidates::<T>(n, n, 2)?;
        for keyless in candidates::<T>(n.saturating_mul(2), skips, 3)? {
            pallet_session::NextKeys::<T>::remove(keyless);
        }
        Pallet::<T>::trust(&sitting);
        Validators::<T>::put(BoundedVec::truncate_from(sitting.clone()));
        let (era, old) = (Pallet::<T>::kept_eras().saturating_add(1), 1);
        let seats = sitting.into_iter().map(|validator| {
            Bars::<T>::insert(&validator, era);
            Seat { offended: true, ..Seat::new(validator, Some(0)) }
        });
        let seats = SeatsOf::<T>::truncate_from(seats.collect());
        Seats::<T>::insert(era.saturating_sub(1), &seats);
        Seats::<T>::insert(old, &seats);

        #[block]
        {
            Pallet::<T>::elect(era);
        }

        assert!(!Seats::<T>::get(era).is_empty());
        assert!(!Seats::<T>::contains_key(old));
        assert_eq!(Bars::<T>::iter_keys().count(), 0);
        assert_eq!(Candidates::<T>::count(), n.saturating_mul(2));
        Ok(())
    }

    /// All but one were silent for so long that they are reported, slashed and chilled.
    #[benchmark]
    fn end_session(n: Linear<1, { T::MaxValidators::get() }>) -> Result<(), BenchmarkError> {
        let validators = sitting_validators::<T>(n)?;
        let silent_for = T::SilentSessions::get().saturating_sub(1);
        let attendances =
            validators.iter().cloned().map(|validator| Attendance { validator, silent_sessions: silent_for, share: 0 });
        Attendances::<T>::put(BoundedVec::truncate_from(attendances.collect()));
        let working = validators.first().ok_or("there is nobody")?;
        Authored::<T>::insert(working, T::SilentShare::get().saturating_mul(n));

        #[block]
        {
            Pallet::<T>::take_attendance(0);
        }

        assert_eq!(Candidates::<T>::count(), 1);
        assert_eq!(Bars::<T>::iter_keys().count(), n.saturating_sub(1) as usize);
        Ok(())
    }

    /// All but one were excluded since the session was planned.
    #[benchmark]
    fn start_session(n: Linear<1, { T::MaxValidators::get() }>) -> Result<(), BenchmarkError> {
        let validators: Vec<T::AccountId> = (0..n).map(|number| account("validator", number, 0)).collect();
        pallet_session::Validators::<T>::put(&validators);
        Validators::<T>::put(BoundedVec::truncate_from(validators.into_iter().take(1).collect()));

        #[block]
        {
            Pallet::<T>::disable_excluded();
        }

        let limit = n.saturating_sub(1) / 3;
        assert_eq!(pallet_session::Pallet::<T>::disabled_validators().len(), limit as usize);
        Ok(())
    }

    /// The first of an offender that is last in a full set.
    #[benchmark]
    fn offence() -> Result<(), BenchmarkError> {
        let validators = sitting_validators::<T>(T::MaxValidators::get())?;
        let offender = validators.last().ok_or("there is nobody")?.clone();
        let details = OffenceDetails { offender: (offender.clone(), ()), reporters: Vec::new() };

        #[block]
        {
            let part = [Perbill::from_percent(10)];
            <Pallet<T> as OnOffenceHandler<_, _, _>>::on_offence(&[details], &part, 0);
        }

        assert!(Bars::<T>::contains_key(&offender));
        assert!(!Validators::<T>::get().contains(&offender));
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_chain(), crate::mock::Test);
}
