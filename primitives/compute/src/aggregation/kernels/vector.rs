//! The same loops, compiled for more instructions; which, is chosen when the program runs.

use multiversion::multiversion;

use super::portable;

/// See [`portable::cross`].
#[multiversion(targets("x86_64+avx2+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub fn cross(column: &[i16], others: &[i16], chunk: usize, out: &mut [i64]) {
    portable::cross(column, others, chunk, out);
}

/// See [`portable::rotate`].
#[multiversion(targets("x86_64+avx2+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub fn rotate(rows: &[i16], turned: &[i16], cols: usize, out: &mut [i16]) {
    portable::rotate(rows, turned, cols, out);
}

/// See [`portable::inner`].
#[multiversion(targets("x86_64+avx2+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub fn inner(left: &[i16], right: &[i16], cols: usize) -> i64 {
    portable::inner(left, right, cols)
}

/// See [`portable::products`].
#[multiversion(targets("x86_64+avx2+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub fn products(rows: &[i16], vector: &[i16], out: &mut [i64]) {
    portable::products(rows, vector, out);
}

/// See [`portable::multiply`].
#[multiversion(targets("x86_64+avx2+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub fn multiply(row: &[i32], matrix: &[i32], cols: usize, from: usize, out: &mut [i64]) {
    portable::multiply(row, matrix, cols, from, out);
}
