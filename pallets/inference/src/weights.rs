//! Weights of the calls and of the steps that time and other pallets bring.
//!
//! `scripts/weights` measures them for the runtime.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(missing_docs)]

use frame_support::weights::Weight;

/// Weight functions needed for `pallet_inference`.
pub trait WeightInfo {
	fn register_model(b: u32, ) -> Weight;
	fn retire_model() -> Weight;
	fn join() -> Weight;
	fn leave() -> Weight;
	fn withdraw() -> Weight;
	fn bond_extra() -> Weight;
	fn announce() -> Weight;
	fn open() -> Weight;
	fn close() -> Weight;
	fn authorize_close() -> Weight;
	fn dispute_row(b: u32, ) -> Weight;
	fn dispute_trace(b: u32, ) -> Weight;
	fn dispute_signature(b: u32, ) -> Weight;
	fn dispute_norm(b: u32, ) -> Weight;
	fn dispute_outputs(b: u32, ) -> Weight;
	fn dispute_prompt(b: u32, ) -> Weight;
	fn authorize_dispute(b: u32, ) -> Weight;
	fn lock() -> Weight;
	fn unlock() -> Weight;
	fn set_parameters() -> Weight;
	fn agenda_look() -> Weight;
	fn assign(n: u32, ) -> Weight;
	fn time_out() -> Weight;
	fn end_session() -> Weight;
	fn open_votes(n: u32, ) -> Weight;
	fn postpone_votes() -> Weight;
	fn settle_worker() -> Weight;
	fn finish() -> Weight;
	fn vote_left() -> Weight;
	fn vote_ended() -> Weight;
}
