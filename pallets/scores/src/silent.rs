//! Validators that do not do their work.

use ensemble_core::{
    epochs::{EpochIndex, Epochs},
    matching::Matching,
    ModuleId,
};
use frame_support::pallet_prelude::*;

use crate::{reliability, Config, Error, Event, Pallet, Works};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_report_silent(validator: ModuleId) -> DispatchResult {
        Self::types_of(validator)?;
        let epoch = T::Epochs::current();
        let last = epoch.checked_sub(1).ok_or(Error::<T>::NotSilent)?;
        let must_reveal = T::Matching::serving_since(validator).is_some_and(|since| since < last);
        // Whoever is back and has committed will reveal.
        let is_back = Self::has_committed(epoch, validator);
        ensure!(must_reveal && !is_back && !Self::has_revealed(last, validator), Error::<T>::NotSilent);
        // Where it committed, settling lets its reliability fall.
        let before = T::Matching::reliability(validator);
        let reliability = if Self::has_committed(last, validator) { before } else { reliability::fallen(before) };
        if reliability != before {
            T::Matching::set_reliability(validator, reliability);
        }
        T::Matching::switch_off(validator);
        Self::deposit_event(Event::SilentReported { validator, epoch: last, reliability });
        Ok(())
    }

    fn has_committed(epoch: EpochIndex, validator: ModuleId) -> bool {
        Works::<T>::get(epoch, validator).is_some_and(|work| work.has_committed())
    }

    fn has_revealed(epoch: EpochIndex, validator: ModuleId) -> bool {
        Works::<T>::get(epoch, validator).is_some_and(|work| work.revealed > 0)
    }
}
