//! Money: the only place where it moves, begins and ends.

use core::marker::PhantomData;

use ensemble_core::{stake::Reward, ModuleId};
use frame_support::{
    pallet_prelude::*,
    storage::with_storage_layer,
    traits::{
        fungible::{Balanced, BalancedHold, Inspect, InspectHold, Mutate, MutateHold},
        tokens::{Fortitude, Precision, Preservation, Restriction},
        Imbalance, OnUnbalanced,
    },
};
use sp_runtime::traits::AccountIdConversion;

use crate::{
    existential_deposit, Balance, Config, CreditOf, Error, Event, GenesisIssuance, HoldReason, Pallet, TotalBurnt, LOG,
};

/// Takes out of existence what it is given, and counts it.
pub struct Burn<T>(PhantomData<T>);

impl<T: Config> OnUnbalanced<CreditOf<T>> for Burn<T> {
    fn on_nonzero_unbalanced(credit: CreditOf<T>) {
        Pallet::<T>::burn_credit(None, credit);
    }
}

impl<T: Config> Pallet<T> {
    /// The account in which is held what was emitted and not paid out yet. It has no key.
    pub fn account_id() -> T::AccountId {
        T::PalletId::get().into_account_truncating()
    }

    /// Gives the pot and the treasury the existential deposit, without which they could not take small amounts, and
    /// counts all that there is.
    pub(crate) fn take_stock() -> DispatchResult {
        let needed = existential_deposit::<T>();
        for account in [Self::account_id(), T::Treasury::get()] {
            if T::Currency::balance(&account) < needed {
                T::Currency::mint_into(&account, needed)?;
            }
        }
        GenesisIssuance::<T>::put(T::Currency::total_issuance());
        Ok(())
    }

    /// What is held for those who were not paid yet, in planck.
    pub(crate) fn held() -> Balance {
        T::Currency::balance_on_hold(&HoldReason::Owed.into(), &Self::account_id())
    }

    /// Mints what modules are owed into the pot; false if nothing was minted.
    pub(crate) fn mint_owed(amount: Balance) -> bool {
        if amount == 0 {
            return true;
        }
        let pot = Self::account_id();
        let held = with_storage_layer(|| {
            T::Currency::resolve(&pot, T::Currency::issue(amount)).map_err(|_| Error::<T>::CannotReceive)?;
            T::Currency::hold(&HoldReason::Owed.into(), &pot, amount)
        });
        if let Err(error) = held {
            log::error!(target: LOG, "{amount} cannot be held in the pot: {error:?}");
        }
        held.is_ok()
    }

    /// Mints for the treasury; false if nothing was minted.
    pub(crate) fn mint_to_treasury(amount: Balance) -> bool {
        if amount == 0 {
            return true;
        }
        let minted = T::Currency::resolve(&T::Treasury::get(), T::Currency::issue(amount));
        if minted.is_err() {
            log::warn!(target: LOG, "the treasury cannot take {amount}");
        }
        minted.is_ok()
    }

    /// Takes money out of the pot.
    fn take_out(amount: Balance) -> CreditOf<T> {
        let (credit, missing) = T::Currency::slash(&HoldReason::Owed.into(), &Self::account_id(), amount);
        if missing > 0 {
            log::error!(target: LOG, "the pot lacks {missing} of {amount}");
        }
        credit
    }

    /// Pays those who have staked on a module from the pot and returns how much it was: nothing if nobody has, or if
    /// its pool cannot hold so much.
    pub(crate) fn pay_stakers(module: ModuleId, amount: Balance) -> Balance {
        if amount == 0 {
            return 0;
        }
        let paid: DispatchResult = with_storage_layer(|| {
            T::Reward::reward(module, Self::take_out(amount)).map_err(|_| Error::<T>::CannotReceive.into())
        });
        paid.map_or(0, |()| amount)
    }

    /// Pays an account from the pot and returns how much it was: all or nothing.
    pub(crate) fn pay_account(who: &T::AccountId, amount: Balance) -> Balance {
        if amount == 0 {
            return 0;
        }
        let paid = with_storage_layer(|| {
            T::Currency::transfer_on_hold(
                &HoldReason::Owed.into(),
                &Self::account_id(),
                who,
                amount,
                Precision::Exact,
                Restriction::Free,
                Fortitude::Force,
            )
        });
        paid.map_or(0, |_| amount)
    }

    /// Gives the treasury what nobody else was paid and returns how much it was. What it cannot take is burnt.
    pub(crate) fn leave_to_treasury(amount: Balance) -> Balance {
        let paid = Self::pay_account(&T::Treasury::get(), amount);
        if paid < amount {
            Burn::<T>::on_unbalanced(Self::take_out(amount));
        }
        paid
    }

    pub(crate) fn do_burn(who: T::AccountId, amount: Balance) -> DispatchResult {
        ensure!(amount > 0, Error::<T>::ZeroAmount);
        let (exact, keep, polite) = (Precision::Exact, Preservation::Preserve, Fortitude::Polite);
        let credit = T::Currency::withdraw(&who, amount, exact, keep, polite).map_err(|_| Error::<T>::CannotPay)?;
        Self::burn_credit(Some(who), credit);
        Ok(())
    }

    /// Issuance falls when the credit is dropped.
    fn burn_credit(who: Option<T::AccountId>, credit: CreditOf<T>) {
        let amount = credit.peek();
        TotalBurnt::<T>::mutate(|burnt| *burnt = burnt.saturating_add(amount));
        Self::deposit_event(Event::Burnt { who, amount });
    }
}
