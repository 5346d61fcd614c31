//! What the calls of `pallet_modules` cost.

use core::marker::PhantomData;

use frame_support::{traits::Get, weights::Weight};

/// Weights of `pallet_modules`.
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_modules::WeightInfo for WeightInfo<T> {
    fn register() -> Weight {
        Weight::from_parts(200_000_000, 20_000).saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
    fn update() -> Weight {
        Weight::from_parts(200_000_000, 20_000).saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
    fn remove() -> Weight {
        Weight::from_parts(200_000_000, 20_000).saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
    fn set_dependencies(n: u32) -> Weight {
        Weight::from_parts(200_000_000, 20_000)
            .saturating_add(T::DbWeight::get().reads_writes(u64::from(n), u64::from(n)))
    }
    fn set_role() -> Weight {
        Weight::from_parts(200_000_000, 20_000).saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
    fn offer_transfer() -> Weight {
        Weight::from_parts(200_000_000, 20_000).saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
    fn accept_transfer() -> Weight {
        Weight::from_parts(200_000_000, 20_000).saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
    fn cancel_transfer() -> Weight {
        Weight::from_parts(200_000_000, 20_000).saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
    fn refresh_type() -> Weight {
        Weight::from_parts(200_000_000, 20_000).saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
    fn add_type() -> Weight {
        Weight::from_parts(200_000_000, 20_000).saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
    fn add_pattern() -> Weight {
        Weight::from_parts(200_000_000, 20_000).saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
    fn remove_pattern() -> Weight {
        Weight::from_parts(200_000_000, 20_000).saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
    fn add_namespace_pattern() -> Weight {
        Weight::from_parts(200_000_000, 20_000).saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
    fn remove_namespace_pattern() -> Weight {
        Weight::from_parts(200_000_000, 20_000).saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
    fn free_names(n: u32) -> Weight {
        Weight::from_parts(200_000_000, 20_000)
            .saturating_add(T::DbWeight::get().reads_writes(u64::from(n), u64::from(n)))
    }
}
