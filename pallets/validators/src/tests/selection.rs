//! The rule of elections.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::selection::{select, Limits, Selection, Sitting};

fn sits(who: u8) -> Sitting<u8> {
    Sitting { who, proven: true, stake: 0 }
}

fn elected(ranked: &[u8], sitting: &[Sitting<u8>], min: usize, max: usize) -> Vec<u8> {
    select(ranked, sitting, Limits { min, max }).validators
}

#[test]
fn the_best_sit_and_others_leave() {
    assert_eq!(elected(&[4, 3, 2, 1], &[1, 2, 3, 4, 5].map(sits), 2, 4), [1, 2, 3, 4]);
}

#[test]
fn newcomers_come_as_far_as_those_who_stay_can_do_without_them() {
    // How many sit already, and how many newcomers come then.
    for (sitting, coming) in [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (9, 4), (20, 9), (22, 9), (23, 9)] {
        let sitting: Vec<_> = (100..100 + sitting).map(sits).collect();
        let selection = select(&[1, 2, 3, 4, 5, 6, 7, 8, 9], &sitting, Limits { min: 1, max: 40 });
        assert_eq!(selection.newcomers, coming, "{} sit", sitting.len());
    }
}

#[test]
fn who_might_not_work_makes_room_for_nobody() {
    let mut sitting = [1, 2, 3, 4, 5].map(sits);
    assert_eq!(elected(&[9, 8, 1, 2, 3, 4, 5], &sitting, 4, 10), [1, 2, 3, 4, 5, 9, 8]);
    sitting[4].proven = false;
    assert_eq!(elected(&[9, 8, 1, 2, 3, 4, 5], &sitting, 4, 10), [1, 2, 3, 4, 5]);
    // Unless it leaves.
    assert_eq!(elected(&[9, 8, 1, 2, 3, 4], &sitting, 4, 10), [1, 2, 3, 4, 9]);
}

#[test]
fn of_those_who_leave_the_ones_with_most_stake_stay_as_long_as_needed() {
    let stakes = [(1, 0), (2, 30), (3, 50), (4, 40), (5, 0)];
    let sitting = stakes.map(|(who, stake)| Sitting { who, proven: true, stake });
    // A newcomer takes three others.
    assert_eq!(elected(&[9], &sitting, 1, 5), [2, 3, 4, 9]);
}

fn distinct(count: core::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::btree_set(0u8..60, count).prop_map(|set| set.into_iter().collect::<Vec<_>>()).prop_shuffle()
}

fn any_sitting() -> impl Strategy<Value = Vec<Sitting<u8>>> {
    let all = distinct(0..20);
    all.prop_flat_map(|all| {
        let one = (prop::bool::weighted(0.8), 0u128..5);
        prop::collection::vec(one, all.len()).prop_map(move |rest| {
            let seats = all.iter().zip(rest);
            seats.map(|(who, (proven, stake))| Sitting { who: *who, proven, stake }).collect()
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..Default::default() })]

    #[test]
    fn elections_are_continuous_and_finality_survives_them(
        ranked in distinct(0..20), sitting in any_sitting(), min in 1usize..8, spare in 0usize..10,
    ) {
        let max = min.max(ranked.len()).max(sitting.len()) + spare;
        let Selection { validators, newcomers } = select(&ranked, &sitting, Limits { min, max });
        let set: BTreeSet<_> = validators.iter().copied().collect();
        let sat: BTreeSet<_> = sitting.iter().map(|seat| seat.who).collect();
        let wanted: BTreeSet<_> = ranked.iter().copied().collect();
        prop_assert_eq!(set.len(), validators.len(), "nobody twice");
        prop_assert!(set.is_subset(&(&sat | &wanted)), "nobody from nowhere");
        prop_assert!(validators.len() <= max);
        prop_assert!(validators.len() >= min.min(sat.len()), "as many as before, up to the minimum");
        prop_assert!((&sat & &wanted).is_subset(&set), "who is wanted stays");
        prop_assert!(ranked.len() >= min || sat.is_subset(&set), "all stay while few stand");

        let new: Vec<_> = validators.iter().copied().filter(|who| !sat.contains(who)).collect();
        let best: Vec<_> = ranked.iter().copied().filter(|who| !sat.contains(who)).take(newcomers).collect();
        prop_assert_eq!(new, best, "the best of those who are new");
        let unproven = sitting.iter().filter(|seat| !seat.proven && set.contains(&seat.who)).count();
        prop_assert!(newcomers == 0 || 3 * (newcomers + unproven) < validators.len(), "finality goes on without them");
    }
}
