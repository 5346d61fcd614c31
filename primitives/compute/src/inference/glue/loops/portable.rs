//! The inner loops.

use super::super::exponential::exponential;

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
