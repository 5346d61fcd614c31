//! Money and shares: the only place where either moves.

use ensemble_core::{inference::Payment, AssetId, ModelId, SessionId};
use frame_support::{
    pallet_prelude::*,
    storage::with_storage_layer,
    traits::{
        fungible::{Balanced, BalancedHold, Inspect, Mutate, MutateHold},
        fungibles::{Create, Inspect as InspectShares, Mutate as MutateShares},
        tokens::{Fortitude, Precision, Preservation, Restriction},
        Imbalance, OnUnbalanced,
    },
};
use sp_runtime::traits::AccountIdConversion;

use crate::{
    Balance, Class, Config, CreditOf, Error, Event, HoldReason, Pallet, SessionOf, TaskOfModel, Undeliverable, LOG,
};

impl<T: Config> Pallet<T> {
    /// The account that owns the classes of shares. It has no key.
    pub fn account_id() -> T::AccountId {
        T::PalletId::get().into_account_truncating()
    }

    /// The account in which lies what a model's credits are worth, and the shares that earn them. It has no key.
    pub fn pot(model: ModelId) -> T::AccountId {
        T::PalletId::get().into_sub_account_truncating(model)
    }

    /// The smallest balance that an account can have, in planck.
    pub(crate) fn existential_deposit() -> Balance {
        <T::Currency as Inspect<T::AccountId>>::minimum_balance()
    }

    /// No money.
    pub(crate) fn nothing() -> CreditOf<T> {
        CreditOf::<T>::zero()
    }

    /// Holds money of `who`.
    pub(crate) fn hold(reason: HoldReason, who: &T::AccountId, amount: Balance) -> Result<(), Error<T>> {
        T::Currency::hold(&reason.into(), who, amount).map_err(|_| Error::CannotPay)
    }

    /// Takes money that is held from an account: as much as there is.
    pub(crate) fn take_held(reason: HoldReason, who: &T::AccountId, amount: Balance) -> CreditOf<T> {
        T::Currency::slash(&reason.into(), who, amount).0
    }

    /// Gives back what is held from `who`.
    ///
    /// It fails only for an account without free balance, which another pallet keeps alive, and an amount below the
    /// existential deposit. Such dust cannot be owned; it is burnt.
    pub(crate) fn give_back(session: Option<SessionId>, reason: HoldReason, who: &T::AccountId, amount: Balance) {
        if amount == 0 {
            return;
        }
        let released = with_storage_layer(|| T::Currency::release(&reason.into(), who, amount, Precision::BestEffort));
        if let Err(error) = released {
            log::warn!(target: LOG, "{amount} held from {who:?} cannot be released: {error:?}");
            Self::burn(Self::take_held(reason, who, amount));
            Self::undelivered(session, who, Undeliverable::Held, amount);
        }
    }

    /// Burns money.
    pub(crate) fn burn(credit: CreditOf<T>) {
        T::Slashed::on_unbalanced(credit);
    }

    fn undelivered(session: Option<SessionId>, who: &T::AccountId, due: Undeliverable, amount: Balance) {
        Self::deposit_event(Event::Undelivered { session, who: who.clone(), due, amount });
    }

    /// Gives the pot of a new model the existential deposit, without which it could not take small amounts.
    pub(crate) fn found_pot(from: &T::AccountId, model: ModelId) -> Result<(), Error<T>> {
        let pot = Self::pot(model);
        T::Currency::transfer(from, &pot, Self::existential_deposit(), Preservation::Preserve)
            .map(drop)
            .map_err(|_| Error::CannotPay)
    }

    /// Returns the existential deposit of a pot, and burns what is left; returns how much that was.
    pub(crate) fn dissolve_pot(to: &T::AccountId, model: ModelId) -> Balance {
        let pot = Self::pot(model);
        let base = Self::existential_deposit();
        // What shares keep alive has nothing left to it but the shares.
        let rest = T::Currency::balance(&pot).saturating_sub(base);
        let burnt = Self::take_out(model, rest);
        let amount = burnt.peek();
        Self::burn(burnt);
        let returned = with_storage_layer(|| T::Currency::transfer(&pot, to, base, Preservation::Expendable));
        if let Err(error) = returned {
            log::error!(target: LOG, "the pot of model {model} keeps {base}: {error:?}");
        }
        amount
    }

    /// Takes money out of a pot, all of it or nothing, and never its existential deposit.
    fn take_out(model: ModelId, amount: Balance) -> CreditOf<T> {
        let (exact, keep, polite) = (Precision::Exact, Preservation::Preserve, Fortitude::Polite);
        let pot = Self::pot(model);
        T::Currency::withdraw(&pot, amount, exact, keep, polite).unwrap_or_else(|error| {
            log::error!(target: LOG, "the pot of model {model} lacks {amount}: {error:?}");
            Self::nothing()
        })
    }

    /// Puts money into a pot and returns how much it was.
    pub(crate) fn put_in(model: ModelId, credit: CreditOf<T>) -> Balance {
        let amount = credit.peek();
        match T::Currency::resolve(&Self::pot(model), credit) {
            Ok(()) => amount,
            Err(credit) => {
                log::error!(target: LOG, "the pot of model {model} cannot take {amount}");
                Self::burn(credit);
                0
            },
        }
    }

    /// Pays out money and returns how much it was: all or nothing. What cannot be paid is burnt.
    pub(crate) fn pay_credit(session: SessionId, who: &T::AccountId, credit: CreditOf<T>) -> Balance {
        let amount = credit.peek();
        match T::Currency::resolve(who, credit) {
            Ok(()) => amount,
            Err(credit) => {
                Self::burn(credit);
                Self::undelivered(Some(session), who, Undeliverable::Payment, amount);
                0
            },
        }
    }

    /// Takes money that is held for a session: from its requester, or from the pot if it is paid with credits.
    pub(crate) fn take_price(session: &mut SessionOf<T>, amount: Balance) -> CreditOf<T> {
        let amount = amount.min(session.held);
        session.held = session.held.saturating_sub(amount);
        match session.payment {
            Payment::Tune => Self::take_held(HoldReason::Price, &session.requester, amount),
            Payment::Credits => Self::take_out(session.model, amount),
        }
    }

    /// Pays `who` from what is held for a session and returns how much it was: all or nothing.
    ///
    /// What is held is earmarked for this, so that no freeze of the requester's balance holds it up.
    pub(crate) fn pay(id: SessionId, session: &mut SessionOf<T>, who: &T::AccountId, amount: Balance) -> Balance {
        if amount == 0 {
            return 0;
        }
        let paid = with_storage_layer(|| match session.payment {
            Payment::Tune => T::Currency::transfer_on_hold(
                &HoldReason::Price.into(),
                &session.requester,
                who,
                amount,
                Precision::Exact,
                Restriction::Free,
                Fortitude::Force,
            ),
            Payment::Credits => T::Currency::transfer(&Self::pot(session.model), who, amount, Preservation::Preserve),
        });
        if let Err(error) = paid {
            log::warn!(target: LOG, "session {id}: {who:?} cannot be paid {amount}: {error:?}");
            Self::undelivered(Some(id), who, Undeliverable::Payment, amount);
            return 0;
        }
        session.held = session.held.saturating_sub(amount);
        amount
    }

    /// Pays `who` from the purse of a session and returns how much it was: all or nothing.
    pub(crate) fn pay_from_purse(
        id: SessionId,
        session: &mut SessionOf<T>,
        who: &T::AccountId,
        amount: Balance,
    ) -> Balance {
        let amount = amount.min(session.purse);
        if amount == 0 {
            return 0;
        }
        let pot = Self::pot(session.model);
        let paid = with_storage_layer(|| T::Currency::transfer(&pot, who, amount, Preservation::Preserve));
        if let Err(error) = paid {
            log::warn!(target: LOG, "session {id}: {who:?} cannot be paid {amount}: {error:?}");
            Self::undelivered(Some(id), who, Undeliverable::Payment, amount);
            return 0;
        }
        session.purse = session.purse.saturating_sub(amount);
        amount
    }

    /// Burns what is left in the purse of a session.
    pub(crate) fn burn_purse(session: &mut SessionOf<T>) {
        let rest = core::mem::take(&mut session.purse);
        Self::burn(Self::take_out(session.model, rest));
    }

    /// Creates the class of shares in a model's rows.
    ///
    /// Units are sufficient to keep an account in existence, so that shares never fail for want of native tokens.
    pub(crate) fn create_shares(model: ModelId) -> DispatchResult {
        T::Shares::create(AssetId::Rows(model), Self::account_id(), true, T::MinShares::get())
    }

    /// Hands out shares of a model's rows, as far as there may be so many, and returns how many.
    pub(crate) fn mint_shares(session: SessionId, model: ModelId, who: &T::AccountId, amount: Balance) -> Balance {
        let class = AssetId::Rows(model);
        let left = T::MaxShares::get().saturating_sub(T::Shares::total_issuance(class));
        let amount = amount.min(left);
        if amount == 0 {
            return 0;
        }
        let minted = with_storage_layer(|| T::Shares::mint_into(class, who, amount));
        if let Err(error) = minted {
            log::warn!(target: LOG, "session {session}: {who:?} cannot receive {amount} shares: {error:?}");
            Self::undelivered(Some(session), who, Undeliverable::Shares, amount);
            return 0;
        }
        amount
    }

    /// Moves shares of a class into a model's pot, exactly so many.
    pub(crate) fn lock_shares(who: &T::AccountId, model: ModelId, class: AssetId, amount: Balance) -> DispatchResult {
        Self::move_shares(class, who, &Self::pot(model), amount)
    }

    /// Moves shares of a class out of a model's pot, exactly so many.
    pub(crate) fn unlock_shares(who: &T::AccountId, model: ModelId, class: AssetId, amount: Balance) -> DispatchResult {
        Self::move_shares(class, &Self::pot(model), who, amount)
    }

    /// An account owns some shares or none, but not too few: what moves must be exactly what was asked for.
    fn move_shares(class: AssetId, from: &T::AccountId, to: &T::AccountId, amount: Balance) -> DispatchResult {
        let owned = T::Shares::balance(class, from);
        let left = owned.checked_sub(amount).ok_or(Error::<T>::NotYourShares)?;
        ensure!(left == 0 || left >= T::Shares::minimum_balance(class), Error::<T>::TooFewShares);
        let moved = T::Shares::transfer(class, from, to, amount, Preservation::Expendable)?;
        ensure!(moved == amount, Error::<T>::TooFewShares);
        Ok(())
    }

    /// The class of shares that earns credits of a model; nothing if there never was such a model.
    pub(crate) fn class_of(model: ModelId, class: Class) -> Option<AssetId> {
        let task = TaskOfModel::<T>::get(model)?;
        Some(match class {
            Class::Rows => AssetId::Rows(model),
            Class::Contribution => AssetId::Shares(task),
        })
    }
}
