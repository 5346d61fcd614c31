//! Sessions that a gateway agrees to before they are opened.

use ensemble_core::inference::{consent_bytes, Payment, Question, SessionPhase};
use sp_core::Pair;

use super::net::{follow, wait_until, Manner, Net, MAX_TOKENS, PROMPT, SESSION};
use crate::rows::{
    chain::{self, Chain},
    gateway::{Agreed, Error, Refusal, Wish},
    keys::AttesterPair,
    limits::GENERATIONS,
};

/// What the session of most tests is opened for.
fn wish(net: &Net) -> Wish {
    let workers = u32::try_from(net.workers.len()).unwrap();
    Wish {
        requester: [9; 32].into(),
        model: 0,
        tokens: PROMPT.to_vec(),
        max_tokens: MAX_TOKENS,
        workers,
        replicas: 1,
        payment: Payment::Tune,
        gateway: None,
    }
}

fn consent(net: &Net, wish: Wish) -> Result<Agreed, Refusal> {
    net.gateway.hub.gateway.consent(wish)
}

fn look(net: &Net) {
    net.gateway.hub.gateway.look();
}

fn refused(net: &Net, change: impl FnOnce(&mut Wish)) -> Refusal {
    let mut wish = wish(net);
    change(&mut wish);
    consent(net, wish).unwrap_err()
}

/// A network whose session is not opened yet.
fn unopened(workers: u32) -> Net {
    let net = Net::new(workers, 1);
    net.world.sessions.lock().clear();
    net
}

#[test]
fn what_was_agreed_to_is_answered_though_nobody_listens() {
    let net = unopened(2);
    let Agreed { gateway, number, until, signature, price } = consent(&net, wish(&net)).unwrap();
    let best = net.world.best_number();
    assert_eq!((&gateway, until), (&net.gateway.participant().account, best + 20));
    assert_eq!(price, (PROMPT.len() as u128 + u128::from(MAX_TOKENS) - 1) * 2);
    assert_eq!(net.gateway.hub.context.metrics.consents.get(), 1);
    look(&net);
    assert!(net.gateway.hub.gateway.progress(SESSION).is_none());

    net.open(SESSION, 1);
    let session = net.world.sessions.lock()[&SESSION].clone();
    let question: Question = chain::question(&session);
    let genesis = net.gateway.hub.context.genesis;
    let bytes = consent_bytes(&genesis, &session.requester, 0, &question, Payment::Tune, number, &until);
    assert!(AttesterPair::verify(&signature, bytes, &net.gateway.pair.public()));

    net.change(|session| session.phase = SessionPhase::Open { assign_at: 9 });
    look(&net);
    assert!(net.gateway.hub.gateway.progress(SESSION).is_none());
    net.change(|session| session.phase = net.assigned());
    look(&net);
    wait_until("an answer is waited for", || net.gateway.ledger.closing(SESSION).is_some());
    // Whoever has the tokens may still listen.
    let (items, end) = follow(&net.gateway.generate(&PROMPT).unwrap());
    assert_eq!(items.len(), MAX_TOKENS as usize);
    assert_eq!(end.unwrap().tokens, net.alone(&PROMPT, MAX_TOKENS, 2).tokens);
    assert_eq!(net.gateway.generate(&PROMPT[1..]).err(), Some(Error::AnotherPrompt));
    look(&net);
    assert_eq!(net.gateway.hub.context.metrics.consents.get(), 0);
}

#[test]
fn nobody_asked_for_other_sessions() {
    let net = unopened(2);
    consent(&net, wish(&net)).unwrap();
    net.open(SESSION, 1);
    net.change(|session| session.requester = [8; 32].into());
    look(&net);
    assert!(net.gateway.hub.gateway.progress(SESSION).is_none());
    // The node of its gateway may be asked to, by those who have the tokens.
    net.gateway.generate(&PROMPT).unwrap();
}

#[test]
fn an_answer_that_could_not_begin_begins_with_a_later_block() {
    let net = unopened(1);
    consent(&net, wish(&net)).unwrap();
    net.open(SESSION, 1);
    *net.gateway.shelf.0.lock() = Err("it is being checked".into());
    look(&net);
    assert!(net.gateway.hub.gateway.progress(SESSION).is_none());
    net.gateway.has(net.model.clone());
    look(&net);
    wait_until("an answer is waited for", || net.gateway.ledger.closing(SESSION).is_some());
}

#[test]
fn what_is_not_agreed_to_is_refused_with_a_reason() {
    let net = unopened(3);
    assert_eq!(refused(&net, |wish| wish.model = 1), Error::UnknownModel(1).into());
    assert_eq!(refused(&net, |wish| wish.tokens.clear()), Refusal::Tokens);
    assert_eq!(refused(&net, |wish| wish.tokens[1] = 41), Refusal::Tokens);
    assert_eq!(refused(&net, |wish| wish.max_tokens = 0), Refusal::Terms);
    assert_eq!(refused(&net, |wish| wish.replicas = 5), Refusal::Terms);
    assert_eq!(refused(&net, |wish| wish.replicas = 0), Refusal::TooFewReplicas(1));
    assert_eq!(refused(&net, |wish| wish.payment = Payment::Credits), Refusal::CannotPay(48));
    assert_eq!(refused(&net, |wish| wish.gateway = Some([3; 32].into())), Refusal::NoGateway);
    assert!(matches!(refused(&net, |wish| wish.max_tokens = 300_000), Refusal::Answer(Error::NoRoom(_))));
    *net.world.means.lock() = 47;
    assert_eq!(refused(&net, |_| ()), Refusal::CannotPay(48));
    *net.world.means.lock() = 48;
    *net.gateway.shelf.0.lock() = Err("it is not held".into());
    assert_eq!(refused(&net, |_| ()), Error::Model("it is not held".into()).into());
    net.gateway.has(net.model.clone());

    let change = |change: fn(&mut chain::Bonded)| change(&mut net.world.bonded.lock()[0]);
    change(|worker| worker.leaves_at = Some(7));
    assert_eq!(refused(&net, |_| ()), Refusal::NoGateway);
    // Another node is announced under this key.
    change(|worker| {
        (worker.leaves_at, worker.party.peer) =
            (None, sc_network_types::PeerId::random().to_bytes().try_into().unwrap())
    });
    assert_eq!(refused(&net, |_| ()), Refusal::NoGateway);
    net.world.bonded.lock()[0].party = net.gateway.participant();
    change(|worker| worker.pledged = worker.bond - 47);
    assert_eq!(refused(&net, |_| ()), Refusal::BondTooSmall { price: 48, free: 47 });
    change(|worker| worker.pledged = worker.bond - 48);
    consent(&net, wish(&net)).unwrap();
}

#[test]
fn a_bond_answers_for_sessions_that_are_not_opened_yet() {
    let net = unopened(3);
    net.world.bonded.lock()[0].bond = 100;
    let first = consent(&net, wish(&net)).unwrap();
    let second = consent(&net, wish(&net)).unwrap();
    assert_ne!(first.number, second.number);
    assert_eq!(refused(&net, |_| ()), Refusal::BondTooSmall { price: 48, free: 4 });
    // The account with the other key has a bond too.
    net.bond(net.gateway.other(), 48);
    assert_eq!(
        refused(&net, |wish| wish.gateway = Some(first.gateway.clone())),
        Refusal::BondTooSmall { price: 48, free: 4 }
    );
    assert_eq!(consent(&net, wish(&net)).unwrap().gateway, [77; 32].into());
    // What is not opened in time binds nothing any more.
    (0..=20).for_each(|_| net.world.next_block());
    assert_eq!(net.world.best_number(), first.until + 1);
    consent(&net, wish(&net)).unwrap();
}

#[test]
fn no_more_is_agreed_to_than_can_be_answered() {
    let net = unopened(1);
    for _ in 0..GENERATIONS {
        consent(&net, wish(&net)).unwrap();
    }
    assert_eq!(refused(&net, |_| ()), Refusal::Busy(GENERATIONS));
    // One of them is opened and answered.
    net.open(SESSION, 1);
    look(&net);
    assert_eq!(refused(&net, |_| ()), Refusal::Busy(GENERATIONS));
    wait_until("an answer is waited for", || net.gateway.hub.gateway.progress(SESSION).unwrap().is_over());
    consent(&net, wish(&net)).unwrap();
    assert_eq!(refused(&net, |_| ()), Refusal::Busy(GENERATIONS));
}

#[test]
fn sessions_that_run_without_consent_take_places_too() {
    let net = unopened(1);
    net.workers[0].behaves(Manner::Slow(std::time::Duration::from_millis(20)));
    net.open(SESSION, 1);
    let progress = net.gateway.generate(&PROMPT).unwrap();
    for _ in 1..GENERATIONS {
        consent(&net, wish(&net)).unwrap();
    }
    assert_eq!(refused(&net, |_| ()), Refusal::Busy(GENERATIONS));
    follow(&progress).1.unwrap();
    consent(&net, wish(&net)).unwrap();
}
