//! The same loops, compiled for more instructions; which, is chosen when the program runs.

use ensemble_tensor::Kind;
use multiversion::multiversion;

use super::{inputs::Input, portable};

/// See [`portable::products`].
#[multiversion(targets("x86_64+avx2", "aarch64+neon"))]
pub fn products(kind: Kind, cols: usize, data: &[u8], inputs: &[Input], out: &mut [i64]) {
    portable::products(kind, cols, data, inputs, out);
}
