//! What a runtime's constants must fulfil.

use frame_support::traits::Get;

use crate::{existential_deposit, Config, Pallet};

impl<T: Config> Pallet<T> {
    /// Stops a runtime whose constants do not fit each other; run by its tests.
    pub(crate) fn check_constants() {
        assert!(T::MinStake::get() > 0, "MinStake must be positive");
        assert!(T::MinStake::get() >= existential_deposit::<T>(), "MinStake must be at least the existential deposit");
        assert!(T::DefaultUnbondingPeriod::get() >= 1u32.into(), "DefaultUnbondingPeriod must be at least one block");
        assert!(T::MaxUnbondings::get() > 0, "MaxUnbondings must be positive");
    }
}
