//! Validators that do not do their work.

use ensemble_core::{
    epochs::EpochPhase::{Commit, Reveal},
    matching::Matching,
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchError, Permill};

use crate::{mock::*, Error, Event};

#[test]
fn are_switched_off() {
    on_chain(|| {
        assign(11, &[ANN]);
        assert_noop!(report_silent(ANN), Error::<Test>::NotSilent);
        enter(1, Commit);
        assert_noop!(report_silent(ANN), Error::<Test>::NotSilent);
        enter(2, Commit);
        assert_ok!(report_silent(ANN));
        let reliability = Permill::from_parts(375_000);
        assert_eq!(last_event(), Event::SilentReported { validator: ANN, epoch: 1, reliability });
        assert_eq!(Net::reliability(ANN), reliability);
        assert_eq!(Net::types(ANN), None);
        assert_noop!(report_silent(ANN), Error::<Test>::NotActive);
    });
}

#[test]
fn what_is_refused() {
    on_chain(|| {
        assert_noop!(Scores::report_silent(RuntimeOrigin::root(), ANN), DispatchError::BadOrigin);
        assert_noop!(report_silent(11), Error::<Test>::NotActive);
        enter(5, Commit);
        assert_noop!(report_silent(ANN), Error::<Test>::NotSilent);
        assign(11, &[ANN, BEN, CAT]);
        change_validator(BEN, |validator| validator.active_since = Some(4));
        assert_noop!(report_silent(BEN), Error::<Test>::NotSilent);
        change_validator(BEN, |validator| validator.active_since = Some(3));
        assert_ok!(report_silent(BEN));
        judge(&[(ANN, &[])]);
        enter(6, Commit);
        assert_noop!(report_silent(ANN), Error::<Test>::NotSilent);
        enter(7, Commit);
        assert_ok!(commit(ANN, 0, &[]));
        assert_noop!(report_silent(ANN), Error::<Test>::NotSilent);
        assert_ok!(report_silent(CAT));
    });
}

#[test]
fn are_those_who_had_miners_all_through_the_epoch() {
    on_chain(|| {
        enter(3, Commit);
        reassign(11, &[ANN]);
        enter(4, Commit);
        reassign(12, &[BEN]);
        enter(5, Commit);
        reassign(13, &[CAT]);
        assert_noop!(report_silent(CAT), Error::<Test>::NotSilent);
        assert_noop!(report_silent(BEN), Error::<Test>::NotSilent);
        reassign(11, &[]);
        assert_noop!(report_silent(ANN), Error::<Test>::NotSilent);
        reassign(11, &[ANN]);
        assert_noop!(report_silent(ANN), Error::<Test>::NotSilent);
        enter(6, Commit);
        assert_ok!(report_silent(BEN));
        enter(7, Commit);
        assert_ok!(report_silent(ANN));
        assert_noop!(report_silent(DAN), Error::<Test>::NotSilent);
    });
}

#[test]
fn lose_a_quarter_once() {
    on_chain(|| {
        assign(11, &[ANN]);
        enter(1, Commit);
        assert_ok!(commit(ANN, 0, &[(11, 50)]));
        enter(1, Reveal);
        enter(2, Commit);
        assert_eq!(Net::reliability(ANN), Permill::from_parts(375_000));
        assert_ok!(report_silent(ANN));
        assert_eq!(Net::reliability(ANN), Permill::from_parts(375_000));
        assert_eq!(Net::types(ANN), None);
    });
}
