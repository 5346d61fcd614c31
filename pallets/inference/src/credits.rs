//! Credits: what locked shares earn, and sessions spend.
//!
//! Each class of shares has one number, what a share has earned that was locked from the beginning. An account's part is
//! what that number has grown by since it was last looked at, times its shares, so that a payment to a million shareholders
//! is one write. (The accumulator of Batog, Boca and Johnson, "Scalable reward distribution on the Ethereum blockchain",
//! 2018.) Every division rounds down: a pot holds at least what its shareholders can spend.
//!
//! Shares stay locked for at least as long as a window lasts, so that nobody earns with them who locks them for the one
//! block in which a session is settled.

use ensemble_core::ModelId;
use frame_support::{
    ensure,
    pallet_prelude::*,
    traits::{fungibles::Inspect, Imbalance},
};
use sp_runtime::{helpers_128bit::multiply_by_rational_with_rounding, traits::Saturating, Rounding};

use crate::{
    price::part, Balance, Class, Config, CreditOf, CurrentLengths, CurrentParameters, Earnings, Error, Event, Holding,
    HoldingOf, Holdings, Lock, Models, Pallet, Pot, Pots,
};

/// What a planck for each share is in [`Earnings::per_share`].
pub const SCALE: u128 = 1_000_000_000_000_000_000;

impl Earnings {
    /// Divides an amount among all locked shares; false if that is not possible.
    fn add(&mut self, amount: Balance) -> bool {
        let grown = multiply_by_rational_with_rounding(amount, SCALE, self.locked, Rounding::Down)
            .and_then(|growth| self.per_share.checked_add(growth));
        match grown {
            Some(grown) => self.per_share = grown,
            None => return false,
        }
        true
    }
}

impl<BlockNumber> Lock<BlockNumber> {
    /// What these shares have earned since their earnings were taken.
    fn earned(&self, earnings: &Earnings) -> Balance {
        let growth = earnings.per_share.saturating_sub(self.taken);
        multiply_by_rational_with_rounding(self.amount, growth, SCALE, Rounding::Down).unwrap_or(0)
    }
}

impl<BlockNumber> Holding<BlockNumber> {
    /// What could be spent, in planck.
    pub fn spendable(&self, pot: &Pot) -> Balance {
        let earned = self.contribution.earned(&pot.contribution).saturating_add(self.rows.earned(&pot.rows));
        self.credits.saturating_add(earned)
    }

    /// Takes what was earned.
    fn take(&mut self, pot: &Pot) {
        self.credits = self.spendable(pot);
        self.contribution.taken = pot.contribution.per_share;
        self.rows.taken = pot.rows.per_share;
    }

    fn is_empty(&self) -> bool {
        self.contribution.amount == 0 && self.rows.amount == 0 && self.credits == 0
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_lock(who: T::AccountId, model: ModelId, class: Class, amount: Balance) -> DispatchResult {
        ensure!(Models::<T>::contains_key(model), Error::<T>::UnknownModel);
        let asset = Self::class_of(model, class).ok_or(Error::<T>::UnknownModel)?;
        let mut pot = Pots::<T>::get(model).unwrap_or_default();
        let mut holding = Holdings::<T>::get(model, &who);
        let locked = holding.of(class).amount.saturating_add(amount);
        ensure!(amount > 0 && locked >= T::Shares::minimum_balance(asset), Error::<T>::TooFewShares);

        Self::lock_shares(&who, model, asset, amount)?;
        holding.take(&pot);
        let lock = holding.of_mut(class);
        (lock.amount, lock.since) = (locked, frame_system::Pallet::<T>::block_number());
        let earnings = pot.of_mut(class);
        earnings.locked = earnings.locked.saturating_add(amount);
        Pots::<T>::insert(model, pot);
        Holdings::<T>::insert(model, &who, holding);
        Self::deposit_event(Event::Locked { who, model, class, amount });
        Ok(())
    }

    pub(crate) fn do_unlock(who: T::AccountId, model: ModelId, class: Class, amount: Balance) -> DispatchResult {
        let asset = Self::class_of(model, class).ok_or(Error::<T>::UnknownModel)?;
        let pot = Pots::<T>::get(model);
        let mut holding = Holdings::<T>::get(model, &who);
        let left = holding.of(class).amount.checked_sub(amount).ok_or(Error::<T>::NotYourShares)?;
        let is_enough = left == 0 || left >= T::Shares::minimum_balance(asset);
        ensure!(amount > 0 && is_enough, Error::<T>::TooFewShares);
        let from = holding.of(class).since.saturating_add(CurrentLengths::<T>::get().window);
        ensure!(frame_system::Pallet::<T>::block_number() >= from, Error::<T>::TooEarly);

        Self::unlock_shares(&who, model, asset, amount)?;
        match pot {
            Some(mut pot) => {
                holding.take(&pot);
                let earnings = pot.of_mut(class);
                earnings.locked = earnings.locked.saturating_sub(amount);
                Pots::<T>::insert(model, pot);
            },
            // The model is retired: its credits are worth nothing.
            None => holding.credits = 0,
        }
        holding.of_mut(class).amount = left;
        Self::store_holding(&who, model, holding);
        Self::deposit_event(Event::Unlocked { who, model, class, amount });
        Ok(())
    }

    fn store_holding(who: &T::AccountId, model: ModelId, holding: HoldingOf<T>) {
        if holding.is_empty() {
            Holdings::<T>::remove(model, who);
        } else {
            Holdings::<T>::insert(model, who, holding);
        }
    }

    /// Gives a model's shareholders money as credits. Returns how much that is, and how much was burnt because nobody has
    /// locked shares.
    pub(crate) fn distribute(model: ModelId, credit: CreditOf<T>) -> (Balance, Balance) {
        let amount = credit.peek();
        if amount == 0 {
            return (0, 0);
        }
        let mut pot = Pots::<T>::get(model).unwrap_or_default();
        let for_owners = match (pot.contribution.locked, pot.rows.locked) {
            (_, 0) => amount,
            (0, _) => 0,
            _ => part(CurrentParameters::<T>::get().owners, amount),
        };
        let for_rows = amount.saturating_sub(for_owners);
        let divided =
            (for_owners == 0 || pot.contribution.add(for_owners)) && (for_rows == 0 || pot.rows.add(for_rows));
        if !divided {
            Self::burn(credit);
            return (0, amount);
        }
        let kept = Self::put_in(model, credit);
        pot.owed = pot.owed.saturating_add(kept);
        Pots::<T>::insert(model, pot);
        (kept, amount.saturating_sub(kept))
    }

    /// Takes credits of an account. What they are worth stays in the pot, for the session that they pay.
    pub(crate) fn spend_credits(who: &T::AccountId, model: ModelId, amount: Balance) -> Result<(), Error<T>> {
        let mut pot = Pots::<T>::get(model).ok_or(Error::UnknownModel)?;
        let mut holding = Holdings::<T>::get(model, who);
        holding.take(&pot);
        holding.credits = holding.credits.checked_sub(amount).ok_or(Error::TooFewCredits)?;
        pot.owed = pot.owed.saturating_sub(amount);
        Pots::<T>::insert(model, pot);
        Self::store_holding(who, model, holding);
        Ok(())
    }

    /// Gives credits to an account. What they are worth lies in the pot.
    pub(crate) fn return_credits(who: &T::AccountId, model: ModelId, amount: Balance) {
        if amount == 0 {
            return;
        }
        let mut pot = Pots::<T>::get(model).unwrap_or_default();
        let mut holding = Holdings::<T>::get(model, who);
        holding.take(&pot);
        holding.credits = holding.credits.saturating_add(amount);
        pot.owed = pot.owed.saturating_add(amount);
        Pots::<T>::insert(model, pot);
        Holdings::<T>::insert(model, who, holding);
    }

    /// The credits that an account could spend on a model, in planck.
    pub fn credits_of(who: &T::AccountId, model: ModelId) -> Balance {
        Pots::<T>::get(model).map_or(0, |pot| Holdings::<T>::get(model, who).spendable(&pot))
    }
}
