//! The schedule, and dividing in proportion.

use proptest::prelude::*;
use sp_core::U256;

use crate::schedule::{scheduled, share};

#[test]
fn rewards_are_halved() {
    assert_eq!(
        [0, 99, 100, 199, 200, 300].map(|epoch| scheduled(epoch, 1_001, 100)),
        [1_001, 1_001, 500, 500, 250, 125]
    );
}

#[test]
fn rewards_end() {
    assert_eq!(scheduled(126, u128::MAX, 1), 3);
    assert_eq!(scheduled(127, u128::MAX, 1), 1);
    assert_eq!(scheduled(128, u128::MAX, 1), 0);
    assert_eq!(scheduled(u32::MAX, u128::MAX, 1), 0);
    assert_eq!(scheduled(0, 1_000, 0), 0);
}

#[test]
fn all_rewards_stay_below_their_limit() {
    for first in [1u128, 7, 1_000, 999_999_999_999] {
        let sum: u128 = (0..1_300).map(|epoch| scheduled(epoch, first, 10)).sum();
        assert!(sum < 2 * first * 10);
        assert_eq!(scheduled(1_300, first, 10), 0);
    }
}

#[test]
fn nothing_is_divided_by_nothing() {
    assert_eq!(share(1_000, 5, 0), 0);
    assert_eq!(share(1_000, 0, 5), 0);
    assert_eq!(share(1_000, 1, 3), 333);
    assert_eq!(share(u128::MAX, u128::MAX, u128::MAX), u128::MAX);
    // Nobody has more than all.
    assert_eq!(share(1_000, 6, 5), 1_000);
}

proptest! {
    #[test]
    fn shares_are_exact(amount: u128, all in 1u128.., part: u128) {
        let weight = part % all;
        let exact = U256::from(amount).full_mul(U256::from(weight)) / U256::from(all);
        prop_assert_eq!(sp_core::U512::from(share(amount, weight, all)), exact);
    }
}
