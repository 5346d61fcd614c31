//! Elections: once in an era, when the last session before it begins.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use ensemble_core::{EraIndex, ModuleId};
use frame_support::{dispatch::DispatchClass, traits::Get, weights::Weight, BoundedVec};
use sp_staking::SessionIndex;

use crate::{
    selection::{select, Limits, Selection, Sitting},
    types::{Attendance, ChillReason, Seat, SeatsOf},
    Attendances, Balance, Bars, Candidates, Config, Event, Pallet, Ranking, Seats, SessionsPerEra, StandsWith,
    Validators, WeightInfo,
};

impl<T: Config> Pallet<T> {
    /// The era of a session.
    pub fn era_of(session: SessionIndex) -> EraIndex {
        session.checked_div(SessionsPerEra::<T>::get()).unwrap_or(0)
    }

    /// The era of the current session.
    pub fn current_era() -> EraIndex {
        Self::era_of(pallet_session::Pallet::<T>::current_index())
    }

    /// Elects the validators of an era.
    pub(crate) fn elect(era: EraIndex) {
        let (ranked, keyless) = Self::best_candidates();
        for module in keyless {
            Self::chill_module(module, ChillReason::NoSessionKeys);
        }
        let sitting = Self::sitting();
        Self::charge_election(ranked.len().max(sitting.len()));
        let Selection { validators, newcomers } = select(&ranked, &sitting, Self::limits());
        if validators.is_empty() {
            return;
        }

        let newcomers = u32::try_from(newcomers).unwrap_or(u32::MAX);
        Self::seat(era, &validators);
        Validators::<T>::put(BoundedVec::truncate_from(validators.clone()));
        Self::forget_era_before(era);
        Self::deposit_event(Event::Elected { era, validators, newcomers });
    }

    fn limits() -> Limits {
        let count = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
        Limits { min: count(T::MinValidators::get()), max: count(T::MaxValidators::get()) }
    }

    /// The best candidates, one for each seat, and those before them who have no session keys.
    fn best_candidates() -> (Vec<T::AccountId>, Vec<ModuleId>) {
        let Limits { max, .. } = Self::limits();
        let skips = usize::try_from(T::MaxSkips::get()).unwrap_or(usize::MAX);
        let (mut ranked, mut keyless) = (Vec::new(), Vec::new());
        for (rank, validator) in Ranking::<T>::iter() {
            if Self::has_session_keys(&validator) {
                ranked.push(validator);
            } else {
                keyless.push(rank.tie());
            }
            if ranked.len() == max || keyless.len() == skips {
                break;
            }
        }
        (ranked, keyless)
    }

    /// Those who sit and have session keys, with what decides who of them stays. Without keys nobody takes part in a
    /// session anyway.
    fn sitting() -> Vec<Sitting<T::AccountId>> {
        let attendances = Attendances::<T>::get();
        let present = attendances.iter().filter(|attendance| attendance.silent_sessions == 0);
        let present: BTreeSet<_> = present.map(|attendance| &attendance.validator).collect();
        let validators = Validators::<T>::get().into_iter().filter(Self::has_session_keys);
        validators
            .map(|who| Sitting { proven: present.contains(&who), stake: Self::standing_stake(&who), who })
            .collect()
    }

    /// What is staked on the module with which an account stands, in planck.
    fn standing_stake(who: &T::AccountId) -> Balance {
        let candidate = StandsWith::<T>::get(who).and_then(Candidates::<T>::get);
        candidate.map_or(0, |candidate| candidate.stake)
    }

    /// Gives out the seats of an era. Who stays without standing keeps the module that answers for it.
    fn seat(era: EraIndex, validators: &[T::AccountId]) {
        let before = era.checked_sub(1).map(Seats::<T>::get).unwrap_or_default().into_iter();
        let before: BTreeMap<_, _> = before.map(|seat| (seat.validator, seat.module)).collect();
        let module = |who: &T::AccountId| StandsWith::<T>::get(who).or_else(|| before.get(who).copied().flatten());
        let seats = validators.iter().map(|who| Seat::new(who.clone(), module(who))).collect();
        Seats::<T>::insert(era, SeatsOf::<T>::truncate_from(seats));
    }

    /// Takes validators for such as work, until a session shows whether they do.
    pub(crate) fn trust(validators: &[T::AccountId]) {
        let attendances =
            validators.iter().cloned().map(|validator| Attendance { validator, silent_sessions: 0, share: 0 });
        Attendances::<T>::put(BoundedVec::truncate_from(attendances.collect()));
    }

    /// Forgets the era that nothing can be asked of any more, and whom it barred.
    fn forget_era_before(era: EraIndex) {
        let Some(old) = era.checked_sub(Self::kept_eras()) else { return };
        for seat in Seats::<T>::take(old).into_iter().filter(|seat| seat.offended) {
            if Bars::<T>::get(&seat.validator).is_some_and(|until| until <= era) {
                Bars::<T>::remove(&seat.validator);
            }
        }
    }

    /// Number of eras whose seats are known: an offence is reported within some sessions, and bars from then on.
    pub(crate) fn kept_eras() -> EraIndex {
        let reportable = Self::era_of(T::ReportableSessions::get());
        reportable.saturating_add(T::ChillPeriod::get()).saturating_add(3)
    }

    fn charge_election(seats: usize) {
        let seats = u32::try_from(seats).unwrap_or(u32::MAX);
        Self::charge(<T as Config>::WeightInfo::elect(seats));
    }

    /// Counts what a hook takes that other pallets call without asking for its weight.
    pub(crate) fn charge(weight: Weight) {
        frame_system::Pallet::<T>::register_extra_weight_unchecked(weight, DispatchClass::Mandatory);
    }
}
