//! Look-up: the rows that point most nearly where a vector points.

use alloc::vec::Vec;
use core::cmp::{Ordering, Reverse};

use ndarray::{ArrayView1, ArrayView2};

use crate::{Error, Shape};

/// Bits behind the point of a cosine.
const BITS: u32 = 30;

/// A row and how near it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Neighbour {
    /// Number of the row.
    pub row: u32,
    /// Cosine of the angle between row and vector, with 30 bits behind the point: their product times 2^30, divided by
    /// the root of the product of their squares, which is rounded down; rounded towards zero and limited to 1 and -1.
    /// 0 if one of them is zero.
    pub cosine: i32,
}

/// The `count` rows with the largest cosine, the largest first; of equal ones the smaller row first. Compared exactly,
/// before rounding.
///
/// Fails if the vector has not the columns of the table, or they are more than 1024.
pub fn nearest(table: ArrayView2<'_, i16>, vector: ArrayView1<'_, i16>, count: usize) -> Result<Vec<Neighbour>, Error> {
    let (rows, cols) = table.dim();
    if vector.len() != cols || cols > Shape::MAX_COLS as usize || u32::try_from(rows).is_err() {
        return Err(Error::Mismatch);
    }
    let own = inner(vector, vector);
    let mut found: Vec<_> = (0..).zip(table.outer_iter()).map(|(row, line)| Found::new(row, line, vector)).collect();
    if count < found.len() {
        found.select_nth_unstable(count);
        found.truncate(count);
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|found| found.neighbour(own)).collect())
}

fn inner(left: ArrayView1<'_, i16>, right: ArrayView1<'_, i16>) -> i64 {
    left.iter().zip(right).map(|(left, right)| i64::from(*left) * i64::from(*right)).sum()
}

/// A row whose cosine is `product / sqrt(square)`, times the same for all rows. A row of zeros has the square 1, so that it
/// compares as any row with the cosine 0.
#[derive(Clone, Copy)]
struct Found {
    row: u32,
    product: i64,
    square: u64,
}

impl Found {
    fn new(row: u32, line: ArrayView1<'_, i16>, vector: ArrayView1<'_, i16>) -> Self {
        Self { row, product: inner(line, vector), square: inner(line, line).unsigned_abs().max(1) }
    }

    /// `own` is the vector's product with itself.
    fn neighbour(self, own: i64) -> Neighbour {
        let root = (u128::from(self.square) * u128::from(own.unsigned_abs())).isqrt().max(1);
        let cosine = ((u128::from(self.product.unsigned_abs()) << BITS) / root).min(1 << BITS);
        let cosine = i32::try_from(cosine).unwrap_or(1 << BITS);
        Neighbour { row: self.row, cosine: if self.product < 0 { -cosine } else { cosine } }
    }
}

impl Ord for Found {
    /// The nearer one first.
    fn cmp(&self, other: &Self) -> Ordering {
        // Cosines of the same sign compare as their squares: p^2 / s and q^2 / t as p^2 t and q^2 s, below 2^123.
        let key = |one: &Self, other: &Self| {
            let square = u128::from(one.product.unsigned_abs()).pow(2) * u128::from(other.square);
            let square = i128::try_from(square).unwrap_or(i128::MAX);
            if one.product < 0 {
                -square
            } else {
                square
            }
        };
        Reverse(key(self, other)).cmp(&Reverse(key(other, self))).then(self.row.cmp(&other.row))
    }
}

impl PartialOrd for Found {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Found {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Found {}
