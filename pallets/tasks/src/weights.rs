//! Weights of the calls and of the steps that time brings.
//!
//! `scripts/weights` measures them for the runtime. The implementation for `()` is an estimate, for tests.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]

use frame_support::{traits::Get, weights::{Weight, constants::RocksDbWeight}};

/// Weight functions needed for `pallet_tasks`.
pub trait WeightInfo {
	fn create(c: u32, ) -> Weight;
	fn commit() -> Weight;
	fn reveal() -> Weight;
	fn cancel() -> Weight;
	fn advance(n: u32, ) -> Weight;
	fn attest() -> Weight;
	fn authorize_attest() -> Weight;
	fn on_initialize() -> Weight;
	fn agenda_look() -> Weight;
	fn close_reveal() -> Weight;
	fn close_attest() -> Weight;
	fn pay_winner() -> Weight;
	fn pay_minority() -> Weight;
	fn finish() -> Weight;
	fn commit_as_attester() -> Weight;
	fn authorize_commit_as_attester() -> Weight;
	fn reveal_as_attester() -> Weight;
	fn authorize_reveal_as_attester() -> Weight;
	fn dismiss() -> Weight;
	fn conclude_vote() -> Weight;
}

impl WeightInfo for () {
	fn create(c: u32, ) -> Weight {
		Weight::from_parts(60_000_000, 4_000)
			.saturating_add(Weight::from_parts(100_000, 0).saturating_mul(c.into()))
			.saturating_add(RocksDbWeight::get().reads_writes(3, 6))
	}
	fn commit() -> Weight {
		Weight::from_parts(45_000_000, 13_000)
			.saturating_add(RocksDbWeight::get().reads_writes(5, 4))
	}
	fn reveal() -> Weight {
		Weight::from_parts(35_000_000, 6_000)
			.saturating_add(RocksDbWeight::get().reads_writes(3, 3))
	}
	fn cancel() -> Weight {
		Weight::from_parts(50_000_000, 4_000)
			.saturating_add(RocksDbWeight::get().reads_writes(3, 5))
	}
	fn advance(n: u32, ) -> Weight {
		Weight::from_parts(120_000_000, 10_000)
			.saturating_add(RocksDbWeight::get().reads_writes(8, 9))
			.saturating_add(Weight::from_parts(120_000_000, 14_000).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads_writes(8, 9).saturating_mul(n.into()))
	}
	fn attest() -> Weight {
		Weight::from_parts(60_000_000, 9_000)
			.saturating_add(RocksDbWeight::get().reads_writes(4, 7))
	}
	fn authorize_attest() -> Weight {
		Weight::from_parts(75_000_000, 6_000)
			.saturating_add(RocksDbWeight::get().reads_writes(3, 0))
	}
	fn on_initialize() -> Weight {
		Weight::from_parts(5_000_000, 2_000)
			.saturating_add(RocksDbWeight::get().reads_writes(2, 2))
	}
	fn agenda_look() -> Weight {
		Weight::from_parts(8_000_000, 4_000)
			.saturating_add(RocksDbWeight::get().reads_writes(3, 2))
	}
	fn close_reveal() -> Weight {
		Weight::from_parts(60_000_000, 40_000)
			.saturating_add(RocksDbWeight::get().reads_writes(3, 4))
	}
	fn close_attest() -> Weight {
		Weight::from_parts(25_000_000, 5_000)
			.saturating_add(RocksDbWeight::get().reads_writes(2, 3))
	}
	fn pay_winner() -> Weight {
		Weight::from_parts(120_000_000, 14_000)
			.saturating_add(RocksDbWeight::get().reads_writes(8, 9))
	}
	fn pay_minority() -> Weight {
		Weight::from_parts(95_000_000, 12_000)
			.saturating_add(RocksDbWeight::get().reads_writes(7, 7))
	}
	fn finish() -> Weight {
		Weight::from_parts(70_000_000, 6_000)
			.saturating_add(RocksDbWeight::get().reads_writes(4, 7))
	}
	fn commit_as_attester() -> Weight {
		Weight::from_parts(30_000_000, 4_000)
			.saturating_add(RocksDbWeight::get().reads_writes(2, 2))
	}
	fn authorize_commit_as_attester() -> Weight {
		Weight::from_parts(70_000_000, 4_000)
			.saturating_add(RocksDbWeight::get().reads_writes(3, 0))
	}
	fn reveal_as_attester() -> Weight {
		Weight::from_parts(35_000_000, 6_000)
			.saturating_add(RocksDbWeight::get().reads_writes(3, 3))
	}
	fn authorize_reveal_as_attester() -> Weight {
		Weight::from_parts(75_000_000, 4_000)
			.saturating_add(RocksDbWeight::get().reads_writes(3, 0))
	}
	fn dismiss() -> Weight {
		Weight::from_parts(25_000_000, 5_000)
			.saturating_add(RocksDbWeight::get().reads_writes(2, 3))
	}
	fn conclude_vote() -> Weight {
		Weight::from_parts(30_000_000, 4_000)
			.saturating_add(RocksDbWeight::get().reads_writes(2, 4))
	}
}
