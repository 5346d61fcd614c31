//! One head of a query, a key or a value, and the keys or values of all positions.

use alloc::vec::Vec;

use super::super::{
    fixed::{exponent as sum, narrow, scale, signed},
    PRODUCT_EXPONENT,
};
use crate::inference::Vector;

/// The power of two that the cosines and sines of a [`Turn`] count in.
const TURN_EXPONENT: i32 = -30;
/// Bits of the sum of squares of a turned head, so that with the rounding of 1,024 elements it is below 2^31.
const SQUARE_BITS: u32 = 30;
/// The exponent of a head that is all zeros: less than any other can have.
pub const NOTHING: i32 = i32::MIN;

/// The rotation of a position.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    cosines: &'a [i32],
    sines: &'a [i32],
    interleaved: bool,
}

impl<'a> Turn<'a> {
    /// The rotation that a row of the model's table holds: the cosines, then the sines, in units of 2^-30. Pairs are
    /// neighbours if `interleaved`, or else the elements at the same place of both halves.
    pub fn new(row: &'a [i32], interleaved: bool) -> Self {
        let (cosines, sines) = row.split_at(row.len() / 2);
        Self { cosines, sines, interleaved }
    }

    /// Where the elements of pair `pair` of so many are.
    fn places(&self, pair: usize, pairs: usize) -> (usize, usize) {
        if self.interleaved {
            (pair.saturating_mul(2), pair.saturating_mul(2).saturating_add(1))
        } else {
            (pair, pair.saturating_add(pairs))
        }
    }

    /// Rotates every pair there is an angle for, exactly, in units of 2^-30; other elements become zeros.
    fn rotate(&self, numbers: &[i32]) -> Vec<i64> {
        let mut turned = alloc::vec![0; numbers.len()];
        let pairs = numbers.len() / 2;
        for (pair, (cosine, sine)) in (0..pairs).zip(self.cosines.iter().zip(self.sines)) {
            let (left, right) = self.places(pair, pairs);
            let (Some(x), Some(y)) = (numbers.get(left), numbers.get(right)) else { continue };
            let (x, y, cosine, sine) = (i64::from(*x), i64::from(*y), i64::from(*cosine), i64::from(*sine));
            // Cosines and sines are at most one, so each sum is at most 2^62; with a false table it wraps.
            set(&mut turned, left, x.wrapping_mul(cosine).wrapping_sub(y.wrapping_mul(sine)));
            set(&mut turned, right, x.wrapping_mul(sine).wrapping_add(y.wrapping_mul(cosine)));
        }
        turned
    }
}

fn set(numbers: &mut [i64], place: usize, number: i64) {
    if let Some(place) = numbers.get_mut(place) {
        *place = number;
    }
}

/// The elements of one head: `mantissa * 2^exponent`.
#[derive(Clone, Debug)]
pub struct Head {
    pub mantissas: Vec<i16>,
    pub exponent: i32,
}

impl Head {
    /// A head of queries or keys, turned, from products of an input with this exponent. The squares of its mantissas sum
    /// to less than 2^31, so that products of two such heads fit 32 bits.
    pub fn turned(outputs: &[i64], exponent: i32, turn: &Turn<'_>) -> Self {
        let (narrowed, shift) = narrow(outputs);
        let (turned, lost) = narrow(&turn.rotate(&narrowed));
        let squares: u128 = turned.iter().map(|number| u128::from(number.unsigned_abs()).pow(2)).sum();
        if squares == 0 {
            return Self::nothing(outputs.len());
        }
        let bits = u128::BITS.saturating_sub(squares.leading_zeros());
        let down = bits.saturating_sub(SQUARE_BITS).div_ceil(2);
        let mantissa = |number: &i32| {
            let rounded = scale((*number).into(), -signed(down)).clamp(-i64::from(i16::MAX), i16::MAX.into());
            i16::try_from(rounded).unwrap_or_default()
        };
        let parts = [exponent, PRODUCT_EXPONENT, TURN_EXPONENT, signed(shift), signed(lost), signed(down)];
        Self { mantissas: turned.iter().map(mantissa).collect(), exponent: sum(&parts) }
    }

    /// A head of values, from products of an input with this exponent.
    pub fn plain(outputs: &[i64], exponent: i32) -> Self {
        if outputs.iter().all(|output| *output == 0) {
            return Self::nothing(outputs.len());
        }
        let vector = Vector::from_exact(outputs, sum(&[exponent, PRODUCT_EXPONENT]));
        Self { mantissas: vector.mantissas().to_vec(), exponent: vector.exponent() }
    }

    fn nothing(len: usize) -> Self {
        Self { mantissas: alloc::vec![0; len], exponent: NOTHING }
    }
}

/// The keys or values of one key-value head, for all positions so far.
#[derive(Clone, Debug)]
pub struct Lane {
    width: usize,
    mantissas: Vec<i16>,
    exponents: Vec<i32>,
}

impl Lane {
    /// For heads of this width.
    pub fn new(width: usize) -> Self {
        Self { width, mantissas: Vec::new(), exponents: Vec::new() }
    }

    /// Number of positions.
    pub fn len(&self) -> usize {
        self.exponents.len()
    }

    /// Elements of a head.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Takes the next position's, with zeros for what is missing.
    pub fn push(&mut self, head: &Head) {
        let missing = self.width.saturating_sub(head.mantissas.len());
        self.mantissas.extend(head.mantissas.iter().take(self.width));
        self.mantissas.extend(core::iter::repeat_n(0, missing));
        self.exponents.push(head.exponent);
    }

    /// Mantissas and exponents of the first positions, of as many as there are.
    pub fn first(&self, positions: usize) -> (&[i16], &[i32]) {
        let positions = positions.min(self.len());
        let (rows, _) = self.mantissas.split_at(positions.saturating_mul(self.width).min(self.mantissas.len()));
        let (exponents, _) = self.exponents.split_at(positions);
        (rows, exponents)
    }
}
