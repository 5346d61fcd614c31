//! Rows: this node multiplies rows of models for others as a **worker**, and drives answers as a **gateway**.
//!
//! # How a token comes about
//!
//! ```text
//!   ensemble_consent ──▶ gateway ── Call: stage, positions, vectors ──▶ worker 0 ── products of its rows
//!          ▲               │  ▲                                         worker 1
//!          │            Run: norms, attention, ...                      ...
//!       tokens ◀───────────┘  └── majority of each range ◀── Reply: outputs, signatures ──┘
//! ```
//!
//! 1. **Consent.** A gateway agrees to a session before it is opened: it signs who asks what, and keeps the prompt. From
//!    then on its bond answers for the price, so it begins by itself as soon as it can, whether anybody listens or not.
//! 2. **Session.** The chain names the gateway and draws the workers. The worker at place `p` of `n` serves ranges `p`,
//!    `p - 1`, ... modulo `n`, as many as there are replicas.
//! 3. **Call.** For each stage the gateway sends the input to all workers, at most two calls each at a time. The prompt
//!    goes in batches of up to 32 positions.
//! 4. **Reply.** A worker answers with the outputs of its rows. When a position is complete, it signs the row of its
//!    trace: `served_bytes` of `ensemble_core::inference`. It waits until there is room for its answer, and ends its
//!    part if the gateway does not take what it asked for.
//! 5. **Majority.** As soon as more than half of a range's replicas gave the same bytes, the gateway goes on. Those who
//!    come late are compared still. Who is too late, refuses, or goes away too often is asked nothing more. While each
//!    range has somebody who answers, the answer goes on; where they are too few for a majority, it says so. Where a
//!    position is complete, those count alone who signed it, and gave what was taken in all its stages: whoever gives
//!    false outputs is bound to them, or they are not used.
//! 6. **End.** If a range is lost, or nobody signs what was taken of it, the answer breaks off behind the last position
//!    that is complete; without one token there is none. Tokens, the gateway's trace, and each worker's traces go into
//!    the tensor stores, pinned. The off-chain worker closes the session and votes with what the [`Ledger`] says.
//!
//! # The protocol
//!
//! Notifications over substreams `/<genesis hash, hex>/ensemble/rows/1`. The gateway opens the first; the worker, if it
//! lets it in, opens one back, and each side sends on its own. Both begin with a handshake of one byte, which says
//! nothing. As everywhere on this network, handshakes and messages come after their length, an unsigned varint. A message
//! is the SCALE encoding of a `protocol::Message`, of at most 16 MiB. Integers are little endian; `<n>` is a compact
//! length, and stands for how many follow.
//!
//! | message | bytes |
//! |---|---|
//! | `Call`, gateway to worker | `00`, session u32, place u32, number u32, stage u32, first position u32, signed u8 (0, 1) and in the second case 64 bytes, `<n>` vectors: each `<n>` bytes |
//! | `End`, gateway to worker | `01`, session u32, place u32 |
//! | `Reply`, worker to gateway | `02`, session u32, place u32, number u32, `<n>` ranges: each `<n>` outputs i64, `<n>` signatures of 64 bytes |
//! | `Refused`, worker to gateway | `03`, session u32, place u32, number u32, passing u8 (0, 1), `<n>` bytes of text |
//!
//! A vector is an exponent i32, then mantissas i16. The ranges of a reply stand in the order in which the worker serves
//! them, its own first; the outputs of a range are those for the first vector, then for the next; for each vector the
//! range's rows of the stage's first matrix, then of the next. A call that completes positions is answered with a
//! signature for each of them and range: the head completes its position, and the stage before it those of the prompt
//! before its last.
//!
//! In the first stage, and there alone, a call has the gateway's signature of `ask_bytes` of `ensemble_core::inference`
//! with its last position. Workers keep the last one: a gateway that closes with less than it had computed is shown to.
//!
//! # The checks, in the order in which they run
//!
//! | what a worker checks | when it fails |
//! |---|---|
//! | that the peer is the gateway of a session that this node's keys may serve | the substream is not opened, or closed again |
//! | the message's length and encoding | the peer is banned for a while |
//! | that there is room for the call | refused, for now |
//! | that there is room for the session, and for another one of this gateway | refused, for now |
//! | that the chain has the session, and its gateway is the peer | refused |
//! | that its workers are drawn, and it is not closed | refused, for now in the first case |
//! | that the key of the worker at this place is here, or of somebody to whom this node hands messages on | refused, for now if that one is away |
//! | that the model is held, checked, and can be opened | refused, for now in the first two cases |
//! | that its traces fit into memory | refused |
//! | that the worker at this place has never begun to serve this session, which is written down | refused |
//! | that the call is the next one, or one of the last two again, alike, and that not too often | refused |
//! | that what begins a step is signed by the gateway's key, and nothing else is | refused |
//! | that the vectors are vectors of the stage, and the outputs fit into a message | refused |
//!
//! | what a gateway checks before it agrees to a session | when it fails |
//! |---|---|
//! | that the replicas are as many as its operator asks for (`--gateway-replicas`) | an error |
//! | that the chain has the model, and it can be opened | an error |
//! | that the prompt has tokens, and only such as the model knows | an error |
//! | that there can be such a session | an error |
//! | that the requester could pay it | an error |
//! | that there is a place for it beside all that was agreed to, and room in memory and store | an error |
//! | that one of its keys belongs to a gateway that announced this node, is not leaving, and has enough bond free | an error |
//! | that the consent can be written down | an error |
//!
//! | what a gateway checks | when it fails |
//! |---|---|
//! | that the session was not answered, and the chain has it, with its workers drawn | an error |
//! | that the gateway's key is here | an error |
//! | that number and hash of the tokens are those of the session | an error |
//! | that the model can be opened, what comes of the answer has room in store and memory, and there is a place for it | an error |
//! | the message's length and encoding | the peer is banned for a while |
//! | that a reply is from the peer of the worker, and was asked for | it is forgotten and counted |
//! | that outputs and signatures are as many as they have to be | the worker is dropped |
//! | that signatures fit what the worker sent | the worker is dropped, and what it sent last does not count |
//!
//! Messages out of turn are counted for each peer; a burst is forgiven, a stream of them ends the connection.
//!
//! # Workers without a node
//!
//! A worker may have announced a node of others. That node is its [relay](relays): it makes the checks up to the key, and
//! hands on calls and ends as they are, over a subscription of the RPC; what comes back goes to the gateway as it is. All
//! else is the worker's: it makes the other checks, multiplies, signs, keeps its traces and votes. A relay can withhold,
//! but not forge.

mod chain;
mod gateway;
mod keys;
mod ledger;
mod libp2p;
mod limits;
mod metrics;
mod model;
mod network;
mod opened;
mod params;
mod post;
mod relays;
mod remembered;
mod rpc;
mod service;
#[cfg(test)]
mod tests;
mod turns;
mod worker;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ensemble_compute::Machine;
use ensemble_rows::protocol::{self, Message};
use ensemble_runtime::Hash;
use ensemble_tensor::TensorId;
use parking_lot::Mutex;
use sc_network_types::PeerId;

pub use ledger::{Asked, Error as LedgerError, Ledger, Signed};
pub use params::RowParams;
pub use remembered::Remembered;
pub use service::{Rows, RowsService};

use chain::Chain;
use gateway::{Consents, Gateway};
use keys::Keyring;
use limits::{Faults, BAD_MESSAGE, TOO_MANY_FAULTS};
use metrics::Metrics;
use model::Models;
use post::Post;
use relays::Relays;
use worker::Worker;

/// Target of the log.
const LOG_TARGET: &str = "rows";

/// How long things may take.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// The first answer of a worker, which may have to open the model, and to be reached.
    first: Duration,
    /// Every other.
    call: Duration,
    /// Before asking again a worker that had no time, and before letting go of workers in the end.
    retry: Duration,
    /// Waiting, when the answer is complete, for those who are behind.
    drain: Duration,
    /// For each call, after the first has answered, and at least as long again as the first took: nobody counts how
    /// long others are waited for.
    grace: Duration,
    /// All that is waited in a session for a worker without whom it does not go on.
    alone: Duration,
    /// What comes to that with each position.
    position: Duration,
    /// Until a gateway takes what it was answered before.
    room: Duration,
    /// Without a call, until a session makes way for others, if there is no room for them. Longer than a gateway waits
    /// for any answer but the first.
    leisure: Duration,
    /// Without a call, until a worker asks the chain whether the session goes on.
    idle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(60),
            call: Duration::from_secs(10),
            retry: Duration::from_secs(1),
            drain: Duration::from_secs(5),
            grace: Duration::from_millis(200),
            alone: Duration::from_secs(30),
            position: Duration::from_secs(1),
            room: Duration::from_secs(10),
            leisure: Duration::from_secs(30),
            idle: Duration::from_secs(15),
        }
    }
}

/// What workers and gateways of a node share.
struct Context {
    genesis: Hash,
    chain: Arc<dyn Chain>,
    keyring: Arc<dyn Keyring>,
    models: Arc<dyn Models>,
    ledger: Arc<Ledger>,
    consents: Consents,
    /// Least workers of a range in sessions that this node agrees to drive.
    gateway_replicas: u32,
    post: Arc<Post>,
    metrics: Metrics,
    machine: Machine,
    patience: Patience,
    faults: Mutex<Faults>,
    relays: Relays,
    fetch: Fetch,
}

/// Has the node fetch a tensor of so many bytes of data at most, for itself and for those whose relay it is.
type Fetch = Box<dyn Fn(TensorId, u64) + Send + Sync>;

impl Context {
    /// Whether a worker announced that messages for it come to this node, which hands on such. Where it is away at the
    /// moment it may come back.
    fn relays_for(&self, worker: &chain::Participant) -> bool {
        self.relays.is_open() && chain::peer(worker) == Some(self.post.local())
    }

    /// Counts a message out of turn. Ends the connection if it is one too many.
    fn fault(&self, peer: PeerId) {
        if self.faults.lock().charge(peer, Instant::now()) {
            self.post.report(peer, TOO_MANY_FAULTS);
        }
    }
}

/// Where everything arrives that peers send.
struct Hub {
    context: Arc<Context>,
    worker: Arc<Worker>,
    gateway: Arc<Gateway>,
}

impl Hub {
    /// Connects a worker and a gateway that share a context.
    fn new(context: Arc<Context>) -> Arc<Self> {
        let (worker, gateway) = (Worker::new(context.clone()), Gateway::new(context.clone()));
        let hub = Arc::new(Self { context, worker, gateway });
        hub.context.post.connect(&hub);
        hub
    }

    /// A peer has sent something.
    fn received(&self, peer: PeerId, bytes: &[u8]) {
        match Message::read(bytes) {
            Ok(message) => self.deliver(peer, message),
            Err(error) => {
                tracing::debug!(target: LOG_TARGET, "{peer} sent {} bytes that are no message: {error}", bytes.len());
                self.context.metrics.malformed.inc();
                self.context.post.report(peer, BAD_MESSAGE);
            },
        }
    }

    /// A peer has sent a message.
    fn deliver(&self, peer: PeerId, message: Message) {
        match message {
            Message::Call(call) => self.worker.call(peer, call),
            Message::End(end) => self.worker.end(peer, end),
            Message::Reply(reply) => self.gateway.reply(peer, reply),
            Message::Refused(refused) => self.gateway.refused(peer, refused),
        }
    }

    /// Whether a peer may open a substream: a gateway, or a worker of this node's own sessions. May block.
    fn admits(&self, peer: &PeerId) -> bool {
        self.context.post.keeps(peer) || self.worker.admits(peer)
    }

    /// There is a substream to a peer.
    fn opened(&self, peer: PeerId) {
        self.gateway.opened(peer);
    }

    /// There is no substream to a peer any more.
    fn closed(&self, peer: PeerId) {
        self.gateway.closed(peer);
    }
}
