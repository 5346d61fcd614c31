//! The ranking against a sorted list.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

use ensemble_core::ModuleId;
use proptest::prelude::*;
use sp_runtime::Permill;

use crate::ranking::{best, best_except, set, Page, Pages, Rank, FAN_OUT, LEVELS, SEATS};

#[derive(Default)]
struct Memory {
    pages: BTreeMap<(u8, u32), Page>,
    loads: Cell<u32>,
    stores: u32,
}

impl Pages for Memory {
    fn load(&self, level: u8, number: u32) -> Page {
        self.loads.set(self.loads.get() + 1);
        self.pages.get(&(level, number)).cloned().unwrap_or_default()
    }

    fn store(&mut self, level: u8, number: u32, page: Page) {
        assert!(level < LEVELS && number < SEATS / FAN_OUT.pow(u32::from(level) + 1), "no such page");
        self.stores += 1;
        self.pages.insert((level, number), page);
    }
}

fn rank(load: u32, percent: u32, module: ModuleId) -> Rank {
    Rank::new(load, Permill::from_percent(percent), module)
}

#[test]
fn load_comes_before_reliability_before_age() {
    let mut ranks = vec![rank(1, 90, 1), rank(0, 10, 4), rank(0, 20, 5), rank(0, 20, 3)];
    ranks.sort();
    assert_eq!(ranks, vec![rank(0, 20, 3), rank(0, 20, 5), rank(0, 10, 4), rank(1, 90, 1)]);
}

#[test]
fn a_ranking_reaches_from_the_first_seat_to_the_last() {
    let mut pages = Memory::default();
    assert_eq!(best(&pages), None);
    set(&mut pages, 0, Some(rank(2, 50, 7)));
    set(&mut pages, SEATS - 1, Some(rank(1, 50, 8)));
    assert_eq!(best(&pages), Some(rank(1, 50, 8)));
    assert_eq!(best_except(&pages, &[8]), Some(rank(2, 50, 7)));
    assert_eq!(best_except(&pages, &[7, 8]), None);
    set(&mut pages, SEATS - 1, None);
    assert_eq!(best(&pages), Some(rank(2, 50, 7)));
    set(&mut pages, 0, None);
    assert_eq!(best(&pages), None);
}

#[test]
fn a_change_that_does_not_matter_above_stops_there() {
    let mut pages = Memory::default();
    set(&mut pages, 0, Some(rank(1, 50, 1)));
    assert_eq!(pages.stores, u32::from(LEVELS));
    pages.stores = 0;
    set(&mut pages, 1, Some(rank(2, 50, 2)));
    assert_eq!(pages.stores, 1);
}

/// Seats on a few pages far from each other, so that these fill up.
fn seat() -> impl Strategy<Value = u32> {
    (0..4u32, 0..3u32, 0..6u32).prop_map(|(top, middle, low)| (top * 20 * FAN_OUT + middle * 30) * FAN_OUT + low * 12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..Default::default() })]

    #[test]
    fn the_best_is_the_first_of_a_sorted_list(
        changes in prop::collection::vec((seat(), prop::option::of((0..4u32, 0..4u32))), 1..200),
        excluded in prop::collection::vec(0..10usize, 0..5),
    ) {
        let mut pages = Memory::default();
        let mut model = BTreeMap::new();
        for (seat, change) in changes {
            // The module is the seat's, as a validator has one seat in a ranking.
            let change = change.map(|(load, quarters)| rank(load, quarters * 25, seat));
            pages.stores = 0;
            set(&mut pages, seat, change);
            prop_assert!(pages.stores <= u32::from(LEVELS));
            match change {
                Some(rank) => model.insert(seat, rank),
                None => model.remove(&seat),
            };
            let sorted: BTreeSet<Rank> = model.values().copied().collect();
            pages.loads.set(0);
            prop_assert_eq!(best(&pages), sorted.first().copied());
            prop_assert_eq!(pages.loads.get(), 1);

            let out: Vec<ModuleId> =
                excluded.iter().filter_map(|number| sorted.iter().nth(*number)).map(|rank| rank.module).collect();
            pages.loads.set(0);
            let expected = sorted.iter().find(|rank| !out.contains(&rank.module)).copied();
            prop_assert_eq!(best_except(&pages, &out), expected);
            prop_assert!(pages.loads.get() as usize <= 1 + 2 * out.len());
        }
    }
}
