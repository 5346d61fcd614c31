//! What crosses the borders between Ensemble's parts: identifiers, shared types and runtime APIs.
//!
//! A pallet knows another pallet only through this crate; the node and the client speak to the runtime only in these
//! types. Nothing here holds state.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod assets;
pub mod attester;
pub mod tasks;

pub use assets::AssetId;
pub use attester::AttesterId;
pub use tasks::TaskId;
