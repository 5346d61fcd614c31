//! Which rows a worker multiplies.

use ensemble_compute::inference::{ranges, Stage};
use ensemble_compute_wasm::small::Small;
use proptest::prelude::*;

proptest! {
    #[test]
    fn ranges_follow_one_another_and_differ_by_one_row(rows in any::<u32>(), count in 1..2000_u32) {
        let mut next = 0;
        for range in 0..count {
            let found = ranges::rows(rows, range, count);
            prop_assert_eq!(found.start, next);
            let len = found.end - found.start;
            prop_assert!(len == rows / count || len == rows / count + 1);
            next = found.end;
        }
        prop_assert_eq!(next, rows);
    }

    #[test]
    fn what_is_cut_can_be_joined(count in 1..40_u32, stage in 0..9_u32) {
        let llama = Small::default().llama();
        let stage = llama.stage(stage).unwrap();
        let outputs: Vec<i64> = (0..i64::from(llama.outputs(stage))).collect();
        let parts: Vec<_> = (0..count).map(|range| ranges::cut(&llama, stage, range, count, &outputs)).collect();
        for (range, part) in (0..).zip(&parts) {
            prop_assert_eq!(part.len(), ranges::len(&llama, stage, range, count));
        }
        prop_assert_eq!(ranges::join(&llama, stage, &parts), Some(outputs));
    }
}

#[test]
fn there_is_no_such_range() {
    assert!(ranges::rows(10, 2, 2).is_empty());
    assert!(ranges::rows(10, 0, 0).is_empty());
    assert!(ranges::rows(10, u32::MAX, u32::MAX).is_empty());
}

#[test]
fn what_is_missing_or_too_much_is_not_joined() {
    let llama = Small::default().llama();
    let good: Vec<_> = (0..3).map(|range| ranges::cut(&llama, Stage::Head, range, 3, &[7; 80])).collect();
    assert_eq!(ranges::join(&llama, Stage::Head, &good), Some(vec![7; 80]));
    let mut longer = good.clone();
    longer[1].push(7);
    assert_eq!(ranges::join(&llama, Stage::Head, &longer), None);
    let mut shorter = good.clone();
    shorter[2].pop();
    assert_eq!(ranges::join(&llama, Stage::Head, &shorter), None);
    assert_eq!(ranges::join(&llama, Stage::Head, &good[..2]), None);
    assert_eq!(ranges::join::<Vec<i64>>(&llama, Stage::Head, &[]), None);
}
