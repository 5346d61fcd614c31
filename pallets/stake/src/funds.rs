//! Money: the only place where it moves.

use frame_support::{
    pallet_prelude::*,
    traits::{
        fungible::{Balanced, BalancedHold, Inspect, Mutate, MutateHold},
        tokens::{Fortitude, Precision, Preservation, Restriction},
        Imbalance, OnUnbalanced,
    },
};
use sp_runtime::traits::AccountIdConversion;

use crate::{existential_deposit, Balance, Config, CreditOf, Error, HoldReason, Pallet, LOG};

impl<T: Config> Pallet<T> {
    /// The account in which all stake is held. It has no key.
    pub fn account_id() -> T::AccountId {
        T::PalletId::get().into_account_truncating()
    }

    /// Gives the pot the existential deposit, without which it could not take small amounts.
    pub(crate) fn endow_pot() -> DispatchResult {
        let (pot, needed) = (Self::account_id(), existential_deposit::<T>());
        if T::Currency::balance(&pot) < needed {
            T::Currency::mint_into(&pot, needed)?;
        }
        Ok(())
    }

    /// Takes money from an account, which stays alive, into the pot.
    pub(crate) fn take_in(who: &T::AccountId, amount: Balance) -> Result<(), Error<T>> {
        let taken = T::Currency::transfer_and_hold(
            &HoldReason::Stake.into(),
            who,
            &Self::account_id(),
            amount,
            Precision::Exact,
            Preservation::Preserve,
            Fortitude::Polite,
        );
        taken.map(drop).map_err(|_| Error::CannotPay)
    }

    /// Takes a credit into the pot, or gives it back.
    pub(crate) fn take_in_credit(credit: CreditOf<T>) -> Result<(), CreditOf<T>> {
        let (pot, amount) = (Self::account_id(), credit.peek());
        T::Currency::resolve(&pot, credit)?;
        let Err(error) = T::Currency::hold(&HoldReason::Stake.into(), &pot, amount) else { return Ok(()) };
        log::error!(target: LOG, "{amount} cannot be held in the pot: {error:?}");
        let back = T::Currency::withdraw(&pot, amount, Precision::Exact, Preservation::Expendable, Fortitude::Force);
        // What came in just now can go out again. If it could not, it would stay in the pot, and not be lost.
        back.map_or_else(|_| Err(CreditOf::<T>::zero()), Err)
    }

    /// Pays money from the pot to an account.
    pub(crate) fn pay_out(who: &T::AccountId, amount: Balance) -> Result<(), Error<T>> {
        if amount == 0 {
            return Ok(());
        }
        let paid = T::Currency::transfer_on_hold(
            &HoldReason::Stake.into(),
            &Self::account_id(),
            who,
            amount,
            Precision::Exact,
            Restriction::Free,
            Fortitude::Force,
        );
        paid.map(drop).map_err(|_| Error::CannotReceive)
    }

    /// Hands money from the pot over to [`Config::Slashed`].
    pub(crate) fn forfeit(amount: Balance) {
        if amount == 0 {
            return;
        }
        let (credit, missing) = T::Currency::slash(&HoldReason::Stake.into(), &Self::account_id(), amount);
        if missing > 0 {
            log::error!(target: LOG, "the pot lacks {missing} of a slash of {amount}");
        }
        T::Slashed::on_unbalanced(credit);
    }
}
