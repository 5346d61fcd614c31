//! Money: the only place where it moves.

use ensemble_core::{
    market::{Cost, Way},
    AssetId,
};
use frame_support::{
    pallet_prelude::*,
    storage::with_storage_layer,
    traits::{
        fungible::{Balanced, BalancedHold, Inspect, Mutate, MutateHold},
        fungibles,
        tokens::{Fortitude, Precision, Preservation, Restriction},
        OnUnbalanced,
    },
};
use sp_runtime::traits::AccountIdConversion;

use crate::{existential_deposit, Balance, Config, Error, Event, HoldReason, Pallet, LOG};

impl<T: Config> Pallet<T> {
    /// The account that holds what was paid for contributions. It has no key.
    pub fn account_id() -> T::AccountId {
        T::PalletId::get().into_account_truncating()
    }

    /// Gives the pot the existential deposit, without which nothing can be held there, if it has none.
    pub(crate) fn endow_pot(who: &T::AccountId) -> Result<(), Error<T>> {
        let (pot, needed) = (Self::account_id(), existential_deposit::<T>());
        if T::Currency::balance(&pot) >= needed {
            return Ok(());
        }
        T::Currency::transfer(who, &pot, needed, Preservation::Preserve).map(drop).map_err(|_| Error::CannotPay)
    }

    /// Pays an owner, or burns the price, and burns the toll.
    pub(crate) fn settle(who: &T::AccountId, owner: &T::AccountId, cost: &Cost<Balance>) -> Result<(), Error<T>> {
        match cost.way {
            Way::Burn => Self::burn(who, cost.price)?,
            Way::Tune => Self::pay_tune(who, owner, cost.price)?,
            Way::Asset(asset) => Self::pay_asset(who, owner, asset, cost.price)?,
        }
        Self::burn(who, cost.toll)
    }

    fn pay_tune(who: &T::AccountId, owner: &T::AccountId, amount: Balance) -> Result<(), Error<T>> {
        let keep = Preservation::Preserve;
        ensure!(T::Currency::reducible_balance(who, keep, Fortitude::Polite) >= amount, Error::CannotPay);
        T::Currency::transfer(who, owner, amount, keep).map(drop).map_err(|_| Error::CannotReceive)
    }

    fn pay_asset(who: &T::AccountId, owner: &T::AccountId, asset: AssetId, amount: Balance) -> Result<(), Error<T>> {
        use fungibles::{Inspect, Mutate};
        let all = Preservation::Expendable;
        ensure!(T::Assets::reducible_balance(asset, who, all, Fortitude::Polite) >= amount, Error::CannotPay);
        T::Assets::transfer(asset, who, owner, amount, all).map(drop).map_err(|_| Error::CannotReceive)
    }

    /// Takes money out of existence.
    pub(crate) fn burn(who: &T::AccountId, amount: Balance) -> Result<(), Error<T>> {
        let (exact, keep, polite) = (Precision::Exact, Preservation::Preserve, Fortitude::Polite);
        let credit = T::Currency::withdraw(who, amount, exact, keep, polite).map_err(|_| Error::CannotPay)?;
        T::Burnt::on_unbalanced(credit);
        Ok(())
    }

    /// Takes the price of a contribution into the pot.
    pub(crate) fn take_in(who: &T::AccountId, amount: Balance) -> Result<(), Error<T>> {
        let taken = T::Currency::transfer_and_hold(
            &HoldReason::Sales.into(),
            who,
            &Self::account_id(),
            amount,
            Precision::Exact,
            Preservation::Preserve,
            Fortitude::Polite,
        );
        taken.map(drop).map_err(|_| Error::CannotPay)
    }

    /// Pays a shareholder from the pot.
    pub(crate) fn pay_out(who: &T::AccountId, amount: Balance) -> Result<(), Error<T>> {
        if amount == 0 {
            return Ok(());
        }
        let paid = T::Currency::transfer_on_hold(
            &HoldReason::Sales.into(),
            &Self::account_id(),
            who,
            amount,
            Precision::Exact,
            Restriction::Free,
            Fortitude::Force,
        );
        paid.map(drop).map_err(|_| Error::CannotReceive)
    }

    /// Holds a deposit.
    pub(crate) fn hold(reason: HoldReason, who: &T::AccountId, amount: Balance) -> Result<(), Error<T>> {
        T::Currency::hold(&reason.into(), who, amount).map_err(|_| Error::CannotPay)
    }

    /// Returns a deposit.
    ///
    /// It fails only for an account without free balance, which another pallet keeps alive, and an amount below the
    /// existential deposit, as a runtime that lowers deposits could leave. Such dust cannot be owned; it is burnt.
    pub(crate) fn give_back(reason: HoldReason, who: &T::AccountId, amount: Balance) {
        let reason: T::RuntimeHoldReason = reason.into();
        let released = with_storage_layer(|| T::Currency::release(&reason, who, amount, Precision::BestEffort));
        if let Err(error) = released {
            log::warn!(target: LOG, "{amount} held from {who:?} cannot be released: {error:?}");
            let (credit, _missing) = T::Currency::slash(&reason, who, amount);
            T::Burnt::on_unbalanced(credit);
            Self::deposit_event(Event::DepositBurnt { who: who.clone(), amount });
        }
    }
}
