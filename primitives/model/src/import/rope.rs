//! The rotations that tell attention where a token stands: cosines and sines, rounded correctly.
//!
//! Row `p` holds for each frequency `i` the cosine, then for each the sine, of `p * base^(-2i / head_width)`, in units
//! of 2^-30, each the whole number nearest to the exact value.
//!
//! # How it is known that they are
//!
//! All numbers here are integers in units of 2^-192, rounded down. With n frequencies:
//!
//! 1. `r = base^(-1 / n)` is an integer root, less than 1 unit below that of its radicand, which is less than 1 unit
//!    below the exact one and much larger than 1: off by less than 2.
//! 2. Each frequency is the one before times `r`. Factors are at most 1: a step adds less than 3. There are at most
//!    512.
//! 3. Cosine and sine of a frequency come from their Taylor series. A term is off by at most 4, there are fewer than
//!    60, and what is left out is less than 1. As a point in the plane it is off by less than 1536 + 400 in all.
//! 4. The point of position `p` is that of `p - 1`, turned by the frequency: that adds the error of the frequency's
//!    point and less than 3 for rounding. There are at most 2^17 positions: off by less than 2^28.
//!
//! Whatever is farther than 2^30 from the middle of two neighbours in the table is therefore rounded correctly. What is
//! not is refused. None is expected, at a chance of 2^-131 each; and none is the middle itself, because cosines and
//! sines of algebraic numbers other than 0 are transcendental.

use num_bigint::{BigInt, BigUint};

/// Units of what is computed: 2^-192.
const BITS: u32 = 192;
/// Units of the result: 2^-30.
const FRACTION: u32 = 30;
/// What is computed is off by less than 2^30 of its units.
const ERROR_BITS: u32 = 30;

/// The rotations, row by row.
pub struct Rotations {
    /// Cosine and sine of each frequency.
    steps: Vec<Turn>,
    /// Cosine and sine of each frequency times the number of the next row.
    turns: Vec<Turn>,
}

/// A point on the unit circle, in units of 2^-[`BITS`].
#[derive(Clone)]
struct Turn {
    cosine: BigInt,
    sine: BigInt,
}

/// A base of frequencies: `mantissa * 2^exponent`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Base {
    mantissa: u32,
    exponent: i32,
}

impl Base {
    /// The base that these bits of a binary32 number stand for. Nothing unless it is a number above 1.
    pub fn from_bits(bits: u32) -> Option<Self> {
        // Of positive numbers the larger has the larger bits; what follows the largest finite one is infinity.
        const ONE: u32 = 127 << 23;
        const INFINITY: u32 = 255 << 23;
        if bits <= ONE || bits >= INFINITY {
            return None;
        }
        let field = (bits >> 23).cast_signed();
        Some(Self { mantissa: (bits & 0x7f_ffff) | 0x80_0000, exponent: field - 127 - 23 })
    }

    /// `base^(-1 / degree)`, rounded down.
    fn frequency(&self, degree: u32) -> BigInt {
        // 1 / base = 2^-exponent / mantissa.
        let bits = i64::from(BITS) * i64::from(degree) - i64::from(self.exponent);
        let radicand = (BigUint::from(1u32) << u64::try_from(bits).unwrap_or(0)) / self.mantissa;
        radicand.nth_root(degree).into()
    }
}

impl Rotations {
    /// The rotations for heads of `head_width` elements, which is even.
    pub fn new(base: Base, head_width: u32) -> Self {
        let frequencies = head_width / 2;
        let ratio = base.frequency(frequencies.max(1));
        let powers = std::iter::successors(Some(one()), |power| Some(product(power, &ratio)));
        let steps: Vec<Turn> = powers.take(frequencies as usize).map(|angle| Turn::of(&angle)).collect();
        let turns = vec![Turn { cosine: one(), sine: BigInt::default() }; steps.len()];
        Self { steps, turns }
    }

    /// The next row, or nothing if one of its numbers is too near to the middle of two others to be rounded.
    pub fn next_row(&mut self) -> Option<Vec<i32>> {
        let cosines = self.turns.iter().map(|turn| round(&turn.cosine));
        let sines = self.turns.iter().map(|turn| round(&turn.sine));
        let row = cosines.chain(sines).collect();
        for (turn, step) in self.turns.iter_mut().zip(&self.steps) {
            *turn = turn.turned(step);
        }
        row
    }
}

impl Turn {
    /// The point at an angle from 0 to 1.
    fn of(angle: &BigInt) -> Self {
        let square = product(angle, angle);
        Self { cosine: series(one(), &square, 1), sine: series(angle.clone(), &square, 2) }
    }

    /// The point at the sum of two angles.
    fn turned(&self, by: &Self) -> Self {
        Self {
            cosine: product(&self.cosine, &by.cosine) - product(&self.sine, &by.sine),
            sine: product(&self.sine, &by.cosine) + product(&self.cosine, &by.sine),
        }
    }
}

/// The sum of terms, each the one before times `-square` and divided by the next two numbers, from `divisor` on.
fn series(first: BigInt, square: &BigInt, mut divisor: u32) -> BigInt {
    let (mut sum, mut term) = (BigInt::default(), first);
    while term.magnitude().bits() > 0 {
        sum += &term;
        // Towards zero, or the last term would stay -1 for ever.
        term = -(product(&term, square) / (divisor * (divisor + 1)));
        divisor += 2;
    }
    sum
}

fn one() -> BigInt {
    BigInt::from(1) << BITS
}

fn product(left: &BigInt, right: &BigInt) -> BigInt {
    (left * right) >> BITS
}

/// The number in units of 2^-[`FRACTION`], if the error leaves no doubt about it.
fn round(number: &BigInt) -> Option<i32> {
    const DROPPED: u32 = BITS - FRACTION;

    let half = BigInt::from(1) << (DROPPED - 1);
    let raised = number + &half;
    let rounded: BigInt = &raised >> DROPPED;
    let inside: BigInt = raised - (&rounded << DROPPED);
    // How far it is to the nearer middle.
    let end = (BigInt::from(1) << DROPPED) - &inside;
    let distance = if inside < end { inside } else { end };
    let certain = distance.magnitude().bits() > u64::from(ERROR_BITS);
    i32::try_from(rounded).ok().filter(|_| certain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(base: f32, head_width: u32, count: usize) -> Vec<Vec<i32>> {
        let mut rotations = Rotations::new(Base::from_bits(base.to_bits()).unwrap(), head_width);
        (0..count).map(|_| rotations.next_row().unwrap()).collect()
    }

    #[test]
    fn the_first_rows_are_those_worked_out_elsewhere() {
        // With mpmath at 60 digits: floor(x * 2^30 + 1/2) of cosine and sine of p * 10000^(-i / 2).
        let rows = rows(10_000.0, 4, 3);
        assert_eq!(rows[0], [1 << 30, 1 << 30, 0, 0]);
        assert_eq!(rows[1], [580_145_183, 1_073_688_137, 903_522_590, 10_737_239]);
        assert_eq!(rows[2], [-446_834_263, 1_073_527_083, 976_350_678, 21_473_405]);
    }

    #[test]
    fn they_agree_with_floating_point_as_far_as_that_goes() {
        let (base, head_width) = (100_000.0f32, 64);
        for (position, row) in rows(base, head_width, 300).iter().enumerate() {
            for (i, (cosine, sine)) in row[..32].iter().zip(&row[32..]).enumerate() {
                let angle = position as f64 * f64::from(base).powf(-2.0 * i as f64 / f64::from(head_width));
                let unit = f64::from(1 << FRACTION);
                assert!((f64::from(*cosine) - angle.cos() * unit).abs() < 0.501, "{position} {i}");
                assert!((f64::from(*sine) - angle.sin() * unit).abs() < 0.501, "{position} {i}");
            }
        }
    }

    #[test]
    fn what_is_too_near_to_the_middle_is_not_rounded() {
        let unit = BigInt::from(1) << (BITS - FRACTION);
        let middle = &unit * 5 + (&unit >> 1u32);
        let error = (BigInt::from(1) << ERROR_BITS) - 1;
        assert_eq!(round(&middle), None);
        assert_eq!(round(&(&middle + &error)), None);
        assert_eq!(round(&(&middle - &error)), None);
        assert_eq!(round(&(&middle + &error * 4)), Some(6));
        assert_eq!(round(&(&middle - &error * 4)), Some(5));
        assert_eq!(round(&(&unit * -5)), Some(-5));
        assert_eq!(round(&((&middle + &error * 4) * -1)), Some(-6));
    }

    #[test]
    fn a_base_is_a_number_above_one() {
        for bad in [0.0, -2.0, 1.0, 0.5, f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(Base::from_bits(bad.to_bits()), None, "{bad}");
        }
        assert_eq!(Base::from_bits(1.5f32.to_bits()), Some(Base { mantissa: 3 << 22, exponent: -23 }));
        assert!(Base::from_bits(f32::MAX.to_bits()).is_some());
    }

    #[test]
    fn points_stay_on_the_circle_within_the_error() {
        // The widest heads take the most steps.
        let mut rotations = Rotations::new(Base::from_bits(500_000f32.to_bits()).unwrap(), 1024);
        for _ in 0..50 {
            rotations.next_row().unwrap();
        }
        for turn in &rotations.turns {
            let square = (&turn.cosine * &turn.cosine + &turn.sine * &turn.sine) >> BITS;
            // 50 turns, each off by less than 2^11; the square by twice as much.
            assert!((square - one()).magnitude().bits() <= 18);
        }
    }
}
