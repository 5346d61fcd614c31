//! Commitments.

use ensemble_core::{
    epochs::{EpochPhase, Epochs},
    matching::Matching,
    modules::Modules,
    ModelType, ModuleId,
};
use frame_support::pallet_prelude::*;
use sp_core::H256;

use crate::{Commitment, Config, Error, Event, Pallet, Works};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_commit(who: T::AccountId, validator: ModuleId, batch: u32, hash: H256) -> DispatchResult {
        Self::ensure_owner(&who, validator)?;
        ensure!(T::Epochs::phase() == EpochPhase::Commit, Error::<T>::NotCommitPhase);
        Self::types_of(validator)?;
        ensure!(batch < T::MaxBatches::get(), Error::<T>::NoSuchBatch);
        let epoch = T::Epochs::current();
        // Who committed before it is drawn would never have to score what it did not choose.
        let mut work = Works::<T>::get(epoch, validator).ok_or(Error::<T>::NotDrawn)?;
        ensure!(work.sealed.iter().all(|sealed| sealed.batch != batch), Error::<T>::AlreadyCommitted);
        // As many as there are numbers for batches.
        work.sealed.try_push(Commitment { batch, hash }).map_err(|_| Error::<T>::NoSuchBatch)?;
        work.load = T::Matching::load(validator);
        Works::<T>::insert(epoch, validator, work);
        Self::deposit_event(Event::Committed { epoch, validator, batch, hash });
        Ok(())
    }

    pub(crate) fn ensure_owner(who: &T::AccountId, module: ModuleId) -> DispatchResult {
        let owner = T::Modules::owner(module).ok_or(Error::<T>::UnknownModule)?;
        ensure!(*who == owner, Error::<T>::NotOwner);
        Ok(())
    }

    /// The types of an active validator.
    pub(crate) fn types_of(validator: ModuleId) -> Result<alloc::vec::Vec<ModelType>, Error<T>> {
        T::Matching::types(validator).ok_or(Error::NotActive)
    }
}
