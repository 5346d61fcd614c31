//! Money: the only place where it moves.

use frame_support::{
    pallet_prelude::*,
    traits::{
        fungible::{Balanced, MutateHold},
        tokens::{Fortitude, Precision, Preservation},
        OnUnbalanced,
    },
};

use crate::{Balance, Config, Error, HoldReason, Pallet};

impl<T: Config> Pallet<T> {
    /// Takes the part of a price that is burnt.
    pub(crate) fn burn(who: &T::AccountId, amount: Balance) -> Result<(), Error<T>> {
        let (exactly, alive, politely) = (Precision::Exact, Preservation::Preserve, Fortitude::Polite);
        let credit = T::Currency::withdraw(who, amount, exactly, alive, politely).map_err(|_| Error::<T>::CannotPay)?;
        T::Burnt::on_unbalanced(credit);
        Ok(())
    }

    /// Holds a deposit.
    pub(crate) fn hold(who: &T::AccountId, amount: Balance) -> Result<(), Error<T>> {
        T::Currency::hold(&HoldReason::Module.into(), who, amount).map_err(|_| Error::CannotPay)
    }

    /// Returns a deposit.
    pub(crate) fn release(who: &T::AccountId, amount: Balance) -> DispatchResult {
        T::Currency::release(&HoldReason::Module.into(), who, amount, Precision::Exact).map(drop)
    }
}
