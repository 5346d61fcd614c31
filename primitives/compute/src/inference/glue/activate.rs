//! SwiGLU (Shazeer, 2020): `gate * sigmoid(gate) * up`.

use alloc::vec::Vec;

use super::{
    exponential::{sigmoid, BITS},
    fixed::{exponent as sum, narrow, scale, signed},
    loops, PRODUCT_EXPONENT,
};
use crate::inference::Vector;

/// The power of two that the argument of the sigmoid counts in.
const ARGUMENT_EXPONENT: i32 = -24;

/// The input of a layer's last stage, from the products of an input with this exponent. As long as the shorter of both.
pub fn activate(gate: &[i64], up: &[i64], exponent: i32) -> Vector {
    let unit = sum(&[exponent, PRODUCT_EXPONENT]);
    let arguments: Vec<i32> = gate.iter().map(|gate| argument(*gate, unit)).collect();
    let mut exponentials: Vec<u32> = arguments.iter().map(|argument| argument.unsigned_abs()).collect();
    loops::exponentials(&mut exponentials);
    let sigmoids = arguments.iter().zip(&exponentials).map(|(x, exponential)| sigmoid(*x, *exponential));

    let ((gate, gate_shift), (up, up_shift)) = (narrow(gate), narrow(up));
    let activated: Vec<i64> = gate
        .iter()
        .zip(sigmoids)
        .zip(&up)
        .map(|((gate, sigmoid), up)| {
            // At most 2^31 after the shift, as the sigmoid is at most one; so both products fit.
            let gated = i64::from(*gate).wrapping_mul(i64::from(sigmoid)) >> BITS;
            gated.wrapping_mul(i64::from(*up))
        })
        .collect();
    Vector::from_exact(&activated, sum(&[unit, unit, signed(gate_shift), signed(up_shift)]))
}

/// A number in units of two to `unit`, in units of 2^-24, limited to 32 bits: beyond 128 a sigmoid does not move.
fn argument(value: i64, unit: i32) -> i32 {
    let value = scale(value, unit.saturating_sub(ARGUMENT_EXPONENT));
    i32::try_from(value).unwrap_or(if value < 0 { i32::MIN } else { i32::MAX })
}
