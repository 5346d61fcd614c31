//! Several arrays of numbers made one, number by number. Of 16 bits for tables, of 32 for carried matrices.
//!
//! All arrays have the same shape. Means are rounded to the nearest whole number, a tie up. There are at most 128 arrays,
//! and weights are at most 2^20, so that weighted sums of numbers of 32 bits fit 64 bits.

use alloc::{vec, vec::Vec};

use ndarray::{Array2, ArrayView2};

use crate::aggregation::{distance::Distances, settings::MAX_MEMBERS, weights, Error};

/// Steps of the geometric median.
pub const MEDIAN_STEPS: u32 = 16;
/// Largest weight of an array.
const MAX_WEIGHT: u64 = 1 << 20;

/// The weighted mean. Fails if there are no arrays, if they differ in shape or number from each other or the weights,
/// or if there are more or heavier ones than may be.
pub fn mean<T: Number>(arrays: &[ArrayView2<'_, T>], weights: &[u64]) -> Result<Array2<T>, Error> {
    each(arrays, weights, |values| mean_of(values))
}

/// The weighted mean without the smallest and the largest values that have the weight `trimmed` each; of the values at
/// the border a part of their weight is left.
///
/// After D. Yin, Y. Chen, K. Ramchandran, P. Bartlett, *Byzantine-Robust Distributed Learning: Towards Optimal
/// Statistical Rates* (ICML 2018). `trimmed` is less than half of the weight. Fails as [`mean`] does.
pub fn trimmed_mean<T: Number>(
    arrays: &[ArrayView2<'_, T>],
    weights: &[u64],
    trimmed: u64,
) -> Result<Array2<T>, Error> {
    each(arrays, weights, |values| {
        values.sort_unstable_by_key(|(value, _)| *value);
        let end = values.iter().map(|(_, weight)| weight).sum::<u64>().saturating_sub(trimmed);
        let mut reached = 0;
        for (_, weight) in values.iter_mut() {
            let from = reached.max(trimmed);
            reached += *weight;
            *weight = reached.min(end).saturating_sub(from);
        }
        mean_of(values)
    })
}

/// The weights with which the mean of the members is their geometric median: the point whose distances to them, by
/// weight, have the smallest sum.
///
/// E. Weiszfeld's iteration, smoothed, as K. Pillutla, S. M. Kakade, Z. Harchaoui use it (*Robust Aggregation for Federated
/// Learning*, IEEE Trans. Signal Process. 70, 2022): [`MEDIAN_STEPS`] times, each member's weight is divided by its
/// distance to the mean so far. The mean itself is not needed for it: the squared distance of member `i` to a mean with
/// parts `a` is `sum_j a_j d_ij - sum_jk a_j a_k d_jk / 2`, of squared distances `d` between members.
pub fn median_weights(distances: &Distances, weights: &[u64]) -> Vec<u64> {
    /// Parts have so many bits behind the point.
    const PART_BITS: u32 = 30;
    let mut parts = shares(weights.iter().map(|weight| u128::from(*weight)).collect(), PART_BITS);
    for _ in 0..MEDIAN_STEPS {
        let to_members: Vec<u128> = (0..distances.count())
            .map(|member| {
                let squares = distances.row(member).iter().zip(&parts);
                squares.map(|(square, part)| u128::from(*square) * u128::from(*part)).sum::<u128>() >> PART_BITS
            })
            .collect();
        let inside =
            to_members.iter().zip(&parts).map(|(mean, part)| mean * u128::from(*part)).sum::<u128>() >> PART_BITS;
        let lengths: Vec<_> = to_members.iter().map(|mean| mean.saturating_sub(inside / 2).isqrt()).collect();
        // Who lies on the mean would otherwise have all the weight.
        let least = (lengths.iter().max().copied().unwrap_or_default() >> 10).max(1);
        let divided =
            lengths.iter().zip(weights).map(|(length, weight)| (u128::from(*weight) << 64) / length.max(&least));
        parts = shares(divided.collect(), PART_BITS);
    }
    weights::reduce(&parts.iter().map(|part| u128::from(*part)).collect::<Vec<_>>())
}

/// The numbers divided by their sum, with so many bits behind the point, rounded down.
fn shares(numbers: Vec<u128>, bits: u32) -> Vec<u64> {
    let sum = numbers.iter().sum::<u128>().max(1);
    // Numbers have at most 85 bits.
    numbers.iter().map(|number| u64::try_from((number << bits) / sum).unwrap_or(u64::MAX)).collect()
}

/// What arrays hold.
pub trait Number: Copy + Default + Into<i64> + TryFrom<i64> {}
impl Number for i16 {}
impl Number for i32 {}

/// The mean of values by weight; 0 if nothing has weight.
pub fn mean_of(values: &[(i64, u64)]) -> i64 {
    let (mut sum, mut total) = (0i64, 0i64);
    for (value, weight) in values {
        let weight = weight.cast_signed();
        sum += value * weight;
        total += weight;
    }
    if total == 0 {
        return 0;
    }
    (2 * sum + total).div_euclid(2 * total)
}

/// Puts together, at each place, the numbers that the arrays have there.
fn each<T: Number>(
    arrays: &[ArrayView2<'_, T>],
    weights: &[u64],
    combine: impl Fn(&mut [(i64, u64)]) -> i64,
) -> Result<Array2<T>, Error> {
    let fits = arrays.len() == weights.len() && arrays.len() <= MAX_MEMBERS;
    let Some(first) = arrays.first().filter(|_| fits && weights.iter().all(|weight| *weight <= MAX_WEIGHT)) else {
        return Err(Error::Mismatch);
    };
    if arrays.iter().any(|array| array.dim() != first.dim()) {
        return Err(Error::Mismatch);
    }
    let mut numbers: Vec<_> = arrays.iter().map(|array| array.iter()).collect();
    let mut values = vec![(0, 0); arrays.len()];
    let mut out = Array2::from_elem(first.dim(), T::default());
    for out in &mut out {
        for ((value, numbers), weight) in values.iter_mut().zip(&mut numbers).zip(weights) {
            *value = (numbers.next().copied().unwrap_or_default().into(), *weight);
        }
        // A mean lies between the numbers it is made of.
        *out = T::try_from(combine(&mut values)).unwrap_or_default();
    }
    Ok(out)
}
