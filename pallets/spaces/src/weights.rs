//! Weights of the calls and of the steps that time and other pallets bring.
//!
//! `scripts/weights` measures them for the runtime.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(missing_docs)]

use frame_support::weights::Weight;

/// Weight functions needed for `pallet_spaces`.
pub trait WeightInfo {
	fn create() -> Weight;
	fn retire() -> Weight;
	fn suspend() -> Weight;
	fn readmit() -> Weight;
	fn submit_report(n: u32, ) -> Weight;
	fn authorize_submit_report() -> Weight;
	fn accepts() -> Weight;
	fn admit() -> Weight;
	fn end_round() -> Weight;
	fn agenda_look() -> Weight;
	fn open_round() -> Weight;
	fn closing_look() -> Weight;
	fn forget_round() -> Weight;
	fn close_space() -> Weight;
}
