//! Results that are kept, and those that are not.

use ensemble_core::scores::Scores as _;
use frame_support::assert_ok;

use crate::{mock::*, Event, Lists, Rated, Records, Results, ResultsKept, Workers, Works};

/// Nothing is recorded.
fn assert_nothing_left() {
    assert_eq!(Results::<Test>::iter().count() + Rated::<Test>::iter().count(), 0);
    assert_eq!(Works::<Test>::iter().count() + Workers::<Test>::iter().count(), 0);
    assert_eq!(Lists::<Test>::iter().count() + Records::<Test>::iter().count(), 0);
    assert_eq!(crate::LastScores::<Test>::iter().count(), 0);
    assert_eq!(ResultsKept::<Test>::get(), 0);
}

#[test]
fn are_kept_for_so_many_epochs() {
    on_chain(|| {
        assign(11, &[ANN, BEN]);
        assign(12, &[ANN]);
        judge(&[(ANN, &[(11, 50), (12, 60)]), (BEN, &[(11, 50)])]);
        for epoch in 1..=KEPT_EPOCHS {
            to_next_epoch();
            assert_eq!(ResultsKept::<Test>::get(), 2, "in epoch {epoch}");
            assert_eq!(Scores::last_score(12), Some((0, score(60))));
        }
        to_next_epoch();
        assert!(events().contains(&Event::EpochForgotten { epoch: 0 }));
        assert_eq!(Scores::last_score(12), None);
        // Those who took part were drawn checks for the next epoch, and nothing came of it.
        to_next_epoch();
        assert_nothing_left();
    });
}

#[test]
fn last_scores_go_with_the_last_result() {
    on_chain(|| {
        assign(11, &[ANN]);
        for _ in 0..3 {
            judge(&[(ANN, &[(11, 50)])]);
            to_next_epoch();
        }
        for _ in 3..=KEPT_EPOCHS + 2 {
            assert_eq!(Scores::last_score(11), Some((2, score(50))));
            to_next_epoch();
        }
        assert_eq!(Scores::last_score(11), None);
        to_next_epoch();
        assert_nothing_left();
    });
}

#[test]
fn go_with_modules_that_were_removed() {
    on_chain(|| {
        assign(11, &[ANN]);
        judge(&[(ANN, &[(11, 50)])]);
        remove(11);
        remove(ANN);
        for _ in 0..KEPT_EPOCHS + 2 {
            to_next_epoch();
        }
        assert_nothing_left();
    });
}

#[test]
fn records_outlive_an_epoch_without_work() {
    on_chain(|| {
        assign(11, &[ANN]);
        set_truth(11, 50);
        judge(&[(ANN, &[(11, 50)])]);
        to_next_epoch();
        to_next_epoch();
        to_next_epoch();
        assert_eq!(record(ANN).tally.judged, 1);
        judge(&[(ANN, &[(11, 50)])]);
        to_next_epoch();
        assert_eq!(record(ANN).tally.judged, 2);
        assert_ok!(commit(ANN, 0, &[]));
    });
}
