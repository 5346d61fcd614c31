//! Workers without a node, to whom another one hands on what the gateway sends.

use std::{sync::Arc, thread, time::Duration};

use base64::{engine::general_purpose::STANDARD, Engine};
use codec::{Decode, Encode};
use ensemble_compute::{inference::Trace, Machine};
use ensemble_core::{
    inference::{ranges_of, relay_bytes, Closing, RangeIndex, SessionPhase},
    tasks::Descriptor,
};
use ensemble_rows::{protocol::Reply, Served, Terms};
use ensemble_runtime::Hash;
use ensemble_tensor::{Header, Kind};
use jsonrpsee::{core::server::Subscription, MethodsError, RpcModule};
use serde_json::Value;
use sp_core::Pair;

use super::{
    net::{block_on, wait_until, Manner, Net, MAX_TOKENS, PROMPT, SESSION},
    serving::signed,
    tiny::{self, LLAMA},
};
use crate::rows::{
    chain::{self, Participant},
    keys::AttesterPair,
    protocol::{Call, Message, Refused},
    rpc::RowsRpc,
    worker::SessionKeys,
};

/// The place of the worker that has no node, and whose relay the node there is.
const PLACE: usize = 2;

/// A network of three workers, one of which has no node.
struct Relayed {
    net: Net,
    pair: AttesterPair,
    methods: RpcModule<RowsRpc>,
}

/// A worker without a node, as long as it is handed something.
struct Miner {
    subscription: Subscription,
    token: String,
}

impl Relayed {
    fn new(replicas: u32) -> Self {
        let (net, pair) = (Net::new(3, replicas), AttesterPair::from_seed(&[99; 32]));
        let hub = &net.workers[PLACE].hub;
        let methods = RowsRpc::module(hub.context.clone(), hub.gateway.clone());
        let relayed = Self { net, pair, methods };
        relayed.net.bond(relayed.participant(), 1_000);
        relayed.net.change(|session| {
            let SessionPhase::Assigned { workers, .. } = &mut session.phase else { panic!() };
            workers[PLACE] = relayed.participant();
        });
        relayed
    }

    /// What the chain says of the worker that has no node.
    fn participant(&self) -> Participant {
        let key = self.pair.public();
        Participant { account: [88; 32].into(), key, ..self.net.workers[PLACE].participant() }
    }

    fn proof(&self, at: u32) -> String {
        let peer = self.net.workers[PLACE].peer.to_bytes();
        let bytes = relay_bytes(&Hash::repeat_byte(5), &peer, &self.pair.public().into_inner().0, at);
        hex_text(&self.pair.sign(&bytes).into_inner().0)
    }

    fn key(&self) -> String {
        hex_text(&self.pair.public().into_inner().0)
    }

    fn subscribe(&self, key: &str, at: u32, signature: &str) -> Result<Miner, (i32, String)> {
        block_on(async {
            let subscribed = self.methods.subscribe("ensemble_serveRows", (key, at, signature), 100).await;
            let mut subscription = subscribed.map_err(refusal)?;
            let (first, _) = subscription.next::<Value>().await.unwrap().unwrap();
            assert_eq!(first["kind"], "serving");
            Ok(Miner { subscription, token: first["token"].as_str().unwrap().into() })
        })
    }

    /// The worker, which is handed what comes from now on.
    fn miner(&self, at: u32) -> Miner {
        self.subscribe(&self.key(), at, &self.proof(at)).unwrap()
    }

    fn answer(&self, token: &str, message: &Message) -> Result<Value, (i32, String)> {
        self.answer_bytes(token, &STANDARD.encode(message.encode()))
    }

    fn answer_bytes(&self, token: &str, message: &str) -> Result<Value, (i32, String)> {
        block_on(self.methods.call("ensemble_answerRows", (token, message))).map_err(refusal)
    }

    /// How the worker serves the session.
    fn served(&self) -> Served {
        let session = self.net.world.sessions.lock()[&SESSION].clone();
        let place = PLACE as u32;
        let terms = Terms {
            session: SESSION,
            place,
            ranges: ranges_of(place, session.workers, session.replicas).collect(),
            count: session.workers,
            prompt_tokens: session.prompt_tokens,
            positions: chain::most_positions(&session),
        };
        let keys = SessionKeys {
            genesis: Hash::repeat_byte(5),
            session: SESSION,
            worker: self.pair.clone(),
            gateway: session.gateway.key,
        };
        Served::new(terms, Arc::new(self.net.model.clone()), Box::new(keys), Machine::PORTABLE)
    }

    /// Serves all that comes, until the session is over. Returns the traces.
    fn serve(&self, miner: &mut Miner, mut served: Served) -> Vec<(RangeIndex, Trace)> {
        while let Message::Call(call) = miner.next() {
            let mut answer = None;
            served.answer(&call, |message| answer = Some(message.clone())).unwrap();
            self.answer(&miner.token, &answer.unwrap()).unwrap();
        }
        served.end().0
    }
}

impl Miner {
    /// What is handed to it next.
    fn next(&mut self) -> Message {
        let (item, _) = block_on(self.subscription.next::<Value>()).unwrap().unwrap();
        assert_eq!(item["kind"], "message");
        let bytes = STANDARD.decode(item["message"].as_str().unwrap()).unwrap();
        Message::decode(&mut &bytes[..]).unwrap()
    }

    fn next_call(&mut self) -> Call {
        let Message::Call(call) = self.next() else { panic!("this is no call") };
        call
    }
}

fn hex_text(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn refusal(error: MethodsError) -> (i32, String) {
    match error {
        MethodsError::JsonRpc(error) => (error.code(), error.message().into()),
        other => panic!("{other}"),
    }
}

#[test]
fn who_has_no_node_serves_like_all_others() {
    for replicas in [1, 3] {
        let relayed = Relayed::new(replicas);
        let mut miner = relayed.miner(1);
        let (traces, (items, end)) = thread::scope(|scope| {
            let serving = scope.spawn(|| relayed.serve(&mut miner, relayed.served()));
            let answer = relayed.net.answer();
            (serving.join().unwrap(), answer)
        });
        let (end, alone) = (end.unwrap(), relayed.net.alone(&PROMPT, MAX_TOKENS, 3));
        assert_eq!((end.tokens, items.len()), (alone.tokens, MAX_TOKENS as usize));
        assert_eq!((end.report.disagreements, end.report.dropped), (vec![], vec![]));
        assert_eq!(traces.len(), replicas as usize);
        for (range, trace) in traces {
            assert_eq!(trace.bytes(), alone.ranges[range as usize].bytes(), "range {range}");
        }
    }
}

#[test]
fn a_session_goes_on_when_its_worker_is_back() {
    let relayed = Relayed::new(1);
    let mut served = relayed.served();
    let mut first = relayed.miner(1);
    let progress = relayed.net.gateway.generate(&PROMPT).unwrap();
    // It goes away with a call that it does not answer.
    for _ in 0..3 {
        let call = first.next_call();
        let mut answer = None;
        served.answer(&call, |message| answer = Some(message.clone())).unwrap();
        relayed.answer(&first.token, &answer.unwrap()).unwrap();
    }
    first.next_call();
    drop(first);
    let context = &relayed.net.workers[PLACE].hub.context;
    let before = context.metrics.refused.get();
    wait_until("a refusal is waited for", || context.metrics.refused.get() > before);
    relayed.net.world.next_block();
    let mut second = relayed.miner(2);
    let (_, end) = thread::scope(|scope| {
        scope.spawn(|| relayed.serve(&mut second, served));
        super::net::follow(&progress)
    });
    assert_eq!(end.unwrap().tokens, relayed.net.alone(&PROMPT, MAX_TOKENS, 3).tokens);
}

#[test]
fn only_a_worker_that_announced_this_node_is_handed_messages() {
    let relayed = Relayed::new(1);
    let code = |at, key: &str, signature: &str| relayed.subscribe(key, at, signature).err().map(|(code, _)| code);
    let (key, proof) = (relayed.key(), relayed.proof(1));
    let stranger = hex_text(&[7; 32]);
    assert_eq!(code(1, &stranger, &proof), Some(22_101));
    assert_eq!(code(1, &key, &hex_text(&[7; 64])), Some(22_104));
    assert_eq!(code(3, &key, &relayed.proof(3)), Some(22_103), "a block that is not there yet");
    assert_eq!(code(1, &key, &relayed.proof(0)), Some(22_104), "the signature of another block");
    let elsewhere = relayed.net.workers[0].pair.clone();
    relayed.net.bond(relayed.net.workers[0].participant(), 1_000);
    assert_eq!(code(1, &hex_text(&elsewhere.public().into_inner().0), &proof), Some(22_102));
    assert_eq!(code(1, &key, &proof), None);
    assert_eq!(code(1, &key, &proof), Some(22_103), "each block once");
    (0..40).for_each(|_| relayed.net.world.next_block());
    assert_eq!(code(5, &key, &relayed.proof(5)), Some(22_103), "a block that is too old");
}

#[test]
fn a_node_hands_on_to_so_many_and_the_last_of_a_key() {
    let relayed = Relayed::new(1);
    let mut first = relayed.miner(1);
    relayed.net.world.next_block();
    let second = relayed.miner(2);
    // The same key is no further one, and who had it before hears no more.
    assert!(block_on(first.subscription.next::<Value>()).is_none());
    let refused = Message::Refused(Refused::new(&some_call(), true, ""));
    assert_eq!(relayed.answer(&first.token, &refused).unwrap_err().0, 22_105);
    assert_eq!(relayed.answer(&second.token, &refused).unwrap_err().0, 22_107);

    let other = AttesterPair::from_seed(&[98; 32]);
    relayed.net.bond(Participant { key: other.public(), ..relayed.participant() }, 1_000);
    let further = || {
        let peer = relayed.net.workers[PLACE].peer.to_bytes();
        let key = other.public().into_inner().0;
        let proof = other.sign(&relay_bytes(&Hash::repeat_byte(5), &peer, &key, 1)).into_inner().0;
        relayed.subscribe(&hex_text(&key), 1, &hex_text(&proof))
    };
    assert_eq!(further().err().map(|(code, _)| code), Some(22_100));
    drop(second);
    wait_until("a place is waited for", || further().is_ok());
}

fn some_call() -> Call {
    let inputs = tiny::vectors(LLAMA.width as usize, 1).iter().map(|one| one.encode().try_into().unwrap()).collect();
    let inputs: Vec<_> = inputs;
    Call {
        session: SESSION,
        place: PLACE as u32,
        number: 0,
        stage: 0,
        first: 0,
        asked: None,
        inputs: inputs.try_into().unwrap(),
    }
}

#[test]
fn nothing_is_handed_back_that_was_not_asked_for() {
    let relayed = Relayed::new(1);
    let mut miner = relayed.miner(1);
    let code = |message: &Message| relayed.answer(&miner.token, message).unwrap_err().0;
    let refused = |number, place| {
        Message::Refused(Refused::new(&Call { number, place, ..some_call() }, false, "I do not like it"))
    };
    assert_eq!(code(&refused(0, PLACE as u32)), 22_107, "before anything was asked");
    assert_eq!(code(&Message::Call(some_call())), 22_106);
    assert_eq!(relayed.answer_bytes(&miner.token, "AAAA").unwrap_err().0, 22_106);
    assert_eq!(relayed.answer_bytes(&miner.token, "no base64").unwrap_err().0, 22_106);
    assert_eq!(relayed.answer_bytes(&hex_text(&[7; 32]), "AAAA").unwrap_err().0, 22_106);
    assert_eq!(relayed.answer(&hex_text(&[7; 32]), &refused(0, PLACE as u32)).unwrap_err().0, 22_105);

    relayed.net.connect(PLACE);
    let hub = &relayed.net.workers[PLACE].hub;
    let call = signed(&relayed.net, some_call());
    hub.received(relayed.net.gateway.peer, &Message::Call(call.clone()).encode());
    assert_eq!(miner.next_call(), call, "it is handed on as it is");
    let code = |message: &Message| relayed.answer(&miner.token, message).unwrap_err().0;
    assert_eq!(code(&refused(1, PLACE as u32)), 22_107);
    assert_eq!(code(&refused(0, 0)), 22_107);
    let reply = Reply { session: SESSION + 1, place: PLACE as u32, number: 0, ranges: Default::default() };
    assert_eq!(code(&Message::Reply(reply)), 22_107);
    relayed.answer(&miner.token, &refused(0, PLACE as u32)).unwrap();
    assert_eq!(*relayed.net.workers[PLACE].wire.refusals.lock(), ["I do not like it"]);
    assert_eq!(code(&refused(0, PLACE as u32)), 22_107, "each call once");
}

#[test]
fn what_a_gateway_may_not_have_is_not_handed_on() {
    let relayed = Relayed::new(1);
    let miner = relayed.miner(1);
    let hub = &relayed.net.workers[PLACE].hub;
    let refusals = || relayed.net.workers[PLACE].wire.refusals.lock().clone();
    relayed.net.connect(PLACE);
    let refuses = |call: Call, reason: &str| {
        let before = refusals().len();
        hub.received(relayed.net.gateway.peer, &Message::Call(call).encode());
        wait_until("a refusal is waited for", || refusals().len() > before);
        assert_eq!(refusals().last().unwrap(), reason);
    };
    refuses(Call { session: SESSION + 1, ..some_call() }, "there is no such session, or none any more");
    refuses(Call { place: 0, ..some_call() }, "the worker at this place has its key elsewhere");
    refuses(Call { place: 9, ..some_call() }, "this session has fewer workers");
    drop(miner);
    wait_until("it is away", || {
        let before = refusals().len();
        hub.received(relayed.net.gateway.peer, &Message::Call(some_call()).encode());
        wait_until("an answer is waited for", || refusals().len() > before);
        refusals().last().unwrap() == "the worker at this place is away"
    });
}

#[test]
fn what_a_worker_votes_on_is_fetched_for_it_alone() {
    let relayed = Relayed::new(1);
    let miner = relayed.miner(1);
    let fetch = |token: &str, session| block_on(relayed.methods.call("ensemble_fetchClosing", (token, session)));
    let fetch = |token: &str, session: u32| -> Result<Value, _> { fetch(token, session).map_err(refusal) };
    assert_eq!(fetch(&hex_text(&[7; 32]), SESSION).unwrap_err().0, 22_105);
    assert_eq!(fetch(&miner.token, SESSION + 1).unwrap_err().0, 22_109);
    assert_eq!(fetch(&miner.token, SESSION).unwrap_err().0, 22_109, "nothing is closed yet");

    let content = |rows, cols| Descriptor { header: Header::new(Kind::I32, rows, cols).unwrap(), root: [3; 32] };
    let closing = Closing { tokens: content(9, 1), trace: content(8, 40), contested: None };
    let voting = |workers| SessionPhase::Voting { workers, closing, votes: Vec::new() };
    relayed.net.change(|session| session.phase = voting(vec![relayed.net.workers[0].participant()]));
    assert_eq!(fetch(&miner.token, SESSION).unwrap_err().0, 22_109, "others vote");
    assert_eq!(*relayed.net.world.fetched.lock(), []);
    relayed.net.change(|session| session.phase = voting(vec![relayed.participant()]));
    fetch(&miner.token, SESSION).unwrap();
    assert_eq!(*relayed.net.world.fetched.lock(), [(closing.tokens.id(), 36), (closing.trace.id(), 1280)]);
}

#[test]
fn a_worker_that_stays_away_costs_its_range_alone() {
    let relayed = Relayed::new(3);
    relayed.net.workers[0].behaves(Manner::Slow(Duration::from_millis(1)));
    let (_, end) = relayed.net.answer();
    let end = end.unwrap();
    assert_eq!(end.tokens, relayed.net.alone(&PROMPT, MAX_TOKENS, 3).tokens);
    assert!(end.report.dropped.iter().all(|(place, _)| *place == PLACE as u32), "{:?}", end.report.dropped);
}
