use frame_support::{assert_noop, assert_ok};

use crate::{fixture::World, mock::*, Agenda, Error, NextDue, Sessions, State};

#[test]
fn a_block_without_room_does_nothing_and_loses_nothing() {
    with_workers(3, |_| {
        let id = open(question());
        System::set_block_number(1 + ASSIGN_DELAY);
        assert_eq!(next_block_with(0), 0);
        assert_eq!(session(id).state, State::Open);
        // Enough to look, not enough to draw.
        next_block_with(8);
        assert_eq!(session(id).state, State::Open);
        next_block();
        assert!(matches!(session(id).state, State::Assigned { .. }));
    });
}

#[test]
fn settling_goes_on_where_it_stopped() {
    with_workers(3, |_| {
        let id = run_to_window(question(), &World::honest());
        let State::Disputable { until, .. } = session(id).state else { panic!("no window") };
        System::set_block_number(until + 1);
        NextDue::<Test>::put(until + 1);
        // A look, the end of the window, and one worker.
        next_block_with(1 + 2 * STEP);
        let State::Settling { next, .. } = session(id).state else { panic!("not over") };
        assert_eq!(next, 1);
        assert_eq!(WORKERS[..3].iter().filter(|who| wealth(**who) > ENDOWMENT).count(), 1);
        next_block_with(1 + 2 * STEP);
        assert_eq!(WORKERS[..3].iter().filter(|who| wealth(**who) > ENDOWMENT).count(), 3);
        assert!(Sessions::<Test>::contains_key(id));
        next_block();
        assert!(!Sessions::<Test>::contains_key(id));
        assert_eq!(Agenda::<Test>::iter().count(), 0);
    });
}

#[test]
fn anybody_may_pay_for_what_is_due() {
    with_workers(3, |_| {
        let advance = |id| Inference::advance(signed(STRANGER), id).map(drop).map_err(|failed| failed.error);
        assert_noop!(advance(0), Error::<Test>::UnknownSession);
        let id = open(question());
        assert_noop!(advance(id), Error::<Test>::NothingDue);
        System::set_block_number(1 + ASSIGN_DELAY);
        assert_ok!(advance(id));
        assert!(matches!(session(id).state, State::Assigned { .. }));
        close(id, closing());
        assert_ok!(advance(id));
        assert_noop!(advance(id), Error::<Test>::NothingDue);
        let world = World::honest();
        end_votes_on(id, |range| world.trace(range, 3).id(), |_, _| Vote::Right);
        let State::Disputable { until, .. } = session(id).state else { panic!("no window") };
        System::set_block_number(until);
        assert_noop!(advance(id), Error::<Test>::NothingDue);
        System::set_block_number(until + 1);
        // Two workers at a time.
        assert_ok!(advance(id));
        let State::Settling { next, .. } = session(id).state else { panic!("not over") };
        assert_eq!(u64::from(next), u64::from(SETTLE_PER_CALL));
        assert_ok!(advance(id));
        assert!(!Sessions::<Test>::contains_key(id));
    });
}
