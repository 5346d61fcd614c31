//! The runtime after this one: the same with the next `spec_version`. Tests of upgrades upgrade to its wasm; natively it is
//! nothing.

#![no_std]

#[cfg(target_family = "wasm")]
pub use ensemble_runtime::*;
