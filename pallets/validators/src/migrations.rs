//! Migrations of this pallet's storage.

use core::marker::PhantomData;

use frame_support::{
    migrations::VersionedMigration,
    traits::{Get, UncheckedOnRuntimeUpgrade},
    weights::Weight,
};

use crate::{types::Seat, Config, Pallet, Seats, SeatsOf, Validators};

/// Version 0 knew a set of validators. Version 1 elects them: those who are there have the seats of the eras that run,
/// without a module that answers for them, and pass for such as work.
pub type V1<T> = VersionedMigration<0, 1, FromV0<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// What [`V1`] does once it has seen that version 0 is there.
pub struct FromV0<T>(PhantomData<T>);

impl<T: Config> UncheckedOnRuntimeUpgrade for FromV0<T> {
    fn on_runtime_upgrade() -> Weight {
        let validators = Validators::<T>::get();
        Pallet::<T>::trust(&validators);
        let session = pallet_session::Pallet::<T>::current_index();
        let seats = validators.into_iter().map(|validator| Seat::new(validator, None)).collect();
        let seats = SeatsOf::<T>::truncate_from(seats);
        // The validators of the next session are planned already, which may be the first of an era.
        let eras = [session, session.saturating_add(1)].map(Pallet::<T>::era_of);
        eras.into_iter().for_each(|era| Seats::<T>::insert(era, &seats));
        T::DbWeight::get().reads_writes(3, 3)
    }

    #[cfg(feature = "try-runtime")]
    fn pre_upgrade() -> Result<alloc::vec::Vec<u8>, sp_runtime::TryRuntimeError> {
        use codec::Encode;
        Ok(Validators::<T>::get().encode())
    }

    #[cfg(feature = "try-runtime")]
    fn post_upgrade(before: alloc::vec::Vec<u8>) -> Result<(), sp_runtime::TryRuntimeError> {
        use codec::Encode;
        frame_support::ensure!(Validators::<T>::get().encode() == before, "the upgrade changed the validators");
        Pallet::<T>::do_try_state()
    }
}
