//! Weights of the calls. `scripts/weights` measures them for the runtime.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(missing_docs)]

use frame_support::weights::Weight;

/// Weight functions needed for `pallet_stake`.
pub trait WeightInfo {
	fn stake() -> Weight;
	fn unstake() -> Weight;
	fn withdraw() -> Weight;
	fn move_stake() -> Weight;
	fn set_fee() -> Weight;
	fn reward() -> Weight;
	fn reward_credit() -> Weight;
	fn slash() -> Weight;
}
