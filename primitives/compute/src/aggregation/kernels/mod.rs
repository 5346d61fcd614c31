//! The inner loops, each twice: portable, and compiled for the vector instructions that the machine turns out to have.
//!
//! Both are the same source, so that they cannot drift apart, and nothing in them depends on the order of additions:
//! sums are exact. The additions wrap, because the check for overflow that this workspace compiles into releases would
//! forbid vector instructions; each function says why its sums do not overflow.

mod portable;
#[cfg(feature = "std")]
mod vector;

use crate::Machine;

impl Machine {
    /// Sums of products of chunks: see [`portable::cross`].
    pub(crate) fn cross(self, column: &[i16], others: &[i16], chunk: usize, out: &mut [i64]) {
        #[cfg(feature = "std")]
        if self.vector {
            return vector::cross(column, others, chunk, out);
        }
        portable::cross(column, others, chunk, out);
    }

    /// Rotated rows: see [`portable::rotate`].
    pub(crate) fn rotate(self, rows: &[i16], turned: &[i16], cols: usize, out: &mut [i16]) {
        #[cfg(feature = "std")]
        if self.vector {
            return vector::rotate(rows, turned, cols, out);
        }
        portable::rotate(rows, turned, cols, out);
    }

    /// Sum of products of rows: see [`portable::inner`].
    pub(crate) fn inner(self, left: &[i16], right: &[i16], cols: usize) -> i64 {
        #[cfg(feature = "std")]
        if self.vector {
            return vector::inner(left, right, cols);
        }
        portable::inner(left, right, cols)
    }

    /// Sums of products of rows with a vector: see [`portable::products`].
    pub(crate) fn products(self, rows: &[i16], vector: &[i16], out: &mut [i64]) {
        #[cfg(feature = "std")]
        if self.vector {
            return vector::products(rows, vector, out);
        }
        portable::products(rows, vector, out);
    }

    /// A row times a matrix: see [`portable::multiply`].
    pub(crate) fn multiply(self, row: &[i32], matrix: &[i32], cols: usize, from: usize, out: &mut [i64]) {
        #[cfg(feature = "std")]
        if self.vector {
            return vector::multiply(row, matrix, cols, from, out);
        }
        portable::multiply(row, matrix, cols, from, out);
    }
}
