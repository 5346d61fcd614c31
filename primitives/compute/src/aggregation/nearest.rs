//! Look-up: the rows that point most nearly where a vector points.

use alloc::{vec, vec::Vec};
use core::cmp::{Ordering, Reverse};

use ndarray::{Array2, ArrayView1, ArrayView2};

use crate::{
    aggregation::{Error, Shape},
    Machine,
};

/// Bits behind the point of a cosine.
const BITS: u32 = 30;

/// A row and how near it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Neighbour {
    /// Number of the row.
    pub row: u32,
    /// Cosine of the angle between row and vector, with 30 bits behind the point: their product, divided by the root of
    /// the product of their squares; rounded towards zero and limited to 1 and -1. 0 if one of them is zero.
    ///
    /// The product of the squares, in 128 bits, is shifted to the left by as many pairs of bits as there is room for, so
    /// that rounding its root down takes nothing away however short both are.
    pub cosine: i32,
}

/// A table to look up in, with the square of each row.
#[derive(Clone, Debug)]
pub struct Index {
    table: Array2<i16>,
    squares: Vec<u64>,
}

impl Index {
    /// Fails if the table has more than 1024 columns.
    pub fn new(table: Array2<i16>, machine: Machine) -> Result<Self, Error> {
        if table.ncols() > Shape::MAX_COLS as usize || u32::try_from(table.nrows()).is_err() {
            return Err(Error::Mismatch);
        }
        let table = if table.is_standard_layout() { table } else { table.as_standard_layout().into_owned() };
        let square = |row: ArrayView1<'_, i16>| {
            let mut square = [0];
            let row = row.to_slice().unwrap_or_default();
            machine.products(row, row, &mut square);
            square[0].unsigned_abs()
        };
        let squares = table.outer_iter().map(square).collect();
        Ok(Self { table, squares })
    }

    /// The table.
    pub fn table(&self) -> ArrayView2<'_, i16> {
        self.table.view()
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        2 * self.table.len() + 8 * self.squares.len()
    }

    /// The `count` rows with the largest cosine, the largest first; of equal ones the smaller row first. Compared exactly,
    /// before rounding.
    ///
    /// Fails if the vector has not the columns of the table.
    pub fn nearest(&self, vector: &[i16], count: usize, machine: Machine) -> Result<Vec<Neighbour>, Error> {
        if vector.len() != self.table.ncols() {
            return Err(Error::Mismatch);
        }
        let mut own = [0];
        machine.products(vector, vector, &mut own);
        let mut products = vec![0; self.squares.len()];
        machine.products(self.table.as_slice().unwrap_or_default(), vector, &mut products);
        let rows = (0..).zip(products.iter().zip(&self.squares));
        // A row of zeros has the square 1, so that it compares as any row with the cosine 0.
        let found = rows.map(|(row, (product, square))| Found { row, product: *product, square: (*square).max(1) });
        let mut found: Vec<_> = found.collect();
        if count < found.len() {
            found.select_nth_unstable(count);
            found.truncate(count);
        }
        found.sort_unstable();
        Ok(found.into_iter().map(|found| found.neighbour(own[0])).collect())
    }
}

/// A row whose cosine is `product / sqrt(square)`, times the same for all rows.
#[derive(Clone, Copy)]
struct Found {
    row: u32,
    product: i64,
    square: u64,
}

impl Found {
    /// `own` is the vector's product with itself.
    fn neighbour(self, own: i64) -> Neighbour {
        let squares = (u128::from(self.square) * u128::from(own.unsigned_abs())).max(1);
        let pairs = squares.leading_zeros() / 2;
        let root = (squares << (2 * pairs)).isqrt();
        // Not larger than the root: below 2^64 before the last shift.
        let product = u128::from(self.product.unsigned_abs()) << pairs;
        let cosine = ((product << BITS) / root).min(1 << BITS);
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
