//! Weights as they are computed with.

use alloc::vec::Vec;

use crate::aggregation::settings::MILLION;

/// Bits of the largest weight. Sums of 128 products of a weight and a number of 32 bits then fit 64 bits.
const BITS: u32 = 20;

/// The weights with the largest brought to 20 bits, all by the same power of two: rounded down, but not to zero.
pub fn reduce(weights: &[u128]) -> Vec<u64> {
    let bits = weights.iter().max().map_or(0, |largest| u128::BITS - largest.leading_zeros());
    let (left, right) = (BITS.saturating_sub(bits), bits.saturating_sub(BITS));
    weights
        .iter()
        .map(|weight| {
            // Fewer than 21 bits are left.
            let reduced = u64::try_from((weight >> right) << left).unwrap_or(u64::MAX);
            if *weight == 0 {
                0
            } else {
                reduced.max(1)
            }
        })
        .collect()
}

/// The part of the weight that may cheat, rounded down.
pub fn tolerated(weights: &[u64], millionths: u32) -> u64 {
    let total = u128::from(weights.iter().sum::<u64>());
    // Less than half of the total.
    u64::try_from(total * u128::from(millionths) / u128::from(MILLION)).unwrap_or(u64::MAX)
}

/// The smallest value such that values up to it have at least `numerator / denominator` of the weight. Zero of nothing.
///
/// Weights come to less than 2^62, the fraction's terms are below 2^42.
pub fn quantile(mut weighted: Vec<(u64, u128)>, numerator: u128, denominator: u128) -> u64 {
    weighted.sort_unstable();
    let total: u128 = weighted.iter().map(|(_, weight)| weight).sum();
    let mut sum = 0;
    weighted
        .into_iter()
        .find(|(_, weight)| {
            sum += weight;
            denominator * sum >= numerator * total
        })
        .map_or(0, |(value, _)| value)
}

/// The smallest value such that values up to it have at least half of the weight.
pub fn median(weighted: Vec<(u64, u128)>) -> u64 {
    quantile(weighted, 1, 2)
}
