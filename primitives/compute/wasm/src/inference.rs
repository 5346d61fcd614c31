//! Jobs of inference.

use alloc::{vec, vec::Vec};

use ensemble_compute::{
    inference::{Inputs, Rows, Vector},
    Machine,
};
use ensemble_tensor::Kind;

use crate::Answer;

/// A vector's encoding and hash.
pub fn vector(vector: &Vector) -> Answer {
    Answer::Vector(vector.encode(), vector.hash())
}

/// For each vector the products of all rows.
pub fn products(kind: Kind, cols: u32, rows: &[u8], vectors: &[Vec<u8>], machine: Machine) -> Option<Answer> {
    let rows = Rows::new(kind, cols as usize, rows).ok()?;
    rows.check().ok()?;
    let vectors: Vec<_> = vectors.iter().map(|bytes| Vector::decode(bytes)).collect::<Result<_, _>>().ok()?;
    let mut outputs = vec![Vec::new(); vectors.len()];
    rows.products(&Inputs::new(&vectors).ok()?, machine, &mut outputs).ok()?;
    Some(Answer::Products(outputs))
}
