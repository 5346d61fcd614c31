//! The mean of values by the softmax of scores.

use alloc::vec::Vec;

use super::{
    super::{
        exponential::ONE,
        fixed::{bits, exponent, scale, signed},
        loops,
    },
    head::{Head, Lane, NOTHING},
};

/// The power of two that scores count in.
const SCORE_EXPONENT: i32 = -24;
/// The power of two that the root of the head's width counts in.
const ROOT_BITS: u32 = 30;
/// Bits of the sum of weights that are used, and of its reciprocal.
const SUM_BITS: u32 = 32;
/// One, as the reciprocal of the sum of weights divides it.
const ONE_BITS: u32 = 62;
/// Bits of a sum of values beyond those of the sum of weights that are not used.
const SPARE_BITS: u32 = 16;

/// Room for what is needed of each position, kept from head to head.
#[derive(Default)]
pub struct Mixer {
    products: Vec<i32>,
    scores: Vec<i64>,
    weights: Vec<u32>,
    lowered: Vec<i32>,
}

impl Mixer {
    /// Appends the mean of the first `visible` values to `means`, in numbers of at most 62 bits, and returns the power of
    /// two that they count in.
    pub fn mean(&mut self, query: &Head, keys: &Lane, values: &Lane, visible: usize, means: &mut Vec<i64>) -> i32 {
        self.score(query, keys, visible);
        let total = self.softmax();
        let (rows, exponents) = values.first(visible);
        let unit = exponents.iter().copied().max().unwrap_or(NOTHING);
        self.lowered.clear();
        let weights = self.weights.iter().zip(exponents);
        self.lowered.extend(weights.map(|(weight, own)| lowered(*weight, unit.saturating_sub(*own))));
        let before = means.len();
        means.resize(before.saturating_add(values.width()), 0);
        let sums = means.get_mut(before..).unwrap_or_default();
        loops::weigh(&self.lowered, rows, sums);
        divide(sums, total);
        exponent(&[unit, signed(SPARE_BITS), -signed(ONE_BITS)])
    }

    /// The product of the query with each key, divided by the root of the head's width, in units of 2^-24, a tie up, and
    /// limited to 64 bits.
    fn score(&mut self, query: &Head, keys: &Lane, visible: usize) {
        let (rows, exponents) = keys.first(visible);
        self.products.clear();
        self.products.resize(exponents.len(), 0);
        loops::dots(rows, &query.mantissas, &mut self.products);
        let root = reciprocal_root(keys.width());
        let unit = exponent(&[query.exponent, -signed(ROOT_BITS), -SCORE_EXPONENT]);
        // A product is below 2^31, and the root at most 2^30.
        let score =
            |(product, own): (&i32, &i32)| scale(i64::from(*product).wrapping_mul(root), unit.saturating_add(*own));
        self.scores.clear();
        self.scores.extend(self.products.iter().zip(exponents).map(score));
    }

    /// `exp(score - largest)` of each score, in units of 2^-30. Returns their sum.
    fn softmax(&mut self) -> u64 {
        let largest = self.scores.iter().copied().max().unwrap_or_default();
        let below = |score: &i64| u32::try_from(largest.saturating_sub(*score)).unwrap_or(u32::MAX);
        self.weights.clear();
        self.weights.extend(self.scores.iter().map(below));
        loops::exponentials(&mut self.weights);
        self.weights.iter().fold(0, |sum: u64, weight| sum.wrapping_add((*weight).into()))
    }
}

/// `1 / sqrt(width)` in units of 2^-30, rounded down.
fn reciprocal_root(width: usize) -> i64 {
    let square = (1_u64 << (2 * ROOT_BITS)) / (width as u64).max(1);
    square.isqrt().cast_signed()
}

/// A weight for a value whose unit is two to minus `shift` of the common one, rounded down.
fn lowered(weight: u32, shift: i32) -> i32 {
    let shift = u32::try_from(shift).unwrap_or(0).min(u32::BITS - 1);
    i32::try_from(weight.min(ONE).wrapping_shr(shift)).unwrap_or(0)
}

/// Divides sums by the sum of their weights: the result counts in 2^-46.
fn divide(sums: &mut [i64], total: u64) {
    // The sum has 31 bits at least, because the largest weight is one, and 48 at most.
    let wide = bits(&[total.cast_signed()]);
    let down = wide.saturating_sub(SUM_BITS);
    let up = SUM_BITS.saturating_sub(wide);
    let divisor = total.wrapping_shl(up).wrapping_shr(down).max(1);
    let reciprocal = ((1_u64 << ONE_BITS) / divisor).cast_signed();
    let lost = SPARE_BITS.saturating_add(down).saturating_sub(up);
    for sum in sums {
        // A mean is at most the largest value, so 31 bits are left of the sum; the reciprocal has 32 at most.
        *sum = sum.wrapping_shr(lost).wrapping_mul(reciprocal);
    }
}
