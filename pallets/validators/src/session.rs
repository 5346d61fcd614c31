//! What pallet-session, BABE and pallet-offences ask of the validator set.

use alloc::vec::Vec;
use core::marker::PhantomData;

use frame_support::{
    traits::Get,
    weights::{RuntimeDbWeight, Weight},
};
use pallet_session::{historical, SessionManager};
use sp_runtime::{traits::Convert, Perbill};
use sp_staking::{
    offence::{OffenceDetails, OffenceSeverity, OnOffenceHandler},
    SessionIndex,
};

use crate::{Config, Event, Pallet, SessionLength, Validators};

/// The length of a session in slots, as BABE's `EpochDuration`.
pub struct SessionLengthOf<T>(PhantomData<T>);

impl<T: Config> Get<u64> for SessionLengthOf<T> {
    fn get() -> u64 {
        SessionLength::<T>::get()
    }
}

/// What `historical` records of a validator beside its id: nothing, for the id is the account that answers for it.
pub struct Identification;

impl<AccountId> Convert<AccountId, Option<()>> for Identification {
    fn convert(_: AccountId) -> Option<()> {
        Some(())
    }
}

impl<T: Config> SessionManager<T::AccountId> for Pallet<T> {
    fn new_session(_: SessionIndex) -> Option<Vec<T::AccountId>> {
        Some(Validators::<T>::get().into_inner()).filter(|validators| !validators.is_empty())
    }

    fn start_session(_: SessionIndex) {}

    fn end_session(_: SessionIndex) {}
}

impl<T: Config> historical::SessionManager<T::AccountId, ()> for Pallet<T> {
    fn new_session(index: SessionIndex) -> Option<Vec<(T::AccountId, ())>> {
        let validators = <Self as SessionManager<_>>::new_session(index)?;
        Some(validators.into_iter().map(|validator| (validator, ())).collect())
    }

    fn start_session(_: SessionIndex) {}

    fn end_session(_: SessionIndex) {}
}

impl<T: Config> OnOffenceHandler<T::AccountId, (T::AccountId, ()), Weight> for Pallet<T> {
    fn on_offence(
        offenders: &[OffenceDetails<T::AccountId, (T::AccountId, ())>],
        slash_fraction: &[Perbill],
        session: SessionIndex,
    ) -> Weight {
        for (details, fraction) in offenders.iter().zip(slash_fraction) {
            let (validator, ()) = &details.offender;
            pallet_session::Pallet::<T>::report_offence(validator.clone(), OffenceSeverity(*fraction));
            Self::exclude(validator, session);
        }
        // Per offender: the set and the list of the disabled are read and written.
        let offenders = u64::try_from(offenders.len()).unwrap_or(u64::MAX);
        let RuntimeDbWeight { read, write } = T::DbWeight::get();
        let each = read.saturating_mul(3).saturating_add(write.saturating_mul(2));
        Weight::from_parts(each.saturating_mul(offenders), 0)
    }
}

impl<T: Config> Pallet<T> {
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
}
