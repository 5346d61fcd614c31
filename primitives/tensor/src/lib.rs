//! Canonical tensors: encoding, identity, row proofs and deterministic quantisation.
//!
//! A tensor is a [`Header`] (kind and shape) and its data. Over the rows of the data stands a Merkle tree; the hash of
//! header and root is the [`TensorId`], so that one row can be proved against the id with a [`RowProof`], and a large
//! tensor can be received in pieces that an [`Outline`] verifies one by one. A [`Bundle`] names several tensors and is
//! itself a tensor.
//!
//! Whoever encodes the same numbers gets the same id, on every machine: there is one encoding of a tensor, and
//! everything that is hashed comes from integer arithmetic. `docs/numerics.md` is normative for all of it.
//!
//! Every function takes hostile input: none panics, and none reserves memory for a length that is merely claimed.
//!
//! | module | what it holds |
//! |---|---|
//! | [`merkle`] | the tree, its hashes and paths |
//! | [`blocks`] | the block formats, as integers |
//! | [`quantise`] | floating point to 8-bit blocks, and back |
//! | [`read`] | `.npy`, `.safetensors` and `.gguf` files (with `std`) |

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod blocks;
mod bundle;
mod error;
mod float;
mod header;
mod id;
#[cfg(feature = "std")]
mod json;
mod kind;
pub mod merkle;
mod outline;
mod proof;
pub mod quantise;
#[cfg(feature = "std")]
pub mod read;
mod tensor;
mod validate;

pub use bundle::Bundle;
pub use error::Error;
pub use float::Float;
pub use header::Header;
pub use id::TensorId;
pub use kind::Kind;
pub use merkle::Hash;
pub use outline::{Outline, OutlineBuilder};
pub use proof::RowProof;
pub use tensor::Tensor;
pub use validate::{validate, validate_rows};
