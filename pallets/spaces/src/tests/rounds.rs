//! When rounds begin, and how they end.

use ensemble_core::{
    spaces::{Activity, Entrant, PastRound, Settled, SpaceSpec},
    votes::{Matter, VoteEnd, VoteOutcome, VoteSpec, VoteVoid, Voters},
};
use frame_support::assert_ok;
use sp_runtime::DispatchError;

use crate::{mock::*, Error, Event, History, Rosters};

#[test]
fn a_round_begins_when_enough_members_count() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, [1]);
        run_to(4);
        assert_eq!(activity(id), Activity::Resting);
        admit(id, [2]);
        assert_eq!(activity(id), Activity::Due(5));
        run_to(6);
        let running = Activity::Running { round: 0, task: 0, began: 5, entrants: 2, is_last: false };
        assert_eq!(activity(id), running);
        assert_eq!(last_event(), Event::RoundOpened { space: id, round: 0, task: 0, entrants: 2, fee: 0 });
        assert_eq!(
            Votes::get(),
            [VoteSpec {
                matter: Matter::Round { space: id, round: 0 },
                content: spec().result(),
                phases: PHASES,
                voters: Voters::Session
            }]
        );
    });
}

#[test]
fn those_who_take_part_are_written_down_in_the_order_of_their_contents() {
    on_chain(|| {
        let id = new_space(spec());
        for task in [4, 1, 3] {
            admit_with(id, task, task.into());
        }
        assert_ok!(suspend(id, 3));
        admit(id, [2]);
        next_block();
        next_block();
        let roster = Rosters::<Test>::get(id, 0).unwrap();
        assert!(roster.is_sorted_by(|a, b| a.content < b.content));
        let of = |entrant: &Entrant| (entrant.task, entrant.admitted, entrant.weight);
        let mut taking_part: Vec<_> = roster.iter().map(of).collect();
        // A task that was won later has a smaller number.
        let expected = [(1, 1, 1), (2, 3, 1), (4, 0, 4)];
        assert_ne!(taking_part, expected, "that would be the order of tasks");
        taking_part.sort();
        assert_eq!(taking_part, expected);
        // Whatever happens meanwhile.
        assert_ok!(suspend(id, 1));
        assert_ok!(readmit(id, 3));
        assert_eq!(Rosters::<Test>::get(id, 0).unwrap(), roster);
    });
}

#[test]
fn what_settles_is_the_state() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..3);
        run_to(5);
        let result = RoundResult::of(&[ACCEPTED; 2]);
        assert_eq!(settle(id, &result), 0);
        let state = Settled { round: 0, content: result.id(), at: 5, reported: false };
        assert_eq!(space(id).state, Some(state));
        assert_eq!(last_event(), Event::RoundSettled { space: id, round: 0, content: result.id() });
        let end = VoteEnd::Settled(result.id());
        let past = PastRound { task: 0, entrants: 2, began: 2, ended: 5, end };
        assert_eq!(History::<Test>::get(id, 0), Some(past));
        assert_eq!((activity(id), rounds_running()), (Activity::Resting, 0));
        // Nothing has changed.
        run_to(40);
        assert_eq!(Votes::get().len(), 1);
    });
}

#[test]
fn the_next_round_waits_for_the_cadence_and_for_a_change() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..3);
        run_to(4);
        settle(id, &RoundResult::of(&[ACCEPTED; 2]));
        admit(id, [3]);
        assert_eq!(activity(id), Activity::Due(2 + CADENCE));
        run_to(2 + CADENCE);
        assert_eq!(Votes::get().len(), 1);
        next_block();
        assert_eq!(running(id), 1);
        // What changes while a round runs is for the next one, which begins at once if the round took so long.
        assert_ok!(suspend(id, 2));
        run_to(50);
        settle(id, &RoundResult::of(&[ACCEPTED; 3]));
        assert_eq!(activity(id), Activity::Due(51));
    });
}

#[test]
fn what_changes_while_a_round_runs_is_for_the_next_one() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..3);
        run_to(3);
        admit(id, [3]);
        settle(id, &RoundResult::of(&[ACCEPTED; 2]));
        assert_eq!(activity(id), Activity::Due(2 + CADENCE));
        run_to(3 + CADENCE);
        assert_eq!(Rosters::<Test>::get(id, 1).unwrap().len(), 3);
    });
}

#[test]
fn a_round_without_result_is_recorded_and_tried_again() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..3);
        run_to(6);
        assert_eq!(end(id, VoteEnd::Void(VoteVoid::Unattested)), 0);
        assert_eq!(last_event(), Event::RoundVoided { space: id, round: 0, reason: VoteVoid::Unattested });
        assert_eq!(History::<Test>::get(id, 0).unwrap().end, VoteEnd::Void(VoteVoid::Unattested));
        assert_eq!((space(id).state, Rosters::<Test>::get(id, 0)), (None, None));
        assert_eq!(activity(id), Activity::Due(6 + 2 * CADENCE));
        run_to(7 + 2 * CADENCE);
        assert_eq!(running(id), 1);
        let result = RoundResult::of(&[ACCEPTED; 2]);
        settle(id, &result);
        assert_eq!(space(id).state.unwrap().round, 1);
    });
}

#[test]
fn each_failure_in_a_row_doubles_the_pause() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..3);
        for doubled in [2, 4, 8, 16, 32, 64] {
            run_to_round(id);
            void(id);
            let due = System::block_number() + doubled * CADENCE;
            assert_eq!(activity(id), Activity::Due(due));
            // Nothing that the owner does makes it shorter.
            for _ in 0..2 {
                assert_ok!(suspend(id, 1));
                next_block();
                assert_ok!(readmit(id, 1));
            }
            assert_eq!(activity(id), Activity::Due(due));
        }
        run_to_round(id);
        void(id);
        assert_eq!(activity(id), Activity::Due(System::block_number() + 1_000), "as long as a cadence may be");
        run_to_round(id);
        settle(id, &RoundResult::of(&[ACCEPTED; 2]));
        admit(id, [3]);
        run_to_round(id);
        void(id);
        assert_eq!(activity(id), Activity::Due(System::block_number() + 2 * CADENCE), "what settles ends it");
    });
}

#[test]
fn a_new_member_ends_the_pause_after_failures() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..3);
        for _ in 0..3 {
            run_to_round(id);
            void(id);
        }
        next_block();
        admit(id, [3]);
        let now = System::block_number();
        assert_eq!((activity(id), space(id).failures), (Activity::Due(now + CADENCE), 0));
        next_block();
        admit(id, [4]);
        assert_eq!(activity(id), Activity::Due(now + CADENCE), "which is no later for another one");
    });
}

#[test]
fn the_owner_pays_for_each_round_by_its_work() {
    on_chain(|| {
        RoundFee::set(50);
        WorkFee::set(7);
        let id = new_space(spec());
        assert!(matches!(last_event(), Event::SpaceCreated { fee: 57, .. }), "a unit of work is begun");
        admit(id, 1..3);
        let (before, issued) = (free(OWNER), Balances::total_issuance());
        run_to_round(id);
        assert!(matches!(last_event(), Event::RoundOpened { fee: 57, .. }));
        assert_eq!((free(OWNER), Balances::total_issuance()), (before - 57, issued - 57));
        void(id);
        run_to_round(id);
        assert_eq!(free(OWNER), before - 2 * 57, "whatever becomes of it");
        let wide = SpaceSpec { rows: 1_024, cols: 1_024, anchors: 1_024, ..spec() };
        // 10 and 24 products of anchors, 24 times 42 of squares, two turns, and comparisons.
        let work: u128 = (34 + 24 * 42 + 4 * 2) * (1 << 30) + 10 * 1_024 * (3 * 1_024 + 32);
        assert_eq!(Spaces::round_fee(&wide), 50 + 7 * work.div_ceil(1_000_000_000));
    });
}

#[test]
fn who_cannot_pay_has_no_round() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..3);
        let before = free(OWNER);
        RoundFee::set(before - EXISTENTIAL + 1);
        run_to(3);
        let error = Error::<Test>::CannotPay.into();
        assert_eq!(last_event(), Event::RoundNotOpened { space: id, error, until: 2 + CADENCE });
        assert_eq!((activity(id), Votes::get().len()), (Activity::Due(2 + CADENCE), 0));
        run_to(3 + CADENCE);
        assert_eq!((activity(id), space(id).failures), (Activity::Due(2 + 2 * CADENCE), 0), "the pause is not doubled");
        // Nor is anything taken if no vote can begin.
        RoundFee::set(before - EXISTENTIAL);
        RefuseVotes::set(true);
        run_to(3 + 2 * CADENCE);
        assert_eq!((space(id).failures, free(OWNER)), (1, before));
        assert_eq!(activity(id), Activity::Due(2 + 4 * CADENCE));
        RefuseVotes::set(false);
        run_to_round(id);
        assert_eq!(free(OWNER), EXISTENTIAL);
    });
}

#[test]
fn a_void_round_leaves_the_state_and_its_report() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..3);
        run_to(3);
        let result = RoundResult::of(&[ACCEPTED; 2]);
        settle(id, &result);
        admit(id, [3]);
        run_to(20);
        void(id);
        assert_eq!(space(id).state.unwrap().content, result.id());
        result.submit(id, 0);
    });
}

#[test]
fn only_the_round_that_runs_can_end() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..3);
        let settled = VoteEnd::Settled(content(1));
        Spaces::ended(matter(id, 0), settled);
        run_to(4);
        let before = space(id);
        Spaces::ended(matter(id, 1), settled);
        Spaces::ended(matter(id + 1, 0), settled);
        Spaces::ended(Matter::Trace { session: id, range: 0 }, settled);
        assert_eq!(space(id), before);
        void(id);
        let before = space(id);
        Spaces::ended(matter(id, 0), settled);
        assert_eq!(space(id), before);
        assert_eq!(rounds_running(), 0);
    });
}

#[test]
fn a_vote_that_cannot_begin_is_tried_again() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..3);
        RefuseVotes::set(true);
        run_to(3);
        // Without the text, which is not stored.
        let error = DispatchError::Other("");
        assert_eq!(last_event(), Event::RoundNotOpened { space: id, error, until: 2 + 2 * CADENCE });
        assert!(!frame_support::storage::unhashed::exists(b"vote"), "what the vote stored is gone");
        assert_eq!((activity(id), space(id).next_round), (Activity::Due(2 + 2 * CADENCE), 0));
        assert_eq!((Rosters::<Test>::iter().count(), rounds_running()), (0, 0));
        RefuseVotes::set(false);
        run_to(3 + 2 * CADENCE);
        assert_eq!(running(id), 0);
    });
}

#[test]
fn the_last_rounds_are_kept() {
    on_chain(|| {
        let id = new_space(SpaceSpec { cadence: 2, ..spec() });
        admit(id, 1..3);
        for round in 0..KEPT_ROUNDS + 3 {
            run_to_round(id);
            assert_eq!(void(id), round);
        }
        let mut kept: Vec<_> = History::<Test>::iter_key_prefix(id).collect();
        kept.sort();
        assert_eq!(kept, (3..KEPT_ROUNDS + 3).collect::<Vec<_>>());
    });
}

#[test]
fn so_many_rounds_run_at_one_time() {
    on_chain(|| {
        let ids: Vec<_> = (0..5).map(|_| new_space(spec())).collect();
        for id in &ids {
            admit(*id, [1, 2]);
        }
        let run = || ids.iter().filter(|id| matches!(activity(**id), Activity::Running { .. })).count();
        run_to(40);
        assert_eq!((run(), Votes::get().len()), (2, 2));
        for (over, votes) in (1..4).zip([3, 4, 5]) {
            let Matter::Round { space, .. } = Votes::get()[over - 1].matter else {
                panic!("spaces ask for rounds only")
            };
            void(ids[space as usize]);
            next_block();
            assert_eq!((run(), Votes::get().len()), (2, votes), "whoever had its turn waits behind the others");
        }
    });
}

#[test]
fn whoever_waits_longer_goes_first() {
    on_chain(|| {
        let ids: Vec<_> = (0..5).map(|_| new_space(spec())).collect();
        for id in &ids[..2] {
            admit(*id, [1, 2]);
        }
        next_block();
        next_block();
        for id in [4, 2, 3] {
            admit(ids[id], [1, 2]);
            next_block();
        }
        assert_eq!(rounds_running(), 2);
        for (ends, begins) in [(0, 4), (1, 2), (4, 3)] {
            void(ids[ends]);
            next_block();
            assert_eq!(running(ids[begins]), 0);
        }
    });
}
