//! What is hashed of a step.

use alloc::vec::Vec;

use ensemble_tensor::{merkle, Hash};

/// Outputs under one leaf of an output root.
pub const CHUNK: usize = 32;

/// The hash of a residual: its 64-bit numbers, little endian.
pub fn state(state: &[i64]) -> Hash {
    merkle::leaf_hash(&bytes(state))
}

/// The leaf that a chunk of at most [`CHUNK`] outputs is.
pub fn chunk(outputs: &[i64]) -> Hash {
    merkle::leaf_hash(&bytes(outputs))
}

/// The Merkle root over outputs, [`CHUNK`] of them to a leaf. 32 zero bytes if there are none.
pub fn outputs(outputs: &[i64]) -> Hash {
    merkle::root(outputs.chunks(CHUNK).map(chunk)).unwrap_or_default()
}

/// The path of the chunk with this number under [`outputs`], for a dispute.
pub fn chunk_path(outputs: &[i64], number: u32) -> Option<Vec<Hash>> {
    merkle::path(outputs.chunks(CHUNK).map(chunk), number)
}

/// Numbers as they are hashed, little endian.
pub fn bytes(numbers: &[i64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(numbers.len().saturating_mul(8));
    for number in numbers {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes
}
