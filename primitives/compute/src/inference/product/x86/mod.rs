//! Products with the vector instructions that the machine turns out to have.

pub mod avx2;
pub mod avx512;
pub mod plain;

use ensemble_tensor::Kind;

use super::inputs::Input;

/// Writes the products of all rows in `data`, for each row those with all vectors.
///
/// Vectors are as long as rows, and there is a place for each product.
pub fn products(kind: Kind, cols: usize, data: &[u8], inputs: &[Input], out: &mut [i64]) {
    if !avx512::products(kind, cols, data, inputs, out) && !avx2::products(kind, cols, data, inputs, out) {
        plain::products(kind, cols, data, inputs, out);
    }
}
