//! What a runtime's constants must fulfil.

use frame_support::traits::Get;

use crate::{Config, Pallet};

impl<T: Config> Pallet<T> {
    /// Stops a runtime whose constants do not fit each other; run by its tests.
    pub(crate) fn check_constants() {
        assert!(T::MinValidators::get() > 0, "a chain needs a validator");
        assert!(T::MinValidators::get() <= T::MaxValidators::get(), "MinValidators exceeds MaxValidators");
        assert!(T::MaxValidators::get() <= T::MaxCandidates::get(), "MaxValidators exceeds MaxCandidates");
        assert!(T::MinStake::get() > 0, "MinStake must be positive");
        assert!(T::MaxSkips::get() > 0, "MaxSkips must be positive");
        assert!(T::SilentSessions::get() > 0, "SilentSessions must be positive");
        assert!(T::SilentShare::get() > 0, "SilentShare must be positive");
    }
}
