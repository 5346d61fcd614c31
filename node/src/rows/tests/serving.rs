//! What a worker answers, and what it refuses.

use codec::Encode;
use ensemble_core::inference::{ask_bytes, SessionId, SessionPhase};
use ensemble_runtime::Hash;
use sc_network_types::PeerId;
use sp_core::Pair;

use super::{
    net::{wait_until, Net, PROMPT, SESSION},
    tiny::{self, LLAMA},
};
use crate::{
    models::Unopened,
    rows::{
        keys::AttesterPair,
        protocol::{Call, End, Message, IN_FLIGHT},
        Remembered,
    },
};

fn call(number: u32, stage: u32, first: u32, vectors: usize) -> Call {
    let width = LLAMA.stage(stage).map_or(32, |stage| LLAMA.inputs(stage)) as usize;
    let vectors = tiny::vectors(width, vectors);
    let inputs = vectors.iter().map(|vector| vector.encode().try_into().unwrap());
    let inputs = inputs.collect::<Vec<_>>().try_into().unwrap();
    Call { session: SESSION, place: 0, number, stage, first, asked: None, inputs }
}

/// A call as a gateway makes it, which signs what begins a step.
pub fn signed(net: &Net, call: Call) -> Call {
    if call.stage != 0 || call.asked.is_some() {
        return call;
    }
    let last = (call.first + call.inputs.len() as u32).saturating_sub(1);
    Call { asked: Some(ask(&net.gateway.pair, call.session, last)), ..call }
}

fn ask(pair: &AttesterPair, session: SessionId, position: u32) -> [u8; 64] {
    pair.sign(&ask_bytes(&Hash::repeat_byte(5), session, position)).into_inner().0
}

/// A worker, called by hand.
struct Desk {
    net: Net,
}

impl Desk {
    fn new() -> Self {
        let net = Net::new(1, 1);
        net.connect(0);
        Self { net }
    }

    fn send(&self, call: Call) {
        self.send_as_it_is(signed(&self.net, call));
    }

    fn send_as_it_is(&self, call: Call) {
        self.net.workers[0].hub.received(self.net.gateway.peer, &Message::Call(call).encode());
    }

    fn answered(&self) -> u64 {
        self.net.workers[0].hub.context.metrics.calls.get()
    }

    /// The call is answered.
    fn accepts(&self, call: Call) {
        let before = self.answered();
        self.send(call);
        wait_until("an answer is waited for", || self.answered() > before);
    }

    /// The call is refused for this reason.
    fn refuses(&self, call: Call, reason: &str) {
        self.refuses_as_it_is(signed(&self.net, call), reason);
    }

    fn refuses_as_it_is(&self, call: Call, reason: &str) {
        let refusals = || self.net.workers[0].wire.refusals.lock().clone();
        let before = refusals().len();
        self.send_as_it_is(call);
        wait_until(&format!("a refusal is waited for: {reason}"), || refusals().len() > before);
        let last = refusals().pop().unwrap();
        assert!(last.contains(reason), "{last}");
    }
}

#[test]
fn stages_come_in_order() {
    let desk = Desk::new();
    desk.refuses(call(0, 1, 0, 2), "stage 0 is the next");
    desk.refuses(call(1, 0, 0, 2), "call 0 is the next");
    desk.refuses(call(0, 0, 1, 2), "position 0 is the next");
    desk.refuses(call(0, 0, 0, 0), "at least one vector");
    desk.refuses(call(0, 0, 0, 6), "only positions of the prompt go together");
    desk.refuses(call(0, 9, 0, 2), "no such stage");
    desk.accepts(call(0, 0, 0, 2));
    desk.refuses(call(1, 0, 2, 2), "stage 1 is the next");
    desk.refuses(call(1, 2, 0, 2), "stage 1 is the next");
    desk.refuses(call(1, 1, 0, 1), "not those of the step");
    desk.refuses(call(1, 1, 1, 2), "not those of the step");
    for stage in 1..8 {
        desk.accepts(call(stage, stage, 0, 2));
    }
    desk.refuses(call(8, 8, 1, 1), "the end of the prompt only");
    // The rest of the prompt.
    for stage in 0..8 {
        desk.accepts(call(8 + stage, stage, 2, 3));
    }
    desk.refuses(call(16, 0, 5, 1), "stage 8 is the next");
    desk.refuses(call(16, 8, 2, 3), "not those of the step");
    desk.accepts(call(16, 8, 4, 1));
    desk.refuses(call(17, 0, 5, 2), "only positions of the prompt go together");
    desk.accepts(call(17, 0, 5, 1));
}

#[test]
fn what_begins_a_step_is_signed_by_the_gateway() {
    let desk = Desk::new();
    let (pair, other) = (&desk.net.gateway.pair, &desk.net.workers[0].pair);
    desk.refuses_as_it_is(call(0, 0, 0, 2), "does not sign");
    for wrong in [ask(pair, SESSION, 0), ask(pair, SESSION, 2), ask(pair, SESSION + 1, 1), ask(other, SESSION, 1)] {
        desk.refuses_as_it_is(Call { asked: Some(wrong), ..call(0, 0, 0, 2) }, "none of session and position 1");
    }
    desk.accepts(call(0, 0, 0, 2));
    // The same call again is not another, whatever it is signed with.
    desk.refuses_as_it_is(Call { asked: None, ..call(0, 0, 0, 2) }, "does not sign");
    desk.accepts(call(0, 0, 0, 2));
    desk.refuses_as_it_is(Call { asked: Some(ask(pair, SESSION, 1)), ..call(1, 1, 0, 2) }, "in the first stage only");
    desk.accepts(call(1, 1, 0, 2));
}

#[test]
fn what_was_asked_for_last_is_kept_and_held_against_the_chain() {
    let desk = Desk::new();
    let (net, worker) = (&desk.net, &desk.net.workers[0]);
    for stage in 0..8 {
        desk.accepts(call(stage, stage, 0, 2));
    }
    desk.refuses_as_it_is(Call { asked: Some([3; 64]), ..call(8, 0, 2, 2) }, "none of session");
    desk.accepts(call(8, 0, 2, 1));
    let end = Message::End(End { session: SESSION, place: 0 });
    worker.hub.received(net.gateway.peer, &end.encode());
    wait_until("the trace is waited for", || worker.ledger.is_served(SESSION, 0));
    let remembered = Remembered::new(worker.hub.context.clone());
    let asked = remembered.asked(SESSION, 1).unwrap();
    assert_eq!(asked.position, 2);
    let bytes = ask_bytes(&Hash::repeat_byte(5), SESSION, 2);
    assert!(AttesterPair::verify(&asked.signature, bytes, &net.gateway.pair.public()));
    assert_eq!((remembered.asked(SESSION, 2), remembered.asked(SESSION + 1, 0)), (None, None));
    // On another fork the session is shorter, or has another gateway, or there is none.
    net.ask(&[1, 2], 1);
    assert_eq!(remembered.asked(SESSION, 1), None);
    net.ask(&[1, 2], 2);
    assert_eq!(remembered.asked(SESSION, 1), Some(asked.clone()));
    net.change(|session| session.gateway.key = worker.pair.public());
    assert_eq!(remembered.asked(SESSION, 1), None);
    net.world.sessions.lock().clear();
    assert_eq!(remembered.asked(SESSION, 1), None);
}

#[test]
fn whoever_answers_has_each_position_asked_for() {
    let net = Net::new(3, 3);
    let positions = net.answer().1.unwrap().closing.positions();
    for (place, worker) in (0..).zip(&net.workers) {
        wait_until("the trace is waited for", || worker.ledger.is_served(SESSION, place));
        let asked = Remembered::new(worker.hub.context.clone()).asked(SESSION, 0).unwrap();
        assert_eq!(asked.position, positions - 1);
    }
}

#[test]
fn a_session_ends_with_its_last_position() {
    let desk = Desk::new();
    desk.net.change(|session| session.max_tokens = 1);
    for stage in 0..8 {
        desk.accepts(call(stage, stage, 0, 5));
    }
    desk.accepts(call(8, 8, 4, 1));
    desk.refuses(call(9, 0, 5, 1), "ends before position 5");
}

#[test]
fn the_same_call_is_answered_again_and_another_in_its_place_is_not() {
    let desk = Desk::new();
    for stage in 0..3 {
        desk.accepts(call(stage, stage, 0, 2));
    }
    desk.accepts(call(2, 2, 0, 2));
    desk.accepts(call(1, 1, 0, 2));
    desk.refuses(call(0, 0, 0, 2), "call 3 is the next");
    let mut other = call(2, 2, 0, 2);
    other.inputs = call(2, 2, 0, 3).inputs.into_inner()[1..].to_vec().try_into().unwrap();
    desk.refuses(other, "with another input");
    desk.refuses(call(2, 1, 0, 2), "with another input");
    // And it all goes on.
    desk.accepts(call(3, 3, 0, 2));
}

#[test]
fn vectors_are_those_of_the_stage() {
    let desk = Desk::new();
    let with = |vector: Vec<u8>| {
        let mut call = call(0, 0, 0, 1);
        call.inputs = vec![vector.try_into().unwrap()].try_into().unwrap();
        call
    };
    desk.refuses(with(vec![0; 4 + 2 * 31]), "have 32 elements, not 31");
    desk.refuses(with(vec![0; 4 + 2 * 64]), "have 32 elements, not 64");
    desk.refuses(with(vec![0; 67]), "bytes");
    let mut lowest = vec![0; 68];
    lowest[5] = 0x80;
    desk.refuses(with(lowest), "-32768");
    desk.accepts(call(0, 0, 0, 1));
}

#[test]
fn only_the_sessions_own_gateway_and_worker_are_served() {
    let desk = Desk::new();
    let net = &desk.net;
    let worker = &net.workers[0];
    let mut other = call(0, 0, 0, 1);
    other.session = 8;
    desk.refuses(other, "no such session");
    let mut place = call(0, 0, 0, 1);
    place.place = 1;
    desk.refuses(place, "fewer workers");

    let gateway = net.world.sessions.lock()[&SESSION].gateway.clone();
    net.change(|session| session.gateway.peer = PeerId::random().to_bytes().try_into().unwrap());
    desk.refuses(call(0, 0, 0, 1), "another peer is the gateway");
    net.change(|session| session.gateway = gateway);

    net.change(|session| session.phase = SessionPhase::Open { assign_at: 2 });
    desk.refuses(call(0, 0, 0, 1), "not drawn yet");
    let drawn = net.gateway.pair.clone();
    net.change(|session| {
        let mut party = session.gateway.clone();
        party.key = sp_core::Pair::public(&drawn);
        session.phase = SessionPhase::Assigned { workers: vec![party], until: 9 };
    });
    desk.refuses(call(0, 0, 0, 1), "has its key elsewhere");
    net.change(|session| session.phase = net.assigned());
    net.change(|session| session.model = 1);
    desk.refuses(call(0, 0, 0, 1), "model is gone");
    net.change(|session| session.model = 0);
    *worker.shelf.0.lock() = Err("the bundle is not held".into());
    desk.refuses(call(0, 0, 0, 1), "the bundle is not held");
    *worker.shelf.0.lock() = Err(Unopened { reason: "it is being checked".into(), passing: true });
    desk.refuses(call(0, 0, 0, 1), "it is being checked");
    worker.has(net.model.clone());
    net.change(|session| session.max_tokens = u32::MAX);
    desk.refuses(call(0, 0, 0, 1), "too much memory");
    net.change(|session| session.max_tokens = 10);
    desk.accepts(call(0, 0, 0, 1));
    assert_eq!(worker.hub.worker.seats(), 1);
}

#[test]
fn substreams_are_opened_to_gateways_only() {
    let net = Net::new(2, 1);
    let (worker, gateway) = (&net.workers[0].hub, net.gateway.peer);
    assert!(worker.admits(&gateway));
    assert!(!worker.admits(&PeerId::random()));
    assert!(!worker.admits(&net.workers[1].peer));
    // Somebody else's session.
    assert!(!net.gateway.hub.admits(&gateway));
    net.change(|session| session.phase = SessionPhase::Open { assign_at: 2 });
    assert!(worker.admits(&gateway));
    net.world.sessions.lock().clear();
    net.world.next_block();
    assert!(!worker.admits(&gateway));
}

#[test]
fn strangers_who_knock_have_the_sessions_looked_through_once_a_block() {
    let net = Net::new(1, 1);
    let scans = || net.world.scans.swap(0, std::sync::atomic::Ordering::SeqCst);
    for _ in 0..3 {
        let knock = || (0..50).for_each(|_| assert!(!net.workers[0].hub.admits(&PeerId::random())));
        std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(knock))));
        assert!(net.workers[0].hub.admits(&net.gateway.peer));
        assert_eq!(scans(), 1);
        net.world.next_block();
    }
}

#[test]
fn what_was_served_is_sealed_at_the_end_and_not_begun_anew() {
    let desk = Desk::new();
    for stage in 0..8 {
        desk.accepts(call(stage, stage, 0, 2));
    }
    // Position 2 is on its way, and does not count.
    desk.accepts(call(8, 0, 2, 1));
    let worker = &desk.net.workers[0];
    let end = Message::End(End { session: SESSION, place: 0 });
    worker.hub.received(PeerId::random(), &end.encode());
    desk.accepts(call(9, 1, 2, 1));
    worker.hub.received(desk.net.gateway.peer, &end.encode());
    wait_until("the trace is waited for", || worker.ledger.is_served(SESSION, 0));
    assert_eq!(worker.ledger.trace(SESSION, 0).unwrap().header.rows(), 2);
    assert!(worker.store.has_pin(&worker.ledger.trace(SESSION, 0).unwrap().id()));
    desk.refuses(call(10, 2, 2, 1), "is over");
    wait_until("the thread's end is waited for", || worker.hub.worker.seats() == 0);
}

#[test]
fn no_position_is_served_twice_whatever_the_seal_does() {
    let desk = Desk::new();
    let worker = &desk.net.workers[0];
    let serve = || (0..8).for_each(|stage| desk.accepts(call(stage, stage, 0, 2)));
    serve();
    // The first call anew is right behind the end, when nothing is sealed yet, and with another input.
    let mut other = call(0, 0, 0, 2);
    other.inputs = call(0, 0, 0, 3).inputs.into_inner()[1..].to_vec().try_into().unwrap();
    let end = Message::End(End { session: SESSION, place: 0 });
    worker.hub.received(desk.net.gateway.peer, &end.encode());
    desk.refuses(other.clone(), "is over");
    wait_until("the trace is waited for", || worker.ledger.is_served(SESSION, 0));
    let trace = worker.ledger.trace(SESSION, 0).unwrap();
    desk.refuses(other, "is over");
    assert_eq!(worker.ledger.trace(SESSION, 0), Some(trace));
}

#[test]
fn a_worker_that_has_forgotten_what_it_signed_does_not_begin_anew() {
    let desk = Desk::new();
    let worker = &desk.net.workers[0];
    desk.accepts(call(0, 0, 0, 2));
    // Its thread ends without a trace, as that of a node that fails.
    let end = Message::End(End { session: SESSION, place: 0 });
    worker.hub.received(desk.net.gateway.peer, &end.encode());
    wait_until("the thread's end is waited for", || worker.hub.worker.seats() == 0);
    desk.refuses(call(0, 0, 0, 2), "is over");
    // The same number is another session on another fork.
    desk.net.ask(&[9, 8, 7], 3);
    desk.refuses(call(0, 0, 0, 2), "is over");
    assert!(!worker.ledger.is_served(SESSION, 0));
    // What is refused before anything was answered is no beginning.
    desk.net.open(SESSION + 1, 1);
    *worker.shelf.0.lock() = Err("the bundle is not held".into());
    let another = |number| Call { session: SESSION + 1, ..call(number, number, 0, 2) };
    desk.refuses(another(0), "the bundle is not held");
    worker.has(desk.net.model.clone());
    desk.accepts(another(0));
}

#[test]
fn what_was_served_is_sealed_when_the_chain_closes_the_session() {
    let desk = Desk::new();
    for stage in 0..8 {
        desk.accepts(call(stage, stage, 0, PROMPT.len()));
    }
    desk.accepts(call(8, 8, PROMPT.len() as u32 - 1, 1));
    let worker = &desk.net.workers[0];
    // The chain cannot be asked for a while, then says that the session is over.
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(worker.hub.worker.seats(), 1);
    desk.net.world.sessions.lock().clear();
    wait_until("the trace is waited for", || worker.ledger.is_served(SESSION, 0));
    assert_eq!(worker.ledger.trace(SESSION, 0).unwrap().header.rows(), PROMPT.len() as u32);
}

#[test]
fn more_calls_than_may_be_unanswered_are_refused_for_now() {
    let desk = Desk::new();
    desk.net.workers[0].behaves(super::net::Manner::Slow(std::time::Duration::from_millis(300)));
    for number in 0..2 * IN_FLIGHT + 1 {
        desk.send(call(number, number, 0, 2));
    }
    let refusals = desk.net.workers[0].wire.refusals.lock().clone();
    assert!(!refusals.is_empty() && refusals[0].contains("unanswered"), "{refusals:?}");
}

#[test]
fn a_substream_stays_as_long_as_either_side_needs_it() {
    let desk = Desk::new();
    let (worker, gateway) = (&desk.net.workers[0], desk.net.gateway.peer);
    let (post, is_kept) = (&worker.hub.context.post, || worker.wire.kept.lock().contains(&gateway));
    // The worker is a gateway itself, and its worker is the gateway that it serves.
    post.keep(gateway);
    desk.accepts(call(0, 0, 0, 1));
    post.release(gateway);
    assert!(is_kept());
    post.keep(gateway);
    let end = Message::End(End { session: SESSION, place: 0 });
    worker.hub.received(gateway, &end.encode());
    wait_until("the thread's end is waited for", || worker.hub.worker.seats() == 0);
    assert!(is_kept());
    post.release(gateway);
    wait_until("the release is waited for", || !is_kept());
    // Who is only served is nobody that the network was asked to keep.
    desk.net.open(SESSION + 1, 1);
    desk.accepts(Call { session: SESSION + 1, ..call(0, 0, 0, 1) });
    worker.hub.received(gateway, &Message::End(End { session: SESSION + 1, place: 0 }).encode());
    wait_until("the thread's end is waited for", || worker.hub.worker.seats() == 0);
    assert!(!is_kept());
}

#[test]
fn a_gateway_takes_its_share_of_seats_and_idle_ones_make_way() {
    use crate::rows::limits::{SEATS, SEATS_OF_GATEWAY};
    let desk = Desk::new();
    let (net, worker) = (&desk.net, &desk.net.workers[0]);
    let from = |gateway: PeerId, session: u32| {
        let call = Call { session, ..call(0, 0, 0, 1) };
        worker.hub.received(gateway, &Message::Call(signed(net, call)).encode());
    };
    let answered = |gateway: PeerId, session: u32| {
        let before = desk.answered();
        from(gateway, session);
        wait_until("an answer is waited for", || desk.answered() > before);
    };
    // Those of one gateway fill its share.
    let ids = |gateway: u32| (0..SEATS_OF_GATEWAY as u32 + 1).map(move |place| 1000 * (gateway + 1) + place);
    let gateways: Vec<_> = (0..SEATS / SEATS_OF_GATEWAY + 1).map(|_| PeerId::random()).collect();
    for (number, gateway) in (0..).zip(&gateways) {
        ids(number).for_each(|id| net.open_for(id, *gateway));
    }
    let refused = || worker.hub.context.metrics.refused.get();
    for (number, gateway) in (0..).zip(&gateways[1..]) {
        let mut ids = ids(number + 1);
        // At once, or the first would be idle before the last is there.
        let all = desk.answered() + SEATS_OF_GATEWAY as u64;
        ids.by_ref().take(SEATS_OF_GATEWAY).for_each(|id| from(*gateway, id));
        wait_until("answers are waited for", || desk.answered() >= all);
        let before = refused();
        from(*gateway, ids.next().unwrap());
        assert_eq!(refused(), before + 1);
    }
    assert_eq!(worker.hub.worker.seats(), SEATS);
    let before = refused();
    from(gateways[0], 1000);
    assert_eq!(refused(), before + 1);
    // The one that is called goes on, and of the others the first makes way.
    std::thread::sleep(super::net::PATIENCE.leisure);
    let again = signed(net, Call { session: 2000, ..call(0, 0, 0, 1) });
    worker.hub.received(gateways[1], &Message::Call(again).encode());
    answered(gateways[0], 1000);
    assert_eq!(worker.hub.worker.seats(), SEATS);
    let next = Call { session: 2000, ..call(1, 1, 0, 1) };
    let before = desk.answered();
    worker.hub.received(gateways[1], &Message::Call(next).encode());
    wait_until("an answer is waited for", || desk.answered() > before);
    let before = refused();
    let next = Call { session: 2001, ..call(1, 1, 0, 1) };
    worker.hub.received(gateways[1], &Message::Call(next).encode());
    wait_until("a refusal is waited for", || refused() > before);
}

#[test]
fn a_gateway_that_does_not_take_its_answers_is_served_no_more() {
    let desk = Desk::new();
    for stage in 0..8 {
        desk.accepts(call(stage, stage, 0, 2));
    }
    let worker = &desk.net.workers[0];
    worker.behaves(super::net::Manner::Stuck);
    desk.accepts(call(8, 0, 2, 1));
    wait_until("the thread's end is waited for", || worker.hub.worker.seats() == 0);
    wait_until("the trace is waited for", || worker.ledger.is_served(SESSION, 0));
    assert_eq!(worker.ledger.trace(SESSION, 0).unwrap().header.rows(), 2);
    desk.refuses(call(9, 1, 2, 1), "is over");
}

#[test]
fn a_call_is_made_again_only_so_often() {
    let desk = Desk::new();
    desk.accepts(call(0, 0, 0, 2));
    for _ in 0..ensemble_rows::REPEATS {
        desk.accepts(call(0, 0, 0, 2));
    }
    desk.refuses(call(0, 0, 0, 2), "made again");
    desk.accepts(call(1, 1, 0, 2));
}

#[test]
fn who_asks_in_vain_too_often_is_cut_off() {
    let desk = Desk::new();
    desk.net.change(|session| session.phase = SessionPhase::Open { assign_at: 2 });
    let (worker, gateway) = (&desk.net.workers[0], desk.net.gateway.peer);
    wait_until("a report is waited for", || {
        (0..20).for_each(|_| desk.send(call(0, 0, 0, 1)));
        worker.wire.reported.lock().contains(&gateway)
    });
}
