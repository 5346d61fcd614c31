//! What a runtime's constants must fulfil.

use frame_support::{pallet_prelude::*, traits::fungible::Inspect};
use sp_runtime::traits::One;

use crate::{price, Config, Pallet, WeightInfo};

impl<T: Config> Pallet<T> {
    /// Stops a runtime whose constants do not fit each other; run by its tests.
    pub(crate) fn check_constants() {
        let curve = T::PriceCurve::get();
        assert_eq!(curve.fault(), None, "the curve of prices is faulty");
        let cheapest = curve.quote(price::FULL_LENGTH, One::one());
        let existential = <T::Currency as Inspect<T::AccountId>>::minimum_balance();
        assert!(cheapest.deposit >= existential, "the smallest deposit must be at least the existential deposit");
        assert!(T::MaxDependencies::get() > 0, "MaxDependencies must be positive");
        assert!(T::MaxDepth::get() > 2, "MaxDepth must leave room for a dependency's dependency");
        // The walk recurses as deep, and a call's stack is not endless.
        assert!(T::MaxDepth::get() <= 32, "MaxDepth must be at most 32");
        assert!(T::MaxPipeline::get() >= Self::least_walked(), "MaxPipeline must have room for all dependencies");
        assert!(T::MaxPatternsPerStart::get() > 0, "MaxPatternsPerStart must be positive");
        assert!(T::MaxReleases::get() > 0, "MaxReleases must be positive");
        Self::check_weights();
    }

    /// Whatever cannot be done in an empty block could never be done.
    fn check_weights() {
        let limits = T::BlockWeights::get();
        let limit = limits.get(DispatchClass::Normal).max_extrinsic.unwrap_or(limits.max_block);
        let longest = <T as Config>::WeightInfo::set_dependencies(T::MaxPipeline::get());
        assert!(longest.all_lte(limit), "set_dependencies must fit into a block");
        assert!(<T as Config>::WeightInfo::free_names(1).all_lte(limits.max_block), "a release must fit into a block");
    }
}
