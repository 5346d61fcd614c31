//! The weighted median: what the raters of a miner agree on.
//!
//! It is the value at which half of all weight is reached when the values stand in order (Cormen et al., *Introduction to
//! Algorithms*, problem 9-2). Whoever has less than half of the weight cannot move it beyond what others said, and whoever
//! splits his weight among equal values does not move it at all.

use alloc::vec::Vec;
use core::cmp::Ordering;

use sp_core::U256;

use crate::Balance;

/// The weight of who has so much at stake, in planck. Nobody counts for nothing, so that there is always a median.
pub fn weight(stake: Balance) -> U256 {
    U256::from(stake.max(1))
}

/// The median of values, each with what its rater has at stake; zero if there are none.
///
/// Where exactly half of the weight is reached by one value and the other half begins with the next, it is the mean of
/// the two, rounded down.
pub fn weighted_median(mut values: Vec<(u32, Balance)>) -> u32 {
    values.sort_unstable();
    let total = sum(values.iter().map(|(_, stake)| *stake));
    let mut reached = U256::zero();
    let mut rest = values.into_iter().peekable();
    while let Some((value, stake)) = rest.next() {
        reached = reached.saturating_add(weight(stake));
        match reached.cmp(&total.saturating_sub(reached)) {
            Ordering::Less => (),
            Ordering::Equal => return mean(value, rest.peek().map_or(value, |(next, _)| *next)),
            Ordering::Greater => return value,
        }
    }
    0
}

/// The weight of stakes together. So many stakes that it does not fit do not exist.
pub fn sum(stakes: impl Iterator<Item = Balance>) -> U256 {
    stakes.fold(U256::zero(), |sum, stake| sum.saturating_add(weight(stake)))
}

/// Rounded down. The first is not above the second.
fn mean(low: u32, high: u32) -> u32 {
    low.saturating_add(high.saturating_sub(low) / 2)
}
