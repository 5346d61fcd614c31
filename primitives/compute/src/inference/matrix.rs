//! Rows of a matrix.

use alloc::vec::Vec;
use core::ops::Range;

use ensemble_tensor::{Header, Kind};

use super::{product, Error, Inputs, Vector};
use crate::Machine;

/// Neighbouring rows of a matrix, as they are encoded in a tensor, where they lie: in memory or in a mapped file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rows<'a> {
    kind: Kind,
    cols: usize,
    row_len: usize,
    data: &'a [u8],
}

impl<'a> Rows<'a> {
    /// Whole rows of a tensor of this kind and with so many columns.
    ///
    /// Whether scales are finite is not looked at, because it takes as long as multiplying: whoever has the rows of no
    /// valid tensor asks [`Rows::check`].
    pub fn new(kind: Kind, cols: usize, data: &'a [u8]) -> Result<Self, Error> {
        if kind.is_bytes() {
            return Err(Error::Kind(kind));
        }
        let group = kind.group_cols() as usize;
        if cols == 0 || cols > Vector::MAX_LEN || !cols.is_multiple_of(group) {
            return Err(Error::Columns { kind, cols });
        }
        let row_len = cols / group * kind.group_len() as usize;
        if !data.len().is_multiple_of(row_len) {
            return Err(Error::PartialRow { len: data.len(), row_len });
        }
        Ok(Self { kind, cols, row_len, data })
    }

    /// Refuses scales and minima that are infinite or no numbers. The rows of a valid tensor have none.
    pub fn check(&self) -> Result<(), Error> {
        if self.is_empty() {
            return Ok(());
        }
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let header = Header::new(self.kind, count(self.len()), count(self.cols))?;
        Ok(ensemble_tensor::validate_rows(&header, 0, self.data)?)
    }

    /// How elements are laid out.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Number of columns.
    pub const fn cols(&self) -> usize {
        self.cols
    }

    /// Length of a row in bytes.
    pub const fn row_len(&self) -> usize {
        self.row_len
    }

    /// The bytes of all rows.
    pub const fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Number of rows.
    pub const fn len(&self) -> usize {
        self.data.len() / self.row_len
    }

    /// Whether there are no rows.
    pub const fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Some of the rows, if there are so many.
    pub fn range(&self, rows: Range<usize>) -> Option<Self> {
        let (from, to) = (rows.start.checked_mul(self.row_len)?, rows.end.checked_mul(self.row_len)?);
        Some(Self { data: self.data.get(from..to)?, ..*self })
    }

    /// Appends to each of `outputs` the products of all rows with one of the vectors, in order; see
    /// [`product`](super::product()) for what a product is.
    ///
    /// Nothing is appended if the vectors are not as long as the rows, or if there is not one output for each.
    pub fn products(&self, inputs: &Inputs, machine: Machine, outputs: &mut [Vec<i64>]) -> Result<(), Error> {
        product::of_rows(self, inputs, machine, outputs)
    }
}
