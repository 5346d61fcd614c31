//! The exponential function and what follows from it, for numbers of 32 bits.

/// log2(e) in units of 2^-30.
const LOG2_E: u64 = 1_549_082_005;
/// 2^-f for f from 0 to 1 as a polynomial in f, its coefficients in units of 2^-30 from the constant on: exact at 0, and
/// interpolated at six Chebyshev nodes. With the roundings of [`power`] at most 10 units from the true value.
const POWER: [i32; 7] = [1_073_741_824, -744_261_112, 257_940_802, -59_591_844, 10_304_738, -1_386_885, 123_394];
/// Bits behind the point of a result.
pub const BITS: u32 = 30;
/// One, in units of 2^-30.
pub const ONE: u32 = 1 << BITS;
/// Bits behind the point of `x * log2(e)`: 24 of `x` and 30 of the factor.
const PRODUCT_BITS: u32 = 54;

/// `exp(-x)` in units of 2^-30, for `x` in units of 2^-24. At most 11 units from the true value.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "30 bits, and below 370")]
pub fn exponential(x: u32) -> u32 {
    let product = u64::from(x).wrapping_mul(LOG2_E);
    let fraction = (product >> (PRODUCT_BITS - BITS)) as u32 & (ONE - 1);
    let whole = (product >> PRODUCT_BITS) as u32;
    power(fraction).wrapping_shr(if whole < u32::BITS { whole } else { u32::BITS - 1 })
}

/// `2^-f` in units of 2^-30, for `f` below one in the same units.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "each coefficient and sum is below 2^31")]
fn power(f: u32) -> u32 {
    let [rest @ .., last] = POWER;
    let sum = rest.iter().rev().fold(last, |sum, coefficient| {
        let product = i64::from(sum).wrapping_mul(i64::from(f));
        coefficient.wrapping_add((product >> BITS) as i32)
    });
    sum.cast_unsigned()
}

/// `1 / (1 + exp(-x))` in units of 2^-30, for `x` in units of 2^-24, given `exp(-|x|)` in units of 2^-30. At most 12
/// units from the true value.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the quotient is at most 2^30")]
pub fn sigmoid(x: i32, exponential: u32) -> u32 {
    let quotient = ((1_u64 << (2 * BITS)) / u64::from(ONE).wrapping_add(exponential.into())) as u32;
    if x < 0 {
        ONE.wrapping_sub(quotient)
    } else {
        quotient
    }
}
