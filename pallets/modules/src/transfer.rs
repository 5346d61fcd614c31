//! Handing modules over, in two steps: nobody is given what it does not want, or has to pay a deposit for.

use ensemble_core::{modules::OnModuleTransferred, ModuleId};
use frame_support::{ensure, pallet_prelude::*};

use crate::{Config, Error, Event, Modules, ModulesOfOwner, Pallet};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_offer_transfer(who: T::AccountId, id: ModuleId, to: T::AccountId) -> DispatchResult {
        let mut module = Self::owned(&who, id)?;
        ensure!(to != who, Error::<T>::TransferToOneself);

        module.offered_to = Some(to.clone());
        Modules::<T>::insert(id, module);
        Self::deposit_event(Event::TransferOffered { module: id, owner: who, to });
        Ok(())
    }

    pub(crate) fn do_accept_transfer(who: T::AccountId, id: ModuleId) -> DispatchResult {
        let mut module = Self::existing(id)?;
        ensure!(module.offered_to.as_ref() == Some(&who), Error::<T>::NotOffered);

        let deposit = module.held();
        Self::hold(&who, deposit)?;
        Self::release(&module.owner, deposit)?;
        let key = module.name.key();
        ModulesOfOwner::<T>::remove(&module.owner, key);
        ModulesOfOwner::<T>::insert(&who, key, id);
        let from = core::mem::replace(&mut module.owner, who.clone());
        module.offered_to = None;
        Modules::<T>::insert(id, &module);
        T::OnTransferred::on_module_transferred(id);
        Self::deposit_event(Event::ModuleTransferred { module: id, from, to: who, deposit });
        Ok(())
    }

    pub(crate) fn do_cancel_transfer(who: T::AccountId, id: ModuleId) -> DispatchResult {
        let mut module = Self::owned(&who, id)?;
        let to = module.offered_to.take().ok_or(Error::<T>::NoOffer)?;

        Modules::<T>::insert(id, module);
        Self::deposit_event(Event::TransferCancelled { module: id, owner: who, to });
        Ok(())
    }
}
