//! Members that cannot be used, and rounds that cannot.

use ensemble_core::{
    combination::{MAX_INPUT_BYTES, MAX_WORK},
    spaces::{Basis, Finding, Rejection, STATE},
};
use ensemble_tensor::Kind;
use ndarray::Array2;

use super::*;
use crate::tensors::StoreError;

/// A member per reason, with the reason.
fn misfits(lab: &Lab) -> Vec<(TensorId, Rejection)> {
    let filled = |rows, cols, number| lab.table(&Array2::from_elem((rows, cols), number));
    let mut flat = Array2::zeros((ROWS, COLS));
    flat.column_mut(0).fill(30_000);
    vec![
        (filled(ROWS - 1, COLS, 100), Rejection::WrongShape),
        (filled(COLS, ROWS, 100), Rejection::WrongShape),
        (lab.put(Kind::I32, ROWS, COLS, &[1; 4 * ROWS * COLS]), Rejection::WrongShape),
        (lab.put(Kind::Bytes, 2 * ROWS * COLS, 1, &[1; 2 * ROWS * COLS]), Rejection::WrongShape),
        (lab.bundle(&[(STATE, lab.table(&noisy(90)))]), Rejection::WrongShape),
        (filled(ROWS, COLS, 0), Rejection::AllZero),
        (filled(ROWS, COLS, i16::MIN), Rejection::Saturated),
        (filled(ROWS, COLS, 30_000), Rejection::RowTooLong),
        (lab.table(&flat), Rejection::IllConditioned),
        (lab.table(&unit_rows(99)), Rejection::Outvoted),
    ]
}

#[test]
fn members_that_cannot_be_used_are_rejected_and_the_round_goes_on() {
    let lab = Lab::new();
    let (honest, misfits) = (lab.honest(6), misfits(&lab));
    let combination = round(honest.iter().copied().chain(misfits.iter().map(|(content, _)| *content)).collect());
    let combined = lab.combine(&combination).unwrap();
    for (content, reason) in misfits {
        let Finding { rejection, distance } = finding_of(&combination, &combined.report, &content);
        assert_eq!(rejection, Some(reason));
        assert_eq!(distance > 0, reason == Rejection::Outvoted, "{reason:?}");
    }
    for content in honest {
        assert_eq!(finding_of(&combination, &combined.report, &content).rejection, None);
    }
    let (state, truth) = (lab.array(&combined, STATE), float(&truth()));
    assert!(deviation(&state.dot(&state.t()), &truth.dot(&truth.t())) < 0.02);
}

#[test]
fn a_bundle_needs_the_table_and_every_matrix() {
    let lab = Lab::new();
    let matrix = |rows: usize| lab.table(&Array2::from_elem((rows, COLS), 7));
    let whole = |member: u64| {
        let table = lab.table(&Turn::of(member).rows(&noisy(member)));
        lab.bundle(&[(STATE, table), ("m", matrix(3)), ("more", matrix(1))])
    };
    let honest: Vec<_> = (0..5).map(whole).collect();
    let misfits = [
        lab.table(&noisy(50)),
        lab.bundle(&[("m", matrix(3))]),
        lab.bundle(&[(STATE, lab.table(&noisy(51)))]),
        lab.bundle(&[(STATE, lab.table(&noisy(52))), ("m", matrix(4))]),
        lab.bundle(&[(STATE, lab.put(Kind::Bytes, 9, 1, &[1; 9])), ("m", matrix(3))]),
    ];
    let copy = lab.bundle(&[(STATE, lab.table(&Turn::of(0).rows(&noisy(0)))), ("m", matrix(3))]);
    let matrices = BoundedVec::truncate_from(vec![matrix_spec("m", 3, 8, Basis::Cols)]);
    let contents = honest.iter().chain(&misfits).chain([&copy]).copied();
    let combination = Combination { matrices, ..round(contents.collect()) };
    let combined = lab.combine(&combination).unwrap();
    let rejection = |content| finding_of(&combination, &combined.report, content).rejection;
    for content in &misfits {
        assert_eq!(rejection(content), Some(Rejection::WrongShape));
    }
    // In these rounds members were admitted in the order of their ids.
    let (one, other) = (honest[0].min(copy), honest[0].max(copy));
    assert_eq!((rejection(&one), rejection(&other)), (None, Some(Rejection::Duplicate)));
}

#[test]
fn a_round_of_nobody_has_no_result() {
    let lab = Lab::new();
    let misfit = lab.put(Kind::Bytes, 9, 1, &[1; 9]);
    let zero = lab.table(&Array2::zeros((ROWS, COLS)));
    for contents in [vec![misfit], vec![zero, misfit]] {
        let error = lab.combine(&round(contents)).unwrap_err();
        assert!(matches!(error, Error::Compute(ensemble_compute::aggregation::Error::NobodyLeft)), "{error}");
    }
    let error = lab.combine(&round(Vec::new())).unwrap_err();
    assert!(matches!(error, Error::Compute(ensemble_compute::aggregation::Error::MemberCount(0))), "{error}");
    assert_eq!(lab.store.usage().pinned, 0);
}

#[test]
fn what_is_outside_the_limits_is_refused_before_anything_is_read() {
    let lab = Lab::new();
    let contents: Vec<_> = (1..=20).map(|id| TensorId([id; 32])).collect();
    let fine = round(contents);
    let refused = |combination: Combination, part: &str| {
        let error = lab.combine(&combination).unwrap_err();
        assert!(!error.is_loss() && error.to_string().contains(part), "{error}");
    };
    assert!(lab.combine(&fine).unwrap_err().is_loss(), "it is within them");

    let mut unsorted = fine.clone();
    (unsorted.entrants[0], unsorted.entrants[1]) = (fine.entrants[1], fine.entrants[0]);
    refused(unsorted, "ascending order");
    let mut twice = fine.clone();
    twice.entrants[1] = twice.entrants[0];
    refused(twice, "ascending order");
    refused(Combination { cols: 1025, anchors: 1025, rows: 1025, ..fine.clone() }, "1 to 1024 columns");
    refused(Combination { anchors: 7, ..fine.clone() }, "as many anchors");
    refused(Combination { tolerated: Permill::from_percent(50), ..fine.clone() }, "less than half");
    for spec in [matrix_spec("m", 9, 8, Basis::Rows), matrix_spec(STATE, 8, 8, Basis::Both)] {
        refused(Combination { matrices: BoundedVec::truncate_from(vec![spec]), ..fine.clone() }, "matrix");
    }
    // Twenty tables that are wide.
    refused(Combination { rows: 2048, cols: 1024, anchors: 1024, ..fine.clone() }, &MAX_WORK.to_string());
    // Twenty tables of 64 MiB.
    let large = Combination { rows: 1 << 19, cols: 64, anchors: 64, ..fine };
    refused(large.clone(), &MAX_INPUT_BYTES.to_string());
    let mut fewer = large;
    fewer.entrants.truncate(16);
    assert!(lab.combine(&fewer).unwrap_err().is_loss());
}

#[test]
fn what_is_lost_or_damaged_is_a_loss() {
    let lab = Lab::new();
    let honest = lab.honest(4);
    lab.damage(&honest[2]);
    let error = lab.combine(&round(honest.clone())).unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::Damaged(id)) if id == honest[2]) && error.is_loss());
    let error = lab.combine(&round(honest.clone())).unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::NotHeld(id)) if id == honest[2]) && error.is_loss());
}

#[test]
fn a_store_without_room_is_no_loss() {
    let lab = Lab::new();
    let honest = lab.honest(4);
    for content in &honest {
        assert!(lab.store.pin(content).unwrap());
    }
    let used = lab.store.usage().bytes;
    let full = Lab::with_quota(used * 5 / 4 + 1);
    assert_eq!(full.honest(4), honest);
    for content in &honest {
        assert!(full.store.pin(content).unwrap());
    }
    let error = full.combine(&round(honest)).unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::StoreFull { .. } | StoreError::PinsFull { .. })), "{error}");
    assert!(!error.is_loss());
}
