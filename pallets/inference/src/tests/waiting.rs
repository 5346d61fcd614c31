use ensemble_core::inference::{ask_bytes, Evidence, RangeVote};
use frame_support::{assert_noop, assert_ok};
use sp_core::Pair;

use crate::{fixture::World, mock::*, Error, Event, FirstWaiting, HoldReason, Question, Refund, State};

/// A closed session waits for so long.
const PATIENCE: BlockNumber = LENGTHS.answer + LENGTHS.votes.commit + LENGTHS.votes.reveal + LENGTHS.votes.attest;

/// A session with so many ranges.
fn asked(workers: u32) -> Question {
    Question { workers, replicas: if workers < 3 { 1 } else { 3 }, ..question() }
}

/// Sessions of which each takes a half of the room but for one vote, and so many others whose gateway has not closed yet.
fn with_little_room<const N: usize>(others: [u32; N], test: impl FnOnce([u32; 2], [u32; N])) {
    with_workers(5, |_| {
        let (busy, others) = ([5, 5].map(asked).map(open), others.map(asked).map(open));
        busy.iter().chain(&others).for_each(|id| drop(run_to_assigned(*id)));
        busy.iter().for_each(|id| close(*id, closing()));
        next_block();
        assert!(busy.iter().all(|id| votes_on(*id).len() == 5));
        test(busy, others);
    });
}

fn is_closed(id: u32) -> bool {
    matches!(session(id).state, State::Closed { .. })
}

fn end_votes(id: u32) {
    let (world, ranges) = (World::honest(), session(id).question.workers);
    end_votes_on(id, |range| world.trace(range, ranges).id(), |_, _| Vote::Right);
}

#[test]
fn whoever_closed_first_votes_first_however_little_others_need() {
    with_little_room([5, 1], |busy, [large, small]| {
        close(large, closing());
        next_block();
        assert!(is_closed(large));
        // There is room for its one vote.
        close(small, closing());
        for _ in 0..10 {
            next_block();
        }
        assert!(is_closed(small));
        let advance = |id| Inference::advance(signed(STRANGER), id).map(drop).map_err(|failed| failed.error);
        System::set_block_number(session(small).due.unwrap());
        assert_noop!(advance(small), Error::<Test>::NoRoomForVotes);
        end_votes(busy[0]);
        next_block();
        assert_eq!((votes_on(large).len(), FirstWaiting::<Test>::get()), (5, None));
        for _ in 0..4 {
            next_block();
        }
        assert_eq!(votes_on(small).len(), 1);
    });
}

#[test]
fn who_closed_earlier_goes_before_who_waits_already() {
    with_little_room([5, 5], |busy, [early, late]| {
        close(early, closing());
        next_block();
        close(late, closing());
        // A full block did not come to the early one.
        let until = |id| match session(id).state {
            State::Closed { until, .. } => until,
            _ => panic!("it waits"),
        };
        FirstWaiting::<Test>::put((until(late), late));
        next_block();
        assert_eq!(FirstWaiting::<Test>::get(), Some((until(early), early)));
        end_votes(busy[0]);
        next_block();
        assert_eq!(votes_on(early).len(), 5);
        assert!(is_closed(late));
    });
}

#[test]
fn who_is_not_first_looks_only_now_and_then() {
    with_little_room([5, 5], |_, [first, other]| {
        close(first, closing());
        next_block();
        close(other, closing());
        next_block();
        let now = System::block_number();
        assert_eq!([first, other].map(|id| session(id).due), [Some(now), Some(now + 3)]);
        next_block();
        assert_eq!([first, other].map(|id| session(id).due), [Some(now + 1), Some(now + 3)]);
    });
}

#[test]
fn who_waits_too_long_goes_on_without_votes_and_its_gateway_keeps_its_bond() {
    with_little_room([5, 5], |_, [first, other]| {
        close(first, closing());
        let closed = System::block_number();
        next_block();
        close(other, closing());
        run_to(closed + PATIENCE + 1);
        assert!(is_closed(first));
        next_block();
        assert!(events().contains(&Event::VotesGivenUp { session: first }));
        let State::Disputable { ranges, .. } = session(first).state else { panic!("its window is open") };
        assert!(ranges.iter().all(|range| range.vote == RangeVote::Void));
        // It keeps nobody out any more, and the other one does not wait for ever either.
        assert_ne!(FirstWaiting::<Test>::get().map(|(_, id)| id), Some(first));
        let (held_before, wealth_before) = (held(HoldReason::Price, REQUESTER), wealth(REQUESTER));
        let (price, burnt_before) = (session(first).price, BurntSoFar::get());
        run_to_end(first);
        assert!(events().contains(&Event::SessionOver { session: first, refund: None }));
        // The requester has the answer: its five positions in three replicas cost what they cost, but for their votes.
        let products = crate::fixture::Model::tiny().llama.products();
        let cost = crate::CurrentParameters::<Test>::get().rates.amount(5, products, 3).unwrap();
        assert!(0 < cost && cost < price);
        assert_eq!(
            (held(HoldReason::Price, REQUESTER), wealth(REQUESTER)),
            (held_before - price, wealth_before - cost)
        );
        assert_eq!(BurntSoFar::get(), burnt_before + cost);
        // Nobody else is paid, or loses anything.
        assert!(WORKERS[..5].iter().chain(&[GATEWAY]).all(|who| worker(*who).bond == BOND));
        assert!(WORKERS[..5].iter().chain(&[GATEWAY]).all(|who| wealth(*who) == ENDOWMENT));
        run_to_end(other);
        assert_eq!(FirstWaiting::<Test>::get(), None);
    });
}

#[test]
fn a_gateway_that_closed_with_less_while_nobody_could_vote_pays_the_price() {
    with_workers(3, |_| {
        let id = open(Question { max_tokens: 6, ..question() });
        run_to_assigned(id);
        close(id, closing());
        RefuseVotes::set(true);
        next_block();
        OpenVotes::set(Default::default());
        let signature = pair(GATEWAY).sign(&ask_bytes(&System::block_hash(0), id, 7)).into();
        assert_ok!(dispute(id, &Evidence::Short { position: 7, signature }, STRANGER));
        run_to_end(id);
        assert!(events().contains(&Event::SessionOver { session: id, refund: Some(Refund::Wrong) }));
        // No votes, no fee of votes to return.
        assert_eq!(wealth(REQUESTER), ENDOWMENT);
        assert!(BOND - worker(GATEWAY).bond >= Inference::quote(0, 8, 3, 3).unwrap().price);
    });
}

#[test]
fn who_should_be_gone_keeps_nobody_out() {
    with_little_room([5, 1], |_, [first, small]| {
        close(first, closing());
        next_block();
        let State::Closed { until, .. } = session(first).state else { panic!("it waits") };
        close(small, closing());
        run_to(until);
        // A full block, in which nothing happens.
        System::set_block_number(until + 1);
        Inference::begin_votes(small, session(small), until + 1);
        assert_eq!(votes_on(small).len(), 1);
    });
}
