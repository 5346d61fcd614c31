//! Committing.

use ensemble_core::tasks::Weighting;
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;

use crate::{mock::*, Error, Event, HoldReason, Participation, Participations};

#[test]
fn holds_the_bond() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        assert_ok!(commit(ALICE, id, &tensor(1), BOND));
        assert_eq!(held(HoldReason::Bond, ALICE), BOND);
        assert_eq!(free(ALICE), ENDOWMENT - BOND);
        assert_eq!((task(id).committed, task(id).committed_weight), (1, 1));
        let commitment = Tasks::commitment(&tensor(1).id(), &ALICE, id, &SALT);
        let part = Participation::Committed { commitment, bond: BOND };
        assert_eq!(Participations::<Test>::get(id, ALICE), Some(part));
        assert_eq!(last_event(), Event::Committed { task: id, who: ALICE, bond: BOND });
    });
}

#[test]
fn is_taken_in_the_commit_phase_only() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        run_to(6);
        assert_ok!(commit(ALICE, id, &tensor(1), BOND));
        run_to(7);
        assert_noop!(commit(BOB, id, &tensor(1), BOND), Error::<Test>::NotCommitting);
        run_to(12);
        assert_noop!(commit(BOB, id, &tensor(1), BOND), Error::<Test>::NotCommitting);
    });
}

#[test]
fn is_refused_for_tasks_that_are_over_or_never_were() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        assert_noop!(commit(ALICE, id + 1, &tensor(1), BOND), Error::<Test>::UnknownTask);
        run_to(13);
        assert_noop!(commit(ALICE, id, &tensor(1), BOND), Error::<Test>::TaskOver);
    });
}

#[test]
fn counts_once_per_account() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        assert_ok!(commit(ALICE, id, &tensor(1), BOND));
        assert_noop!(commit(ALICE, id, &tensor(2), BOND), Error::<Test>::AlreadyCommitted);
    });
}

#[test]
fn needs_the_exact_bond_where_accounts_count() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        for bond in [0, BOND - 1, BOND + 1, u128::MAX] {
            assert_noop!(commit(ALICE, id, &tensor(1), bond), Error::<Test>::WrongBond);
        }
    });
}

#[test]
fn counts_the_bond_within_its_limits_where_bonds_count() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask { weighting: Weighting::Bond { cap: 2_000 }, ..Default::default() }.id();
        assert_noop!(commit(ALICE, id, &tensor(1), BOND - 1), Error::<Test>::BondBelowTerms);
        assert_noop!(commit(ALICE, id, &tensor(1), 2_001), Error::<Test>::BondAboveCap);
        assert_ok!(commit(ALICE, id, &tensor(1), 2_000));
        assert_ok!(commit(BOB, id, &tensor(1), BOND));
        assert_eq!(task(id).committed_weight, 2_500);
    });
}

#[test]
fn fails_clearly_when_the_bond_cannot_be_paid() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        assert_noop!(commit(99, id, &tensor(1), BOND), Error::<Test>::CannotBond);
        // The existential deposit cannot be put up.
        let spare = BOND + EXISTENTIAL - 1;
        assert_ok!(Balances::transfer_keep_alive(RuntimeOrigin::signed(BOB), ALICE, ENDOWMENT - spare));
        assert_noop!(commit(BOB, id, &tensor(1), BOND), Error::<Test>::CannotBond);
    });
}

#[test]
fn a_full_task_takes_nobody() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask { max_participants: 2, ..Default::default() }.id();
        assert_ok!(commit(ALICE, id, &tensor(1), BOND));
        assert_ok!(commit(BOB, id, &tensor(1), BOND));
        assert_noop!(commit(CHARLIE, id, &tensor(1), BOND), Error::<Test>::TaskFull);
    });
}

#[test]
fn a_committee_task_takes_members_only() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask { access: committee(&[BOB, ALICE]), max_participants: 2, ..Default::default() }.id();
        assert_noop!(commit(CHARLIE, id, &tensor(1), BOND), Error::<Test>::NotInCommittee);
        assert_ok!(commit(ALICE, id, &tensor(1), BOND));
        assert_ok!(commit(BOB, id, &tensor(1), BOND));
    });
}

#[test]
fn any_hash_is_accepted_unseen() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        assert_ok!(Tasks::commit(RuntimeOrigin::signed(ALICE), id, H256::zero(), BOND));
    });
}
