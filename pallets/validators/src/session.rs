//! What pallet-session and BABE ask of the validator set.

use alloc::vec::Vec;
use core::marker::PhantomData;

use frame_support::traits::Get;
use pallet_session::{
    historical::{self, StoredRange},
    SessionManager,
};
use sp_runtime::traits::Convert;
use sp_staking::SessionIndex;

use crate::{Config, Pallet, SessionLength, SessionsPerEra, Validators};

/// Most sessions whose roots are forgotten when one begins: more than come.
const FORGOTTEN_AT_ONCE: SessionIndex = 2;

/// The length of a session in slots, as BABE's `EpochDuration`.
pub struct SessionLengthOf<T>(PhantomData<T>);

impl<T: Config> Get<u64> for SessionLengthOf<T> {
    fn get() -> u64 {
        SessionLength::<T>::get()
    }
}

/// What `historical` records of a validator beside its id: nothing. Its seat in the era says what answers for it.
pub struct Identification;

impl<AccountId> Convert<AccountId, Option<()>> for Identification {
    fn convert(_: AccountId) -> Option<()> {
        Some(())
    }
}

impl<T: Config> SessionManager<T::AccountId> for Pallet<T> {
    fn new_session(index: SessionIndex) -> Option<Vec<T::AccountId>> {
        if index.checked_rem(SessionsPerEra::<T>::get()) == Some(0) {
            Self::elect(Self::era_of(index));
        }
        Self::forget_roots(index);
        Some(Validators::<T>::get().into_inner()).filter(|validators| !validators.is_empty())
    }

    fn start_session(_: SessionIndex) {
        Self::disable_excluded();
    }

    fn end_session(index: SessionIndex) {
        Self::take_attendance(index);
    }
}

impl<T: Config> historical::SessionManager<T::AccountId, ()> for Pallet<T> {
    fn new_session(index: SessionIndex) -> Option<Vec<(T::AccountId, ())>> {
        let validators = <Self as SessionManager<_>>::new_session(index)?;
        Some(validators.into_iter().map(|validator| (validator, ())).collect())
    }

    fn start_session(index: SessionIndex) {
        <Self as SessionManager<_>>::start_session(index);
    }

    fn end_session(index: SessionIndex) {
        <Self as SessionManager<_>>::end_session(index);
    }
}

impl<T: Config> Pallet<T> {
    /// Forgets the roots of sessions in which nothing can be proved any more, when `planned` is the latest.
    ///
    /// An offence must be reported while those who staked at the time can still be slashed for it.
    fn forget_roots(planned: SessionIndex) {
        let Some((first, _)) = StoredRange::<T>::get() else { return };
        let kept = T::ReportableSessions::get().saturating_add(1);
        let until = planned.saturating_sub(kept).min(first.saturating_add(FORGOTTEN_AT_ONCE));
        if until > first {
            historical::Pallet::<T>::prune_up_to(until);
        }
    }
}
