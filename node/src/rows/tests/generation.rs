//! Answers as they ought to be.

use ensemble_compute::Machine;
use ensemble_core::inference::{ask_bytes, ranges_of, SessionPhase};
use sp_core::Pair;

use super::{
    net::{block_on, follow, wait_until, Net, MAX_TOKENS, PROMPT, SESSION},
    serving::signed,
    tiny::{HALVES, LLAMA},
};
use crate::rows::{
    gateway::{Agreement, Error, News},
    keys::AttesterPair,
    protocol::{Call, Message},
};

/// All tokens and all traces are those of one process alone.
fn assert_is_right(net: &Net, replicas: u32, prompt: &[u32], most: u32) {
    let count = net.workers.len() as u32;
    let alone = net.alone(prompt, most, count);
    let (items, end) = follow(&net.gateway.generate(prompt).unwrap());
    let summary = end.unwrap();
    assert_eq!(summary.tokens, alone.tokens);
    let given: Vec<_> = items.iter().map(|item| item.token).collect();
    assert_eq!(given, alone.tokens[prompt.len()..]);
    let positions: Vec<_> = items.iter().map(|item| item.position).collect();
    assert_eq!(positions, (prompt.len() as u32..alone.tokens.len() as u32).collect::<Vec<_>>());

    assert_eq!(summary.closing.trace.root, alone.trace.describe().unwrap().1);
    assert_eq!(summary.closing.positions() as usize, alone.tokens.len() - 1);
    assert_eq!(summary.closing.contested, None);
    assert_eq!(net.gateway.ledger.closing(SESSION), Some(summary.closing));
    assert!(net.gateway.store.has_pin(&summary.closing.tokens.id()));
    assert!(summary.report.disagreements.is_empty() && summary.report.dropped.is_empty());
    assert_eq!((summary.report.majority, summary.report.unverified), (0, 0));

    for (place, worker) in (0..count).zip(&net.workers) {
        wait_until("the traces are waited for", || worker.ledger.is_served(SESSION, place));
        for range in 0..count {
            let expected = ranges_of(place, count, replicas).any(|served| served == range);
            let trace = worker.ledger.trace(SESSION, range);
            assert_eq!(trace.is_some(), expected);
            if let Some(trace) = trace {
                assert_eq!(trace.root, alone.ranges[range as usize].describe().unwrap().1);
                assert!(worker.store.has_pin(&trace.id()));
            }
        }
    }
    wait_until("the end of all connections is waited for", || net.gateway.wire.kept.lock().is_empty());
    let all = net.gateway.ledger.signed(SESSION);
    assert_eq!(all.len() as u32, count * replicas);
    for signed in all {
        let trace = &alone.ranges[signed.range as usize];
        let hashes: Vec<_> = signed.rows.iter().map(|(hash, _)| *hash).collect();
        let rows = (0..trace.positions()).map(|position| trace.row_hash(position).unwrap());
        assert_eq!(hashes, rows.collect::<Vec<_>>());
    }
}

#[test]
fn one_to_four_workers_give_the_answer_of_one_process_alone() {
    for (workers, replicas) in [(1, 1), (2, 1), (3, 1), (4, 1), (3, 3), (4, 3), (5, 5)] {
        assert_is_right(&Net::new(workers, replicas), replicas, &PROMPT, MAX_TOKENS);
    }
}

#[test]
fn a_gateway_is_a_worker_too() {
    let net = Net::new(3, 3);
    net.change(|session| {
        let gateway = session.gateway.clone();
        let SessionPhase::Assigned { workers, .. } = &mut session.phase else { panic!() };
        workers[1] = gateway;
    });
    let (_, end) = net.answer();
    let summary = end.unwrap();
    let alone = net.alone(&PROMPT, MAX_TOKENS, 3);
    assert_eq!((summary.tokens, summary.report.dropped), (alone.tokens, Vec::new()));
    wait_until("the trace is waited for", || net.gateway.ledger.is_served(SESSION, 1));
    let trace = net.gateway.ledger.trace(SESSION, 1).unwrap();
    assert_eq!(trace.root, alone.ranges[1].describe().unwrap().1);
    // One file has both.
    assert_eq!(net.gateway.ledger.closing(SESSION), Some(summary.closing));
}

#[test]
fn long_prompts_go_in_batches() {
    for len in [1, 31, 32, 33, 64, 70] {
        let net = Net::new(3, 3);
        let prompt: Vec<_> = (0..len).map(|place| place * 7 % LLAMA.vocabulary).collect();
        net.ask(&prompt, 3);
        assert_is_right(&net, 3, &prompt, 3);
    }
}

#[test]
fn the_gateway_signs_what_it_asks_for() {
    let net = Net::new(2, 1);
    let prompt: Vec<_> = (0..40).collect();
    net.ask(&prompt, 3);
    follow(&net.gateway.generate(&prompt).unwrap()).1.unwrap();
    let (genesis, key) = (net.gateway.hub.context.genesis, net.gateway.pair.public());
    let calls = std::mem::take(&mut *net.gateway.wire.calls.lock());
    let mut last = Vec::new();
    for call in calls.iter().filter(|call| call.place == 0) {
        assert_eq!(call.asked.is_some(), call.stage == 0);
        let Some(asked) = call.asked else { continue };
        let position = call.first + u32::try_from(call.inputs.len()).unwrap() - 1;
        let signature = sp_core::sr25519::Signature::from_raw(asked).into();
        assert!(AttesterPair::verify(&signature, ask_bytes(&genesis, SESSION, position), &key));
        last.push(position);
    }
    assert_eq!(last, [31, 39, 40, 41]);
}

#[test]
fn what_could_not_be_kept_is_not_begun() {
    let net = Net::new(1, 1);
    net.ask(&PROMPT, 4_000_000);
    let refused = net.gateway.generate(&PROMPT).err().unwrap();
    assert!(matches!(&refused, Error::NoRoom(reason) if reason.contains("--tensor-quota")), "{refused}");
}

#[test]
fn what_nobody_answered_is_tried_again() {
    // With two workers the answer could fail by one of them, and the other begin in the meantime.
    let net = Net::new(1, 1);
    for worker in &net.workers {
        *worker.shelf.0.lock() = Err("it is not held".into());
    }
    let failure = net.answer().1.unwrap_err();
    assert!(failure.contains("it is not held"), "{failure}");
    net.workers.iter().for_each(|worker| worker.has(net.model.clone()));
    wait_until("the failure is forgotten", || net.gateway.hub.gateway.progress(SESSION).is_none());
    assert_eq!(net.answer().1.unwrap().tokens, net.alone(&PROMPT, MAX_TOKENS, 1).tokens);
}

#[test]
fn an_answer_ends_with_the_models_last_word() {
    let mut net = Net::new(2, 1);
    let alone = net.alone(&PROMPT, MAX_TOKENS, 2);
    net.model.end = Some(alone.tokens[PROMPT.len() + 2]);
    for node in net.workers.iter().chain([&net.gateway]) {
        node.has(net.model.clone());
    }
    let (items, end) = net.answer();
    let first = alone.tokens[PROMPT.len()..].iter().position(|token| Some(*token) == net.model.end).unwrap();
    assert_eq!(items.len(), first + 1);
    assert_eq!(end.unwrap().tokens, alone.tokens[..PROMPT.len() + first + 1]);
}

#[test]
fn an_answer_ends_with_the_models_last_position() {
    let net = Net::new(1, 1);
    let prompt = vec![2; LLAMA.positions as usize - 2];
    net.ask(&prompt, 100);
    let (items, end) = follow(&net.gateway.generate(&prompt).unwrap());
    assert_eq!((items.len(), end.unwrap().tokens.len()), (2, LLAMA.positions as usize));
}

#[test]
fn who_comes_late_gets_all_tokens_and_who_leaves_stops_nothing() {
    let net = Net::new(2, 1);
    let first = net.gateway.generate(&PROMPT).unwrap();
    let News::Item(item) = block_on(first.after(0)) else { panic!() };
    drop(first);
    let (items, end) = net.answer();
    assert_eq!(items[0], item);
    assert_eq!(items.len(), MAX_TOKENS as usize);
    // And again when it is over.
    let (again, end_again) = net.answer();
    assert_eq!((again, end_again), (items, end));
}

#[test]
fn all_replicas_count_in_what_is_told_of_a_token() {
    let (items, _) = Net::new(2, 1).answer();
    assert!(items.iter().all(|item| item.agreement == Agreement { full: 2, ..Default::default() }));
    let (items, _) = Net::new(3, 3).answer();
    for Agreement { full, majority, unverified } in items.iter().map(|item| item.agreement) {
        assert_eq!((full + majority, unverified), (3, 0));
    }
}

#[test]
fn the_text_is_that_of_the_tokens() {
    let mut net = Net::new(1, 1);
    // Wherever the answer goes, its text is that of its tokens.
    net.ask(&HALVES, 12);
    net.model.end = None;
    let (items, end) = follow(&net.gateway.generate(&HALVES).unwrap());
    let text: String = items.iter().map(|item| item.text.as_str()).collect();
    let tokens = end.unwrap().tokens;
    let whole = crate::rows::model::Model::text(&net.model, &tokens[2..]);
    assert_eq!(text, whole);
}

#[test]
fn sessions_that_are_not_to_be_answered_are_refused() {
    let net = Net::new(2, 1);
    let refused = |expected: Error| assert_eq!(net.gateway.generate(&PROMPT).err(), Some(expected));

    assert_eq!(net.gateway.generate(&PROMPT[1..]).err(), Some(Error::AnotherPrompt));
    let mut other = PROMPT;
    other[4] += 1;
    assert_eq!(net.gateway.generate(&other).err(), Some(Error::AnotherPrompt));
    assert_eq!(net.workers[0].generate(&PROMPT).err(), Some(Error::NotGateway));

    net.change(|session| session.model = 1);
    refused(Error::UnknownModel(1));
    net.change(|session| session.model = 0);
    *net.gateway.shelf.0.lock() = Err("it is not held".into());
    refused(Error::Model("it is not held".into()));
    net.gateway.has(net.model.clone());

    net.change(|session| session.phase = SessionPhase::Open { assign_at: 3 });
    refused(Error::NotAssigned);
    net.world.sessions.lock().clear();
    refused(Error::UnknownSession(SESSION));

    net.open(SESSION, 1);
    let (_, end) = net.answer();
    let closing = end.unwrap().closing;
    assert_eq!(net.gateway.generate(&PROMPT[1..]).err(), Some(Error::AnotherPrompt));
    let (workers, votes) = (Vec::new(), Vec::new());
    net.change(|session| session.phase = SessionPhase::Voting { workers, closing, votes });
    // Whoever subscribes again is told the answer; after a restart, where it is.
    net.gateway.generate(&PROMPT).unwrap();
}

#[test]
fn a_gateway_that_starts_again_knows_what_it_answered() {
    let net = Net::new(1, 1);
    let closing = net.answer().1.unwrap().closing;
    let again = crate::rows::gateway::Gateway::new(net.gateway.hub.context.clone());
    let refused = again.generate(SESSION, PROMPT.to_vec()).err();
    assert_eq!(refused, Some(Error::Answered(closing.tokens.id())));
}

#[test]
fn a_gateway_that_was_lost_in_the_middle_loses_the_session() {
    let net = Net::new(2, 1);
    // A gateway that knows nothing any more, though the workers do.
    let call = alone_first_call(&net);
    for (place, worker) in (0..).zip(&net.workers) {
        net.connect(place);
        let mut call = call.clone();
        call.place = u32::try_from(place).unwrap();
        worker.hub.received(net.gateway.peer, &codec::Encode::encode(&Message::Call(call)));
        wait_until("an answer is waited for", || worker.hub.context.metrics.calls.get() == 1);
    }
    let failure = net.answer().1.unwrap_err();
    assert!(failure.contains("refused: ") && failure.contains("with another input"), "{failure}");
}

/// A call that no gateway of this prompt makes first.
fn alone_first_call(net: &Net) -> Call {
    let mut run = ensemble_compute::inference::Run::new(&LLAMA, &net.model, false, Machine::PORTABLE).unwrap();
    let call = run.begin(&[9], false).unwrap();
    let inputs = vec![call.inputs[0].encode().try_into().unwrap()].try_into().unwrap();
    signed(net, Call { session: SESSION, place: 0, number: 0, stage: 0, first: 0, asked: None, inputs })
}
