//! Products as any machine does them, compiled for more instructions: for rows of plain integers, and for machines of
//! which there are few.

use ensemble_tensor::Kind;
use multiversion::multiversion;

use crate::inference::product::{inputs::Input, portable};

/// See [`portable::products`].
#[multiversion(targets("x86_64+avx2"))]
pub fn products(kind: Kind, cols: usize, data: &[u8], inputs: &[Input], out: &mut [i64]) {
    portable::products(kind, cols, data, inputs, out);
}
