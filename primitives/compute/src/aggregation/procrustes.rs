//! The rotation that takes one set of anchors to another, in integers.
//!
//! Orthogonal Procrustes (P. H. Schönemann, *A generalized solution of the orthogonal Procrustes problem*,
//! Psychometrika 31, 1966): of all orthogonal `R`, the orthogonal factor of the polar decomposition of `M = A^T B` makes
//! the squared distance of `A R` and `B` smallest. The factor comes from the Newton-Schulz iteration
//! `X <- X (3 I - X^T X) / 2` (Å. Björck, C. Bowie, *An iterative algorithm for computing the best estimate of an
//! orthogonal matrix*, SIAM J. Numer. Anal. 8, 1971; N. J. Higham, *Functions of Matrices*, SIAM 2008, chapter 8). It
//! converges if all singular values of the first `X` lie between 0 and the square root of 3. `M` divided by its Frobenius
//! norm has them between 0 and 1, and there they stay; a small one grows by half in each step, and near 1 the distance
//! from 1 is squared.
//!
//! **Conditioning.** A singular value of less than about 1/10,000 of the Frobenius norm has not come near 1 after
//! [`STEPS`] steps. Then the anchors are called ill-conditioned: the direction would be made of rounding errors. The
//! error of the rotation is about 2^-27 times the Frobenius norm over the smallest singular value.

use alloc::{vec, vec::Vec};

use ndarray::{Array2, ArrayView2};

use crate::{
    aggregation::{columns::Columns, Error},
    Machine,
};

/// Bits behind the point of a rotation's numbers.
pub const BITS: u32 = 30;
/// Most steps of the iteration.
pub const STEPS: u32 = 28;
/// The iteration ends one step after all numbers of `X^T X` were so near to those of the identity: 2^-18.
const NEAR: i32 = 1 << 12;
/// 1, as a rotation's number.
const ONE: i32 = 1 << BITS;

/// An orthogonal matrix up to rounding, to be multiplied from the right. Numbers have [`BITS`] bits behind the point.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rotation(Array2<i32>);

impl Rotation {
    /// The numbers.
    pub fn view(&self) -> ArrayView2<'_, i32> {
        self.0.view()
    }

    /// The rows of a table turned by this rotation, each number rounded to the nearest, a tie up, and limited to 16
    /// bits. The rotation is rounded to 14 bits behind the point for this.
    ///
    /// Fails if the table has other columns, or a row that is too long:
    /// see [`Rejection::RowTooLong`](crate::aggregation::Rejection::RowTooLong).
    pub fn apply(&self, table: ArrayView2<'_, i16>, machine: Machine) -> Result<Array2<i16>, Error> {
        if table.ncols() != self.0.nrows() || crate::aggregation::screen::has_long_row(table) {
            return Err(Error::Mismatch);
        }
        let mut out = Array2::zeros(table.dim());
        self.apply_to(table, machine, &mut out);
        Ok(out)
    }

    /// The same for a table whose shape and rows were checked.
    pub(crate) fn apply_to(&self, table: ArrayView2<'_, i16>, machine: Machine, out: &mut Array2<i16>) {
        const DROPPED: u32 = BITS - 14;
        let turned: Vec<i16> = self
            .0
            .t()
            .iter()
            // At most 2^14 and a bit.
            .map(|number| i16::try_from((i64::from(*number) + (1 << (DROPPED - 1))) >> DROPPED).unwrap_or(i16::MAX))
            .collect();
        let rows = table.as_standard_layout();
        if let (Some(rows), Some(out)) = (rows.as_slice(), out.as_slice_mut()) {
            machine.rotate(rows, &turned, table.ncols().max(1), out);
        }
    }
}

/// The rotation that brings the rows of `from` nearest to those of `to`: the same number of rows and columns, at least
/// as many rows as columns.
///
/// None if the rows do not determine it. Fails on shapes that do not fit, and on long rows as [`Rotation::apply`] does.
pub fn procrustes(
    from: ArrayView2<'_, i16>,
    to: ArrayView2<'_, i16>,
    machine: Machine,
) -> Result<Option<Rotation>, Error> {
    if from.dim() != to.dim() || [from, to].into_iter().any(crate::aggregation::screen::has_long_row) {
        return Err(Error::Mismatch);
    }
    Ok(between(&Columns::of(from), &Columns::of(to), machine))
}

/// The same for anchors that were checked.
pub(crate) fn between(from: &Columns, to: &Columns, machine: Machine) -> Option<Rotation> {
    let cols = from.cols();
    polar(&from.cross(to, machine), cols, machine)
}

/// The orthogonal factor of a square matrix of `cols * cols` numbers below 2^52, if it is well-conditioned.
fn polar(matrix: &[i64], cols: usize, machine: Machine) -> Option<Rotation> {
    let mut x = normalised(matrix)?;
    let mut transposed = vec![0; x.len()];
    let mut y = vec![0; x.len()];
    let mut sums = vec![0; cols];
    for _ in 0..STEPS {
        transpose(&x, cols, &mut transposed);
        gram(&transposed, &x, cols, machine, &mut sums, &mut y);
        let distance = to_update(&mut y, cols);
        // X Z: the rows of X are not needed any more once they are multiplied.
        for row in x.chunks_exact_mut(cols) {
            sums.fill(0);
            machine.multiply(row, &y, cols, 0, &mut sums);
            for (number, sum) in row.iter_mut().zip(&sums) {
                *number = rounded(*sum);
            }
        }
        if distance <= NEAR {
            return Array2::from_shape_vec((cols, cols), x).ok().map(Rotation);
        }
    }
    None
}

/// The matrix divided by its Frobenius norm, rounded up: with 30 bits behind the point, each number rounded to the
/// nearest, a tie up. None of a matrix of zeros.
fn normalised(matrix: &[i64]) -> Option<Vec<i32>> {
    let squares: u128 = matrix.iter().map(|number| u128::from(number.unsigned_abs()).pow(2)).sum();
    if squares == 0 {
        return None;
    }
    let norm = i128::try_from(squares.isqrt()).ok()? + 1;
    let divided = |number: &i64| ((i128::from(*number) << (BITS + 1)) + norm).div_euclid(2 * norm);
    matrix.iter().map(|number| i32::try_from(divided(number)).ok()).collect()
}

fn transpose(matrix: &[i32], cols: usize, out: &mut [i32]) {
    for (place, row) in out.chunks_exact_mut(cols).enumerate() {
        for (number, line) in row.iter_mut().zip(matrix.chunks_exact(cols)) {
            *number = line.get(place).copied().unwrap_or_default();
        }
    }
}

/// `X^T X`: the upper half is computed, the lower is the same.
///
/// No sum overflows: columns of `X` are at most 1 long, and a bit, so that products sum to 2^60 and a bit.
fn gram(transposed: &[i32], x: &[i32], cols: usize, machine: Machine, sums: &mut [i64], out: &mut [i32]) {
    for (first, row) in transposed.chunks_exact(cols).enumerate() {
        let sums = sums.get_mut(first..).unwrap_or_default();
        sums.fill(0);
        machine.multiply(row, x, cols, first, sums);
        for (offset, sum) in sums.iter().enumerate() {
            let number = rounded(*sum);
            for place in [first * cols + first + offset, (first + offset) * cols + first] {
                if let Some(out) = out.get_mut(place) {
                    *out = number;
                }
            }
        }
    }
}

/// Replaces `Y` by `(3 I - Y) / 2`, rounded to the nearest, a tie up, and returns the largest distance of a number of
/// `Y` from that of the identity.
fn to_update(y: &mut [i32], cols: usize) -> i32 {
    let mut largest = 0;
    for (place, row) in y.chunks_exact_mut(cols).enumerate() {
        for (column, number) in row.iter_mut().enumerate() {
            let identity = if place == column { ONE } else { 0 };
            largest = largest.max(number.saturating_sub(identity).saturating_abs());
            let doubled = 3 * i64::from(identity) - i64::from(*number);
            // At most 1.5 and a bit in magnitude.
            *number = i32::try_from((doubled + 1) >> 1).unwrap_or(i32::MAX);
        }
    }
    largest
}

/// A sum of products with 60 bits behind the point, rounded to 30 of them, a tie up.
fn rounded(sum: i64) -> i32 {
    i32::try_from((sum.saturating_add(1 << (BITS - 1))) >> BITS).unwrap_or(if sum < 0 { i32::MIN } else { i32::MAX })
}
