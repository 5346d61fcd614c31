//! The same loops, compiled for more instructions; which, is chosen when the program runs.

use multiversion::multiversion;

use super::portable;

/// See [`portable::dots`].
#[multiversion(targets("x86_64+avx2+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub fn dots(rows: &[i16], vector: &[i16], out: &mut [i32]) {
    portable::dots(rows, vector, out);
}

/// See [`portable::weigh`].
#[multiversion(targets("x86_64+avx2+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub fn weigh(weights: &[i32], rows: &[i16], out: &mut [i64]) {
    portable::weigh(weights, rows, out);
}

/// See [`portable::exponentials`].
#[multiversion(targets("x86_64+avx2+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub fn exponentials(numbers: &mut [u32]) {
    portable::exponentials(numbers);
}
