//! Weights of the calls and hooks. `scripts/weights` measures them for the runtime.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(missing_docs)]

use frame_support::weights::Weight;

/// Weight functions needed for `pallet_validators`.
pub trait WeightInfo {
	fn stand() -> Weight;
	fn chill() -> Weight;
	fn note_author() -> Weight;
	fn elect(n: u32) -> Weight;
	fn end_session(n: u32) -> Weight;
	fn start_session(n: u32) -> Weight;
	fn offence() -> Weight;
}
