//! The gateway: drives the answers of sessions whose gateway this node is.
//!
//! Each answer has a thread. It asks the workers for one stage after the other, does what lies between, and hands the
//! tokens out. Whoever subscribes gets all tokens so far; who leaves stops nothing.

mod answers;
mod crew;
mod drive;
mod error;
mod progress;
mod text;

use std::{
    sync::{
        atomic::{AtomicBool, AtomicU32, Ordering},
        mpsc::{self, Sender},
        Arc,
    },
    thread,
};

use codec::Encode;
use ensemble_compute::inference::{Llama, Stage};
use ensemble_core::inference::{SessionId, SessionPhase};
use parking_lot::Mutex;
use sc_network_types::PeerId;
use schnellru::{ByLength, LruMap};
use sp_io::hashing::blake2_256;

use super::{
    chain::{self, Session},
    limits::GENERATIONS,
    model::Model,
    protocol::{Refused, Reply, IN_FLIGHT, MAX_BATCH},
    Context, LOG_TARGET,
};
use drive::Driver;

pub use error::Error;
pub use progress::{Agreement, Item, News, Progress, Summary};

/// Answers that are remembered after their end, for those who subscribe again.
const REMEMBERED: u32 = 64;
/// Messages of one worker that may wait to be looked at.
const INBOX: u32 = 2 * IN_FLIGHT;

/// The gateways of this node.
pub struct Gateway {
    context: Arc<Context>,
    generations: Mutex<LruMap<SessionId, Arc<Generation>, ByLength>>,
}

/// An answer, as others reach it.
struct Generation {
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
        Arc::new(Self { context, generations: Mutex::new(LruMap::new(ByLength::new(REMEMBERED))) })
    }

    /// The answer of a session, which begins if it has not. `prompt` is what the session was opened for. May block.
    pub fn generate(self: &Arc<Self>, session: SessionId, prompt: Vec<u32>) -> Result<Arc<Progress>, Error> {
        if let Some(progress) = self.known(session, &prompt)? {
            return Ok(progress);
        }
        let (view, model) = self.check(session, &prompt)?;
        let peers: Vec<_> = chain::workers(&view).iter().map(chain::peer).collect();

        let mut generations = self.generations.lock();
        if generations.peek(&session).is_some() {
            // Somebody else was quicker.
            drop(generations);
            return self.known(session, &prompt)?.ok_or(Error::Busy(GENERATIONS));
        }
        let running = generations.iter().filter(|(_, generation)| !generation.progress.is_over()).count();
        if running >= GENERATIONS {
            return Err(Error::Busy(GENERATIONS));
        }
        let (mail, inbound) = mpsc::channel();
        let generation = Arc::new(Generation {
            prompt: prompt.clone(),
            inbox: peers.iter().map(|_| AtomicU32::new(0)).collect(),
            out: peers.iter().map(|_| AtomicBool::new(false)).collect(),
            most_outputs: most_outputs(model.llama(), view.workers, view.replicas),
            peers,
            mail,
            progress: Arc::default(),
        });
        let driver = Driver::new(self.context.clone(), view, model, prompt, generation.clone(), inbound);
        let context = self.context.clone();
        let began = thread::Builder::new().name(format!("answer-{session}")).spawn(move || {
            driver.run();
            context.metrics.generations.dec();
        });
        began.map_err(|error| Error::Thread(error.to_string()))?;
        self.context.metrics.generations.inc();
        let progress = generation.progress.clone();
        generations.insert(session, generation);
        Ok(progress)
    }

    /// The answer, if it has begun or ended while the node runs.
    fn known(&self, session: SessionId, prompt: &[u32]) -> Result<Option<Arc<Progress>>, Error> {
        let mut generations = self.generations.lock();
        match generations.get(&session) {
            Some(generation) if generation.prompt == prompt => Ok(Some(generation.progress.clone())),
            Some(_) => Err(Error::AnotherPrompt),
            None => Ok(None),
        }
    }

    /// The checks before an answer begins, in the order of `mod.rs`.
    fn check(&self, session: SessionId, prompt: &[u32]) -> Result<(Session, Arc<dyn Model>), Error> {
        let context = &self.context;
        if let Some(answered) = context.ledger.answered(session) {
            return Err(Error::Answered(answered.closing.tokens.id()));
        }
        let view = context.chain.session(session)?.ok_or(Error::UnknownSession(session))?;
        match view.phase {
            SessionPhase::Open { .. } => return Err(Error::NotAssigned),
            SessionPhase::Assigned { .. } => (),
            SessionPhase::Voting { .. } | SessionPhase::Disputable { .. } => return Err(Error::Closed),
        }
        if !context.keyring.has(&view.gateway.key) {
            return Err(Error::NotGateway);
        }
        let count = u32::try_from(prompt.len()).unwrap_or(u32::MAX);
        // A `Vec<u32>` and a slice of it are encoded alike.
        if count != view.prompt_tokens || blake2_256(&prompt.encode()) != view.prompt.0 {
            return Err(Error::AnotherPrompt);
        }
        let model = context.chain.model(view.model)?.ok_or(Error::UnknownModel(view.model))?;
        let model = context.models.open(model.content).map_err(Error::Model)?;
        Ok((view, model))
    }

    /// How far the answer of a session is, if it has begun while the node runs.
    pub fn progress(&self, session: SessionId) -> Option<Arc<Progress>> {
        self.generations.lock().peek(&session).map(|generation| generation.progress.clone())
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
        let generation = self.generations.lock().get(&session).cloned();
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
        for (_, generation) in self.generations.lock().iter() {
            if generation.peers.contains(&Some(peer)) && !generation.progress.is_over() {
                let _ = generation.mail.send(mail());
            }
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

    fn reply(outputs: usize) -> Mail {
        let range = RangeReply { outputs: vec![0; outputs], signatures: Default::default() };
        Mail::Reply(Reply { session: 0, place: 1, number: 0, ranges: vec![range].try_into().unwrap() })
    }

    #[test]
    fn only_so_much_of_a_worker_waits() {
        let (mail, inbound) = mpsc::channel();
        let peers = vec![PeerId::random(), PeerId::random()];
        let generation = Generation {
            prompt: Vec::new(),
            inbox: peers.iter().map(|_| AtomicU32::new(0)).collect(),
            out: peers.iter().map(|_| AtomicBool::new(false)).collect(),
            most_outputs: 100,
            peers: peers.iter().copied().map(Some).collect(),
            mail,
            progress: Arc::default(),
        };
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
        assert_eq!(inbound.try_iter().count() as u32, INBOX + 2);
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
