//! Rows by RPC: a worker of a model's rows without a node of its own.
//!
//! ```text
//!   gateway ── libp2p ── node ── ensemble_serveRows ──▶ serve ──▶ a thread for each session ── products, traces
//!                         ▲                               │                    │
//!                         └────── ensemble_answerRows ◀───┴────────────────────┘
//!   chain ── blocks ──▶ attend ── commitments and openings of votes on traces
//! ```
//!
//! The node hands messages on and checks what protects itself. Everything else is checked here: who calls, that a session
//! and place is begun once for ever, the order of calls. What must not be forgotten is on the disk ([`book`]); sessions
//! that are being served are in memory, and outlive a connection.

mod attester;
mod ballot;
mod book;
mod bundle;
mod enrol;
mod relay;
mod seat;
mod seats;
mod settled;
mod trace;
mod votes;

use std::{
    collections::BTreeSet,
    convert::Infallible,
    future::{pending, Future},
    sync::Arc,
};

use ensemble_compute::Machine;
use ensemble_rows::protocol::Message;
use ensemble_tensor::TensorId;
use futures::{stream::FuturesUnordered, StreamExt};
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch, Mutex as AsyncMutex};

use crate::{
    amount::Amount,
    chain::{ensemble, types::ensemble_core::inference::SessionPhase},
    commands::model::no_model,
    commitments::chain_part,
    connection::{ask, Connection},
    error::{Error, Kind},
    keys::Key,
    miner::{Event, Miner},
    views::hex_text,
};
use attester::Attester;
use book::Book;
use enrol::{Peer, Step};
use relay::{answer, News, Relay};
use seat::{encoded, Out, Tools};
use seats::Seats;
use settled::Settled;
use votes::Votes;

/// Answers that wait for their way to the node.
const WAITING: usize = 16;
/// Answers that are on their way to the node at one time.
const ON_THE_WAY: usize = 16;

/// What rows are served for.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// The model.
    pub model: u32,
    /// The bond of a worker that is yet to join; the least that the chain takes if none.
    pub bond: Option<Amount>,
}

/// A worker's part of a miner.
pub struct Rows {
    service: Service,
    tools: Arc<Tools>,
    seats: Seats,
    outs: AsyncMutex<mpsc::Receiver<Out>>,
    votes: Votes,
    settled: Settled,
    /// Why the node did not hand messages on, the last time.
    refused: Mutex<Option<String>>,
    /// What the node knows this worker by, as long as it hands messages on.
    token: Mutex<Option<String>>,
}

/// What is shown before a miner serves rows.
///
/// # Errors
///
/// If the account cannot serve the model.
pub async fn effects(connection: &Connection, key: &Key, service: &Service) -> Result<Vec<String>, Error> {
    let attester = Attester::of(key, connection.identity().genesis)?;
    let peer = Peer::of(connection).await?;
    let step = enrol::step(&connection.best().await?, &key.account(), service, &attester, &peer).await?;
    let mut effects = vec![
        format!("effect   serves rows of model {}, reached through the node {}", service.model, peer.text),
        format!("key      {}, which follows from the account's", hex_text(&attester.public())),
    ];
    match step {
        Step::Join(bond) => effects.push(format!(
            "bond     {bond}, of which false answers cost a part; `ensemble model leave` ends it, and brings it back later",
        )),
        Step::Announce => effects.push("effect   announces this node and key, for sessions that begin from now on".into()),
        Step::None => {},
    }
    Ok(effects)
}

impl Rows {
    /// Opens the model, which is fetched if it is not here, and makes the account a worker of it if it is none.
    ///
    /// # Errors
    ///
    /// If there is no such model, the node does not have it, or the chain refuses.
    pub(crate) async fn open(miner: &Miner<'_>, connection: &Connection, service: Service) -> Result<Self, Error> {
        let attester = Arc::new(Attester::of(&miner.key, miner.genesis)?);
        let best = connection.best().await?;
        let model = ask(&best, ensemble::runtime_apis().inference_api().model(service.model)).await?;
        let content = TensorId(model.ok_or_else(|| no_model(service.model))?.content.0);
        let (state, chain) = (miner.context.state_folder(), chain_part(&miner.genesis));
        let book = Arc::new(Book::open(state.join(format!("{chain}-rows-{}", miner.account)))?);
        let matrices = bundle::open(connection, &content, state.join("models").join(content.to_string())).await?;
        enrol::take(miner, connection, &service, &attester, &Peer::of(connection).await?, true).await?;
        let tools = Arc::new(Tools { matrices, attester, book, machine: Machine::native() });
        let (out, outs) = mpsc::channel(WAITING);
        Ok(Self {
            service,
            seats: Seats::new(service.model, tools.clone(), out),
            tools,
            outs: AsyncMutex::new(outs),
            votes: Votes::default(),
            settled: Settled::default(),
            refused: Mutex::default(),
            token: Mutex::default(),
        })
    }

    /// Works with one connection until it is lost. `blocks` says when there is a new one.
    ///
    /// # Errors
    ///
    /// Why it does not go on.
    pub(crate) async fn work(
        &self,
        miner: &Miner<'_>,
        connection: &Connection,
        blocks: watch::Receiver<u64>,
    ) -> Result<Infallible, Error> {
        let peer = Peer::of(connection).await?;
        // Who has left does not come back by itself because the node does.
        enrol::take(miner, connection, &self.service, &self.tools.attester, &peer, false).await?;
        tokio::select! {
            ended = self.serve(miner, connection, &peer, blocks.clone()) => ended,
            ended = self.attend(miner, connection, blocks) => ended,
        }
    }

    /// Ends all that is served, and waits until its traces are kept.
    pub async fn close(self) {
        // Whoever has something to say is not to wait for somebody who listens.
        self.outs.lock().await.close();
        self.seats.close();
    }

    /// Takes what gateways send, and brings them the answers.
    async fn serve(
        &self,
        miner: &Miner<'_>,
        connection: &Connection,
        peer: &Peer,
        mut blocks: watch::Receiver<u64>,
    ) -> Result<Infallible, Error> {
        let mut outs = self.outs.lock().await;
        let (mut admissions, mut answers) = (FuturesUnordered::new(), FuturesUnordered::new());
        let mut relay = self.relay(miner, connection, peer).await?;
        loop {
            tokio::select! {
                news = next(&mut relay) => match news? {
                    None => relay = None,
                    Some(News::Serving) => {
                        *self.token.lock() = relay.as_ref().map(Relay::token);
                        self.tell_serving(miner, peer)?;
                    },
                    Some(News::Message(Message::End(end))) => self.seats.end(&end),
                    Some(News::Message(Message::Call(call))) => match self.seats.call(call) {
                        Ok(Some(admission)) => admissions.push(self.seats.admit(connection, admission)),
                        Ok(None) => {},
                        Err(refusal) => answers.extend(bring(connection, relay.as_ref(), encoded(&refusal), None)),
                    },
                    // Only workers send such.
                    Some(News::Message(Message::Reply(_) | Message::Refused(_))) => {},
                },
                Some(out) = outs.recv(), if answers.len() < ON_THE_WAY => match out {
                    Out::Answer { text, turn } => answers.extend(bring(connection, relay.as_ref(), text, turn)),
                    other => self.note(miner, other)?,
                },
                Some(done) = admissions.next() => done?,
                Some(done) = answers.next() => done?,
                changed = blocks.changed(), if relay.is_none() => {
                    changed.map_err(|_| Error::Disconnected("it ended".into()))?;
                    relay = self.relay(miner, connection, peer).await?;
                },
            }
        }
    }

    /// Has the node hand messages on. Nothing if it does not now: that is told once, and tried again after each block.
    async fn relay(&self, miner: &Miner<'_>, connection: &Connection, peer: &Peer) -> Result<Option<Relay>, Error> {
        match Relay::open(connection, &self.tools.attester, &peer.bytes).await {
            Ok(relay) => Ok(Some(relay)),
            Err(error) if error.kind() == Kind::NodeRefused => {
                let message = format!("rows of model {}: {}", self.service.model, error.line());
                let is_new = self.refused.lock().replace(message.clone()).as_ref() != Some(&message);
                if is_new {
                    miner.tell(&Event::Failed { task: None, message })?;
                }
                Ok(None)
            },
            Err(error) => Err(error),
        }
    }

    fn tell_serving(&self, miner: &Miner<'_>, peer: &Peer) -> Result<(), Error> {
        self.refused.lock().take();
        let key = hex_text(&self.tools.attester.public());
        miner.tell(&Event::Serving { model: self.service.model, peer: peer.text.clone(), key })
    }

    /// Takes note of what a thread says, and tells it.
    fn note(&self, miner: &Miner<'_>, out: Out) -> Result<(), Error> {
        match out {
            Out::Answer { .. } => Ok(()),
            Out::Began { seat: (session, place), ranges } => {
                miner.tell(&Event::SessionBegun { session, place, ranges })
            },
            Out::Ended { seat, number, positions, failure } => {
                self.seats.left(seat, number);
                let (session, place) = seat;
                if let Some(message) = failure {
                    let message = format!("session {session}: its traces are not kept: {message}");
                    miner.tell(&Event::Failed { task: None, message })?;
                }
                match positions {
                    Some(positions) => miner.tell(&Event::SessionEnded { session, place, positions }),
                    None => Ok(()),
                }
            },
        }
    }

    /// Looks at each block what there is to do for sessions that are served, or were.
    async fn attend(
        &self,
        miner: &Miner<'_>,
        connection: &Connection,
        mut blocks: watch::Receiver<u64>,
    ) -> Result<Infallible, Error> {
        self.votes.begin();
        let mut jobs = FuturesUnordered::new();
        loop {
            tokio::select! {
                changed = blocks.changed() => {
                    changed.map_err(|_| Error::Disconnected("it ended".into()))?;
                    for due in self.look(miner, connection).await? {
                        jobs.push(self.vote(miner, connection, due));
                    }
                },
                Some(done) = jobs.next() => done?,
            }
        }
    }

    /// Ends seats whose session is over, tells what was settled, and returns the votes in which there may be something to
    /// do.
    async fn look(&self, miner: &Miner<'_>, connection: &Connection) -> Result<Vec<votes::Due>, Error> {
        let (best, kept, mut due) = (connection.best().await?, self.tools.book.kept(), Vec::new());
        let sessions: BTreeSet<u32> =
            self.seats.sessions().into_iter().chain(kept.iter().map(|kept| kept.session)).collect();
        for session in sessions {
            let view = ask(&best, ensemble::runtime_apis().inference_api().session(session)).await?;
            let phase = view.map(|view| view.phase);
            let is_on = matches!(phase, Some(SessionPhase::Open { .. } | SessionPhase::Assigned { .. }));
            self.seats.look(session, is_on);
            let own: Vec<_> = kept.iter().filter(|kept| kept.session == session).copied().collect();
            due.extend(phase.into_iter().flat_map(|phase| self.votes.due(&phase, &own)));
        }
        self.settle(miner, connection, &best).await?;
        Ok(due)
    }
}

/// What comes next from a node that hands messages on. Waits for ever if there is none.
async fn next(relay: &mut Option<Relay>) -> Result<Option<News>, Error> {
    match relay {
        Some(relay) => relay.next().await,
        None => pending().await,
    }
}

/// Brings an answer to the node, and ends the turn then. Without a node it is forgotten: the gateway asks again.
fn bring<'a>(
    connection: &'a Connection,
    relay: Option<&Relay>,
    text: String,
    turn: Option<std::sync::mpsc::Sender<()>>,
) -> Option<impl Future<Output = Result<(), Error>> + 'a> {
    let token = relay?.token();
    Some(async move {
        let brought = answer(connection, token, text).await;
        drop(turn);
        brought
    })
}
