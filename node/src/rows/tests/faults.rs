//! Workers that fail, and workers that lie.

use std::time::Duration;

use codec::Encode;
use ensemble_core::inference::SessionPhase;

use super::{
    net::{wait_until, Manner, Net, MAX_TOKENS, PROMPT, SESSION},
    tiny::Tiny,
};
use crate::{
    models::Unopened,
    rows::{
        gateway::Summary,
        ledger::Disagreement,
        protocol::{Message, Refused},
    },
};

/// With three replicas the answer is right whatever one worker does, which is dropped for a reason.
fn survives(manner: Manner, reason: &str) -> (Net, Summary) {
    let net = Net::new(4, 3);
    net.workers[2].behaves(manner);
    let (items, end) = net.answer();
    let summary = end.unwrap();
    assert_eq!(summary.tokens, net.alone(&PROMPT, MAX_TOKENS, 4).tokens);
    assert!(items.iter().all(|item| item.agreement.unverified == 0));
    assert_eq!(summary.report.unverified, 0);
    let [(2, dropped)] = &summary.report.dropped[..] else { panic!("{:?}", summary.report.dropped) };
    assert!(dropped.contains(reason), "{dropped}");
    // Everybody else's traces are what they ought to be, and all signed.
    for signed in net.gateway.ledger.signed(SESSION).iter().filter(|signed| signed.place != 2) {
        assert_eq!(signed.rows.len() as u32, summary.closing.positions());
    }
    (net, summary)
}

/// With one replica the answer breaks off where it is lost, and it is said why: what is complete is closed with.
fn breaks_off(manner: Manner, reason: &str) {
    let net = Net::new(2, 1);
    net.workers[1].behaves(manner);
    let (items, end) = net.answer();
    let summary = end.unwrap();
    assert_cut(&net, &summary, "no worker of range 1");
    assert!(summary.cut.unwrap().contains(reason));
    assert_eq!(items.len(), summary.report.tokens as usize);
    assert_eq!(net.gateway.ledger.closing(SESSION), Some(summary.closing));
}

/// What was closed with is the beginning of the right answer.
fn assert_cut(net: &Net, summary: &Summary, reason: &str) {
    let mut alone = net.alone(&PROMPT, MAX_TOKENS, net.workers.len() as u32);
    let positions = summary.closing.positions();
    assert!(summary.cut.as_ref().is_some_and(|cut| cut.contains(reason)), "{:?}", summary.cut);
    assert!((PROMPT.len() as u32..PROMPT.len() as u32 + MAX_TOKENS - 1).contains(&positions), "{positions}");
    assert_eq!(summary.tokens, alone.tokens[..positions as usize + 1]);
    assert_eq!(summary.report.tokens, positions + 1 - PROMPT.len() as u32);
    alone.trace.truncate(positions);
    assert_eq!(summary.closing.trace.root, alone.trace.describe().unwrap().1);
    // Nothing was asked for beyond one position more.
    let calls = net.gateway.wire.calls.lock();
    let asked = calls.iter().filter(|call| call.stage == 0).map(|call| call.first + call.inputs.len() as u32 - 1);
    assert_eq!(asked.max(), Some(positions));
}

/// With one replica it is not answered, if it is lost before there is any token, and it is said why.
fn is_lost(manner: Manner, reason: &str) {
    let net = Net::new(2, 1);
    net.workers[1].behaves(manner);
    let failure = net.answer().1.unwrap_err();
    assert!(failure.contains("no worker of range 1") && failure.contains(reason), "{failure}");
    assert_eq!(net.gateway.ledger.closing(SESSION), None);
}

#[test]
fn a_silent_worker_is_dropped() {
    survives(Manner::Silent, "in time");
    is_lost(Manner::Silent, "in time");
}

#[test]
fn a_worker_that_dies_in_the_middle_is_dropped() {
    survives(Manner::DiesAt(40), "in time");
    breaks_off(Manner::DiesAt(40), "in time");
    is_lost(Manner::DiesAt(4), "in time");
}

#[test]
fn a_lost_connection_is_opened_again() {
    for (workers, replicas) in [(2, 1), (3, 3)] {
        let net = Net::new(workers, replicas);
        net.workers[1].behaves(Manner::BreaksAt(15));
        let summary = net.answer().1.unwrap();
        assert_eq!(summary.tokens, net.alone(&PROMPT, MAX_TOKENS, workers).tokens);
        assert_eq!(summary.report.dropped, []);
        wait_until("the trace is waited for", || net.workers[1].ledger.is_served(SESSION, 1));
    }
}

#[test]
fn a_slow_worker_is_waited_for_by_nobody_but_in_the_end() {
    let net = Net::new(3, 3);
    net.workers[0].behaves(Manner::Slow(Duration::from_millis(3)));
    let summary = net.answer().1.unwrap();
    assert_eq!(summary.tokens, net.alone(&PROMPT, MAX_TOKENS, 3).tokens);
    assert_eq!((summary.report.dropped, summary.report.majority), (Vec::new(), 0));
}

#[test]
fn a_worker_may_pause_while_others_go_on() {
    let net = Net::new(3, 3);
    // More than a thousand calls: the others take less time for them than the pause.
    net.ask(&PROMPT, 150);
    net.workers[0].behaves(Manner::PausesAt(20, Duration::from_millis(1000)));
    let summary = net.answer().1.unwrap();
    assert_eq!(summary.report.tokens, 150);
    assert_eq!(summary.report.dropped, []);
}

#[test]
fn a_worker_that_is_far_behind_is_left_behind() {
    // 12 tokens are 108 calls and more.
    let (_, summary) = survives(Manner::Slow(Duration::from_millis(200)), "behind");
    assert!(summary.report.majority > 0);
}

#[test]
fn a_worker_that_takes_most_of_its_time_for_each_call_is_dropped() {
    // With 12 tokens there are 108 calls, each well within the time that one may take.
    breaks_off(Manner::Slow(Duration::from_millis(100)), "held up the others");
    // Two slow ones of three: their ranges have the third.
    let net = Net::new(3, 3);
    net.workers[0].behaves(Manner::Slow(Duration::from_millis(100)));
    net.workers[1].behaves(Manner::Slow(Duration::from_millis(100)));
    let (items, end) = net.answer();
    let summary = end.unwrap();
    assert_eq!(summary.tokens, net.alone(&PROMPT, MAX_TOKENS, 3).tokens);
    assert!(!summary.report.dropped.is_empty());
    assert_eq!(items.last().unwrap().agreement.unverified, 3);
}

#[test]
fn a_worker_without_a_peer_stops_nothing() {
    let no_peer = |workers, replicas| {
        let net = Net::new(workers, replicas);
        net.change(|session| {
            let SessionPhase::Assigned { workers, .. } = &mut session.phase else { panic!() };
            workers[1].peer = vec![7].try_into().unwrap();
        });
        net
    };
    let net = no_peer(4, 3);
    let summary = net.answer().1.unwrap();
    assert_eq!(summary.tokens, net.alone(&PROMPT, MAX_TOKENS, 4).tokens);
    assert_eq!(summary.report.dropped, [(1, "has announced no valid peer id".into())]);
    assert_eq!(summary.report.unverified, 0);
    let failure = no_peer(2, 1).answer().1.unwrap_err();
    assert!(failure.contains("no worker of range 1") && failure.contains("no valid peer id"), "{failure}");
}

#[test]
fn a_worker_that_still_checks_its_model_is_asked_again() {
    let net = Net::new(2, 1);
    let reason = "the model is still being checked";
    *net.workers[1].shelf.0.lock() = Err(Unopened { reason: reason.into(), passing: true });
    let progress = net.gateway.generate(&PROMPT).unwrap();
    wait_until("refusals are waited for", || net.workers[1].wire.refusals.lock().len() >= 2);
    net.workers[1].has(net.model.clone());
    let summary = super::net::follow(&progress).1.unwrap();
    assert_eq!((summary.report.tokens, summary.report.dropped), (MAX_TOKENS, Vec::new()));
}

#[test]
fn a_worker_that_was_dropped_is_not_listened_to() {
    let net = Net::new(3, 3);
    net.workers[2].behaves(Manner::Short);
    for place in [0, 1] {
        net.workers[place].behaves(Manner::Slow(Duration::from_millis(5)));
    }
    let progress = net.gateway.generate(&PROMPT).unwrap();
    super::net::block_on(progress.after(0));
    let refused = Refused { session: SESSION, place: 2, number: 0, passing: true, reason: Default::default() };
    wait_until("a report is waited for", || {
        let message = Message::Refused(refused.clone()).encode();
        (0..20).for_each(|_| net.gateway.hub.received(net.workers[2].peer, &message));
        net.gateway.wire.reported.lock().contains(&net.workers[2].peer)
    });
    assert!(!progress.is_over());
    super::net::follow(&progress).1.unwrap();
}

#[test]
fn a_forged_signature_is_found() {
    survives(Manner::Forged, "signed what it did not send");
}

#[test]
fn a_majority_that_lies_and_does_not_sign_is_not_believed() {
    let net = Net::new(3, 3);
    for place in [0, 1] {
        net.workers[place].behaves(Manner::LiesUnsigned);
    }
    let (items, end) = net.answer();
    let (summary, alone) = (end.unwrap(), net.alone(&PROMPT, MAX_TOKENS, 3));
    assert_eq!((summary.tokens, summary.cut), (alone.tokens, None));
    assert_eq!(summary.closing.trace.root, alone.trace.describe().unwrap().1);
    assert!(items.iter().all(|item| item.agreement.unverified == 3));
    let mut dropped = summary.report.dropped;
    dropped.sort_unstable();
    let reason = || "signed what it did not send".to_string();
    assert_eq!(dropped, [(0, reason()), (1, reason())]);
}

#[test]
fn what_a_majority_made_up_in_the_middle_is_not_closed_with() {
    let net = Net::new(3, 3);
    // The prompt takes nine calls, and each position after it.
    for place in [0, 1] {
        net.workers[place].behaves(Manner::LiesUnsignedFrom(40));
    }
    let (items, end) = net.answer();
    let summary = end.unwrap();
    assert_cut(&net, &summary, "signs what was computed");
    assert_eq!((items.len(), summary.closing.positions()), (4, PROMPT.len() as u32 + 3));
    // The honest worker signed more than there is: nobody has use for that.
    let signed = net.gateway.ledger.signed(SESSION);
    let rows = signed.iter().filter(|signed| signed.place == 2).map(|signed| signed.rows.len() as u32);
    assert_eq!(rows.collect::<Vec<_>>(), [summary.closing.positions(); 3]);
    assert_eq!(summary.closing.contested, None);
    // In the prompt there is nothing to close with.
    let net = Net::new(3, 3);
    for place in [0, 1] {
        net.workers[place].behaves(Manner::LiesUnsignedFrom(3));
    }
    let failure = net.answer().1.unwrap_err();
    assert!(failure.contains("signs what was computed"), "{failure}");
    assert_eq!(net.gateway.ledger.closing(SESSION), None);
}

#[test]
fn who_was_dropped_is_let_go_of() {
    let net = Net::new(3, 3);
    net.workers[2].behaves(Manner::Short);
    for place in [0, 1] {
        net.workers[place].behaves(Manner::Slow(Duration::from_millis(10)));
    }
    let progress = net.gateway.generate(&PROMPT).unwrap();
    super::net::block_on(progress.after(0));
    wait_until("a release is waited for", || !net.gateway.wire.kept.lock().contains(&net.workers[2].peer));
    assert!(!progress.is_over());
    super::net::follow(&progress).1.unwrap();
    wait_until("the others are let go of", || net.gateway.wire.kept.lock().is_empty());
}

#[test]
fn outputs_of_a_wrong_shape_are_found() {
    survives(Manner::Short, "wrong shape");
    is_lost(Manner::Short, "wrong shape");
}

#[test]
fn answers_for_another_session_do_not_count() {
    let (net, _) = survives(Manner::Elsewhere, "in time");
    assert!(net.gateway.hub.context.metrics.unsolicited.get() > 0);
}

#[test]
fn who_sends_no_messages_is_banned() {
    for manner in [Manner::Garbled, Manner::Oversized] {
        let (net, _) = survives(manner, "broke the protocol");
        assert!(net.gateway.wire.reported.lock().contains(&net.workers[2].peer));
        assert!(net.gateway.hub.context.metrics.malformed.get() > 0);
    }
}

#[test]
fn who_sends_too_much_is_banned_and_all_but_the_first_are_forgotten() {
    let (net, _) = survives(Manner::Flooding(50), "broke the protocol");
    assert!(net.gateway.wire.reported.lock().contains(&net.workers[2].peer));
}

#[test]
fn a_lie_in_one_row_of_one_stage_is_outvoted_and_its_place_is_known() {
    let net = Net::new(4, 3);
    // Row 20 of 32 is in range 2 of 4: stage 5 is the second layer's output.
    net.workers[2].has(net.model.altered("blk.1.attn_output.weight", 20));
    let (items, end) = net.answer();
    let summary = end.unwrap();
    let alone = net.alone(&PROMPT, MAX_TOKENS, 4);
    assert_eq!(summary.tokens, alone.tokens);
    assert!(items.iter().all(|item| item.agreement.majority >= 1 && item.agreement.unverified == 0));
    let disagreements = &summary.report.disagreements;
    let expected = 0..summary.closing.positions();
    let expected = expected.map(|position| Disagreement { place: 2, range: 2, stage: 5, position });
    assert_eq!(*disagreements, expected.collect::<Vec<_>>());
    assert_eq!(summary.report.dropped, []);

    // What was contested is kept, once.
    let id = summary.closing.contested.unwrap();
    assert!(net.gateway.store.has_pin(&id));
    let contested = read_contested(&net, &id);
    let [contested] = &contested[..] else { panic!("{contested:?}") };
    assert_eq!((contested.range, contested.position, contested.stage), (2, 0, 5));
    let root = ensemble_compute::inference::hashes::outputs(&contested.outputs);
    assert_eq!(alone.ranges[2].entry(0, 5).unwrap().other, root);

    // The liar's trace is another, and signed as such: it cannot say later that it was not.
    wait_until("the traces are waited for", || (0..4).all(|place| is_sealed(&net, place)));
    let (lie, truth) = (net.workers[2].ledger.trace(SESSION, 2), net.workers[3].ledger.trace(SESSION, 2));
    assert_ne!(lie, truth);
    assert_eq!(net.workers[2].ledger.trace(SESSION, 1), net.workers[1].ledger.trace(SESSION, 1));
}

#[test]
fn a_lying_majority_settles_the_answer_and_the_honest_worker_shows() {
    let net = Net::new(3, 3);
    let lie = net.model.altered("output.weight", 3);
    for place in [0, 1] {
        net.workers[place].has(lie.clone());
    }
    let summary = net.answer().1.unwrap();
    assert_eq!(summary.report.tokens, MAX_TOKENS);
    let honest: Vec<_> = summary.report.disagreements.iter().map(|one| (one.place, one.range)).collect();
    assert!(!honest.is_empty() && honest.iter().all(|one| *one == (2, 0)), "{honest:?}");
    // What the majority said first is there to be shown.
    let [contested] = &read_contested(&net, &summary.closing.contested.unwrap())[..] else { panic!() };
    assert_eq!((contested.range, contested.stage, contested.position), (0, 8, PROMPT.len() as u32 - 1));
}

#[test]
fn without_a_majority_it_goes_on_and_says_so() {
    let net = Net::new(3, 3);
    net.workers[0].has(Tiny::new(8));
    net.workers[1].has(Tiny::new(9));
    let (items, end) = net.answer();
    let summary = end.unwrap();
    assert!(summary.report.unverified > 0);
    assert!(items.iter().all(|item| item.agreement.unverified > 0));
}

#[test]
fn with_two_of_three_lost_the_last_one_answers_unverified() {
    let net = Net::new(3, 3);
    net.workers[0].behaves(Manner::Short);
    net.workers[2].behaves(Manner::Short);
    let (items, end) = net.answer();
    assert_eq!(end.unwrap().tokens, net.alone(&PROMPT, MAX_TOKENS, 3).tokens);
    assert!(items.iter().all(|item| item.agreement.unverified == 3));
}

#[test]
fn an_answer_that_takes_longer_than_the_session_ends() {
    let net = Net::new(2, 1);
    net.workers[1].behaves(Manner::Slow(Duration::from_millis(20)));
    let progress = net.gateway.generate(&PROMPT).unwrap();
    super::net::block_on(progress.after(0));
    net.world.sessions.lock().clear();
    let (items, end) = super::net::follow(&progress);
    assert!(items.len() < MAX_TOKENS as usize);
    // Whoever asks the chain first.
    let reason = end.unwrap_err();
    assert!(reason.contains("time is over") || reason.contains("part in this session is over"), "{reason}");
    // The workers keep what they served, and say nothing of it: nobody closed the session.
    wait_until("the traces are waited for", || (0..2).all(|place| is_sealed(&net, place)));
}

#[test]
fn an_answer_that_breaks_off_when_the_session_is_over_is_not_closed_with() {
    // Whether the chain was asked anyway at that moment is a matter of chance.
    for _ in 0..4 {
        let net = Net::new(2, 1);
        net.workers[0].behaves(Manner::Slow(Duration::from_millis(5)));
        let progress = net.gateway.generate(&PROMPT).unwrap();
        super::net::block_on(progress.after(0));
        net.world.sessions.lock().clear();
        net.workers[1].behaves(Manner::Short);
        let reason = super::net::follow(&progress).1.unwrap_err();
        assert!(reason.contains("time is over"), "{reason}");
        assert_eq!(net.gateway.ledger.closing(SESSION), None);
    }
}

fn is_sealed(net: &Net, place: u32) -> bool {
    net.workers[place as usize].ledger.is_served(SESSION, place)
}

fn read_contested(net: &Net, id: &ensemble_tensor::TensorId) -> Vec<ensemble_core::inference::Contested> {
    let mut bytes = Vec::new();
    net.gateway.store.read_pieces(id, |piece| bytes.extend_from_slice(piece)).unwrap();
    codec::DecodeAll::decode_all(&mut &bytes[..]).unwrap()
}
