//! What the calls of `pallet_validators` cost.
//!
//! First figures, from what calls of other pallets with as many reads and writes cost. `scripts/weights` replaces them.

#![allow(unused_imports, unused_parens)]

use core::marker::PhantomData;

use frame_support::{traits::Get, weights::Weight};

/// Weights of `pallet_validators`.
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_validators::WeightInfo for WeightInfo<T> {
    fn stand() -> Weight {
        Weight::from_parts(60_000_000, 4_138)
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    fn chill() -> Weight {
        Weight::from_parts(35_000_000, 3_689)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    fn note_author() -> Weight {
        Weight::from_parts(8_000_000, 3_517)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    /// `n` is in `1..=128`.
    fn elect(n: u32) -> Weight {
        Weight::from_parts(900_000_000, 20_000)
            .saturating_add(Weight::from_parts(60_000_000, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(140))
            .saturating_add(T::DbWeight::get().reads(10_u64.saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().writes(130))
            .saturating_add(T::DbWeight::get().writes(1_u64.saturating_mul(n.into())))
            .saturating_add(Weight::from_parts(0, 12_000).saturating_mul(n.into()))
    }
    /// `n` is in `1..=128`.
    fn end_session(n: u32) -> Weight {
        Weight::from_parts(60_000_000, 20_000)
            .saturating_add(Weight::from_parts(250_000_000, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().reads(12_u64.saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().writes(8))
            .saturating_add(T::DbWeight::get().writes(12_u64.saturating_mul(n.into())))
            .saturating_add(Weight::from_parts(0, 16_000).saturating_mul(n.into()))
    }
    /// `n` is in `1..=128`.
    fn start_session(n: u32) -> Weight {
        Weight::from_parts(20_000_000, 10_000)
            .saturating_add(Weight::from_parts(40_000_000, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(3))
            .saturating_add(Weight::from_parts(0, 200).saturating_mul(n.into()))
    }
    fn offence() -> Weight {
        Weight::from_parts(250_000_000, 10_000)
            .saturating_add(T::DbWeight::get().reads(17))
            .saturating_add(T::DbWeight::get().writes(15))
    }
}
