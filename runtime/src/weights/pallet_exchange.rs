//! What the calls of `pallet_exchange` cost.
//!
//! Estimates, until `scripts/weights` has measured them.

#![allow(unused_imports, unused_parens)]

use core::marker::PhantomData;

use frame_support::{traits::Get, weights::Weight};

/// Weights of `pallet_exchange`.
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_exchange::WeightInfo for WeightInfo<T> {
    fn set_parameters() -> Weight {
        Weight::from_parts(15_000_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }
    fn clear() -> Weight {
        Weight::from_parts(40_000_000, 5_307)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}
