//! Matrices given in a member's basis, carried into the common one.
//!
//! A member's row `x` becomes `x R`. A matrix that takes rows to rows of the same space, `x W`, becomes `R^T W R`; one that
//! takes them elsewhere becomes `R^T W`, and one that comes from elsewhere `W R`. Carried matrices have 32 bits, since a
//! rotation may gather what was spread over a whole matrix in one number, and the unit of the matrix that was given.

use alloc::{vec, vec::Vec};

use codec::{Decode, Encode};
use ndarray::{Array2, ArrayView2};

use crate::{
    aggregation::{
        combine,
        procrustes::{Rotation, BITS},
        weights, Error, Settings, Shape,
    },
    Machine,
};

/// Which sides of a matrix belong to the space.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
#[cfg_attr(feature = "std", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "std", serde(rename_all = "snake_case"))]
pub enum Side {
    /// Its rows: `R^T W`.
    Rows,
    /// Its columns: `W R`.
    Cols,
    /// Both: `R^T W R`, computed as `R^T (W R)`.
    Both,
}

/// A matrix in the common basis. After each product, numbers are rounded to the nearest, a tie up.
///
/// Fails if the matrix has not the dimension of the space on the sides named, or more than 1024 rows or columns.
pub fn carry(
    matrix: ArrayView2<'_, i16>,
    side: Side,
    rotation: &Rotation,
    machine: Machine,
) -> Result<Array2<i32>, Error> {
    let longest = Shape::MAX_COLS as usize;
    if matrix.nrows() > longest || matrix.ncols() > longest {
        return Err(Error::Mismatch);
    }
    let wide = matrix.mapv(i32::from);
    let turned = rotation.view().reversed_axes();
    match side {
        Side::Rows => product(turned, wide.view(), machine),
        Side::Cols => product(wide.view(), rotation.view(), machine),
        Side::Both => product(turned, product(wide.view(), rotation.view(), machine)?.view(), machine),
    }
}

/// A product of which one factor is a rotation.
///
/// A column of a matrix of 1024 rows of 16 bits is at most 2^20 long, 2^25 after the first product, and a column of a
/// rotation 2^30 and a bit: sums are below 2^56, and results below 2^26.
fn product(left: ArrayView2<'_, i32>, right: ArrayView2<'_, i32>, machine: Machine) -> Result<Array2<i32>, Error> {
    if left.ncols() != right.nrows() {
        return Err(Error::Mismatch);
    }
    let (left, right) = (left.as_standard_layout(), right.as_standard_layout());
    let numbers = right.as_slice().ok_or(Error::Mismatch)?;
    let cols = right.ncols();
    let mut sums = vec![0; cols];
    let mut out = Vec::with_capacity(left.nrows() * cols);
    for row in left.outer_iter() {
        sums.fill(0);
        machine.multiply(row.as_slice().ok_or(Error::Mismatch)?, numbers, cols, 0, &mut sums);
        let rounded = sums.iter().map(|sum| sum.saturating_add(1 << (BITS - 1)) >> BITS);
        out.extend(rounded.map(|sum| i32::try_from(sum).unwrap_or_default()));
    }
    Array2::from_shape_vec((left.nrows(), cols), out).map_err(|_| Error::Mismatch)
}

/// Makes one matrix of carried ones: their trimmed mean by the members' weights, whatever the rule for tables.
///
/// `weights` are those of the members whose tables have influence, in the order of `matrices`. Not the influence itself:
/// rules judge tables, and a member with an honest table may have any matrix beside it; under the geometric median one
/// whose table lies in the middle can have nearly all influence. As long as no more than the tolerated part of these
/// weights cheats, each number lies between those of honest members.
///
/// Members without weight may have any matrix of the same shape. Fails if shapes differ, or if the numbers of
/// matrices and of weights do.
pub fn combine_carried(
    settings: &Settings,
    matrices: &[ArrayView2<'_, i32>],
    weights: &[u128],
) -> Result<Array2<i32>, Error> {
    let weights = weights::reduce(weights);
    combine::trimmed_mean(matrices, &weights, weights::tolerated(&weights, settings.tolerated))
}
