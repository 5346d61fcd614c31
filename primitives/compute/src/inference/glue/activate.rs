//! SwiGLU (Shazeer, 2020): `gate * sigmoid(gate) * up`.

use alloc::vec;

use super::{
    fixed::{exponent as sum, narrow, signed},
    loops, PRODUCT_EXPONENT,
};
use crate::inference::Vector;

/// The power of two that the argument of the sigmoid counts in. It is limited to 32 bits: beyond 128 a sigmoid does not move.
const ARGUMENT_EXPONENT: i32 = -24;

/// The input of a layer's last stage, from the products of an input with this exponent. As long as the shorter of both.
pub fn activate(gate: &[i64], up: &[i64], exponent: i32) -> Vector {
    let unit = sum(&[exponent, PRODUCT_EXPONENT]);
    let mut arguments = vec![0; gate.len()];
    loops::arguments(gate, unit.saturating_sub(ARGUMENT_EXPONENT), &mut arguments);
    let mut sigmoids = vec![0; gate.len()];
    loops::sigmoids(&arguments, &mut sigmoids);
    let ((gate, gate_shift), (up, up_shift)) = (narrow(gate), narrow(up));
    let mut activated = vec![0; gate.len().min(up.len())];
    loops::gated(&gate, &sigmoids, &up, &mut activated);
    Vector::from_exact(&activated, sum(&[unit, unit, signed(gate_shift), signed(up_shift)]))
}
