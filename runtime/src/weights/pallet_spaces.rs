//! What the calls of `pallet_spaces` cost, and what time and tasks make it do.
//!
//! Estimates, until `scripts/weights` has measured them.

#![allow(unused_imports, unused_parens)]

use core::marker::PhantomData;

use frame_support::{traits::Get, weights::Weight};

/// Weights of `pallet_spaces`.
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_spaces::WeightInfo for WeightInfo<T> {
    fn create() -> Weight {
        Weight::from_parts(90_000_000, 4_500)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    fn retire() -> Weight {
        Weight::from_parts(40_000_000, 4_500)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    fn suspend() -> Weight {
        Weight::from_parts(80_000_000, 17_000)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    fn readmit() -> Weight {
        Weight::from_parts(80_000_000, 17_000)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    /// `n` is in `1..=128`.
    fn submit_report(n: u32) -> Weight {
        Weight::from_parts(120_000_000, 24_000)
            .saturating_add(Weight::from_parts(500_000, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    fn authorize_submit_report() -> Weight {
        Weight::from_parts(90_000_000, 24_000).saturating_add(T::DbWeight::get().reads(2))
    }
    fn accepts() -> Weight {
        Weight::from_parts(15_000_000, 4_500).saturating_add(T::DbWeight::get().reads(1))
    }
    fn admit() -> Weight {
        Weight::from_parts(90_000_000, 17_000)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    fn end_round() -> Weight {
        Weight::from_parts(60_000_000, 4_500)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    fn agenda_look() -> Weight {
        Weight::from_parts(15_000_000, 6_000)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    fn open_round() -> Weight {
        Weight::from_parts(700_000_000, 40_000)
            .saturating_add(T::DbWeight::get().reads(12))
            .saturating_add(T::DbWeight::get().writes(144))
    }
    fn closing_look() -> Weight {
        Weight::from_parts(6_000_000, 3_500).saturating_add(T::DbWeight::get().reads(1))
    }
    fn forget_round() -> Weight {
        Weight::from_parts(10_000_000, 4_000)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    fn close_space() -> Weight {
        Weight::from_parts(70_000_000, 6_000)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(7))
    }
}
