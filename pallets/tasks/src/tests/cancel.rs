//! Cancelling.

use frame_support::{assert_noop, assert_ok};

use crate::{mock::*, Agenda, Config, Error, Event, Step, VoidReason, WeightInfo};

#[test]
fn returns_everything() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask { access: committee(&[ALICE, BOB]), max_participants: 2, ..Default::default() }.id();
        assert_ok!(Tasks::cancel(RuntimeOrigin::signed(CREATOR), id));
        assert_eq!(free(CREATOR), ENDOWMENT);
        assert_eq!(Agenda::<Test>::iter().count(), 0);
        assert_eq!(last_event(), Event::TaskCancelled { task: id, creator: CREATOR });
        assert_noop!(Tasks::cancel(RuntimeOrigin::signed(CREATOR), id), Error::<Test>::TaskOver);
        assert_all_settled();
    });
}

#[test]
fn is_for_the_creator() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        assert_noop!(Tasks::cancel(RuntimeOrigin::signed(ALICE), id), Error::<Test>::NotCreator);
        assert_noop!(Tasks::cancel(RuntimeOrigin::signed(CREATOR), id + 1), Error::<Test>::UnknownTask);
    });
}

#[test]
fn is_too_late_when_it_is_decided_that_nobody_came() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        run_to(12);
        next_block_with(<Test as Config>::WeightInfo::agenda_look() + Tasks::step_weight(Step::CloseReveal));
        assert_eq!(void(id), Some(VoidReason::NobodyCame));
        assert_noop!(Tasks::cancel(RuntimeOrigin::signed(CREATOR), id), Error::<Test>::TaskOver);
    });
}

#[test]
fn is_too_late_after_the_first_commitment() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        assert_ok!(commit(ALICE, id, &tensor(1), BOND));
        for block in [1, 7, 12] {
            run_to(block);
            assert_noop!(Tasks::cancel(RuntimeOrigin::signed(CREATOR), id), Error::<Test>::HasCommitments);
        }
    });
}
