//! Draws of who checks whom.

use std::collections::BTreeSet;

use ensemble_core::epochs::EpochPhase::{Commit, Reveal};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

use crate::{mock::*, Error, Event, Lists, Tally};

#[test]
fn choose_miners_of_others_and_a_source_of_truth() {
    on_chain(|| {
        assign(11, &[ANN]);
        assign(12, &[ANN]);
        set_truth(13, 50);
        let mut full = 0;
        for luck in 0..100 {
            Luck::set(luck);
            enter(1 + u32::from(luck), Commit);
            assert_ok!(draw(ANN));
            let checks = checks_of(ANN);
            let different: BTreeSet<_> = checks.iter().collect();
            assert_eq!(different.len(), checks.len());
            assert!(!checks.contains(&11) && !checks.contains(&12), "its own are no checks");
            assert!(!checks.contains(&PAINTER), "it does not judge vision");
            assert!(checks.contains(&13), "the only source of truth");
            assert!(checks.len() as u32 <= CHECKS + 1);
            full += u32::from(checks.len() as u32 >= CHECKS);
        }
        assert!(full > 90, "it is seldom that too few others are drawn");
    });
}

#[test]
fn reach_everybody() {
    on_chain(|| {
        set_truth(13, 50);
        set_truth(PAINTER, 50);
        let mut drawn = BTreeSet::new();
        for epoch in 1..60 {
            enter(epoch, Commit);
            assert_ok!(draw(DAN));
            drawn.extend(checks_of(DAN));
        }
        assert_eq!(drawn, MINERS.into_iter().chain([PAINTER]).collect());
    });
}

#[test]
fn are_told_in_an_event() {
    on_chain(|| {
        assert_ok!(draw(ANN));
        let miners = frame_support::BoundedVec::truncate_from(checks_of(ANN));
        assert_eq!(miners.len() as u32, CHECKS);
        assert_eq!(last_event(), Event::ChecksDrawn { epoch: 0, validator: ANN, miners });
        assert_eq!(Lists::<Test>::get(0).workers, 1);
        assert_ok!(commit(ANN, 0, &[]));
        assert_eq!(Lists::<Test>::get(0).workers, 1);
    });
}

#[test]
fn are_as_many_as_there_are() {
    on_chain(|| {
        for miner in MINERS {
            assign(miner, &[ANN]);
        }
        assert_ok!(draw(ANN));
        assert_eq!(checks_of(ANN), [0; 0]);
        assert_noop!(draw(ANN), Error::<Test>::AlreadyDrawn);
    });
}

#[test]
fn do_not_depend_on_the_block() {
    let drawn = |wait: u64| {
        new_chain().execute_with(|| {
            enter(1, Commit);
            for _ in 0..wait {
                next_block(frame_support::weights::Weight::MAX);
            }
            assert_ok!(draw(ANN));
            checks_of(ANN)
        })
    };
    assert_eq!(drawn(0), drawn(1));
    assert_eq!(drawn(0), drawn(7));
}

#[test]
fn differ_between_epochs_and_validators() {
    on_chain(|| {
        let all = (1..20).flat_map(|epoch| {
            enter(epoch, Commit);
            [ANN, BEN].map(|validator| {
                assert_ok!(draw(validator));
                checks_of(validator)
            })
        });
        assert!(all.collect::<BTreeSet<_>>().len() > 10);
        let (epoch, last) = seed().unwrap();
        assert_eq!(epoch, 19);
        enter(20, Commit);
        let (epoch, next) = seed().unwrap();
        assert_eq!(epoch, 20);
        assert_ne!(next, last);
    });
}

#[test]
fn what_is_refused() {
    on_chain(|| {
        assert_noop!(Scores::draw(RuntimeOrigin::root(), ANN), DispatchError::BadOrigin);
        assert_noop!(Scores::draw(RuntimeOrigin::signed(owner_of(BEN)), ANN), Error::<Test>::NotOwner);
        assert_noop!(draw(99), Error::<Test>::UnknownModule);
        assert_noop!(draw(11), Error::<Test>::NotActive);
        assert_ok!(draw(ANN));
        assert_noop!(draw(ANN), Error::<Test>::AlreadyDrawn);
        to_reveal();
        assert_noop!(draw(BEN), Error::<Test>::NotCommitPhase);
    });
}

#[test]
fn come_by_themselves_to_who_took_part() {
    on_chain(|| {
        assert_ok!(draw(BEN));
        judge(&[(ANN, &[]), (CAT, &[])]);
        leave(CAT);
        to_next_epoch();
        assert_eq!(checks_of(ANN).len() as u32, CHECKS);
        assert_eq!(drawn(BEN), None, "it committed to nothing");
        assert_noop!(draw(ANN), Error::<Test>::AlreadyDrawn);
        assert_ok!(draw(BEN));
        assert_eq!(Lists::<Test>::get(1).workers, 2, "and none for one that left");
    });
}

#[test]
fn leave_alone_who_was_drawn_before() {
    on_chain(|| {
        judge(&[(ANN, &[])]);
        set_clock(1, Commit);
        next_block(frame_support::weights::Weight::zero());
        assert_ok!(draw(ANN));
        let before = checks_of(ANN);
        next_block(frame_support::weights::Weight::MAX);
        assert_eq!(checks_of(ANN), before);
        assert_eq!(Lists::<Test>::get(1).workers, 1);
    });
}

#[test]
fn come_before_a_commitment() {
    on_chain(|| {
        set_truth(11, 50);
        judge(&[(ANN, &[]), (BEN, &[])]);
        set_clock(1, Commit);
        next_block(frame_support::weights::Weight::zero());
        let commit_now = || Scores::commit(RuntimeOrigin::signed(owner_of(ANN)), ANN, 0, Default::default());
        assert_noop!(commit_now(), Error::<Test>::NotDrawn);
        assert_ok!(draw(ANN));
        let checks = checks_of(ANN);
        assert!(checks.contains(&11), "whoever is first in an epoch is drawn a source of truth as well");
        assert_ok!(commit(ANN, 0, &[]));
        assert_noop!(draw(ANN), Error::<Test>::AlreadyDrawn);
        to_reveal();
        assert_ok!(reveal(ANN, 0, &[]));
        to_next_epoch();
        assert_eq!(
            record(ANN).tally,
            Tally { judged: checks.len() as u32, agreed: 0 },
            "leaving all checks out is found"
        );
    });
}

#[test]
fn do_not_come_when_there_is_no_time_to_do_them() {
    on_chain(|| {
        judge(&[(ANN, &[])]);
        enter(1, Reveal);
        assert_eq!(drawn(ANN), None);
        assert_eq!(Lists::<Test>::get(1).workers, 0);
    });
}
