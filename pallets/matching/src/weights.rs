//! Weights of the calls and of the steps of `on_idle`. `scripts/weights` measures them for the runtime.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(missing_docs)]

use frame_support::weights::Weight;

/// Weight functions needed for `pallet_matching`.
pub trait WeightInfo {
	fn switch_off() -> Weight;
	fn switch_miner_off() -> Weight;
	fn switch_on() -> Weight;
	fn switch_miner_on() -> Weight;
	fn flag() -> Weight;
	fn flag_miner() -> Weight;
	fn unflag() -> Weight;
	fn unflag_miner() -> Weight;
	fn set_truth() -> Weight;
	fn add_test_case() -> Weight;
	fn remove_test_case() -> Weight;
	fn idle() -> Weight;
	fn look() -> Weight;
	fn find() -> Weight;
	fn find_in_vain() -> Weight;
	fn part_miner() -> Weight;
	fn part_validator() -> Weight;
	fn depart() -> Weight;
	fn depart_miner() -> Weight;
}
