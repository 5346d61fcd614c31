//! The chain's block validators: who they are, how long a session lasts, and what an offence costs them.
//!
//! The set comes from genesis and is handed to pallet-session at every rotation, so that each session has a root in
//! `historical` and an equivocation can be proved against the session in which it happened. An offender is disabled at
//! once for the rest of its session and excluded from the sessions after it, as long as [`Config::MinValidators`] remain:
//! a chain without validators helps nobody.
//!
//! The length of a session is set at genesis and never changes, because BABE derives every epoch from it.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod session;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use session::{Identification, SessionLengthOf};

#[expect(clippy::cast_possible_truncation, reason = "FRAME's macros number variants with `as u8`")]
#[frame_support::pallet]
pub mod pallet {
    use alloc::vec::Vec;

    use frame_support::{pallet_prelude::*, traits::ConstU64};
    use sp_staking::SessionIndex;

    /// Blocks, at 3 s each, that a session lasts unless genesis says otherwise: one hour.
    const DEFAULT_SESSION_LENGTH: u64 = 1_200;

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config:
        frame_system::Config<RuntimeEvent: From<Event<Self>>>
        + pallet_session::historical::Config<
            ValidatorId = <Self as frame_system::Config>::AccountId,
            FullIdentification = (),
        >
    {
        /// Most validators in the set.
        #[pallet::constant]
        type MaxValidators: Get<u32>;

        /// An offence excludes nobody when fewer than this would remain.
        #[pallet::constant]
        type MinValidators: Get<u32>;
    }

    /// The validators of the sessions to come, in the order in which they came.
    #[pallet::storage]
    pub type Validators<T: Config> = StorageValue<_, BoundedVec<T::AccountId, T::MaxValidators>, ValueQuery>;

    /// Length of a session, in slots. Set at genesis, for ever.
    #[pallet::storage]
    pub type SessionLength<T: Config> = StorageValue<_, u64, ValueQuery, ConstU64<DEFAULT_SESSION_LENGTH>>;

    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The first validators; their session keys stand in pallet-session's genesis.
        pub validators: Vec<T::AccountId>,
        /// Length of a session, in slots; nothing: one hour.
        pub session_length: Option<u64>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            let validators = BoundedVec::try_from(self.validators.clone())
                .expect("genesis names more validators than MaxValidators allows");
            Validators::<T>::put(validators);
            if let Some(length) = self.session_length {
                assert!(length > 0, "a session of no slots never ends");
                SessionLength::<T>::put(length);
            }
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An offender was excluded from the sessions to come.
        Excluded {
            /// The offender.
            validator: T::AccountId,
            /// The session of the offence.
            session: SessionIndex,
        },
        /// An offender stays in the set, because too few would remain without it.
        Retained {
            /// The offender.
            validator: T::AccountId,
            /// The session of the offence.
            session: SessionIndex,
        },
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<frame_system::pallet_prelude::BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(T::MinValidators::get() > 0, "a chain needs a validator");
            assert!(T::MinValidators::get() <= T::MaxValidators::get(), "MinValidators exceeds MaxValidators");
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: frame_system::pallet_prelude::BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[cfg(any(feature = "try-runtime", test))]
    impl<T: Config> Pallet<T> {
        /// No validator stands in the set twice, and sessions have a length.
        ///
        /// A validator without session keys is nothing unsound: it may remove them, and sessions then begin without it.
        pub(crate) fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
            let validators = Validators::<T>::get();
            let distinct: alloc::collections::BTreeSet<_> = validators.iter().collect();
            ensure!(distinct.len() == validators.len(), "a validator stands in the set twice");
            ensure!(SessionLength::<T>::get() > 0, "sessions have no length");
            Ok(())
        }
    }
}
