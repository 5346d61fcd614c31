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

/// `1 / (1 + exp(-x))` in units of 2^-30, for `x` in units of 2^-24. At most 12 units from the true value.
pub fn sigmoid(x: i32) -> u32 {
    mirrored(x, logistic(exponential(x.unsigned_abs())))
}

/// The sigmoid of `|x|`, given `exp(-|x|)`.
#[inline(always)]
pub fn logistic(exponential: u32) -> u32 {
    reciprocal(ONE.wrapping_add(exponential))
}

/// The sigmoid of `x`, given that of `|x|`.
#[inline(always)]
pub fn mirrored(x: i32, sigmoid: u32) -> u32 {
    if x < 0 {
        ONE.wrapping_sub(sigmoid)
    } else {
        sigmoid
    }
}

/// `2^60 / divisor`, rounded down, for a divisor from 2^30 to 2^31.
///
/// By Newton's method, because there are no vector instructions that divide. It begins with the line that is at most one
/// seventeenth off; three steps leave less than 2^-32 of the quotient, and what they round down is less than 2.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the quotient is at most 2^30 and a sixteenth more")]
fn reciprocal(divisor: u32) -> u32 {
    /// 48 / 17 in units of 2^-29, and 8 / 17 in units of 2^-32.
    const LINE: (i64, i64) = (1_515_870_810, 2_021_161_080);
    let divisor = i64::from(divisor);
    let rest = |quotient: i64| (1_i64 << (2 * BITS)).wrapping_sub(divisor.wrapping_mul(quotient));
    let mut quotient = LINE.0.wrapping_sub(divisor.wrapping_mul(LINE.1) >> u32::BITS);
    for _ in 0..3 {
        quotient = quotient.wrapping_add(quotient.wrapping_mul(rest(quotient) >> BITS) >> BITS);
    }
    for _ in 0..3 {
        let rest = rest(quotient);
        quotient = quotient.wrapping_add(i64::from(rest >= divisor)).wrapping_sub(i64::from(rest < 0));
    }
    quotient as u32
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    #[test]
    fn reciprocals_are_quotients_rounded_down() {
        let spread = (0..=1_000_000_u32).map(|step| ONE + step * 1_073);
        for divisor in spread.chain(ONE..ONE + 1_000).chain(2 * ONE - 1_000..=2 * ONE) {
            assert_eq!(u64::from(reciprocal(divisor)), (1_u64 << 60) / u64::from(divisor), "{divisor}");
        }
    }
}
