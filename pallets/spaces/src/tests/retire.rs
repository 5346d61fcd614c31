//! Retiring spaces.

use ensemble_core::spaces::{Activity, SpaceSpec};
use frame_support::{assert_noop, assert_ok};

use crate::{mock::*, Closing, Error, Event, History, Members, Rosters, Spaces as Stored};

fn assert_gone(id: u32) {
    assert!(
        !Stored::<Test>::contains_key(id) && !Members::<Test>::contains_key(id) && !Closing::<Test>::contains_key(id)
    );
    assert_eq!(History::<Test>::iter_prefix(id).count() + Rosters::<Test>::iter_prefix(id).count(), 0);
}

#[test]
fn a_space_without_rounds_is_closed_in_the_same_block() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, [1]);
        assert_ok!(retire(id));
        assert_eq!(last_event(), Event::SpaceRetired { space: id });
        assert_eq!((activity(id), held(OWNER)), (Activity::Closing, DEPOSIT));
        next_block();
        assert_eq!(last_event(), Event::SpaceClosed { space: id, owner: OWNER, deposit: DEPOSIT });
        assert_eq!((held(OWNER), free(OWNER)), (0, ENDOWMENT));
        assert_gone(id);
    });
}

#[test]
fn no_round_begins_any_more() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..3);
        assert_eq!(activity(id), Activity::Due(2));
        assert_ok!(retire(id));
        run_to(20);
        assert!(Votes::get().is_empty());
        assert_gone(id);
    });
}

#[test]
fn a_round_that_runs_goes_on_to_its_end() {
    for settles in [true, false] {
        on_chain(|| {
            let id = new_space(spec());
            admit(id, 1..3);
            run_to(4);
            assert_ok!(retire(id));
            assert!(matches!(activity(id), Activity::Running { is_last: true, .. }));
            run_to(30);
            assert_eq!(held(OWNER), DEPOSIT);
            if settles {
                settle(id, &RoundResult::of(&[ACCEPTED; 2]));
                assert!(matches!(last_event(), Event::RoundSettled { .. }));
            } else {
                void(id);
            }
            assert_eq!((activity(id), rounds_running()), (Activity::Closing, 0));
            next_block();
            assert_gone(id);
            assert_eq!(held(OWNER), 0);
        });
    }
}

#[test]
fn what_a_space_has_left_goes_with_it() {
    on_chain(|| {
        let id = new_space(SpaceSpec { cadence: 2, ..spec() });
        let other = new_space(SpaceSpec { cadence: 2, ..spec() });
        for space in [id, other] {
            admit(space, 1..4);
        }
        next_block();
        for round in 0..KEPT_ROUNDS {
            next_block();
            for space in [id, other] {
                assert_eq!(settle(space, &RoundResult::of(&[ACCEPTED; 3])), round);
                assert_ok!(suspend(space, 3));
                assert_ok!(readmit(space, 3));
            }
            next_block();
        }
        next_block();
        void(id);
        assert_ok!(retire(id));
        next_block();
        assert_gone(id);
        // Its neighbour has all it had.
        assert_eq!(History::<Test>::iter_prefix(other).count(), KEPT_ROUNDS as usize);
        assert_eq!(Rosters::<Test>::iter_prefix(other).count(), 2, "of the last round and of the one that runs");
        assert_eq!(held(OWNER), space(other).deposit);
    });
}

#[test]
fn only_the_owner_retires_and_once() {
    on_chain(|| {
        let id = new_space(spec());
        assert_noop!(Spaces::retire(RuntimeOrigin::signed(OTHER), id), Error::<Test>::NotOwner);
        assert_noop!(retire(id + 1), Error::<Test>::UnknownSpace);
        admit(id, 1..3);
        run_to(4);
        assert_ok!(retire(id));
        assert_noop!(retire(id), Error::<Test>::SpaceRetired);
        void(id);
        assert_noop!(retire(id), Error::<Test>::SpaceRetired);
        next_block();
        assert_noop!(retire(id), Error::<Test>::UnknownSpace);
    });
}
