//! Anchors by columns, as products of two sets of them read them.

use alloc::{vec, vec::Vec};

use ndarray::ArrayView2;

use crate::Machine;

/// The columns of a table one after the other.
pub struct Columns {
    numbers: Vec<i16>,
    len: usize,
    cols: usize,
    chunk: usize,
}

impl Columns {
    /// Lengths of chunks that are tried, the longest first.
    const CHUNKS: [usize; 5] = [256, 64, 16, 4, 1];
    /// Sums of squares below this allow sums of products in 32 bits.
    const LIMIT: u64 = 1 << 31;

    /// Transposes rows.
    pub fn of(rows: ArrayView2<'_, i16>) -> Self {
        let (len, cols) = rows.dim();
        let numbers: Vec<i16> = rows.t().iter().copied().collect();
        let chunk = Self::CHUNKS.into_iter().find(|chunk| Self::fits(&numbers, len, *chunk)).unwrap_or(1);
        Self { numbers, len, cols, chunk }
    }

    /// Whether the squares in every chunk of every column sum to less than the limit.
    fn fits(numbers: &[i16], len: usize, chunk: usize) -> bool {
        let square = |number: &i16| u64::from(number.unsigned_abs()).pow(2);
        let small = |numbers: &[i16]| numbers.iter().map(square).sum::<u64>() < Self::LIMIT;
        numbers.chunks_exact(len.max(1)).flat_map(|column| column.chunks(chunk)).all(small)
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The transpose of these rows times the other rows: exact, row by row, `cols * cols` numbers.
    pub fn cross(&self, other: &Self, machine: Machine) -> Vec<i64> {
        let mut product = vec![0; self.cols * other.cols];
        let chunk = self.chunk.min(other.chunk);
        let columns = self.numbers.chunks_exact(self.len.max(1));
        for (column, out) in columns.zip(product.chunks_exact_mut(other.cols.max(1))) {
            machine.cross(column, &other.numbers, chunk, out);
        }
        product
    }
}
