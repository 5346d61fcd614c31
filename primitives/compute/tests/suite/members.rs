//! Members that cannot be used are rejected with their reason, and the round goes on.

use ensemble_compute::{
    aggregation::{aggregate, Error, Rejection, Rule},
    Machine,
};
use ndarray::{s, Array2};

use crate::common::{rejections, run, settings, small, Entry};

/// Honest members with another among them, and what becomes of it.
fn with(change: impl Fn(&mut Entry)) -> (Option<Rejection>, usize) {
    let (world, mut entries) = small(8, 21);
    change(&mut entries[3]);
    let outcome = run(&settings(&world, Rule::MultiKrum), &entries, Machine::ONE_CORE);
    let report = &outcome.reports[3];
    if report.rejection != Some(Rejection::Outvoted) && report.rejection.is_some() {
        assert_eq!((report.distance, report.influence), (None, 0));
        assert_eq!(outcome.rotations[3], None);
        // The round is that of the others.
        entries.remove(3);
        assert_eq!(run(&settings(&world, Rule::MultiKrum), &entries, Machine::ONE_CORE).table, outcome.table);
    }
    (report.rejection, outcome.reports.iter().filter(|report| report.rejection.is_none()).count())
}

#[test]
fn an_honest_round_rejects_nobody() {
    assert_eq!(with(|_| ()), (None, 8));
}

#[test]
fn another_dimension_is_rejected() {
    assert_eq!(
        with(|entry| entry.table = entry.table.slice(s![1.., ..]).to_owned()).0,
        Some(Rejection::WrongDimension)
    );
    assert_eq!(
        with(|entry| entry.table = entry.table.slice(s![.., 1..]).to_owned()).0,
        Some(Rejection::WrongDimension)
    );
    assert_eq!(with(|entry| entry.table = Array2::zeros((0, 0))).0, Some(Rejection::WrongDimension));
}

#[test]
fn no_weight_is_rejected() {
    assert_eq!(with(|entry| entry.weight = 0).0, Some(Rejection::NoWeight));
}

#[test]
fn zeros_are_rejected() {
    assert_eq!(with(|entry| entry.table.fill(0)).0, Some(Rejection::AllZero));
}

#[test]
fn saturated_tables_are_rejected() {
    for number in [i16::MAX, i16::MIN, -i16::MAX] {
        assert_eq!(with(|entry| entry.table.fill(number)).0, Some(Rejection::Saturated));
        let few = |count: usize| {
            with(|entry| {
                for mut row in entry.table.rows_mut().into_iter().take(count) {
                    row.fill(0);
                    row[0] = number;
                }
            })
        };
        // 96 rows of 12 are 1152 numbers: 18 may be at the end.
        assert_ne!(few(18).0, Some(Rejection::Saturated));
        assert_eq!(few(19).0, Some(Rejection::Saturated));
    }
}

#[test]
fn long_rows_are_rejected() {
    // 12 * 11585^2 is just above 1.5 * 2^30, 12 * 11584^2 below.
    assert_eq!(with(|entry| entry.table.row_mut(95).fill(11_586)).0, Some(Rejection::RowTooLong));
    assert_ne!(with(|entry| entry.table.row_mut(95).fill(11_585)).0, Some(Rejection::RowTooLong));
}

#[test]
fn ill_conditioned_anchors_are_rejected() {
    assert_eq!(with(|entry| entry.table.column_mut(5).fill(0)).0, Some(Rejection::IllConditioned));
    assert_eq!(with(|entry| entry.table.slice_mut(s![..24, ..]).fill(0)).0, Some(Rejection::IllConditioned));
}

#[test]
fn noise_is_outvoted() {
    let noise = |entry: &mut Entry| {
        for (place, number) in entry.table.iter_mut().enumerate() {
            *number = i16::try_from((place * place * 7919) % 18_001).unwrap() - 9000;
        }
    };
    assert_eq!(with(noise), (Some(Rejection::Outvoted), 7));
}

#[test]
fn of_equal_tables_the_first_or_else_the_heaviest_counts() {
    let (world, mut entries) = small(6, 2);
    for place in [1, 4] {
        entries[place].table = entries[0].table.clone();
    }
    let settings = settings(&world, Rule::MultiKrum);
    let duplicates = |entries: &[Entry]| -> Vec<usize> {
        let found = rejections(&run(&settings, entries, Machine::ONE_CORE));
        found
            .iter()
            .enumerate()
            .filter(|(_, found)| **found == Some(Rejection::Duplicate))
            .map(|(place, _)| place)
            .collect()
    };
    assert_eq!(duplicates(&entries), [1, 4], "the smallest id stays");
    entries[4].weight = 2;
    assert_eq!(duplicates(&entries), [0, 1]);
    entries[0].weight = 2;
    assert_eq!(duplicates(&entries), [1, 4]);
    // Who is rejected for another reason is nobody's original.
    entries[0].weight = 0;
    assert_eq!(duplicates(&entries), [1]);
    // Neither more weight nor a smaller id makes up for coming later.
    entries[0] = Entry { rank: 7, weight: 1_000, ..entries[0].clone() };
    entries[4].rank = 7;
    entries[1].rank = 6;
    assert_eq!(duplicates(&entries), [0, 4]);
    entries[4].rank = 5;
    assert_eq!(duplicates(&entries), [0, 1]);
}

#[test]
fn a_round_without_anybody_left_fails() {
    let (world, mut entries) = small(3, 2);
    for entry in &mut entries {
        entry.weight = 0;
    }
    let members: Vec<_> = entries.iter().map(Entry::member).collect();
    assert_eq!(aggregate(&settings(&world, Rule::MultiKrum), &members, Machine::ONE_CORE), Err(Error::NobodyLeft));
}

#[test]
fn whom_nobody_can_be_aligned_to_is_not_the_reference() {
    // Most weight and the best score, since they lack the noise in what they lack; but no rotation leads to them.
    let (world, mut entries) = small(9, 33);
    for entry in &mut entries[..4] {
        entry.table.column_mut(11).mapv_inplace(|number| number / 512);
    }
    let found = rejections(&run(&settings(&world, Rule::MultiKrum), &entries, Machine::ONE_CORE));
    assert_eq!(found[4..], [None; 5]);
}
