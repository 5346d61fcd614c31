//! Money: the only place where it moves.

use frame_support::traits::{fungible::MutateHold, tokens::Precision};

use crate::{Balance, Config, Error, HoldReason, Pallet, LOG};

impl<T: Config> Pallet<T> {
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
