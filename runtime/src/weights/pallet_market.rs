//! What the calls of `pallet_market` cost.
//!
//! Estimated from the reads and writes of each, until `scripts/weights` has measured them.

#![allow(unused_imports, unused_parens)]

use core::marker::PhantomData;

use frame_support::{traits::Get, weights::Weight};

/// Weights of `pallet_market`.
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_market::WeightInfo for WeightInfo<T> {
    fn list() -> Weight {
        Weight::from_parts(250_000_000, 6_388)
            .saturating_add(T::DbWeight::get().reads(22))
            .saturating_add(T::DbWeight::get().writes(31))
    }
    fn update_listing() -> Weight {
        Weight::from_parts(400_000_000, 6_388)
            .saturating_add(T::DbWeight::get().reads(22))
            .saturating_add(T::DbWeight::get().writes(57))
    }
    fn unlist() -> Weight {
        Weight::from_parts(200_000_000, 6_388)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(30))
    }
    fn buy() -> Weight {
        Weight::from_parts(200_000_000, 6_388)
            .saturating_add(T::DbWeight::get().reads(18))
            .saturating_add(T::DbWeight::get().writes(14))
    }
    /// `n` is in `1..=64`.
    fn redeem(n: u32) -> Weight {
        Weight::from_parts(20_000_000, 3_000)
            .saturating_add(Weight::from_parts(160_000_000, 3_000).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().writes(3))
            .saturating_add(T::DbWeight::get().writes((3_u64).saturating_mul(n.into())))
    }
    fn offer_contribution() -> Weight {
        Weight::from_parts(160_000_000, 6_388)
            .saturating_add(T::DbWeight::get().reads(12))
            .saturating_add(T::DbWeight::get().writes(8))
    }
    fn buy_contribution() -> Weight {
        Weight::from_parts(180_000_000, 6_388)
            .saturating_add(T::DbWeight::get().reads(13))
            .saturating_add(T::DbWeight::get().writes(12))
    }
    fn claim_sales() -> Weight {
        Weight::from_parts(80_000_000, 6_388)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    fn idle_look() -> Weight {
        Weight::from_parts(10_000_000, 3_000).saturating_add(T::DbWeight::get().reads(2))
    }
    fn refresh() -> Weight {
        Weight::from_parts(350_000_000, 3_000)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(56))
    }
    fn end() -> Weight {
        Weight::from_parts(60_000_000, 3_000)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }
}
