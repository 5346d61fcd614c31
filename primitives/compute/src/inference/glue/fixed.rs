//! Shifts and roundings that all glue shares.

use alloc::{vec, vec::Vec};

use super::loops;

/// Bits of a number that is narrow enough for the product of two to fit 64 bits.
const NARROW_BITS: u32 = 31;

/// Bits of the largest magnitude.
pub fn bits(values: &[i64]) -> u32 {
    u64::BITS.saturating_sub(loops::magnitudes(values).leading_zeros())
}

/// The numbers shifted right, rounded down, until all are from -2^31 to 2^31 - 1; and how far.
pub fn narrow(values: &[i64]) -> (Vec<i32>, u32) {
    let shift = bits(values).saturating_sub(NARROW_BITS);
    let mut narrowed = vec![0; values.len()];
    loops::narrow(values, shift, &mut narrowed);
    (narrowed, shift)
}

/// `value * 2^exponent`, rounded to the nearest whole number, a tie up, and limited to 64 bits.
#[inline(always)]
pub fn scale(value: i64, exponent: i32) -> i64 {
    let shift = exponent.unsigned_abs();
    if exponent >= 0 {
        return raise(value, shift);
    }
    if shift >= i64::BITS {
        return 0;
    }
    // The last bit that is shifted out decides.
    let half = value.wrapping_shr(shift.wrapping_sub(1)) & 1;
    value.wrapping_shr(shift).wrapping_add(half)
}

#[inline(always)]
fn raise(value: i64, shift: u32) -> i64 {
    if value == 0 {
        return 0;
    }
    let raised = value.wrapping_shl(shift);
    if shift < i64::BITS && raised.wrapping_shr(shift) == value {
        return raised;
    }
    if value < 0 {
        i64::MIN
    } else {
        i64::MAX
    }
}

/// A power of two as sums and differences of others; far beyond what any number that is not zero can have, it stays.
pub fn exponent(parts: &[i32]) -> i32 {
    parts.iter().fold(0, |sum: i32, part| sum.saturating_add(*part))
}

/// The exponent that comes of a shift of at most 64 bits.
pub fn signed(shift: u32) -> i32 {
    i32::try_from(shift).unwrap_or(i32::MAX)
}
