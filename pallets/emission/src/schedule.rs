//! The schedule, and dividing in proportion. This file knows no storage.
//!
//! The schedule is that of Bitcoin: a reward that is halved after a fixed number of periods, in whole planck, rounded
//! down. Its sum is at most `2 * first * halving_period`; a cap below that ends it earlier.

use ensemble_core::epochs::EpochIndex;
use sp_runtime::{helpers_128bit::multiply_by_rational_with_rounding, Rounding};

use crate::Balance;

/// What an epoch brings by the schedule, in planck, if the first one brings `first`.
///
/// Without a halving period, nothing is ever emitted.
pub fn scheduled(epoch: EpochIndex, first: Balance, halving_period: EpochIndex) -> Balance {
    let halvings = epoch.checked_div(halving_period);
    halvings.and_then(|halvings| first.checked_shr(halvings)).unwrap_or(0)
}

/// `amount * weight / all`, rounded down; nothing if `all` is zero. It is exact whatever the size of the numbers, and
/// at most `amount`.
pub fn share(amount: Balance, weight: u128, all: u128) -> Balance {
    multiply_by_rational_with_rounding(amount, weight, all, Rounding::Down).unwrap_or(0).min(amount)
}
