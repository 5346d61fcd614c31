//! Blocks that leave little room.

use ensemble_core::spaces::{Activity, SpaceSpec};
use frame_support::assert_ok;

use crate::{mock::*, Agenda, Closing, History, NextDue};

#[test]
fn each_look_and_step_is_charged() {
    on_chain(|| {
        let ids = [new_space(spec()), new_space(spec())];
        for id in ids {
            admit(id, 1..3);
        }
        assert_eq!(next_block_with(0), 0);
        assert_eq!(NextDue::<Test>::get(), 0);
        // The cursor goes through block 0 and 1 to block 2, in which a space is due.
        assert_eq!(next_block_with(2), 2);
        assert_eq!(NextDue::<Test>::get(), 2);
        assert_eq!(next_block_with(STEP), 2, "a look at the agenda, and one at spaces that are to be closed");
        assert!(Votes::get().is_empty());
        // Two looks and a round, and the look that finds the next one.
        assert_eq!(next_block_with(2 + STEP), 2 + STEP);
        assert_eq!(Votes::get().len(), 1);
        next_block();
        assert_eq!(Votes::get().len(), 2);
        assert_eq!(Agenda::<Test>::iter().count(), 0);
    });
}

#[test]
fn a_quiet_block_takes_two_looks() {
    on_chain(|| {
        new_space(spec());
        next_block();
        for _ in 0..10 {
            assert_eq!(next_block_with(1_000), 2);
        }
    });
}

#[test]
fn spaces_that_wait_for_a_place_take_one_look() {
    on_chain(|| {
        for _ in 0..5 {
            let id = new_space(spec());
            admit(id, 1..3);
        }
        run_to(4);
        for _ in 0..10 {
            assert_eq!(next_block_with(1_000), 2);
        }
    });
}

#[test]
fn records_are_removed_as_far_as_there_is_room() {
    on_chain(|| {
        let id = new_space(SpaceSpec { cadence: 2, ..spec() });
        admit(id, 1..3);
        for _ in 0..KEPT_ROUNDS {
            run_to_round(id);
            void(id);
        }
        assert_ok!(retire(id));
        let rounds = || History::<Test>::iter_prefix(id).count();
        assert_eq!(next_block_with(1 + STEP), 2, "there is a look, and no step");
        for left in (0..KEPT_ROUNDS as usize).rev() {
            assert_eq!(next_block_with(2 + STEP), 2 + STEP);
            assert_eq!(rounds(), left);
        }
        // The end of the history is seen in one block, and all is gone in one that has room for both.
        assert_eq!(next_block_with(2 + STEP), 2 + STEP);
        assert_eq!((activity(id), held(OWNER)), (Activity::Closing, DEPOSIT));
        assert_eq!(next_block_with(2 + 2 * STEP), 2 + 2 * STEP);
        assert_eq!((Closing::<Test>::contains_key(id), held(OWNER)), (false, 0));
    });
}

#[test]
fn stale_entries_of_the_agenda_are_removed() {
    new_chain().execute_with(|| {
        let id = new_space(spec());
        run_to(3);
        for (due, space) in [(4, id), (4, id + 7)] {
            Agenda::<Test>::insert(due, space, ());
        }
        System::set_block_number(5);
        Spaces::work_off(5, frame_support::weights::Weight::MAX);
        assert_eq!((Agenda::<Test>::iter().count(), NextDue::<Test>::get()), (0, 6));
        check_state();
    });
}
