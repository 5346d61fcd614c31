//! Products of rows and vectors.

mod portable;

use alloc::vec::Vec;

use ensemble_tensor::Kind;

use super::{Error, Rows, Vector};
use crate::Machine;

/// A product is in units of two to this power, plus the exponent of the vector.
pub const OUTPUT_EXPONENT: i32 = -24;

/// Vectors of one length, made ready to be multiplied by many rows.
#[derive(Clone, Debug)]
pub struct Inputs {
    len: usize,
    vectors: Vec<Vec<i16>>,
}

impl Inputs {
    /// Refuses vectors that differ in length.
    pub fn new(vectors: &[Vector]) -> Result<Self, Error> {
        let len = vectors.first().map_or(0, Vector::len);
        if let Some(other) = vectors.iter().find(|vector| vector.len() != len) {
            return Err(Error::Mismatch { cols: len, len: other.len() });
        }
        Ok(Self { len, vectors: vectors.iter().map(|vector| vector.mantissas().to_vec()).collect() })
    }
}

/// The product of one row with a vector, modulo 2^64, in units of `2^(vector's exponent + OUTPUT_EXPONENT)`.
///
/// This is what every other way to multiply is held to, and what the chain does in a dispute: it refuses what is not
/// one row of a valid tensor.
pub fn product(kind: Kind, row: &[u8], vector: &Vector) -> Result<i64, Error> {
    let rows = Rows::new(kind, vector.len(), row)?;
    if rows.len() != 1 {
        return Err(Error::PartialRow { len: row.len(), row_len: rows.row_len() });
    }
    rows.check()?;
    Ok(portable::product(kind, row, vector.mantissas()))
}

/// See [`Rows::products`].
pub fn of_rows(rows: &Rows<'_>, inputs: &Inputs, _: Machine, outputs: &mut [Vec<i64>]) -> Result<(), Error> {
    if inputs.len != rows.cols() {
        return Err(Error::Mismatch { cols: rows.cols(), len: inputs.len });
    }
    if inputs.vectors.len() != outputs.len() {
        return Err(Error::Outputs { vectors: inputs.vectors.len(), outputs: outputs.len() });
    }
    for (output, vector) in outputs.iter_mut().zip(&inputs.vectors) {
        let rows = rows.data().chunks_exact(rows.row_len()).map(|row| portable::product(rows.kind(), row, vector));
        output.extend(rows);
    }
    Ok(())
}
