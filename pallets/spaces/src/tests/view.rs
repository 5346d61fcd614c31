//! What outsiders may ask.

use ensemble_core::{
    spaces::{Activity, SpaceView},
    votes::{VoteEnd, VoteVoid},
};
use frame_support::assert_ok;

use crate::mock::*;

#[test]
fn a_space_is_shown() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..4);
        assert_ok!(suspend(id, 2));
        let (owner, deposit, activity) = (OWNER, DEPOSIT, Activity::Due(2));
        let view = SpaceView { id, owner, deposit, spec: spec(), members: 3, counting: 2, activity, state: None };
        assert_eq!(Spaces::space_view(id), Some(view));
        assert_eq!(Spaces::space_view(id + 1), None);
        assert_eq!(Spaces::members_of(id).iter().map(|member| member.task).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(Spaces::members_of(id + 1).is_empty());
    });
}

#[test]
fn spaces_come_in_order_and_in_pages() {
    on_chain(|| {
        for _ in 0..4 {
            new_space(spec());
        }
        assert_ok!(retire(1));
        next_block();
        let ids = |first, limit| Spaces::space_views(first, limit).iter().map(|view| view.id).collect::<Vec<_>>();
        assert_eq!(ids(0, 100), [0, 2, 3]);
        assert_eq!(ids(0, 2), [0, 2]);
        assert_eq!(ids(3, u32::MAX), [3]);
        assert_eq!(ids(4, 1), Vec::<u32>::new());
        assert_eq!(ids(0, 0), Vec::<u32>::new());
    });
}

#[test]
fn what_went_into_a_round_is_shown_until_it_is_reported() {
    on_chain(|| {
        let id = new_space(spec());
        assert!(Spaces::rounds_of(id).is_empty() && Spaces::rounds_of(id + 1).is_empty());
        admit(id, 1..4);
        run_to(4);
        let rounds = Spaces::rounds_of(id);
        assert_eq!((rounds.len(), rounds[0].round, rounds[0].entrants.len(), rounds[0].result), (1, 0, 3, None));
        let result = RoundResult::of(&[ACCEPTED; 3]);
        settle(id, &result);
        assert_eq!(Spaces::rounds_of(id)[0].result, Some(result.id()));
        admit(id, [4]);
        run_to(20);
        let rounds = Spaces::rounds_of(id);
        let shown: Vec<_> = rounds.iter().map(|view| (view.round, view.entrants.len(), view.result)).collect();
        assert_eq!(shown, [(0, 3, Some(result.id())), (1, 4, None)]);
        result.submit(id, 0);
        assert_eq!(Spaces::rounds_of(id).len(), 1);
    });
}

#[test]
fn the_history_and_the_state_are_shown() {
    on_chain(|| {
        let id = new_space(spec());
        assert_eq!((Spaces::state_of(id), Spaces::state_of(id + 1)), (None, None));
        admit(id, 1..3);
        for round in 0..3 {
            run_to_round(id);
            if round < 2 {
                void(id);
            }
        }
        let result = RoundResult::of(&[ACCEPTED; 2]);
        settle(id, &result);
        let ends = |first, limit| {
            let rounds = Spaces::history_of(id, first, limit).into_iter();
            rounds.map(|(round, past)| (round, past.end)).collect::<Vec<_>>()
        };
        let (void, settled) = (VoteEnd::Void(VoteVoid::NoMajority), VoteEnd::Settled(result.id()));
        assert_eq!(ends(0, 100), [(0, void), (1, void), (2, settled)]);
        assert_eq!(ends(1, 1), [(1, void)]);
        assert_eq!(ends(3, 9), []);
        assert_eq!(Spaces::state_of(id).map(|state| (state.round, state.content)), Some((2, result.id())));
    });
}
