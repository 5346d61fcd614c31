//! Weights of the calls and of what blocks do. `scripts/weights` measures them for the runtime.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(missing_docs)]

use frame_support::weights::Weight;

/// Weight functions needed for `pallet_market`.
pub trait WeightInfo {
	fn list() -> Weight;
	fn update_listing() -> Weight;
	fn unlist() -> Weight;
	fn buy() -> Weight;
	fn redeem(n: u32, ) -> Weight;
	fn offer_contribution() -> Weight;
	fn buy_contribution() -> Weight;
	fn claim_sales() -> Weight;
	fn idle_look() -> Weight;
	fn refresh() -> Weight;
	fn end() -> Weight;
}
