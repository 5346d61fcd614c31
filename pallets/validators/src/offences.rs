//! What offences cost.

use alloc::collections::BTreeSet;

use ensemble_core::{stake::Stake, ModuleId};
use frame_support::{traits::Get, weights::Weight};
use sp_runtime::Perbill;
use sp_staking::{
    offence::{OffenceDetails, OffenceSeverity, OnOffenceHandler},
    SessionIndex,
};

use crate::{
    types::{ChillReason, OffenderOf},
    Bars, Config, Event, Pallet, Seats, StandsWith, Validators, WeightInfo,
};

/// What an offence changes for an offender.
enum Verdict {
    /// It has no seat that is still known: nothing answers for it.
    Seatless,
    /// Nothing: it was reported before, and this is no worse.
    Known,
    /// It is slashed this part of what is left of the stake on the module that answers for it.
    Guilty { first: bool, module: Option<ModuleId>, part: Perbill, in_all: Perbill },
}

impl<T: Config> OnOffenceHandler<T::AccountId, OffenderOf<T>, Weight> for Pallet<T> {
    /// Among the offenders are those who were reported for the same before.
    fn on_offence(
        offenders: &[OffenceDetails<T::AccountId, OffenderOf<T>>],
        slash_fraction: &[Perbill],
        session: SessionIndex,
    ) -> Weight {
        for (details, fraction) in offenders.iter().zip(slash_fraction) {
            let (validator, ()) = &details.offender;
            Self::punish(validator, *fraction, session);
        }
        let offenders = u64::try_from(offenders.len()).unwrap_or(u64::MAX);
        let weight = <T as Config>::WeightInfo::offence().saturating_mul(offenders);
        Self::charge(weight);
        weight
    }
}

impl<T: Config> Pallet<T> {
    fn punish(validator: &T::AccountId, fraction: Perbill, session: SessionIndex) {
        match Self::judge(validator, fraction, session) {
            Verdict::Known => return,
            Verdict::Seatless => (),
            Verdict::Guilty { first, module, part, in_all } => {
                if first {
                    Self::bar(validator);
                }
                if let Some(module) = module.filter(|_| !part.is_zero()) {
                    let amount = T::Stake::slash(module, part);
                    let validator = validator.clone();
                    Self::deposit_event(Event::Slashed { validator, module, session, part: in_all, amount });
                }
            },
        }
        pallet_session::Pallet::<T>::report_offence(validator.clone(), OffenceSeverity(fraction));
        Self::exclude(validator, session);
    }

    /// Notes the offence on the offender's seat.
    fn judge(validator: &T::AccountId, fraction: Perbill, session: SessionIndex) -> Verdict {
        let era = Self::era_of(session);
        let mut seats = Seats::<T>::get(era);
        let Some(seat) = seats.iter_mut().find(|seat| seat.validator == *validator) else { return Verdict::Seatless };
        let first = !seat.offended;
        let (module, part) = (seat.module, seat.offend(fraction));
        let in_all = seat.slashed;
        if !first && part.is_zero() {
            return Verdict::Known;
        }
        Seats::<T>::insert(era, seats);
        Verdict::Guilty { first, module, part, in_all }
    }

    /// An offender stands no more, and not again before its time.
    fn bar(validator: &T::AccountId) {
        if let Some(module) = StandsWith::<T>::get(validator) {
            Self::chill_module(module, ChillReason::Offence);
        }
        let until = Self::current_era().saturating_add(T::ChillPeriod::get()).saturating_add(1);
        Bars::<T>::insert(validator, until);
        Self::deposit_event(Event::Barred { validator: validator.clone(), until });
    }

    /// Takes an offender out of the set, unless it has left already or too few would remain.
    fn exclude(validator: &T::AccountId, session: SessionIndex) {
        let mut validators = Validators::<T>::get();
        let Some(position) = validators.iter().position(|other| other == validator) else { return };
        let validator = validator.clone();
        if validators.len() <= T::MinValidators::get() as usize {
            return Self::deposit_event(Event::Retained { validator, session });
        }
        validators.remove(position);
        Validators::<T>::put(validators);
        Self::deposit_event(Event::Excluded { validator, session });
    }

    /// Disables those of a session that begins who were excluded since it was planned: the change of validators has
    /// enabled all of them.
    pub(crate) fn disable_excluded() {
        let planned = pallet_session::Pallet::<T>::validators();
        let count = u32::try_from(planned.len()).unwrap_or(u32::MAX);
        Self::charge(<T as Config>::WeightInfo::start_session(count));
        let validators = Validators::<T>::get();
        let validators: BTreeSet<_> = validators.iter().collect();
        for excluded in planned.into_iter().filter(|who| !validators.contains(who)) {
            pallet_session::Pallet::<T>::report_offence(excluded, OffenceSeverity(Perbill::one()));
        }
    }
}
