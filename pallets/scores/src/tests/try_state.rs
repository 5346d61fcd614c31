//! The check of the state finds what is off, and says so.

use ensemble_core::epochs::EpochPhase::Commit;
use frame_support::{assert_ok, BoundedVec};

use crate::{mock::*, *};

/// Spoils a state with some of everything, and expects this complaint.
fn complains(spoil: impl FnOnce(), complaint: &'static str) {
    new_chain().execute_with(|| {
        assign(11, &[ANN, BEN]);
        assign(12, &[ANN]);
        set_truth(12, 50);
        judge(&[(ANN, &[(11, 50), (12, 50)]), (BEN, &[(11, 50)])]);
        enter(1, Commit);
        judge(&[(ANN, &[(11, 50)]), (BEN, &[])]);
        enter(2, Commit);
        assert_ok!(commit(ANN, 0, &[]));
        assert_ok!(commit(ANN, 1, &[]));
        check_state();
        spoil();
        assert_eq!(Scores::do_try_state(), Err(complaint.into()));
    });
}

fn change_work(epoch: u32, validator: u32, change: impl FnOnce(&mut Work<Test>)) {
    Works::<Test>::mutate(epoch, validator, |work| change(work.as_mut().unwrap()));
}

fn change_result(change: impl FnOnce(&mut Verdict<Test>)) {
    Results::<Test>::mutate(1, 11, |verdict| change(verdict.as_mut().unwrap()));
}

#[test]
fn cursors() {
    complains(|| Settling::<Test>::mutate(|cursor| cursor.epoch = 3), "an epoch is settled that is not over");
    complains(|| Forgotten::<Test>::mutate(|cursor| cursor.epoch = 3), "an epoch is forgotten that is not settled");
    complains(|| Forgotten::<Test>::mutate(|cursor| cursor.epoch = 1), "an epoch that was forgotten has lists");
}

#[test]
fn lists() {
    let rated = "the list of rated miners is not dense";
    complains(|| Rated::<Test>::remove(0, 0), rated);
    complains(|| Rated::<Test>::insert(0, 1, 11), rated);
    complains(|| Rated::<Test>::insert(0, 2, 13), rated);
    complains(|| Forgotten::<Test>::mutate(|cursor| cursor.next = 1), rated);
    complains(|| Lists::<Test>::mutate(0, |lists| lists.workers -= 1), "the list of workers is not dense");
    complains(|| Lists::<Test>::remove(0), "an epoch has entries and no lists");
    complains(|| Results::<Test>::remove(0, 11), "a miner is listed and has no result");
    complains(|| Works::<Test>::remove(0, BEN), "a validator is listed and has no work");
    complains(|| Results::<Test>::insert(0, 13, result_of(0)), "a result is not listed");
    complains(|| Works::<Test>::insert(0, CAT, Work::default()), "work is not listed");
    complains(|| ResultsKept::<Test>::put(9), "the number of results is not what it was");
}

fn result_of(epoch: u32) -> Verdict<Test> {
    Results::<Test>::get(epoch, 11).unwrap()
}

#[test]
fn works() {
    complains(|| change_work(2, ANN, |work| work.sealed[1].batch = 0), "a batch was committed to twice");
    complains(|| change_work(2, ANN, |work| work.sealed[1].batch = MAX_BATCHES), "a batch has too high a number");
    let check = Check { miner: 13, done: false };
    complains(
        || change_work(2, ANN, |work| work.checks = BoundedVec::truncate_from(vec![check; 2])),
        "a validator checks a miner twice",
    );
    complains(|| change_work(2, ANN, |work| work.scored = 1), "a validator scored what it did not reveal");
    complains(
        || change_work(2, BEN, |work| work.load = 1),
        "a validator that did not commit has the load of when it did",
    );
    complains(|| change_work(1, ANN, |work| work.tally.agreed = 9), "more agreed than was judged");
    let count = "a validator was not counted for the miners that it rated";
    complains(|| change_work(1, ANN, |work| work.scored = 0), count);
    complains(|| change_work(1, ANN, |work| work.scored = 2), count);
    complains(|| change_work(0, ANN, |work| work.scored = 3), count);
}

#[test]
fn results() {
    complains(|| change_result(|verdict| verdict.ratings = Default::default()), "a result has no ratings");
    complains(
        || {
            change_result(|verdict| {
                let twice = verdict.ratings[0];
                assert_ok!(verdict.ratings.try_push(twice));
            });
        },
        "a validator rated a miner twice",
    );
    complains(|| change_result(|verdict| verdict.ratings[0].score = score(101)), "a rating is above one");
    complains(
        || change_result(|verdict| verdict.ratings[0].validator = CAT),
        "a rating is of a validator that revealed nothing",
    );
}

#[test]
fn what_settling_left() {
    complains(
        || change_result(|verdict| verdict.ratings[0].score = score(51)),
        "a last score is not that of its epoch",
    );
    complains(|| LastScores::<Test>::remove(11), "a settled result is not the last score and nothing came after it");
    complains(|| Records::<Test>::mutate(ANN, |record| record.tally.agreed = 9), "more agreed than was judged");
    complains(
        || Records::<Test>::mutate(ANN, |record| record.tally.judged = JUDGEMENTS_KEPT + 1),
        "more judgements are kept than the chain allows",
    );
    complains(|| Records::<Test>::mutate(CAT, |record| record.last = 1), "a record outlived its validator's work");
    complains(|| Records::<Test>::mutate(ANN, |record| record.last = 2), "a record is newer than what is settled");
}
