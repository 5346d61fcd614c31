//! Weights of the calls. `scripts/weights` measures them for the runtime, and what tasks make this pallet do as a part of
//! the steps of tasks.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(missing_docs)]

use frame_support::weights::Weight;

/// Weight functions needed for `pallet_exchange`.
pub trait WeightInfo {
	fn set_parameters() -> Weight;
	fn clear() -> Weight;
}
