//! Tables as canonical tensors of kind `i16`, and back: the one place where this crate knows bytes.

use alloc::vec::Vec;

use ensemble_tensor::{Header, Kind, Tensor};
use ndarray::{Array2, ArrayView2};

use crate::aggregation::Error;

/// The numbers of a tensor. Fails if it is of another kind.
pub fn from_tensor(tensor: &Tensor<'_>) -> Result<Array2<i16>, Error> {
    let header = tensor.header();
    if header.kind() != Kind::I16 {
        return Err(Error::Kind(header.kind()));
    }
    let (pairs, _) = tensor.data().as_chunks::<2>();
    let numbers = pairs.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
    Array2::from_shape_vec((header.rows() as usize, header.cols() as usize), numbers).map_err(|_| Error::Mismatch)
}

/// Header and data of the tensor with these numbers. Fails on a shape that no tensor has.
pub fn to_tensor(table: ArrayView2<'_, i16>) -> Result<(Header, Vec<u8>), Error> {
    let size = |size: usize| u32::try_from(size).map_err(|_| Error::Mismatch);
    let header = Header::new(Kind::I16, size(table.nrows())?, size(table.ncols())?)?;
    Ok((header, table.iter().flat_map(|number| number.to_le_bytes()).collect()))
}
