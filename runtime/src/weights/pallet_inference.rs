//! What the calls of `pallet_inference` cost.
//!
//! Estimated from what similar calls of other pallets cost: to be replaced by what `scripts/weights` measures.

#![allow(unused_imports, unused_parens)]

use core::marker::PhantomData;

use frame_support::{traits::Get, weights::Weight};

/// Weights of `pallet_inference`.
pub struct WeightInfo<T>(PhantomData<T>);

/// So many microseconds, reads and writes.
fn about<T: frame_system::Config>(micros: u64, reads: u64, writes: u64) -> Weight {
    Weight::from_parts(micros.saturating_mul(1_000_000), 15_000)
        .saturating_add(T::DbWeight::get().reads_writes(reads, writes))
}

/// So many nanoseconds for each of `n`.
fn each(nanos: u64, n: u32) -> Weight {
    Weight::from_parts(nanos.saturating_mul(1_000), 0).saturating_mul(n.into())
}

impl<T: frame_system::Config> pallet_inference::WeightInfo for WeightInfo<T> {
    fn register_model(b: u32) -> Weight {
        about::<T>(300, 10, 12).saturating_add(each(150, b))
    }
    fn retire_model() -> Weight {
        about::<T>(250, 8, 8)
    }
    fn join() -> Weight {
        about::<T>(200, 6, 6)
    }
    fn leave() -> Weight {
        about::<T>(60, 6, 6)
    }
    fn withdraw() -> Weight {
        about::<T>(80, 3, 4)
    }
    fn bond_extra() -> Weight {
        about::<T>(80, 4, 5)
    }
    fn announce() -> Weight {
        about::<T>(130, 2, 3)
    }
    fn open() -> Weight {
        about::<T>(200, 10, 9)
    }
    fn close() -> Weight {
        about::<T>(60, 2, 3)
    }
    fn authorize_close() -> Weight {
        about::<T>(100, 3, 0)
    }
    fn dispute_row(b: u32) -> Weight {
        about::<T>(700, 20, 20).saturating_add(each(30, b))
    }
    fn dispute_trace(b: u32) -> Weight {
        about::<T>(700, 20, 20).saturating_add(each(20, b))
    }
    fn dispute_signature(b: u32) -> Weight {
        about::<T>(500, 12, 10).saturating_add(each(20, b))
    }
    fn dispute_norm(b: u32) -> Weight {
        about::<T>(700, 20, 20).saturating_add(each(30, b))
    }
    fn dispute_outputs(b: u32) -> Weight {
        about::<T>(700, 20, 20).saturating_add(each(40, b))
    }
    fn dispute_prompt(b: u32) -> Weight {
        about::<T>(700, 20, 20).saturating_add(each(500, b))
    }
    fn authorize_dispute(b: u32) -> Weight {
        about::<T>(150, 5, 0).saturating_add(each(10, b))
    }
    fn lock() -> Weight {
        about::<T>(120, 8, 6)
    }
    fn unlock() -> Weight {
        about::<T>(120, 8, 6)
    }
    fn set_parameters() -> Weight {
        about::<T>(10, 0, 1)
    }
    fn agenda_look() -> Weight {
        about::<T>(20, 5, 2)
    }
    /// `n` is in `1..=32`.
    fn assign(n: u32) -> Weight {
        about::<T>(60, 5, 3).saturating_add(about::<T>(60, 19, 1).saturating_mul(n.into()))
    }
    fn time_out() -> Weight {
        about::<T>(150, 10, 10)
    }
    fn end_session() -> Weight {
        about::<T>(250, 12, 12)
    }
    /// `n` is in `1..=32`.
    fn open_votes(n: u32) -> Weight {
        about::<T>(100, 7, 5).saturating_add(about::<T>(60, 4, 11).saturating_mul(n.into()))
    }
    fn postpone_votes() -> Weight {
        about::<T>(30, 4, 4)
    }
    fn settle_worker() -> Weight {
        about::<T>(350, 10, 9)
    }
    fn finish() -> Weight {
        about::<T>(350, 10, 12)
    }
    fn vote_left() -> Weight {
        about::<T>(20, 1, 1)
    }
    fn vote_ended() -> Weight {
        about::<T>(30, 2, 3)
    }
}
