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

/// See [`portable::magnitudes`].
#[multiversion(targets("x86_64+avx2+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub fn magnitudes(numbers: &[i64]) -> u64 {
    portable::magnitudes(numbers)
}

/// See [`portable::narrow`].
#[multiversion(targets("x86_64+avx2+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub fn narrow(numbers: &[i64], shift: u32, out: &mut [i32]) {
    portable::narrow(numbers, shift, out);
}

/// See [`portable::mantissas`].
#[multiversion(targets("x86_64+avx2+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub fn mantissas(numbers: &[i64], shift: u32, out: &mut [i16]) {
    portable::mantissas(numbers, shift, out);
}

/// See [`portable::squares`].
#[multiversion(targets("x86_64+avx2+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub fn squares(numbers: &[i32]) -> (u64, u64) {
    portable::squares(numbers)
}

/// See [`portable::pairs`].
#[multiversion(targets("x86_64+avx2+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub fn pairs(left: &[i32], right: &[i32], out: &mut [i64]) {
    portable::pairs(left, right, out);
}

/// See [`portable::times`].
#[multiversion(targets("x86_64+avx2+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub fn times(numbers: &[i32], factor: i64, out: &mut [i64]) {
    portable::times(numbers, factor, out);
}

/// See [`portable::arguments`].
#[multiversion(targets("x86_64+avx2+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub fn arguments(numbers: &[i64], exponent: i32, out: &mut [i32]) {
    portable::arguments(numbers, exponent, out);
}

/// See [`portable::gated`].
#[multiversion(targets("x86_64+avx2+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub fn gated(gate: &[i32], sigmoids: &[u32], up: &[i32], out: &mut [i64]) {
    portable::gated(gate, sigmoids, up, out);
}

/// See [`portable::sigmoids`].
#[multiversion(targets("x86_64+avx2+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub fn sigmoids(arguments: &[i32], out: &mut [u32]) {
    portable::sigmoids(arguments, out);
}
