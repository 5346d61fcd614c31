//! Readers of the files in which matrices usually come.
//!
//! A reader borrows the file's bytes, from a memory map for example, and allocates nothing for the elements: a
//! [`Matrix`] encodes one row at a time.

pub mod gguf;
pub mod npy;
pub mod safetensors;

mod matrix;

pub use matrix::{Element, Matrix};
