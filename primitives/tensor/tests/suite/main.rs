//! Tests of canonical tensors, by topic.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bundles;
mod common;
mod dequantise;
mod gguf;
mod headers;
mod hostile;
mod identity;
mod merkle;
mod npy;
mod outlines;
mod proofs;
mod quantise;
mod safetensors;
mod validate;
mod vectors;
