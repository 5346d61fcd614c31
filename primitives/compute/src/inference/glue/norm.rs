//! RMSNorm (Zhang and Sennrich, 2019): the residual divided by the root of its mean square, times weights.

use alloc::vec;

use super::{
    fixed::{exponent, narrow, signed},
    loops, STATE_EXPONENT,
};
use crate::inference::Vector;

/// The power of two that a norm's weights count in.
const WEIGHT_EXPONENT: i32 = -20;
/// The power of two that epsilon counts in.
const EPSILON_EXPONENT: i32 = -40;
/// Bits of the root that are used, and of its reciprocal.
const ROOT_BITS: u32 = 32;
/// One, as the reciprocal of the root divides it.
const ONE_BITS: u32 = 62;

/// The input of a stage that follows a norm. `weights` count in 2^-20, `epsilon` in 2^-40; the vector is as long as the
/// shorter of both.
pub fn norm(state: &[i64], weights: &[i32], epsilon: u64) -> Vector {
    let state = state.get(..weights.len()).unwrap_or(state);
    let (narrowed, shift) = narrow(state);
    let Some((reciprocal, unit)) = reciprocal_root(&narrowed, shift, epsilon) else {
        return Vector::from_exact(&vec![0; state.len()], 0);
    };
    let mut products = vec![0; narrowed.len()];
    loops::pairs(&narrowed, weights, &mut products);
    let (weighted, lost) = narrow(&products);
    // Below 2^31 each, so the product fits.
    loops::times(&weighted, reciprocal, &mut products);
    let unit = exponent(&[unit, signed(shift), signed(lost), STATE_EXPONENT, WEIGHT_EXPONENT]);
    Vector::from_exact(&products, unit)
}

/// The reciprocal of the root of the mean square, at most 2^31, and the power of two that it counts in. `narrowed`
/// counts in units of 2^(shift - 24). Nothing if the mean square is zero.
fn reciprocal_root(narrowed: &[i32], shift: u32, epsilon: u64) -> Option<(i64, i32)> {
    let count = narrowed.len() as u128;
    let square_exponent = exponent(&[signed(shift.saturating_mul(2)), 2 * STATE_EXPONENT]);
    let added = shifted(count.wrapping_mul(epsilon.into()), EPSILON_EXPONENT.saturating_sub(square_exponent));
    let sum = sum_of_squares(narrowed).saturating_add(added);
    if sum == 0 {
        return None;
    }
    // An even shift, so that the root of the unit is a power of two.
    let up = sum.leading_zeros() & !1;
    let root = (sum.wrapping_shl(up) / count.max(1)).isqrt();
    let down = bits_of(root).saturating_sub(ROOT_BITS);
    let root = (root >> down).max(1);
    let reciprocal = i64::try_from((1_u128 << ONE_BITS) / root).ok()?;
    let root_exponent = exponent(&[signed(down), square_exponent.saturating_sub(signed(up)) / 2]);
    Some((reciprocal, exponent(&[-signed(ONE_BITS), root_exponent.saturating_neg()])))
}

/// The exact sum of squares.
fn sum_of_squares(numbers: &[i32]) -> u128 {
    let (low, high) = loops::squares(numbers);
    (u128::from(high) << u32::BITS).saturating_add(low.into())
}

/// `value * 2^exponent`, rounded down.
fn shifted(value: u128, exponent: i32) -> u128 {
    let shift = exponent.unsigned_abs();
    if exponent < 0 {
        value.checked_shr(shift).unwrap_or(0)
    } else {
        value.checked_shl(shift).unwrap_or(u128::MAX)
    }
}

fn bits_of(number: u128) -> u32 {
    u128::BITS.saturating_sub(number.leading_zeros())
}
