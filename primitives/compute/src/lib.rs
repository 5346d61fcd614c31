//! What the network computes and has to agree on, in integers.
//!
//! | module | what it holds |
//! |---|---|
//! | [`aggregation`] | tables whose bases differ, made one: alignment, robust rules, look-up |
//! | [`inference`] | rows times vectors, and what a model does between them |
//!
//! Every function gives the same bits on every machine: in wasm, natively with or without SIMD, on any number of
//! threads, and for any order or split of its input. `docs/numerics.md` is normative for every shift and rounding.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod aggregation;
pub mod inference;
mod machine;
mod parallel;

pub use machine::Machine;
