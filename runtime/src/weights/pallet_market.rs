//! What the calls of `pallet_market` cost.
//!
//! Not measured yet: `scripts/weights` writes this file.

#![allow(unused_imports, unused_parens)]

use core::marker::PhantomData;

use frame_support::{traits::Get, weights::Weight};

/// Weights of `pallet_market`.
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_market::WeightInfo for WeightInfo<T> {
    fn list() -> Weight {
        Weight::from_parts(500_000_000, 120_000)
            .saturating_add(T::DbWeight::get().reads(20))
            .saturating_add(T::DbWeight::get().writes(50))
    }
    fn update_listing() -> Weight {
        Weight::from_parts(900_000_000, 240_000)
            .saturating_add(T::DbWeight::get().reads(24))
            .saturating_add(T::DbWeight::get().writes(100))
    }
    fn unlist() -> Weight {
        Weight::from_parts(400_000_000, 120_000)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(50))
    }
    fn buy() -> Weight {
        Weight::from_parts(250_000_000, 40_000)
            .saturating_add(T::DbWeight::get().reads(20))
            .saturating_add(T::DbWeight::get().writes(15))
    }
    fn redeem(n: u32) -> Weight {
        Weight::from_parts(50_000_000, 10_000)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(5))
            .saturating_add(Weight::from_parts(150_000_000, 5_000).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(3_u64.saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().writes(4_u64.saturating_mul(n.into())))
    }
    fn offer_contribution() -> Weight {
        Weight::from_parts(150_000_000, 20_000)
            .saturating_add(T::DbWeight::get().reads(12))
            .saturating_add(T::DbWeight::get().writes(10))
    }
    fn buy_contribution() -> Weight {
        Weight::from_parts(200_000_000, 20_000)
            .saturating_add(T::DbWeight::get().reads(15))
            .saturating_add(T::DbWeight::get().writes(12))
    }
    fn claim_sales() -> Weight {
        Weight::from_parts(120_000_000, 20_000)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    fn idle_look() -> Weight {
        Weight::from_parts(20_000_000, 10_000)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    fn refresh() -> Weight {
        Weight::from_parts(700_000_000, 240_000)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(90))
    }
    fn end() -> Weight {
        Weight::from_parts(80_000_000, 15_000)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(5))
    }
}
