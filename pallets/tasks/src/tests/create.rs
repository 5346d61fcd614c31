//! Creating tasks.

use ensemble_core::{
    exchange::Audience,
    tasks::{Content, Phases, Terms, Weighting},
};
use ensemble_tensor::Kind;
use frame_support::{assert_noop, assert_ok};

use crate::{mock::*, Committees, Error, Event, HoldReason, State};

#[test]
fn holds_the_worst_case_and_the_deposit() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask { max_participants: 3, ..Default::default() }.id();
        // 3 * 1000 * (1 + 0.1 * 2)
        assert_eq!(held(HoldReason::Reward, CREATOR), 3_600);
        assert_eq!(held(HoldReason::TaskDeposit, CREATOR), DEPOSIT);
        assert_eq!(free(CREATOR), ENDOWMENT - 3_600 - DEPOSIT);
        let task = task(id);
        assert_eq!((task.commit_until, task.reveal_until, task.attest_until(), task.due), (6, 11, 16, 12));
        assert_eq!(task.state, State::Open { leader: None });
        let created = Event::TaskCreated {
            task: id,
            creator: CREATOR,
            content: task.content,
            audience: Audience::Public,
            space: None,
            commit_until: 6,
            reveal_until: 11,
            deposit: DEPOSIT,
            escrow: 3_600,
            rent: 0,
            fee: 0,
        };
        assert_eq!(last_event(), created);
    });
}

#[test]
fn numbers_are_never_used_twice() {
    ExtBuilder::default().build_and_execute(|| {
        assert_eq!(NewTask::default().id(), 0);
        assert_ok!(Tasks::cancel(RuntimeOrigin::signed(CREATOR), 0));
        assert_eq!(NewTask::default().id(), 1);
        crate::NextTaskId::<Test>::put(u32::MAX);
        assert_noop!(NewTask::default().create(), sp_runtime::ArithmeticError::Overflow);
    });
}

#[test]
fn refuses_content_that_cannot_exist() {
    ExtBuilder::default().build_and_execute(|| {
        let absurd = [
            Content::Tensor { kind: Kind::I16, rows: 0, cols: 8 },
            Content::Tensor { kind: Kind::I16, rows: 8, cols: 0 },
            Content::Tensor { kind: Kind::I16, rows: u32::MAX, cols: u32::MAX },
            Content::Tensor { kind: Kind::Q8_0, rows: 8, cols: 31 },
            Content::Tensor { kind: Kind::Bytes, rows: 8, cols: 1 },
            Content::Tensor { kind: Kind::Bundle, rows: 8, cols: 1 },
            Content::Bytes { max_len: 0 },
            Content::Bundle { max_bytes: 0 },
        ];
        for content in absurd {
            assert_noop!(NewTask { content, ..Default::default() }.create(), Error::<Test>::InvalidContent);
        }
        assert_ok!(NewTask { content: Content::Bytes { max_len: 1 }, ..Default::default() }.create());
        assert_ok!(NewTask { content: Content::Bundle { max_bytes: 1 }, ..Default::default() }.create());
    });
}

#[test]
fn refuses_content_that_nobody_could_keep() {
    ExtBuilder::default().build_and_execute(|| {
        let too_much = MAX_CONTENT_BYTES + 1;
        let rows = u32::try_from(MAX_CONTENT_BYTES / 4).unwrap();
        for content in [
            Content::Bundle { max_bytes: too_much },
            Content::Bundle { max_bytes: u64::MAX },
            Content::Bytes { max_len: u32::try_from(too_much).unwrap() },
            Content::Tensor { kind: Kind::I32, rows: rows + 1, cols: 1 },
        ] {
            assert_noop!(NewTask { content, ..Default::default() }.create(), Error::<Test>::ContentTooLarge);
        }
        let content = Content::Bundle { max_bytes: MAX_CONTENT_BYTES };
        assert_ok!(NewTask { content, ..Default::default() }.create());
        let content = Content::Tensor { kind: Kind::I32, rows, cols: 1 };
        assert_ok!(NewTask { content, ..Default::default() }.create());
    });
}

#[test]
fn holds_a_rent_for_each_mebibyte_that_is_begun() {
    ExtBuilder::default().build_and_execute(|| {
        RentPerMib::set(3);
        for (max_bytes, rent) in [(1, 3), (1 << 20, 3), ((1 << 20) + 1, 6), (MAX_CONTENT_BYTES, 48)] {
            let id = NewTask { content: Content::Bundle { max_bytes }, ..Default::default() }.id();
            assert_eq!((order(id).rent, held(HoldReason::Rent, CREATOR)), (rent, rent));
            assert_ok!(Tasks::cancel(RuntimeOrigin::signed(CREATOR), id));
            assert_all_settled();
        }
        RentPerMib::set(ENDOWMENT);
        assert_noop!(NewTask::default().create(), Error::<Test>::CannotPay);
    });
}

#[test]
fn refuses_phases_outside_the_limits() {
    ExtBuilder::default().build_and_execute(|| {
        let good = Phases { commit: 2, reveal: 100, attest: 50 };
        for wrong in [0, 1, 101, u64::MAX] {
            for phases in
                [Phases { commit: wrong, ..good }, Phases { reveal: wrong, ..good }, Phases { attest: wrong, ..good }]
            {
                assert_noop!(NewTask { phases, ..Default::default() }.create(), Error::<Test>::InvalidPhase);
            }
        }
        assert_ok!(NewTask { phases: good, ..Default::default() }.create());
    });
}

#[test]
fn refuses_numbers_of_participants_that_make_no_sense() {
    ExtBuilder::default().build_and_execute(|| {
        let with = |quorum, max_participants| NewTask { quorum, max_participants, ..Default::default() }.create();
        assert_noop!(with(0, 4), Error::<Test>::InvalidQuorum);
        assert_noop!(with(5, 4), Error::<Test>::InvalidQuorum);
        assert_noop!(with(0, 0), Error::<Test>::InvalidQuorum);
        assert_noop!(with(1, MAX_PARTICIPANTS + 1), Error::<Test>::TooManyParticipants);
        assert_noop!(with(1, u32::MAX), Error::<Test>::TooManyParticipants);
        assert_ok!(with(MAX_PARTICIPANTS, MAX_PARTICIPANTS));
    });
}

#[test]
fn a_committee_has_distinct_members_and_the_size_it_says() {
    ExtBuilder::default().build_and_execute(|| {
        let with = |members: &[AccountId], max_participants| {
            NewTask { access: committee(members), max_participants, ..Default::default() }.create()
        };
        assert_noop!(with(&[], 1), Error::<Test>::EmptyCommittee);
        assert_noop!(with(&[ALICE, BOB, ALICE], 3), Error::<Test>::DuplicateMember);
        assert_noop!(with(&[ALICE, BOB], 3), Error::<Test>::CommitteeSize);
        assert_noop!(with(&[ALICE, BOB, CHARLIE], 2), Error::<Test>::CommitteeSize);
        assert_ok!(with(&[CHARLIE, ALICE, BOB], 3));
        assert_eq!(Committees::<Test>::get(0).unwrap().into_inner(), [ALICE, BOB, CHARLIE]);
    });
}

#[test]
fn refuses_bonds_outside_the_limits() {
    ExtBuilder::default().build_and_execute(|| {
        let with =
            |bond, weighting| NewTask { terms: Terms { bond, ..terms() }, weighting, ..Default::default() }.create();
        assert_noop!(with(49, Weighting::Account), Error::<Test>::BondTooLow);
        assert_noop!(with(50, Weighting::Bond { cap: 49 }), Error::<Test>::CapBelowBond);
        assert_ok!(with(50, Weighting::Account));
        assert_ok!(with(50, Weighting::Bond { cap: 50 }));
    });
}

#[test]
fn refuses_what_cannot_be_paid() {
    ExtBuilder::default().build_and_execute(|| {
        let with =
            |base| NewTask { terms: Terms { base, ..terms() }, max_participants: 2, ..Default::default() }.create();
        assert_noop!(with(u128::MAX), Error::<Test>::RewardTooLarge);
        assert_noop!(with(u128::MAX / 4), Error::<Test>::CannotPay);
        // Two participants at 10 % growth cost 2.2 times the base.
        assert_noop!(with((ENDOWMENT - DEPOSIT) * 10 / 22), Error::<Test>::CannotPay);
        assert_ok!(with((ENDOWMENT - DEPOSIT - EXISTENTIAL) * 10 / 22));
        assert_noop!(NewTask { creator: 99, ..Default::default() }.create(), Error::<Test>::CannotPay);
    });
}

#[test]
fn a_task_pays_for_its_attestations_whatever_becomes_of_it() {
    ExtBuilder::default().build_and_execute(|| {
        AttestFee::set(30);
        let id = NewTask::default().id();
        assert!(matches!(last_event(), Event::TaskCreated { fee: 30, .. }));
        assert_ok!(Tasks::cancel(RuntimeOrigin::signed(CREATOR), id));
        assert_eq!((free(CREATOR), SlashedSoFar::get()), (ENDOWMENT - 30, 30));
        AttestFee::set(ENDOWMENT - 30 - EXISTENTIAL + 1);
        assert_noop!(NewTask::default().create(), Error::<Test>::CannotPay);
        assert_all_settled();
    });
}

#[test]
fn a_task_may_pay_nothing() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask { terms: Terms { base: 0, ..terms() }, ..Default::default() }.id();
        assert_eq!(order(id).escrow, 0);
        contribute(id, &[(ALICE, 1), (BOB, 1)]);
        attest_all(id);
        next_block();
        assert_eq!((free(ALICE), free(CREATOR)), (ENDOWMENT, ENDOWMENT));
        assert_eq!(shares(id, ALICE), crate::reward::TOTAL_SHARES / 2);
        assert_all_settled();
    });
}

#[test]
fn the_deposit_doubles_with_each_tenth_of_all_places_taken() {
    ExtBuilder::default().build_and_execute(|| {
        // Five places in all: each is two tenths.
        let deposits: Vec<_> = (0..5).map(|_| order(NewTask::default().id()).deposit).collect();
        assert_eq!(deposits, [DEPOSIT, 4 * DEPOSIT, 16 * DEPOSIT, 64 * DEPOSIT, 256 * DEPOSIT]);
        assert_eq!(held(HoldReason::TaskDeposit, CREATOR), deposits.iter().sum());
        // What was held is what returns, and the next one pays for the places that are taken then.
        for id in [0, 4] {
            assert_ok!(Tasks::cancel(RuntimeOrigin::signed(CREATOR), id));
        }
        assert_eq!(held(HoldReason::TaskDeposit, CREATOR), 84 * DEPOSIT);
        assert_eq!(order(NewTask::default().id()).deposit, 64 * DEPOSIT);
    });
}

#[test]
fn the_number_of_open_tasks_is_bounded() {
    ExtBuilder::default().build_and_execute(|| {
        for _ in 0..5 {
            assert_ok!(NewTask::default().create());
        }
        assert_noop!(NewTask::default().create(), Error::<Test>::TooManyTasks);
        assert_ok!(Tasks::cancel(RuntimeOrigin::signed(CREATOR), 2));
        assert_ok!(NewTask::default().create());
    });
}
