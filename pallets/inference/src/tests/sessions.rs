use ensemble_core::inference::Payment;
use frame_support::{assert_noop, assert_ok};

use crate::{mock::*, Error, Event, HoldReason, Question, Refund, Sessions, State};

#[test]
fn a_session_holds_the_most_it_can_cost() {
    with_workers(3, |_| {
        let id = open(question());
        let price = session(id).price;
        // Three replicas of six positions, and nine votes and three panels.
        let products = u128::from(crate::fixture::Model::tiny().llama.products());
        assert_eq!(price, 3 * (6 * 10 + (6 * products).div_ceil(100)) + 9 * VOTE_FEE + 3 * ATTEST_FEE);
        assert_eq!((held(HoldReason::Price, REQUESTER), free(REQUESTER)), (price, ENDOWMENT - price - RECORD));
        assert_eq!((session(id).deposit, held(HoldReason::Session, REQUESTER)), (RECORD, RECORD));
        let assign_at = 1 + ASSIGN_DELAY;
        assert!(matches!(last_event(), Event::SessionOpened { session: 0, assign_at: at, .. } if at == assign_at));
        assert_eq!((worker(GATEWAY).sessions, worker(GATEWAY).pledged), (1, price));
    });
}

#[test]
fn what_cannot_be_asked_for_is_refused() {
    with_workers(3, |_| {
        let refuse = |question, error: Error<Test>| {
            assert_noop!(try_open(question, Payment::Tune), error);
        };
        let good = question();
        refuse(Question { prompt_tokens: 0, ..good }, Error::InvalidLength);
        refuse(Question { max_tokens: 0, ..good }, Error::InvalidLength);
        // The model has 32 positions.
        refuse(Question { prompt_tokens: 30, max_tokens: 4, ..good }, Error::InvalidLength);
        refuse(Question { max_tokens: u32::MAX, ..good }, Error::InvalidLength);
        refuse(Question { workers: 0, ..good }, Error::InvalidWorkers);
        refuse(Question { workers: 33, ..good }, Error::InvalidWorkers);
        refuse(Question { replicas: 2, ..good }, Error::InvalidReplicas);
        refuse(Question { replicas: 0, ..good }, Error::InvalidReplicas);
        refuse(Question { replicas: 5, ..good }, Error::InvalidReplicas);
        refuse(Question { workers: 20, replicas: 9, ..good }, Error::InvalidReplicas);
        assert_ok!(try_open(Question { prompt_tokens: 29, max_tokens: 4, ..good }, Payment::Tune));
    });
}

#[test]
fn traces_have_only_so_many_bytes() {
    with_workers(3, |model| {
        // Six positions of nine stages: the gateway's trace, those of three ranges, and seven tokens.
        let bytes = 4 * 6 * 9 * 64 + 7 * 4;
        MaxSessionBytes::set(bytes - 1);
        assert_noop!(try_open(question(), Payment::Tune), Error::<Test>::TracesTooLarge);
        assert_eq!(Inference::quote(model, 6, 3, 3), None);
        MaxSessionBytes::set(bytes);
        assert_ok!(try_open(question(), Payment::Tune));
    });
}

#[test]
fn a_gateway_is_a_worker_with_a_full_bond_that_stays() {
    with_workers(3, |model| {
        let ask = |gateway| try_open_through(gateway, REQUESTER, question(), Payment::Tune);
        assert_noop!(ask(STRANGER), Error::<Test>::NotAGateway);
        assert_ok!(ask(WORKERS[0]));
        drop(Inference::slash_bond(0, &WORKERS[0], 1));
        assert_noop!(ask(WORKERS[0]), Error::<Test>::NotAGateway);
        assert_ok!(Inference::leave(signed(WORKERS[1])));
        assert_noop!(ask(WORKERS[1]), Error::<Test>::NotAGateway);
        assert_noop!(
            Inference::open(signed(GATEWAY), model + 9, GATEWAY, question(), Payment::Tune, None),
            Error::<Test>::UnknownModel
        );
        assert_noop!(try_open_through(GATEWAY, POOR, question(), Payment::Tune), Error::<Test>::CannotPay);
    });
}

#[test]
fn there_are_only_so_many_sessions() {
    with_workers(3, |_| {
        for _ in 0..MAX_SESSIONS {
            open(question());
        }
        // The last ones are the dearest.
        let deposits = |id| session(id).deposit;
        assert_eq!([0, 1, 2, 3, 4, 5].map(deposits), [1, 2, 8, 32, 64, 256].map(|times| times * RECORD));
        assert_noop!(try_open(question(), Payment::Tune), Error::<Test>::TooManySessions);
    });
}

#[test]
fn workers_are_drawn_some_blocks_later() {
    with_workers(5, |_| {
        let id = open(question());
        run_to(1 + ASSIGN_DELAY);
        assert_eq!(session(id).state, State::Open);
        next_block();
        let State::Assigned { until, .. } = session(id).state else { panic!("nobody was drawn") };
        assert_eq!(until, 1 + ASSIGN_DELAY + LENGTHS.answer);
        let workers = team(id);
        assert_eq!(last_event(), Event::SessionAssigned { session: id, workers: workers.clone(), until });
        assert_eq!(workers.len(), 3);
        assert!(workers.iter().all(|who| worker(*who).sessions == 1));
    });
}

#[test]
fn too_few_workers_refund_the_requester() {
    with_workers(2, |_| {
        let id = open(question());
        run_to_end(id);
        assert!(events().contains(&Event::SessionOver { session: id, refund: Some(Refund::TooFewWorkers) }));
        assert_eq!((wealth(REQUESTER), held(HoldReason::Price, REQUESTER)), (ENDOWMENT, 0));
        assert_eq!((worker(GATEWAY).sessions, worker(GATEWAY).pledged), (0, 0));
        assert_eq!(worker(GATEWAY).bond, BOND);
    });
}

#[test]
fn a_gateway_that_does_not_close_pays_the_price_and_nobody_gets_it() {
    with_workers(3, |_| {
        let id = open(question());
        let price = session(id).price;
        run_to_assigned(id);
        run_to(1 + ASSIGN_DELAY + LENGTHS.answer + 1);
        assert!(matches!(session(id).state, State::Assigned { .. }));
        next_block();
        assert!(!Sessions::<Test>::contains_key(id));
        assert!(events().contains(&Event::SessionOver { session: id, refund: Some(Refund::NotClosed) }));
        assert!(events().contains(&Event::Slashed { session: id, who: GATEWAY, amount: price }));
        assert_eq!((free(REQUESTER), worker(GATEWAY).bond, worker(GATEWAY).pledged), (ENDOWMENT, BOND - price, 0));
        assert_eq!((wealth(GATEWAY), BurntSoFar::get()), (ENDOWMENT - price, price));
        assert!(WORKERS[..3].iter().chain(&[GATEWAY]).all(|who| worker(*who).sessions == 0));
        assert!(WORKERS[..3].iter().all(|who| wealth(*who) == ENDOWMENT));
    });
}
