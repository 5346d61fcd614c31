//! What a runtime's constants must fulfil.

use frame_support::pallet_prelude::*;

use crate::{Config, Pallet};

impl<T: Config> Pallet<T> {
    /// Stops a runtime whose constants do not fit each other; run by its tests.
    pub(crate) fn check_constants() {
        let parameters = T::DefaultParameters::get();
        assert!(parameters.recent <= T::MaxRecent::get(), "DefaultParameters must name at most MaxRecent");
        assert!(parameters.number <= T::MaxPerVictory::get(), "DefaultParameters must name at most MaxPerVictory");
        assert!(parameters.lifetime > 0u32.into(), "the lifetime in DefaultParameters must be positive");
        assert!(T::MaxGrants::get() >= T::MaxPerVictory::get(), "MaxGrants must be at least MaxPerVictory");
        let victories = T::MaxRecent::get().checked_mul(2);
        assert!(
            victories.is_some_and(|least| T::MaxVictories::get() >= least),
            "MaxVictories must be at least twice MaxRecent"
        );
    }
}
