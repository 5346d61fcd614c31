//! Weights of the calls and of freeing names.
//!
//! `scripts/weights` measures them for the runtime.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(missing_docs)]

use frame_support::weights::Weight;

/// Weight functions needed for `pallet_modules`.
pub trait WeightInfo {
	fn register() -> Weight;
	fn update() -> Weight;
	fn remove() -> Weight;
	fn set_dependencies(n: u32, ) -> Weight;
	fn set_role(n: u32, ) -> Weight;
	fn become_miner(n: u32, ) -> Weight;
	fn offer_transfer() -> Weight;
	fn accept_transfer() -> Weight;
	fn cancel_transfer() -> Weight;
	fn refresh_type() -> Weight;
	fn add_type() -> Weight;
	fn add_pattern() -> Weight;
	fn remove_pattern() -> Weight;
	fn add_namespace_pattern() -> Weight;
	fn remove_namespace_pattern() -> Weight;
	fn free_names(n: u32, ) -> Weight;
}
