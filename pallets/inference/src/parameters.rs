//! Parameters: what they must fulfil, and changing them.

use frame_support::{ensure, pallet_prelude::*};
use sp_runtime::Permill;

use crate::{Config, CurrentParameters, Error, Event, Pallet, Parameters, Split};

impl Split {
    /// Whether the parts are at most the whole.
    pub fn is_valid(&self) -> bool {
        let parts = [self.gateway, self.credits, self.burnt];
        let sum = parts.iter().fold(0u32, |sum, part| sum.saturating_add(part.deconstruct()));
        sum <= Permill::one().deconstruct()
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_set_parameters(parameters: Parameters) -> DispatchResult {
        ensure!(parameters.split.is_valid(), Error::<T>::InvalidParameters);
        CurrentParameters::<T>::put(parameters);
        Self::deposit_event(Event::ParametersSet { parameters });
        Ok(())
    }
}
