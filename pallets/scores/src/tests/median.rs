//! The weighted median against a plain model.

use proptest::prelude::*;

use crate::{median::weighted_median, Balance};

/// Writes every value as often as its weight says, in order, and takes the middle.
fn plainly(values: &[(u32, Balance)]) -> u32 {
    let mut all: Vec<u32> =
        values.iter().flat_map(|(value, stake)| vec![*value; usize::try_from((*stake).max(1)).unwrap()]).collect();
    all.sort_unstable();
    match all.len() {
        0 => 0,
        odd if odd % 2 == 1 => all[odd / 2],
        even => ((u64::from(all[even / 2 - 1]) + u64::from(all[even / 2])) / 2) as u32,
    }
}

fn values(most: Balance) -> impl Strategy<Value = Vec<(u32, Balance)>> {
    let value = prop_oneof![0u32..10, 0u32..=1_000_000, any::<u32>()];
    prop::collection::vec((value, 0..=most), 0..16)
}

#[test]
fn by_hand() {
    assert_eq!(weighted_median(vec![]), 0);
    assert_eq!(weighted_median(vec![(7, 0)]), 7);
    assert_eq!(weighted_median(vec![(7, 5), (9, 5)]), 8);
    assert_eq!(weighted_median(vec![(10, 5), (7, 5)]), 8, "rounded down");
    assert_eq!(weighted_median(vec![(7, 5), (9, 6)]), 9);
    assert_eq!(weighted_median(vec![(1, 1), (100, 1), (3, 1)]), 3);
    assert_eq!(weighted_median(vec![(1, 2), (3, 1), (100, 1)]), 2, "half of the weight, and the next value");
    assert_eq!(weighted_median(vec![(u32::MAX, Balance::MAX); 16]), u32::MAX);
    assert_eq!(weighted_median(vec![(0, Balance::MAX), (9, Balance::MAX), (3, 1)]), 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn is_that_of_the_model(values in values(12)) {
        prop_assert_eq!(weighted_median(values.clone()), plainly(&values));
    }

    #[test]
    fn does_not_depend_on_the_order(values in values(Balance::MAX), by in 0usize..16) {
        let mut turned = values.clone();
        turned.rotate_left(by.min(values.len()));
        prop_assert_eq!(weighted_median(values), weighted_median(turned));
    }

    #[test]
    fn splitting_a_stake_changes_nothing(values in values(1 << 80), which in 0usize..16, part in 1u128..1_000) {
        let mut split = values.clone();
        if let Some((value, stake)) = split.get(which).copied().filter(|(_, stake)| *stake > part) {
            split[which].1 = stake - part;
            split.push((value, part));
        }
        prop_assert_eq!(weighted_median(values), weighted_median(split));
    }

    /// Liars with less than half of the weight cannot move it beyond what the honest said.
    #[test]
    fn stays_among_what_the_majority_said(
        honest in prop::collection::vec((any::<u32>(), 1u128..1 << 90), 1..8),
        lies in prop::collection::vec(any::<u32>(), 0..8),
    ) {
        let weight: u128 = honest.iter().map(|(_, stake)| stake).sum();
        let each = (weight - 1) / (lies.len() as u128).max(1);
        prop_assume!(each > 0 || lies.is_empty());
        let low = honest.iter().map(|(value, _)| *value).min().unwrap();
        let high = honest.iter().map(|(value, _)| *value).max().unwrap();
        let all = honest.into_iter().chain(lies.into_iter().map(|value| (value, each))).collect();
        prop_assert!((low..=high).contains(&weighted_median(all)));
    }
}
