//! What benchmarks of the runtime share: chains whose state has a number of entries, blocks that are built on it, what
//! that takes, and how it grows.

#![allow(dead_code, reason = "each benchmark uses its part")]

pub mod block;
pub mod chain;
pub mod growth;
pub mod report;
pub mod transaction;

use codec::Encode;
use sp_io::hashing::blake2_256;

/// A number that looks random and is always the same.
pub fn random(seed: impl Encode) -> u32 {
    let [a, b, c, d, ..] = blake2_256(&seed.encode());
    u32::from_le_bytes([a, b, c, d])
}
