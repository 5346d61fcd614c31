//! What the calls of `pallet_stake` cost.

use core::marker::PhantomData;

use frame_support::{traits::Get, weights::Weight};

/// Weights of `pallet_stake`.
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_stake::WeightInfo for WeightInfo<T> {
    fn stake() -> Weight {
        Weight::from_parts(200_000_000, 20_000).saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
    fn unstake() -> Weight {
        Weight::from_parts(200_000_000, 20_000).saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
    fn withdraw() -> Weight {
        Weight::from_parts(200_000_000, 20_000).saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
    fn move_stake() -> Weight {
        Weight::from_parts(200_000_000, 20_000).saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
    fn set_fee() -> Weight {
        Weight::from_parts(200_000_000, 20_000).saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
    fn reward() -> Weight {
        Weight::from_parts(200_000_000, 20_000).saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
    fn reward_credit() -> Weight {
        Weight::from_parts(200_000_000, 20_000).saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
    fn slash() -> Weight {
        Weight::from_parts(200_000_000, 20_000).saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
}
