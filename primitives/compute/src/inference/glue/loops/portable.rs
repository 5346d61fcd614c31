//! The inner loops.

use super::super::{
    exponential::{exponential, logistic, mirrored, BITS},
    fixed::scale,
};

/// The product of `vector` with each of `rows`, which are as long as it is.
///
/// The squares of a row and of the vector sum to less than 2^31 each; so does then, by Cauchy and Schwarz, the sum of
/// products, whatever the sums on the way.
#[inline(always)]
pub fn dots(rows: &[i16], vector: &[i16], out: &mut [i32]) {
    for (out, row) in out.iter_mut().zip(rows.chunks_exact(vector.len().max(1))) {
        *out = row
            .iter()
            .zip(vector)
            .fold(0, |sum: i32, (left, right)| sum.wrapping_add(i32::from(*left).wrapping_mul(i32::from(*right))));
    }
}

/// Adds to `out` the sum of `rows`, which are as long as it is, each times its weight.
///
/// Weights are at most 2^30 and rows at most 2^17, so that the sum is at most 2^62.
#[inline(always)]
pub fn weigh(weights: &[i32], rows: &[i16], out: &mut [i64]) {
    const AT_ONCE: usize = 4;
    let width = out.len().max(1);
    let (fours, rest) = weights.as_chunks::<AT_ONCE>();
    let (blocks, tail) = rows.split_at(fours.len().wrapping_mul(AT_ONCE).wrapping_mul(width).min(rows.len()));
    for (weights, block) in fours.iter().zip(blocks.chunks_exact(AT_ONCE.wrapping_mul(width))) {
        let (upper, lower) = block.split_at(width.wrapping_mul(2));
        weigh_four(*weights, [upper.split_at(width), lower.split_at(width)], out);
    }
    for (weight, row) in rest.iter().zip(tail.chunks_exact(width)) {
        for (out, number) in out.iter_mut().zip(row) {
            *out = out.wrapping_add(product(*weight, *number));
        }
    }
}

/// Four rows at once, so that each sum is read and written once for four products.
#[inline(always)]
fn weigh_four(weights: [i32; 4], rows: [(&[i16], &[i16]); 2], out: &mut [i64]) {
    let [(first, second), (third, fourth)] = rows;
    let numbers = first.iter().zip(second).zip(third.iter().zip(fourth));
    for (out, ((first, second), (third, fourth))) in out.iter_mut().zip(numbers) {
        *out = out
            .wrapping_add(product(weights[0], *first))
            .wrapping_add(product(weights[1], *second))
            .wrapping_add(product(weights[2], *third))
            .wrapping_add(product(weights[3], *fourth));
    }
}

#[inline(always)]
fn product(weight: i32, number: i16) -> i64 {
    i64::from(weight).wrapping_mul(i64::from(number))
}

/// `exp(-x)` in units of 2^-30 in place of each `x` in units of 2^-24.
#[inline(always)]
pub fn exponentials(numbers: &mut [u32]) {
    for number in numbers {
        *number = exponential(*number);
    }
}

/// All bits that any magnitude has: as many as the largest.
#[inline(always)]
pub fn magnitudes(numbers: &[i64]) -> u64 {
    numbers.iter().fold(0, |all, number| all | number.unsigned_abs())
}

/// Numbers shifted right, rounded down. The shift leaves 32 bits with the sign.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the shift leaves 32 bits with the sign")]
pub fn narrow(numbers: &[i64], shift: u32, out: &mut [i32]) {
    for (out, number) in out.iter_mut().zip(numbers) {
        *out = number.wrapping_shr(shift) as i32;
    }
}

/// Numbers shifted right, rounded to the nearest, a tie up, and limited to 32767 in magnitude. The shift leaves 15 bits
/// and the sign.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "it was limited")]
pub fn mantissas(numbers: &[i64], shift: u32, out: &mut [i16]) {
    let (half, limit) = (i64::from(shift > 0), i64::from(i16::MAX));
    for (out, number) in out.iter_mut().zip(numbers) {
        let half = number.wrapping_shr(shift.wrapping_sub(1)) & half;
        *out = number.wrapping_shr(shift).wrapping_add(half).clamp(-limit, limit) as i16;
    }
}

/// The sums of the lower and of the upper halves of all squares; 2^32 of them cannot overflow.
#[inline(always)]
pub fn squares(numbers: &[i32]) -> (u64, u64) {
    let (mut low, mut high) = (0_u64, 0_u64);
    for number in numbers {
        let square = u64::from(number.unsigned_abs()).wrapping_mul(number.unsigned_abs().into());
        low = low.wrapping_add(square & u64::from(u32::MAX));
        high = high.wrapping_add(square >> u32::BITS);
    }
    (low, high)
}

/// Products of two numbers each.
#[inline(always)]
pub fn pairs(left: &[i32], right: &[i32], out: &mut [i64]) {
    for (out, (left, right)) in out.iter_mut().zip(left.iter().zip(right)) {
        *out = i64::from(*left).wrapping_mul(i64::from(*right));
    }
}

/// Numbers times one factor.
#[inline(always)]
pub fn times(numbers: &[i32], factor: i64, out: &mut [i64]) {
    for (out, number) in out.iter_mut().zip(numbers) {
        *out = i64::from(*number).wrapping_mul(factor);
    }
}

/// Numbers times two to a power, rounded to the nearest, a tie up, and limited to 32 bits.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "they were limited")]
pub fn arguments(numbers: &[i64], exponent: i32, out: &mut [i32]) {
    let limited = |number: i64| number.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
    let shift = exponent.unsigned_abs();
    if exponent >= 0 || shift >= i64::BITS {
        for (out, number) in out.iter_mut().zip(numbers) {
            *out = limited(scale(*number, exponent));
        }
        return;
    }
    for (out, number) in out.iter_mut().zip(numbers) {
        let half = number.wrapping_shr(shift.wrapping_sub(1)) & 1;
        *out = limited(number.wrapping_shr(shift).wrapping_add(half));
    }
}

/// The sigmoid of each `x` in units of 2^-24, in units of 2^-30.
#[inline(always)]
pub fn sigmoids(arguments: &[i32], out: &mut [u32]) {
    // Loop by loop, because together they are more than compilers make vectors of.
    for (out, x) in out.iter_mut().zip(arguments) {
        *out = exponential(x.unsigned_abs());
    }
    for out in out.iter_mut() {
        *out = logistic(*out);
    }
    for (out, x) in out.iter_mut().zip(arguments) {
        *out = mirrored(*x, *out);
    }
}

/// `gate * sigmoid * up`, the first product without its lower 30 bits.
///
/// It is at most 2^31, as a sigmoid is at most one; so both products fit.
#[inline(always)]
pub fn gated(gate: &[i32], sigmoids: &[u32], up: &[i32], out: &mut [i64]) {
    for (out, ((gate, sigmoid), up)) in out.iter_mut().zip(gate.iter().zip(sigmoids).zip(up)) {
        let gated = i64::from(*gate).wrapping_mul(i64::from(*sigmoid)) >> BITS;
        *out = gated.wrapping_mul(i64::from(*up));
    }
}
