//! Workers without a node: to whom this node hands on what gateways send, and what comes back.
//!
//! Whoever signs with the key of a worker that announced this node is handed all messages for it, until somebody else asks
//! with the same key. What comes back is taken as an answer to a call that waits for one, and goes to the gateway that
//! made it: nothing else does, so that nobody sends more than gateways ask for. When the worker goes away, gateways are told
//! so, and ask again until it is back.

use std::{collections::HashMap, sync::Arc};

use codec::Encode;
use ensemble_core::{
    attester::AttesterSignature,
    inference::{relay_bytes, SessionId, SessionPhase},
    AttesterId,
};
use ensemble_runtime::{BlockNumber, Hash};
use parking_lot::Mutex;
use sc_network_types::PeerId;
use schnellru::{ByLength, LruMap};
use sp_core::Pair;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::{
    chain::{self, Chain, Unavailable},
    keys::AttesterPair,
    limits::{RELAY_AGE, RELAY_NUMBERS, RELAY_QUEUE},
    protocol::{Call, End, Message, Refused, Text, IN_FLIGHT},
    Context,
};

/// Why a call is not answered whose worker is not there.
pub const AWAY: &str = "the worker at this place is away";

/// What whoever answers shows that messages are handed to it.
pub type Token = Hash;

/// Session and place.
type Seat = (SessionId, u32);

/// Why messages are not handed on, or an answer is not taken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The node does not do this.
    #[error("this node hands messages on for nobody more; ask another one, or its operator for --row-relays")]
    NoRoom,
    /// No such worker.
    #[error("no worker has this key; join a model with it first")]
    UnknownKey,
    /// The worker is to be reached elsewhere.
    #[error("the worker of this key announced another node; announce the peer id of this one: {0}")]
    AnotherNode(PeerId),
    /// The number is not good.
    #[error("name a block that is not newer than this node's best, {best}, at most {RELAY_AGE} older, and newer than before")]
    Number {
        /// The best block.
        best: BlockNumber,
    },
    /// The signature is not good.
    #[error("this is not the signature of that key for this chain, node and block")]
    Signature,
    /// Nobody has this token.
    #[error("this token is not good any more; subscribe again")]
    UnknownToken,
    /// The bytes are no answer.
    #[error("these bytes are no answer to a call: {0}")]
    NoAnswer(String),
    /// Nothing of this kind was asked.
    #[error("no call of this session, place and number waits for an answer")]
    NotAsked,
    /// The gateway is gone, or takes nothing.
    #[error("the gateway does not take the answer now; it asks again if it still wants it")]
    NotTaken,
    /// There is nothing to fetch.
    #[error("the worker of this token takes no part in a vote on session {0} now")]
    NoVote(SessionId),
    /// The chain's state cannot be read.
    #[error(transparent)]
    Chain(#[from] Unavailable),
}

/// What somebody shows who wants messages handed on.
pub struct Proof {
    /// The worker's key.
    pub key: AttesterId,
    /// Number of a block.
    pub at: BlockNumber,
    /// The key's signature of [`relay_bytes`].
    pub signature: AttesterSignature,
}

/// A worker to whom messages are handed on, as long as this is there.
pub struct Relay {
    context: Arc<Context>,
    key: AttesterId,
    token: Token,
    messages: Receiver<Vec<u8>>,
}

impl Relay {
    /// Begins to hand messages on, in place of whoever had them handed on with this key before. May block.
    pub fn begin(context: Arc<Context>, proof: Proof) -> Result<Self, Error> {
        let (local, key) = (context.post.local(), proof.key.clone());
        let (token, messages, unanswered) = context.relays.open(&*context.chain, &context.genesis, local, proof)?;
        context.refuse_away(unanswered);
        Ok(Self { context, key, token, messages })
    }

    /// What the worker shows when it answers.
    pub fn token(&self) -> Token {
        self.token
    }

    /// The next message, encoded; nothing if somebody else is handed them from now on.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        self.messages.recv().await
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.context.refuse_away(self.context.relays.close(&self.key, &self.token));
    }
}

impl Context {
    /// Fetches what a gateway closed a session with, for a worker that is to vote and compares it before.
    pub fn fetch_closing(&self, token: &Token, id: SessionId) -> Result<(), Error> {
        let key = self.relays.key(token).ok_or(Error::UnknownToken)?;
        let session = self.chain.session(id)?.ok_or(Error::NoVote(id))?;
        let SessionPhase::Voting { workers, closing, .. } = session.phase else { return Err(Error::NoVote(id)) };
        if workers.iter().all(|worker| worker.key != key) {
            return Err(Error::NoVote(id));
        }
        for content in [closing.tokens, closing.trace] {
            (self.fetch)(content.id(), content.header.data_len());
        }
        Ok(())
    }

    /// Tells gateways that their workers are away.
    fn refuse_away(&self, unanswered: Vec<Unanswered>) {
        for Unanswered { gateway, seat: (session, place), number } in unanswered {
            let reason = Text::truncate_from(AWAY.into());
            let refused = Refused { session, place, number, passing: true, reason };
            self.metrics.refused.inc();
            self.post.send(&gateway, &Message::Refused(refused));
        }
    }
}

/// A call that is not answered any more.
struct Unanswered {
    gateway: PeerId,
    seat: Seat,
    number: u32,
}

/// What it takes to hand messages on: the token, where they come from, and what nobody answers who was there before.
type Opened = (Token, Receiver<Vec<u8>>, Vec<Unanswered>);

/// All of them.
pub struct Relays {
    most: usize,
    state: Mutex<State>,
}

struct State {
    relays: HashMap<AttesterId, Open>,
    /// With what number each key asked last.
    numbers: LruMap<AttesterId, BlockNumber, ByLength>,
    /// The calls that wait for an answer, by worker and seat.
    asked: HashMap<(AttesterId, Seat), Asked>,
}

struct Open {
    token: Token,
    messages: Sender<Vec<u8>>,
}

/// The calls of a seat that wait for an answer.
struct Asked {
    gateway: PeerId,
    numbers: Vec<u32>,
}

impl State {
    /// The calls that a worker does not answer any more.
    fn leave(&mut self, key: &AttesterId) -> Vec<Unanswered> {
        let of_worker = self.asked.iter_mut().filter(|((worker, _), _)| worker == key);
        let calls = of_worker.flat_map(|((_, seat), Asked { gateway, numbers })| {
            let call = |number| Unanswered { gateway: *gateway, seat: *seat, number };
            numbers.drain(..).map(call).collect::<Vec<_>>()
        });
        calls.collect()
    }
}

impl Relays {
    /// At most for so many workers at once.
    pub fn new(most: usize) -> Self {
        let numbers = LruMap::new(ByLength::new(RELAY_NUMBERS));
        Self { most, state: Mutex::new(State { relays: HashMap::new(), numbers, asked: HashMap::new() }) }
    }

    /// Whether messages are handed on at all.
    pub fn is_open(&self) -> bool {
        self.most > 0
    }

    fn open(&self, chain: &dyn Chain, genesis: &Hash, local: PeerId, proof: Proof) -> Result<Opened, Error> {
        let Proof { key, at, signature } = proof;
        let best = chain.best_number();
        if at > best || best.saturating_sub(at) > RELAY_AGE {
            return Err(Error::Number { best });
        }
        let worker = chain.worker_of_key(&key)?.ok_or(Error::UnknownKey)?;
        if chain::peer(&worker.party) != Some(local) {
            return Err(Error::AnotherNode(local));
        }
        let signed = relay_bytes(genesis, &worker.party.peer, &key.clone().into_inner().0, at);
        if !AttesterPair::verify(&signature, signed, &key) {
            return Err(Error::Signature);
        }
        let mut state = self.state.lock();
        if state.numbers.get(&key).is_some_and(|last| at <= *last) {
            return Err(Error::Number { best });
        }
        if state.relays.len() >= self.most && !state.relays.contains_key(&key) {
            return Err(Error::NoRoom);
        }
        state.numbers.insert(key.clone(), at);
        let (token, (sender, messages)) = (Token::random(), mpsc::channel(RELAY_QUEUE));
        let unanswered = state.leave(&key);
        state.relays.insert(key, Open { token, messages: sender });
        Ok((token, messages, unanswered))
    }

    /// Hands nothing more on to whoever has this token.
    fn close(&self, key: &AttesterId, token: &Token) -> Vec<Unanswered> {
        let mut state = self.state.lock();
        match state.relays.get(key) {
            Some(open) if open.token == *token => {
                state.relays.remove(key);
                state.leave(key)
            },
            _ => Vec::new(),
        }
    }

    /// Hands a call on. Gives it back if nobody is there who takes it.
    pub fn hand_on(&self, key: &AttesterId, gateway: PeerId, call: Call) -> Result<(), Call> {
        let mut state = self.state.lock();
        let State { relays, asked, .. } = &mut *state;
        let Some(open) = relays.get(key) else { return Err(call) };
        let Ok(place) = open.messages.try_reserve() else { return Err(call) };
        let asked = asked.entry((key.clone(), (call.session, call.place)));
        let asked = asked.or_insert_with(|| Asked { gateway, numbers: Vec::new() });
        // Another one after a fork.
        asked.gateway = gateway;
        asked.numbers.retain(|number| *number != call.number);
        if asked.numbers.len() >= IN_FLIGHT as usize {
            asked.numbers.remove(0);
        }
        asked.numbers.push(call.number);
        place.send(Message::Call(call).encode());
        Ok(())
    }

    /// Says that a seat is over. Who does not hear it hears it from the chain.
    pub fn end(&self, key: &AttesterId, end: End) {
        let mut state = self.state.lock();
        state.asked.remove(&(key.clone(), (end.session, end.place)));
        if let Some(open) = state.relays.get(key) {
            let _ = open.messages.try_send(Message::End(end).encode());
        }
    }

    /// The key of whoever has a token.
    fn key(&self, token: &Token) -> Option<AttesterId> {
        let state = self.state.lock();
        state.relays.iter().find(|(_, open)| open.token == *token).map(|(key, _)| key.clone())
    }

    /// Takes an answer. Returns the gateway that it is for.
    pub fn answer(&self, token: &Token, message: &Message) -> Result<PeerId, Error> {
        let (session, place, number) = match message {
            Message::Reply(reply) => (reply.session, reply.place, reply.number),
            Message::Refused(refused) => (refused.session, refused.place, refused.number),
            Message::Call(_) | Message::End(_) => return Err(Error::NoAnswer("only gateways send such".into())),
        };
        let mut state = self.state.lock();
        let State { relays, asked, .. } = &mut *state;
        let (key, _) = relays.iter().find(|(_, open)| open.token == *token).ok_or(Error::UnknownToken)?;
        let asked = asked.get_mut(&(key.clone(), (session, place))).ok_or(Error::NotAsked)?;
        let waiting = asked.numbers.iter().position(|waiting| *waiting == number).ok_or(Error::NotAsked)?;
        asked.numbers.remove(waiting);
        Ok(asked.gateway)
    }
}
