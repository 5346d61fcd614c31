//! The gateway: drives the answers of sessions whose gateway this node is.
//!
//! A node agrees to drive a session before it is opened: [`Gateway::consent`]. From then on its bond answers for that, so
//! it begins by itself as soon as the workers are drawn: [`Gateway::look`].
//!
//! Each answer has a thread. It asks the workers for one stage after the other, does what lies between, and hands the
//! tokens out. Whoever subscribes gets all tokens so far; who leaves stops nothing.

mod answers;
mod consents;
mod crew;
mod drive;
mod error;
mod need;
mod progress;
mod text;

use std::{
    collections::HashMap,
    sync::{
        atomic::{AtomicBool, AtomicU32, Ordering},
        mpsc::{self, Sender},
        Arc,
    },
    thread,
};

use codec::Encode;
use ensemble_compute::inference::{Llama, Stage};
use ensemble_core::{
    attester::AttesterSignature,
    inference::{consent_bytes, ModelId, Payment, Question, SessionId, SessionPhase},
    AttesterId,
};
use ensemble_runtime::{AccountId, Balance, BlockNumber, Hash};
use parking_lot::Mutex;
use sc_network_types::PeerId;
use sp_core::Pair;
use sp_io::hashing::blake2_256;

use super::{
    chain::{self, Bonded, Session, Unavailable},
    keys::AttesterPair,
    limits::{GENERATIONS, MAX_ANSWERS_BYTES},
    model::Model,
    protocol::{Refused, Reply, IN_FLIGHT, MAX_BATCH},
    Context, LOG_TARGET,
};
use consents::Promise;
use drive::Driver;
use need::Need;

pub use consents::Consents;
pub use error::{Error, Refusal};
pub use progress::{Agreement, Item, News, Progress, Summary};

/// Answers that are remembered after their end, for those who subscribe again.
const REMEMBERED: usize = 64;
/// Blocks in which a session may be opened that this node agreed to.
const CONSENT_LENGTH: BlockNumber = 20;
/// Messages of one worker that may wait to be looked at.
const INBOX: u32 = 2 * IN_FLIGHT;

/// The gateways of this node.
pub struct Gateway {
    context: Arc<Context>,
    generations: Mutex<Generations>,
    /// Held while it is decided whether to agree to a session.
    deciding: Mutex<()>,
}

/// The answers that run, and the last ones that are over.
#[derive(Default)]
struct Generations {
    known: HashMap<SessionId, Arc<Generation>>,
    /// How many there ever were.
    count: u64,
}

/// What somebody would like this node to drive.
pub struct Wish {
    /// Who will open the session, and pay.
    pub requester: AccountId,
    /// The model.
    pub model: ModelId,
    /// The prompt.
    pub tokens: Vec<u32>,
    /// Most tokens of the answer.
    pub max_tokens: u32,
    /// Number of workers.
    pub workers: u32,
    /// Workers that serve each range.
    pub replicas: u32,
    /// What it will be paid with.
    pub payment: Payment,
    /// Which of this node's accounts shall be the gateway, if that matters.
    pub gateway: Option<AccountId>,
}

/// That this node drives a session.
#[derive(Clone, Debug)]
pub struct Agreed {
    /// The gateway's account.
    pub gateway: AccountId,
    /// Number of the consent.
    pub number: u32,
    /// Last block in which the session may be opened.
    pub until: BlockNumber,
    /// The gateway's signature.
    pub signature: AttesterSignature,
    /// What the session costs, in planck.
    pub price: Balance,
}

/// An answer, as others reach it.
struct Generation {
    /// Tells which began first.
    number: u64,
    need: Need,
    prompt: Vec<u32>,
    /// The workers' peers, in the order of places; nothing for one that announced none.
    peers: Vec<Option<PeerId>>,
    /// Which workers are asked nothing more.
    out: Vec<AtomicBool>,
    /// Messages of each worker that wait.
    inbox: Vec<AtomicU32>,
    /// Most outputs of a reply.
    most_outputs: u64,
    mail: Sender<Mail>,
    progress: Arc<Progress>,
}

/// What an answer's thread is told.
enum Mail {
    /// A worker has answered.
    Reply(Reply),
    /// A worker refused.
    Refused(Refused),
    /// There is a substream to a peer.
    Opened(PeerId),
    /// There is none any more.
    Closed(PeerId),
    /// A peer broke the protocol.
    Banned(PeerId),
}

impl Gateway {
    /// No session is answered yet.
    pub fn new(context: Arc<Context>) -> Arc<Self> {
        Arc::new(Self { context, generations: Mutex::default(), deciding: Mutex::default() })
    }

    /// Agrees to drive a session, or says why not. May block.
    pub fn consent(&self, wish: Wish) -> Result<Agreed, Refusal> {
        let Wish { requester, model, tokens, max_tokens, workers, replicas, payment, gateway } = wish;
        let (context, least) = (&self.context, self.context.gateway_replicas);
        if replicas < least {
            return Err(Refusal::TooFewReplicas(least));
        }
        let prompt_tokens = u32::try_from(tokens.len()).map_err(|_| Refusal::Terms)?;
        let prompt = blake2_256(&tokens.encode()).into();
        let question = Question { prompt, prompt_tokens, max_tokens, workers, replicas };
        let positions = question.most_positions();
        let quote = context.chain.quote(model, positions, workers, replicas)?.filter(|_| max_tokens > 0);
        let view = context.chain.model(model)?.ok_or(Error::UnknownModel(model))?;
        let opened = context.models.open(view.content).map_err(Error::from)?;
        if tokens.is_empty() || tokens.iter().any(|token| *token >= opened.llama().vocabulary) {
            return Err(Refusal::Tokens);
        }
        let price = quote.ok_or(Refusal::Terms)?.price;
        if context.chain.means(&requester, model, payment)? < price {
            return Err(Refusal::CannotPay(price));
        }

        // Nobody else is given the same place, bond and room.
        let _deciding = self.deciding.lock();
        let (best, need) = (context.chain.best_number(), Need::of(opened.llama(), positions));
        self.check_load(best, need)?;
        let (key, account, pair) = self.gateway(gateway, price, best)?;
        let (until, number) = (best.saturating_add(CONSENT_LENGTH), random_number());
        let bytes = consent_bytes(&context.genesis, &requester, model, &question, payment, number, &until);
        let promise = Promise { key, requester, model, question, payment, number, until, price, need, tokens };
        if !context.consents.add(promise, best).map_err(|error| Refusal::Unnoted(error.to_string()))? {
            return Err(Refusal::Busy(GENERATIONS));
        }
        context.metrics.consents.set(self.outstanding(best).sessions as u64);
        Ok(Agreed { gateway: account, number, until, signature: pair.sign(&bytes), price })
    }

    /// Whether there are a place and room for one more answer, beside those that this node agreed to.
    fn check_load(&self, best: BlockNumber, need: Need) -> Result<(), Refusal> {
        let bound = self.outstanding(best);
        let running: Vec<_> =
            self.generations.lock().running().map(|(id, generation)| (*id, generation.need)).collect();
        let of_others = running.into_iter().filter(|(session, _)| !self.context.consents.opened(*session));
        let (mut sessions, mut others) = (bound.sessions, bound.need);
        for (_, need) in of_others {
            (sessions, others) = (sessions.saturating_add(1), others.and(need));
        }
        if sessions >= GENERATIONS {
            return Err(Refusal::Busy(GENERATIONS));
        }
        check_memory(others, need)?;
        let checked = self.context.ledger.check_room(others.and(need).room);
        checked.map_err(|error| Error::NoRoom(error.to_string()).into())
    }

    /// What this node agreed to, and has to answer yet.
    fn outstanding(&self, best: BlockNumber) -> consents::Bound {
        let is_over = |session| {
            let progress = self.progress(session);
            progress.is_some_and(|progress| progress.is_over()) || self.context.ledger.closing(session).is_some()
        };
        self.context.consents.bound(best, is_over)
    }

    /// A key of this node whose bond covers a price, of this account if that matters.
    fn gateway(
        &self,
        account: Option<AccountId>,
        price: Balance,
        best: BlockNumber,
    ) -> Result<(AttesterId, AccountId, AttesterPair), Refusal> {
        let (context, mut most) = (&self.context, None);
        for key in context.keyring.keys() {
            let Some(worker) = context.chain.worker_of_key(&key)?.filter(|worker| self.may_drive(worker)) else {
                continue;
            };
            if account.as_ref().is_some_and(|account| *account != worker.party.account) {
                continue;
            }
            let free = worker.bond.saturating_sub(worker.pledged);
            let free = free.saturating_sub(context.consents.promised(&key, best));
            most = most.max(Some(free));
            if free < price {
                continue;
            }
            if let Some(pair) = context.keyring.pair(&key) {
                return Ok((key, worker.party.account, pair));
            }
        }
        Err(most.map_or(Refusal::NoGateway, |free| Refusal::BondTooSmall { price, free }))
    }

    /// Whether a worker may be a gateway, and workers will find this node to be it.
    fn may_drive(&self, worker: &Bonded) -> bool {
        worker.leaves_at.is_none() && chain::peer(&worker.party) == Some(self.context.post.local())
    }

    /// Looks at the state of the best block, and begins what this node agreed to. May block.
    pub fn look(self: &Arc<Self>) {
        let context = &self.context;
        if context.consents.is_empty() {
            return;
        }
        let best = context.chain.best_number();
        let sessions = match context.chain.sessions() {
            Ok(sessions) => sessions,
            Err(Unavailable(error)) => {
                return tracing::warn!(target: LOG_TARGET, "The sessions that this node agreed to are not known: {error}");
            },
        };
        for (session, tokens) in context.consents.look(&sessions, best) {
            match self.generate(session, tokens) {
                Ok(_) | Err(Error::Answered(_) | Error::Closed) => (),
                // The next block is another chance.
                Err(error) => tracing::warn!(target: LOG_TARGET, "Session {session} is not answered yet: {error}"),
            }
        }
        context.metrics.consents.set(self.outstanding(best).sessions as u64);
    }

    /// The answer of a session, which begins if it has not. `prompt` is what the session was opened for. May block.
    pub fn generate(self: &Arc<Self>, session: SessionId, prompt: Vec<u32>) -> Result<Arc<Progress>, Error> {
        if let Some(progress) = self.known(session, &prompt)? {
            return Ok(progress);
        }
        let (view, model, pair) = self.check(session, &prompt)?;
        let need = Need::of(model.llama(), chain::most_positions(&view));
        let peers: Vec<_> = chain::workers(&view).iter().map(chain::peer).collect();

        let mut generations = self.generations.lock();
        if generations.known.contains_key(&session) {
            // Somebody else was quicker.
            drop(generations);
            return self.known(session, &prompt)?.ok_or(Error::Busy(GENERATIONS));
        }
        if generations.running().count() >= GENERATIONS {
            return Err(Error::Busy(GENERATIONS));
        }
        check_memory(
            generations.running().map(|(_, generation)| generation.need).fold(Need::default(), Need::and),
            need,
        )?;
        let (mail, inbound) = mpsc::channel();
        generations.count = generations.count.saturating_add(1);
        let generation = Arc::new(Generation {
            number: generations.count,
            need,
            prompt: prompt.clone(),
            inbox: peers.iter().map(|_| AtomicU32::new(0)).collect(),
            out: peers.iter().map(|_| AtomicBool::new(false)).collect(),
            most_outputs: most_outputs(model.llama(), view.workers, view.replicas),
            peers,
            mail,
            progress: Arc::default(),
        });
        let driver = Driver::new(self.context.clone(), view, model, pair, prompt, generation.clone(), inbound);
        let (gateway, number) = (self.clone(), generation.number);
        let began = thread::Builder::new().name(format!("answer-{session}")).spawn(move || {
            let may_repeat = driver.run();
            gateway.context.metrics.generations.dec();
            if may_repeat {
                gateway.generations.lock().forget(session, number);
            }
        });
        began.map_err(|error| Error::Thread(error.to_string()))?;
        self.context.metrics.generations.inc();
        let progress = generation.progress.clone();
        generations.insert(session, generation);
        Ok(progress)
    }

    /// The answer, if it has begun or ended while the node runs.
    fn known(&self, session: SessionId, prompt: &[u32]) -> Result<Option<Arc<Progress>>, Error> {
        let generations = self.generations.lock();
        match generations.known.get(&session) {
            Some(generation) if generation.prompt == prompt => Ok(Some(generation.progress.clone())),
            Some(_) => Err(Error::AnotherPrompt),
            None => Ok(None),
        }
    }

    /// The checks before an answer begins, in the order of `mod.rs`.
    fn check(&self, session: SessionId, prompt: &[u32]) -> Result<(Session, Arc<dyn Model>, AttesterPair), Error> {
        let context = &self.context;
        if let Some(closing) = context.ledger.closing(session) {
            return Err(Error::Answered(closing.tokens.id()));
        }
        let view = context.chain.session(session)?.ok_or(Error::UnknownSession(session))?;
        match view.phase {
            SessionPhase::Open { .. } => return Err(Error::NotAssigned),
            SessionPhase::Assigned { .. } => (),
            SessionPhase::Voting { .. } | SessionPhase::Disputable { .. } => return Err(Error::Closed),
        }
        let pair = context.keyring.pair(&view.gateway.key).ok_or(Error::NotGateway)?;
        let count = u32::try_from(prompt.len()).unwrap_or(u32::MAX);
        // A `Vec<u32>` and a slice of it are encoded alike.
        if count != view.prompt_tokens || blake2_256(&prompt.encode()) != view.prompt.0 {
            return Err(Error::AnotherPrompt);
        }
        let model = context.chain.model(view.model)?.ok_or(Error::UnknownModel(view.model))?;
        let model = context.models.open(model.content)?;
        // What cannot be kept in the end is not begun.
        let need = Need::of(model.llama(), chain::most_positions(&view));
        context.ledger.check_room(need.room).map_err(|error| Error::NoRoom(error.to_string()))?;
        Ok((view, model, pair))
    }

    /// How far the answer of a session is, if it has begun while the node runs.
    pub fn progress(&self, session: SessionId) -> Option<Arc<Progress>> {
        self.generations.lock().known.get(&session).map(|generation| generation.progress.clone())
    }

    /// Takes a worker's answer.
    pub fn reply(&self, peer: PeerId, reply: Reply) {
        self.take(peer, reply.session, reply.place, Mail::Reply(reply));
    }

    /// Takes a worker's refusal.
    pub fn refused(&self, peer: PeerId, refused: Refused) {
        self.take(peer, refused.session, refused.place, Mail::Refused(refused));
    }

    /// What nobody asked for is counted and forgotten.
    fn take(&self, peer: PeerId, session: SessionId, place: u32, mail: Mail) {
        let generation = self.generations.lock().known.get(&session).cloned();
        let is_taken = generation.is_some_and(|generation| generation.take(&peer, place, mail));
        if !is_taken {
            tracing::debug!(target: LOG_TARGET, "{peer} sent for session {session} what was not asked for");
            self.context.metrics.unsolicited.inc();
            self.context.fault(peer);
        }
    }

    /// Says that there is a substream to a peer.
    pub fn opened(&self, peer: PeerId) {
        self.tell(peer, || Mail::Opened(peer));
    }

    /// Says that there is no substream to a peer any more.
    pub fn closed(&self, peer: PeerId) {
        self.tell(peer, || Mail::Closed(peer));
    }

    /// Says that a peer broke the protocol.
    pub fn banned(&self, peer: PeerId) {
        self.tell(peer, || Mail::Banned(peer));
    }

    fn tell(&self, peer: PeerId, mail: impl Fn() -> Mail) {
        for generation in self.generations.lock().known.values() {
            if generation.peers.contains(&Some(peer)) && !generation.progress.is_over() {
                let _ = generation.mail.send(mail());
            }
        }
    }
}

impl Generations {
    fn running(&self) -> impl Iterator<Item = (&SessionId, &Arc<Generation>)> {
        self.known.iter().filter(|(_, generation)| !generation.progress.is_over())
    }

    /// Adds one. Of those that are over the first makes way, if they are too many.
    fn insert(&mut self, session: SessionId, generation: Arc<Generation>) {
        let over = || self.known.iter().filter(|(_, generation)| generation.progress.is_over());
        if over().count() >= REMEMBERED {
            let first = over().min_by_key(|(_, generation)| generation.number).map(|(session, _)| *session);
            first.map(|first| self.known.remove(&first));
        }
        self.known.insert(session, generation);
    }

    fn forget(&mut self, session: SessionId, number: u64) {
        if self.known.get(&session).is_some_and(|generation| generation.number == number) {
            self.known.remove(&session);
        }
    }
}

impl Generation {
    /// Puts a worker's message where the thread finds it. Says whether it is from that worker, which may have it wait.
    fn take(&self, peer: &PeerId, place: u32, mail: Mail) -> bool {
        let place = place as usize;
        let is_out = self.out.get(place).is_none_or(|out| out.load(Ordering::Relaxed));
        if is_out || self.peers.get(place) != Some(&Some(*peer)) || self.progress.is_over() {
            return false;
        }
        let outputs = match &mail {
            Mail::Reply(reply) => reply.ranges.iter().map(|range| range.outputs.len() as u64).sum(),
            _ => 0,
        };
        let Some(waiting) = self.inbox.get(place).filter(|_| outputs <= self.most_outputs) else { return false };
        if waiting.fetch_add(1, Ordering::Relaxed) >= INBOX {
            waiting.fetch_sub(1, Ordering::Relaxed);
            return false;
        }
        self.mail.send(mail).is_ok()
    }

    /// Takes nothing more of a worker.
    fn leave_out(&self, place: u32) {
        if let Some(out) = self.out.get(place as usize) {
            out.store(true, Ordering::Relaxed);
        }
    }

    /// Notes that a message of a worker waits no more.
    fn took(&self, place: u32) {
        if let Some(waiting) = self.inbox.get(place as usize) {
            waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Whether others leave memory for one more answer.
fn check_memory(others: Need, need: Need) -> Result<(), Error> {
    let free = MAX_ANSWERS_BYTES.saturating_sub(others.memory);
    if need.memory > free {
        return Err(Error::NoMemory { needed: need.memory, free });
    }
    Ok(())
}

fn random_number() -> u32 {
    let [a, b, c, d, ..] = Hash::random().0;
    u32::from_le_bytes([a, b, c, d])
}

/// More outputs than a worker of a session ever has to send at once, though not many more.
fn most_outputs(llama: &Llama, workers: u32, replicas: u32) -> u64 {
    let of_stage = |stage: Stage| {
        let positions = if stage == Stage::Head { 1 } else { u64::from(MAX_BATCH) };
        // A range may have a row more of each of three matrices than the others.
        let rows = u64::from(llama.outputs(stage)) / u64::from(workers.max(1)) + 3;
        rows.saturating_mul(positions).saturating_mul(replicas.into())
    };
    (0..llama.stages()).filter_map(|number| llama.stage(number)).map(of_stage).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{protocol::RangeReply, tests::tiny::LLAMA};

    fn generation(peers: &[PeerId], mail: Sender<Mail>) -> Generation {
        Generation {
            number: 1,
            need: Need::default(),
            prompt: Vec::new(),
            inbox: peers.iter().map(|_| AtomicU32::new(0)).collect(),
            out: peers.iter().map(|_| AtomicBool::new(false)).collect(),
            most_outputs: 100,
            peers: peers.iter().copied().map(Some).collect(),
            mail,
            progress: Arc::default(),
        }
    }

    #[test]
    fn all_answers_together_take_only_so_much_memory() {
        let need = |memory| Need { room: 0, memory };
        assert_eq!(check_memory(need(MAX_ANSWERS_BYTES - 5), need(5)), Ok(()));
        let refused = check_memory(need(MAX_ANSWERS_BYTES - 5), need(6));
        assert_eq!(refused, Err(Error::NoMemory { needed: 6, free: 5 }));
        assert_eq!(check_memory(need(u64::MAX), need(1)), Err(Error::NoMemory { needed: 1, free: 0 }));
    }

    #[test]
    fn answers_that_run_are_never_forgotten() {
        let mut generations = Generations::default();
        let begin = |number| Arc::new(Generation { number, ..generation(&[], mpsc::channel().0) });
        generations.insert(0, begin(0));
        for number in 1..200 {
            let short = begin(number.into());
            short.progress.end(Err("over".into()));
            generations.insert(number, short);
        }
        assert_eq!(generations.running().count(), 1);
        assert!(generations.known.contains_key(&0) && generations.known.contains_key(&199));
        assert_eq!(generations.known.len(), REMEMBERED + 1);
        assert!(!generations.known.contains_key(&100));
        generations.forget(0, 1);
        assert_eq!(generations.running().count(), 1);
        generations.forget(0, 0);
        assert_eq!(generations.running().count(), 0);
    }

    fn reply(outputs: usize) -> Mail {
        let range = RangeReply { outputs: vec![0; outputs], signatures: Default::default() };
        Mail::Reply(Reply { session: 0, place: 1, number: 0, ranges: vec![range].try_into().unwrap() })
    }

    #[test]
    fn only_so_much_of_a_worker_waits() {
        let (mail, inbound) = mpsc::channel();
        let peers = vec![PeerId::random(), PeerId::random()];
        let generation = generation(&peers, mail);
        assert!(!generation.take(&peers[0], 1, reply(1)));
        assert!(!generation.take(&peers[1], 2, reply(1)));
        assert!(!generation.take(&peers[1], 1, reply(101)));
        for _ in 0..INBOX {
            assert!(generation.take(&peers[1], 1, reply(100)));
        }
        assert!(!generation.take(&peers[1], 1, reply(1)));
        assert!(generation.take(&peers[0], 0, reply(1)));
        generation.took(1);
        assert!(generation.take(&peers[1], 1, reply(1)));
        assert_eq!(inbound.try_iter().count(), INBOX as usize + 2);
        generation.leave_out(0);
        assert!(!generation.take(&peers[0], 0, reply(1)));
        generation.took(1);
        assert!(generation.take(&peers[1], 1, reply(1)));
        generation.progress.end(Err("over".into()));
        assert!(!generation.take(&peers[0], 0, reply(1)));
    }

    #[test]
    fn every_reply_that_is_asked_for_is_small_enough() {
        for (workers, replicas) in [(1, 1), (2, 1), (4, 3), (7, 7), (32, 5)] {
            for stage in (0..LLAMA.stages()).filter_map(|number| LLAMA.stage(number)) {
                let positions = if stage == Stage::Head { 1 } else { u64::from(MAX_BATCH) };
                let len = |range| ensemble_compute::inference::ranges::len(&LLAMA, stage, range, workers) as u64;
                let largest = (0..workers).map(len).max().unwrap();
                let needed = largest * positions * u64::from(replicas);
                assert!(needed <= most_outputs(&LLAMA, workers, replicas));
            }
        }
    }
}
