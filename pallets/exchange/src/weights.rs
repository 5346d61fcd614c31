//! Weights of the calls, and of what tasks make this pallet do. `scripts/weights` measures them for the runtime, the
//! latter as parts of the steps of tasks too.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(missing_docs)]

use frame_support::weights::Weight;

/// Weight functions needed for `pallet_exchange`.
pub trait WeightInfo {
	fn set_parameters() -> Weight;
	fn clear() -> Weight;
	fn on_winner() -> Weight;
	fn on_contribution() -> Weight;
}
