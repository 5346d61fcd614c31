//! Closing an epoch: the same work for ten modules and for a million.

use ensemble_core::{
    emission::Split,
    epochs::{EpochIndex, Epochs},
};
use frame_support::{ensure, pallet_prelude::*};

use crate::{
    schedule::scheduled, Config, CurrentSplit, Error, Event, Open, OpenEpoch, Pallet, Parts, Period, Periods,
    TotalEmitted,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_set_split(split: Split) -> DispatchResult {
        ensure!(split.is_whole(), Error::<T>::SplitNotOne);
        CurrentSplit::<T>::put(split);
        Self::deposit_event(Event::SplitSet { split });
        Ok(())
    }

    /// Closes the open epoch if its time is over, and opens that of this block. Says whether it did.
    pub(crate) fn close_if_over() -> bool {
        let (open, now) = (Open::<T>::get(), Self::current());
        if now <= open.epoch {
            return false;
        }
        Self::close(&open);
        Open::<T>::put(OpenEpoch { epoch: now, ..OpenEpoch::default() });
        true
    }

    fn close(open: &OpenEpoch) {
        let parts = Self::emit(&Self::due_parts(open));
        TotalEmitted::<T>::mutate(|emitted| *emitted = emitted.saturating_add(parts.total()));
        Periods::<T>::insert(open.epoch, Period::new(open, parts));
        Self::deposit_event(Event::EpochClosed {
            epoch: open.epoch,
            miners: parts.miners,
            validators: parts.validators,
            treasury: parts.treasury,
            miner_weights: open.weights.miner,
            validator_weights: open.weights.validator,
        });
    }

    /// What an open epoch brings if it closes now.
    pub(crate) fn due_parts(open: &OpenEpoch) -> Parts {
        Parts::of(Self::reward_of(open.epoch), &CurrentSplit::<T>::get(), &open.weights)
    }

    /// What an epoch brings at most if it closes now, in planck.
    pub(crate) fn reward_of(epoch: EpochIndex) -> crate::Balance {
        let left = T::Cap::get().saturating_sub(TotalEmitted::<T>::get());
        scheduled(epoch, T::FirstReward::get(), T::HalvingPeriod::get()).min(left)
    }

    /// Mints what an epoch brings and returns how much that was. What an account cannot take is not emitted.
    fn emit(due: &Parts) -> Parts {
        let owed = Self::mint_owed(due.owed());
        Parts {
            miners: if owed { due.miners } else { 0 },
            validators: if owed { due.validators } else { 0 },
            treasury: if Self::mint_to_treasury(due.treasury) { due.treasury } else { 0 },
        }
    }
}
