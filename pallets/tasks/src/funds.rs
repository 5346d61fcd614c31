//! Money and shares: the only place where either moves.

use ensemble_core::{AssetId, TaskId};
use frame_support::{
    pallet_prelude::*,
    storage::with_storage_layer,
    traits::{
        fungible::{Balanced, BalancedHold, MutateHold},
        fungibles::{Create, Mutate},
        tokens::{Fortitude, Precision, Preservation, Restriction},
        OnUnbalanced,
    },
};
use sp_runtime::traits::AccountIdConversion;

use crate::{reward::MIN_SHARES, Balance, Config, Error, Event, HoldReason, OrderOf, Pallet, Undeliverable, LOG};

impl<T: Config> Pallet<T> {
    /// The account that owns the classes of shares. It has no key.
    pub fn account_id() -> T::AccountId {
        T::PalletId::get().into_account_truncating()
    }

    /// Holds money of `who`. Where the free balance does not suffice, the error is `otherwise`.
    pub(crate) fn hold(
        reason: HoldReason,
        who: &T::AccountId,
        amount: Balance,
        otherwise: Error<T>,
    ) -> Result<(), Error<T>> {
        T::Currency::hold(&reason.into(), who, amount).map_err(|_| otherwise)
    }

    /// Takes from a creator what its task costs in any case.
    pub(crate) fn charge(who: &T::AccountId, amount: Balance) -> Result<(), Error<T>> {
        let (exact, keep, polite) = (Precision::Exact, Preservation::Preserve, Fortitude::Polite);
        let credit = T::Currency::withdraw(who, amount, exact, keep, polite).map_err(|_| Error::CannotPay)?;
        T::Slashed::on_unbalanced(credit);
        Ok(())
    }

    /// Takes money that is held from an account and returns how much it was.
    pub(crate) fn slash_held(reason: HoldReason, who: &T::AccountId, amount: Balance) -> Balance {
        if amount == 0 {
            return 0;
        }
        let (credit, missing) = T::Currency::slash(&reason.into(), who, amount);
        T::Slashed::on_unbalanced(credit);
        amount.saturating_sub(missing)
    }

    /// Gives back what is held from `who`.
    ///
    /// It fails only for an account without free balance, which another pallet keeps alive, and an amount below the
    /// existential deposit. Such dust cannot be owned; it is slashed.
    pub(crate) fn give_back(task: TaskId, reason: HoldReason, who: &T::AccountId, amount: Balance) {
        if amount == 0 {
            return;
        }
        let released = with_storage_layer(|| T::Currency::release(&reason.into(), who, amount, Precision::BestEffort));
        if let Err(error) = released {
            log::warn!(target: LOG, "task {task}: {amount} held from {who:?} cannot be released: {error:?}");
            Self::slash_held(reason, who, amount);
            Self::deposit_event(Event::Undelivered { task, who: who.clone(), due: Undeliverable::Held, amount });
        }
    }

    /// Gives back what the creator holds for a task: the deposit first, on which any rest of the escrow can stand.
    pub(crate) fn release_to_creator(id: TaskId, order: &OrderOf<T>) {
        Self::give_back(id, HoldReason::TaskDeposit, &order.creator, order.deposit);
        Self::give_back(id, HoldReason::Reward, &order.creator, order.escrow);
    }

    /// Pays `who` from the task's escrow and returns how much it was: all or nothing.
    ///
    /// The escrow is earmarked for this, so that no freeze of the creator's balance holds it up.
    pub(crate) fn pay(id: TaskId, order: &mut OrderOf<T>, who: &T::AccountId, amount: Balance) -> Balance {
        if amount == 0 {
            return 0;
        }
        let paid = with_storage_layer(|| {
            T::Currency::transfer_on_hold(
                &HoldReason::Reward.into(),
                &order.creator,
                who,
                amount,
                Precision::Exact,
                Restriction::Free,
                Fortitude::Force,
            )
        });
        match paid {
            Ok(_) => {
                order.escrow = order.escrow.saturating_sub(amount);
                amount
            },
            Err(error) => {
                log::warn!(target: LOG, "task {id}: {who:?} cannot be paid {amount}: {error:?}");
                Self::deposit_event(Event::Undelivered {
                    task: id,
                    who: who.clone(),
                    due: Undeliverable::Reward,
                    amount,
                });
                0
            },
        }
    }

    /// Creates the class of shares in what won the task.
    ///
    /// Units are sufficient to keep an account in existence, so that shares never fail for want of native tokens.
    pub(crate) fn create_shares(task: TaskId) {
        let (class, owner) = (AssetId::Shares(task), Self::account_id());
        let created = with_storage_layer(|| T::Shares::create(class, owner, true, MIN_SHARES));
        if let Err(error) = created {
            log::error!(target: LOG, "task {task}: no class of shares: {error:?}");
        }
    }

    /// Hands out shares and returns how many: all or nothing.
    pub(crate) fn mint_shares(task: TaskId, who: &T::AccountId, amount: Balance) -> Balance {
        if amount == 0 {
            return 0;
        }
        let minted = with_storage_layer(|| T::Shares::mint_into(AssetId::Shares(task), who, amount));
        if let Err(error) = minted {
            log::warn!(target: LOG, "task {task}: {who:?} cannot receive {amount} shares: {error:?}");
            Self::deposit_event(Event::Undelivered { task, who: who.clone(), due: Undeliverable::Shares, amount });
            return 0;
        }
        amount
    }
}
