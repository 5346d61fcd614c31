//! Weights of the calls and hooks. `scripts/weights` measures them for the runtime.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(missing_docs)]

use frame_support::weights::Weight;

/// Weight functions needed for `pallet_emission`.
pub trait WeightInfo {
	fn set_split() -> Weight;
	fn claim() -> Weight;
	fn burn() -> Weight;
	fn set_merit() -> Weight;
	fn forfeit() -> Weight;
	fn check_epoch() -> Weight;
	fn close_epoch() -> Weight;
	fn idle() -> Weight;
	fn pay() -> Weight;
	fn forget_earner() -> Weight;
	fn forget_epoch() -> Weight;
}
