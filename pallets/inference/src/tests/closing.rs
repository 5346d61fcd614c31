use ensemble_core::{
    inference::{places_of, Closing, RangeVote},
    tasks::Descriptor,
    votes::Voters,
};
use ensemble_tensor::{Header, Kind};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::transaction_validity::InvalidTransaction;

use crate::{fixture::World, mock::*, Error, Event, State};

#[test]
fn the_gateway_closes_once() {
    with_workers(3, |_| {
        let id = open(question());
        assert_eq!(authorize_close(id, closing(), GATEWAY), Err(InvalidTransaction::Stale.into()));
        run_to_assigned(id);
        let valid = authorize_close(id, closing(), GATEWAY).unwrap();
        assert_eq!((valid.priority, valid.longevity, valid.propagate), (CLOSE_PRIORITY, LENGTHS.answer, true));
        assert_ok!(try_close(id, closing()));
        assert_eq!(last_event(), Event::SessionClosed { session: id, closing: closing() });
        assert_eq!(authorize_close(id, closing(), GATEWAY), Err(InvalidTransaction::Stale.into()));
        assert_noop!(try_close(id, closing()), Error::<Test>::NotAssigned);
    });
}

#[test]
fn nobody_else_closes() {
    with_workers(3, |_| {
        let id = open(question());
        run_to_assigned(id);
        for who in [WORKERS[0], REQUESTER] {
            assert_eq!(authorize_close(id, closing(), who), Err(InvalidTransaction::BadProof.into()));
        }
        assert_noop!(
            Inference::close(signed(GATEWAY), id, closing(), proof(GATEWAY, GATEWAY)),
            sp_runtime::DispatchError::BadOrigin
        );
    });
}

#[test]
fn what_is_no_answer_does_not_close() {
    with_workers(3, |_| {
        let id = open(question());
        run_to_assigned(id);
        let refuse = |closing| {
            assert_eq!(authorize_close(id, closing, GATEWAY), Err(InvalidTransaction::Call.into()));
            assert_noop!(try_close(id, closing), Error::<Test>::InvalidClosing);
        };
        let good = closing();
        let stages = crate::fixture::Model::tiny().llama.stages();
        let of = |kind, positions, cols, tokens| Closing {
            tokens: Descriptor { header: Header::new(Kind::I32, tokens, 1).unwrap(), ..good.tokens },
            trace: Descriptor { header: Header::new(kind, positions, cols).unwrap(), ..good.trace },
            contested: None,
        };
        refuse(of(Kind::I16, 5, 16 * stages, 6));
        refuse(of(Kind::I32, 5, 16 * stages + 1, 6));
        refuse(of(Kind::I32, 5, 16 * stages, 5));
        // Fewer positions than the prompt has tokens, and more than were paid for.
        refuse(of(Kind::I32, 2, 16 * stages, 3));
        refuse(of(Kind::I32, 7, 16 * stages, 8));
        close(id, of(Kind::I32, 6, 16 * stages, 7));
    });
}

#[test]
fn time_is_up_after_the_last_block() {
    with_workers(3, |_| {
        let id = open(question());
        run_to_assigned(id);
        let State::Assigned { until, .. } = session(id).state else { panic!("not assigned") };
        run_to(until);
        assert_eq!(authorize_close(id, closing(), GATEWAY).unwrap().longevity, 1);
        System::set_block_number(until + 1);
        assert_eq!(authorize_close(id, closing(), GATEWAY), Err(InvalidTransaction::Stale.into()));
        System::set_block_number(until);
    });
}

#[test]
fn the_workers_of_each_range_vote() {
    with_workers(5, |_| {
        let asked = crate::Question { workers: 5, replicas: 3, ..question() };
        // The votes of so many ranges need room.
        let id = run_to_votes(asked, &World::honest());
        let votes = votes_on(id);
        assert_eq!(votes.len(), 5);
        let parties = session(id).state.team().to_vec();
        for (range, task) in votes {
            let vote = OpenVotes::get()[&task].clone();
            let Voters::Named(voters) = vote.voters else { panic!("workers vote") };
            let expected: Vec<_> = places_of(range, 5, 3).map(|place| parties[place as usize].key.clone()).collect();
            assert_eq!(voters.into_inner(), expected);
            assert!(vote.content.admits(&World::honest().trace(range, 5).header));
            assert_eq!(vote.phases, LENGTHS.votes);
        }
        assert_eq!(BurntSoFar::get(), 15 * VOTE_FEE + 5 * ATTEST_FEE);
    });
}

#[test]
fn votes_wait_for_room() {
    with_workers(3, |_| {
        let ids: Vec<_> = (0..5).map(|_| open(question())).collect();
        ids.iter().for_each(|id| drop(run_to_assigned(*id)));
        ids.iter().for_each(|id| close(*id, closing()));
        next_block();
        let closed = || ids.iter().filter(|id| matches!(session(**id).state, State::Closed { .. })).count();
        assert_eq!(closed(), 1);
        let voting = *ids.iter().find(|id| matches!(session(**id).state, State::Voting { .. })).unwrap();
        let waiting = *ids.iter().find(|id| matches!(session(**id).state, State::Closed { .. })).unwrap();
        assert_noop!(
            Inference::advance(signed(STRANGER), waiting).map_err(|failed| failed.error),
            Error::<Test>::NoRoomForVotes
        );
        let world = World::honest();
        end_votes_on(voting, |range| world.trace(range, 3).id(), |_, _| Vote::Right);
        next_block();
        assert_eq!(closed(), 0);
    });
}

#[test]
fn either_all_votes_begin_or_none() {
    with_workers(3, |_| {
        let id = open(question());
        run_to_assigned(id);
        close(id, closing());
        RefuseVotes::set(true);
        next_block();
        OpenVotes::set(Default::default());
        assert!(!frame_support::storage::unhashed::exists(&codec::Encode::encode(&100u32)));
        // It would be the same in the next block, and in all others: it goes on without, and nobody has done wrong.
        assert!(events().contains(&Event::VotesGivenUp { session: id }));
        run_to_end(id);
        assert_eq!(wealth(REQUESTER), ENDOWMENT - BurntSoFar::get());
        assert!(WORKERS[..3].iter().chain(&[GATEWAY]).all(|who| worker(*who).bond == BOND));
        RefuseVotes::set(false);
        let id = run_to_votes(question(), &World::honest());
        assert_eq!(votes_on(id).len(), 3);
    });
}

#[test]
fn a_range_is_decided_by_its_vote() {
    with_workers(3, |_| {
        let world = World::honest();
        let id = run_to_votes(question(), &world);
        let [_, outvoted, silent] = team(id)[..] else { panic!("three workers") };
        for (range, task) in votes_on(id) {
            let right = world.trace(range, 3).id();
            let how = |who, range| match range {
                0 if who == outvoted => Vote::Other(7),
                2 if who == silent => Vote::Silent,
                _ => Vote::Right,
            };
            end_vote(task, right, how);
            let (backers, outvoted) = match range {
                0 => (0b101, 0b010),
                1 => (0b111, 0),
                _ => (0b011, 0),
            };
            let vote = RangeVote::Won(right);
            let decided = Event::RangeDecided { session: id, range, vote, backers, outvoted };
            assert!(events().contains(&decided), "{:?}", events());
        }
        let until = System::block_number() + LENGTHS.window;
        assert_eq!(last_event(), Event::WindowOpened { session: id, until });
    });
}
