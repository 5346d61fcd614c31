//! Paying out: a bounded number of modules in each block, and whoever asks. No epoch is paid before all of it is
//! settled, so that a fault that is found then can still cost what it brought.

use ensemble_core::{epochs::EpochIndex, scores::Settlement, ModuleId};
use frame_support::{ensure, pallet_prelude::*, weights::WeightMeter};

use crate::{
    Balance, Config, Cursor, Earned, EarnerOf, Earners, Error, Event, Open, Pallet, Paying, Payout, Period, Periods,
    WeightInfo,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_claim(epoch: EpochIndex, module: ModuleId) -> DispatchResult {
        ensure!(epoch < Open::<T>::get().epoch, Error::<T>::EpochNotClosed);
        ensure!(epoch < Self::first_unpayable(), Error::<T>::EpochNotSettled);
        Self::pay(epoch, module)?;
        Ok(())
    }

    /// Epochs before this one are over and settled.
    pub(crate) fn first_unpayable() -> EpochIndex {
        Open::<T>::get().epoch.min(T::Settlement::first_unsettled())
    }

    /// Pays and forgets as far as `limit` reaches; returns what it took.
    pub(crate) fn pay_and_forget(limit: Weight) -> Weight {
        let mut meter = WeightMeter::with_limit(limit);
        if meter.try_consume(T::WeightInfo::idle()).is_ok() {
            Self::pay_in_turn(&mut meter);
            Self::forget_in_turn(&mut meter);
        }
        meter.consumed()
    }

    fn pay_in_turn(meter: &mut WeightMeter) {
        let (end, start) = (Self::first_unpayable(), Paying::<T>::get());
        let mut cursor = start;
        for _ in 0..T::MaxStepsPerBlock::get() {
            if cursor.epoch >= end || meter.try_consume(T::WeightInfo::pay()).is_err() {
                break;
            }
            Self::pay_next(&mut cursor);
        }
        if cursor != start {
            Paying::<T>::put(cursor);
        }
    }

    /// Pays the module whose turn it is, or goes to the next epoch if there is none.
    pub(crate) fn pay_next(cursor: &mut Cursor) {
        let Some(module) = Earners::<T>::get(cursor.epoch, cursor.place) else {
            cursor.next_epoch();
            return;
        };
        // Who was paid by a claim is not paid again, and who forfeited it is not paid. Who cannot receive anything keeps
        // the right to claim it.
        let _ = Self::pay(cursor.epoch, module);
        cursor.next_place();
    }

    /// Pays what a module earned in an epoch that is settled, or what was left of it.
    pub(crate) fn pay(epoch: EpochIndex, module: ModuleId) -> Result<(), Error<T>> {
        let mut period = Periods::<T>::get(epoch).ok_or(Error::EpochForgotten)?;
        let mut earner = Earned::<T>::get(epoch, module).ok_or(Error::NothingOwed)?;
        let (to_stakers, due) = Self::pay_first(module, &period, &earner)?;
        let to_owner = Self::pay_account(&earner.owner, due);
        let (paid, withheld) = (to_stakers.saturating_add(to_owner), due.saturating_sub(to_owner));
        ensure!(paid > 0, Error::CannotReceive);

        earner.payout = if withheld > 0 { Payout::OwnerPending(withheld) } else { Payout::Done };
        period.owed = period.owed.saturating_sub(paid);
        let owner = earner.owner.clone();
        Earned::<T>::insert(epoch, module, earner);
        Periods::<T>::insert(epoch, period);
        Self::deposit_event(Event::Paid { epoch, module, to_stakers, owner: owner.clone(), to_owner });
        if withheld > 0 {
            Self::deposit_event(Event::Withheld { epoch, module, owner, amount: withheld });
        }
        Ok(())
    }

    /// Pays the stakers if that was not done. Gives what they were paid, and what is the owner's due then: what the
    /// stakers could not be paid as well.
    fn pay_first(module: ModuleId, period: &Period, earner: &EarnerOf<T>) -> Result<(Balance, Balance), Error<T>> {
        match earner.payout {
            Payout::Pending => {
                let amount = period.amount(earner);
                ensure!(amount > 0, Error::NothingOwed);
                let to_stakers = Self::pay_stakers(module, amount.saturating_sub(earner.owners_part(amount)));
                Ok((to_stakers, amount.saturating_sub(to_stakers)))
            },
            Payout::OwnerPending(amount) => Ok((0, amount)),
            Payout::Done | Payout::Forfeited(_) => Err(Error::NothingOwed),
        }
    }
}
