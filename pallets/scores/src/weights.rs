//! Weights of the calls and of the steps that time brings.
//!
//! `scripts/weights` measures them for the runtime.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(missing_docs)]

use frame_support::weights::Weight;

/// Weight functions needed for `pallet_scores`.
pub trait WeightInfo {
	fn commit() -> Weight;
	fn reveal(n: u32, ) -> Weight;
	fn draw() -> Weight;
	fn report_silent() -> Weight;
	fn on_initialize() -> Weight;
	fn on_idle() -> Weight;
	fn look() -> Weight;
	fn turn() -> Weight;
	fn draw_next() -> Weight;
	fn settle_miner(r: u32, ) -> Weight;
	fn settle_validator() -> Weight;
	fn forget_miner() -> Weight;
	fn forget_validator() -> Weight;
}
