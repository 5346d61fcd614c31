//! Every kernel of `ensemble-compute` behind one function that takes and gives bytes.
//!
//! It exists for test vectors: the same [`Job`] is done natively, on any [`Machine`], and by the wasm module that this
//! crate is when it is built for wasm, and must have the same [`Answer`] everywhere.

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

#[cfg(target_arch = "wasm32")]
mod exports;
pub mod glue;
mod inference;
mod job;
pub mod small;

pub use job::{Answer, Job, Matrix, Submission};
