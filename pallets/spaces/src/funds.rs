//! Money: the only place where it moves.

use frame_support::traits::{
    fungible::{Balanced, MutateHold},
    tokens::{Fortitude, Precision, Preservation},
    Get, OnUnbalanced,
};

use crate::{Balance, Config, Error, HoldReason, Pallet, SpecOf, LOG};

/// Products of two numbers that an owner pays for together.
const WORK_UNIT: u64 = 1_000_000_000;

impl<T: Config> Pallet<T> {
    /// What the owner of such a space pays for each round, in planck: as if it had as many members as it takes.
    pub fn round_fee(spec: &SpecOf<T>) -> Balance {
        let units = spec.work().div_ceil(WORK_UNIT);
        T::RoundFee::get().saturating_add(T::WorkFee::get().saturating_mul(units.into()))
    }

    /// Takes from an owner what a round costs.
    pub(crate) fn charge(who: &T::AccountId, amount: Balance) -> Result<(), Error<T>> {
        let (exact, keep, polite) = (Precision::Exact, Preservation::Preserve, Fortitude::Polite);
        let credit = T::Currency::withdraw(who, amount, exact, keep, polite).map_err(|_| Error::CannotPay)?;
        T::Fees::on_unbalanced(credit);
        Ok(())
    }

    /// Holds a deposit.
    pub(crate) fn hold(who: &T::AccountId, amount: Balance) -> Result<(), Error<T>> {
        T::Currency::hold(&HoldReason::SpaceDeposit.into(), who, amount).map_err(|_| Error::CannotPay)
    }

    /// Returns a deposit. It is at least the existential deposit, so that the account can always own it.
    pub(crate) fn release(who: &T::AccountId, amount: Balance) {
        let released = T::Currency::release(&HoldReason::SpaceDeposit.into(), who, amount, Precision::BestEffort);
        if let Err(error) = released {
            log::error!(target: LOG, "{amount} held from {who:?} cannot be released: {error:?}");
        }
    }
}
