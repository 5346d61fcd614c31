//! Vectors made ready to be multiplied.

use alloc::vec::Vec;

use ensemble_tensor::blocks::COLS;

#[cfg(all(feature = "std", target_arch = "x86_64"))]
use super::x86::avx512;
use crate::inference::{Error, Vector};

/// Vectors of one length, made ready to be multiplied by many rows.
#[derive(Clone, Debug)]
pub struct Inputs {
    len: usize,
    vectors: Vec<Input>,
}

/// A vector, filled up with zeros to whole groups of [`GROUP`] blocks.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its mantissas.
    pub mantissas: Vec<i16>,
    /// The sum of mantissas of each block, for what a format adds to all elements of a block.
    pub sums: Vec<i32>,
    /// The same once more, in another order.
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    pub groups: Vec<avx512::Group>,
}

/// Blocks that vector instructions take at once, or a multiple of them.
const GROUP: usize = 16;

impl Inputs {
    /// Refuses vectors that differ in length.
    pub fn new(vectors: &[Vector]) -> Result<Self, Error> {
        let len = vectors.first().map_or(0, Vector::len);
        if let Some(other) = vectors.iter().find(|vector| vector.len() != len) {
            return Err(Error::Mismatch { cols: len, len: other.len() });
        }
        Ok(Self { len, vectors: vectors.iter().map(|vector| Input::new(vector.mantissas())).collect() })
    }

    /// Elements of each vector.
    pub const fn cols(&self) -> usize {
        self.len
    }

    /// Number of vectors.
    pub fn len(&self) -> usize {
        self.vectors.len()
    }

    /// Whether there are no vectors.
    pub fn is_empty(&self) -> bool {
        self.vectors.is_empty()
    }

    pub(super) fn vectors(&self) -> &[Input] {
        &self.vectors
    }
}

impl Input {
    fn new(vector: &[i16]) -> Self {
        let mut mantissas = vector.to_vec();
        mantissas.resize(vector.len().next_multiple_of(GROUP * COLS), 0);
        let sum = |block: &[i16; COLS]| block.iter().fold(0, |sum: i32, number| sum.wrapping_add((*number).into()));
        Self {
            sums: mantissas.as_chunks().0.iter().map(sum).collect(),
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            groups: if avx512::is_available() { avx512::groups(&mantissas) } else { Vec::new() },
            mantissas,
        }
    }
}
