//! Answering peers.
//!
//! A request is decoded, counted against what the peer may ask, and answered from the file. A piece is held against the
//! outline before it is sent, since whoever receives a wrong one bans this node for what its disk did. Of a restricted
//! tensor nothing is sent to a peer that the gate has not admitted, and that does not ask for it as content of the task
//! for which it was: a peer that does not know how a tensor comes would make it public. A request that breaks the
//! protocol costs the peer its reputation and is not answered.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, Instant},
};

use codec::Encode;
use ensemble_core::TaskId;
use ensemble_tensor::{Outline, TensorId};
use futures::{
    channel::oneshot,
    future::BoxFuture,
    stream::{FuturesUnordered, StreamExt},
    FutureExt,
};
use sc_network::{
    config::{IncomingRequest, OutgoingResponse},
    ReputationChange,
};
use sc_network_types::PeerId;
use schnellru::{ByLength, LruMap};

use super::{
    limits::Limits,
    network::Network,
    protocol::{page_count, Request, Response, HASHES_PER_PAGE, REQUEST_TIMEOUT},
};
use crate::tensors::{
    gate::{Gate, Holder},
    metrics::Metrics,
    store::Store,
    LOG_TARGET,
};

/// For a request that no working node sends.
pub const BAD_REQUEST: ReputationChange = ReputationChange::new_fatal("Malformed tensor request");

/// For asking for something and not taking it.
pub const NOT_TAKEN: ReputationChange = ReputationChange::new(-(1 << 22), "Tensor response not taken");

/// What checking a signature and a title counts, in bytes that the peer could have taken instead: it has eight a
/// second.
const ADMISSION_COST: u64 = 4 << 20;

/// Outlines kept in memory, of 2 MiB at most each.
const OUTLINES: u32 = 16;

/// Answers the requests of peers.
pub struct Server {
    requests: async_channel::Receiver<IncomingRequest>,
    store: Arc<Store>,
    gate: Arc<Gate>,
    network: Arc<dyn Network>,
    metrics: Metrics,
    limits: Limits,
    /// Outlines that were used last.
    outlines: LruMap<TensorId, Arc<Outline>, ByLength>,
    /// Answers on their way: each future ends when its answer has been handed to the operating system.
    in_flight: FuturesUnordered<BoxFuture<'static, Sent>>,
    /// How long an answer may stay in memory before its peer is held to account for not taking it. A connection that
    /// breaks gives the memory back much sooner.
    pub(super) patience: Duration,
}

/// An answer to a request.
struct Answer {
    message: Vec<u8>,
    /// Bytes that were read and hashed for it besides those that it carries.
    read: u64,
}

/// What became of an answer.
struct Sent {
    peer: PeerId,
    len: u64,
    taken: bool,
    begun: Instant,
}

/// A request that no working node sends.
#[derive(Debug, Eq, PartialEq)]
struct Bad;

impl Server {
    /// A server for the requests that come through the channel.
    pub fn new(
        requests: async_channel::Receiver<IncomingRequest>,
        store: Arc<Store>,
        gate: Arc<Gate>,
        network: Arc<dyn Network>,
        metrics: Metrics,
    ) -> Self {
        let (limits, in_flight) = (Limits::default(), FuturesUnordered::new());
        let outlines = LruMap::new(ByLength::new(OUTLINES));
        Self { requests, store, gate, network, metrics, limits, outlines, in_flight, patience: REQUEST_TIMEOUT * 3 / 4 }
    }

    /// Answers until the network closes the channel. Reads from the disk, so it wants a thread on which it may block.
    pub async fn run(mut self) {
        loop {
            tokio::select! {
                // Answers that are gone come first: they make room for others.
                biased;
                Some(sent) = self.in_flight.next() => self.on_sent(&sent),
                request = self.requests.recv() => match request {
                    Ok(request) => self.serve(request),
                    Err(_) => return,
                },
            }
        }
    }

    fn on_sent(&mut self, Sent { peer, len, taken, begun }: &Sent) {
        self.limits.ended(peer, *len);
        if !taken && begun.elapsed() >= self.patience {
            tracing::debug!(target: LOG_TARGET, "{peer} did not take an answer");
            self.limits.lock_out(peer, Instant::now());
            self.network.report(*peer, NOT_TAKEN);
        }
    }

    fn serve(&mut self, IncomingRequest { peer, payload, pending_response }: IncomingRequest) {
        let Ok(Answer { message: response, read }) = self.answer(&peer, &payload) else {
            tracing::debug!(target: LOG_TARGET, "Malformed request from {peer}");
            let refusal =
                OutgoingResponse { result: Err(()), reputation_changes: vec![BAD_REQUEST], sent_feedback: None };
            // The peer may be gone, which is just as well.
            let _ = pending_response.send(refusal);
            return;
        };
        let len = response.len() as u64;
        let (sent, feedback) = oneshot::channel();
        let response =
            OutgoingResponse { result: Ok(response), reputation_changes: Vec::new(), sent_feedback: Some(sent) };
        if pending_response.send(response).is_err() {
            return;
        }
        let begun = Instant::now();
        self.limits.started(&peer, len, read, begun);
        self.in_flight.push(feedback.map(move |sent| Sent { peer, len, taken: sent.is_ok(), begun }).boxed());
    }

    fn answer(&mut self, peer: &PeerId, payload: &[u8]) -> Result<Answer, Bad> {
        let request = Request::parse(payload).map_err(|_| Bad)?;
        if let Err(wait) = self.limits.admit(peer, Instant::now()) {
            self.metrics.refused_requests.inc();
            let retry_after = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
            return Ok(Response::Busy { retry_after }.into());
        }
        match request {
            Request::Have(id) | Request::Outline { id, .. } | Request::Piece { id, .. } if !self.store.has(&id) => {
                Ok(Response::Absent.into())
            },
            Request::Challenge(id) => Ok(Response::Challenge(self.gate.challenge(Some(*peer), id)).into()),
            Request::Admit { id, task, party, challenge, signature } => {
                let response = match self.gate.admit_peer(*peer, id, task, party, &challenge, signature) {
                    Ok(_) => Response::Admitted,
                    Err(denied) => Response::Denied(denied),
                };
                Ok(Answer { read: ADMISSION_COST, ..response.into() })
            },
            // Whether it is restricted is always said: whoever asks has to know how it comes.
            Request::Have(id) => self.serve_admitted(request, self.gate.admits(None, &id)),
            Request::Outline { id, under, .. } | Request::Piece { id, under, .. } => {
                self.serve_admitted(request, self.gate.admits_under(Holder::Peer(*peer), &id, under))
            },
        }
    }

    fn serve_admitted(&mut self, request: Request, admitted: Result<(), Option<TaskId>>) -> Result<Answer, Bad> {
        match admitted {
            Ok(()) => self.serve_held(request),
            Err(task) => Ok(Response::Restricted { task }.into()),
        }
    }

    /// Answers for a tensor that the peer may have.
    fn serve_held(&mut self, request: Request) -> Result<Answer, Bad> {
        match request {
            Request::Have(_) => Ok(Response::Present.into()),
            Request::Outline { id, page, .. } => match self.outline(&id) {
                Some((outline, read)) => Ok(Answer { read, ..page_of(&outline, page)?.into() }),
                None => Ok(Response::Absent.into()),
            },
            Request::Piece { id, index, .. } => match self.outline(&id) {
                Some((outline, read)) => Ok(Answer { read, ..self.piece(&id, &outline, index)? }),
                None => Ok(Response::Absent.into()),
            },
            Request::Challenge(_) | Request::Admit { .. } => Err(Bad),
        }
    }

    /// The outline of a held tensor, and how many bytes were read for it.
    fn outline(&mut self, id: &TensorId) -> Option<(Arc<Outline>, u64)> {
        if !self.store.has(id) {
            return None;
        }
        if let Some(outline) = self.outlines.get(id) {
            return Some((outline.clone(), 0));
        }
        let outline = Arc::new(self.store.ready_outline(id)?);
        self.outlines.insert(*id, outline.clone());
        let read = size_of_val(outline.pieces()) as u64;
        Some((outline, read))
    }

    fn piece(&self, id: &TensorId, outline: &Outline, index: u32) -> Result<Answer, Bad> {
        if index >= Outline::piece_count(outline.header()) {
            return Err(Bad);
        }
        let piece = self.store.tensor(id).and_then(|tensor| self.store.piece(&tensor, outline, index));
        // What is damaged is gone now.
        let Ok(piece) = piece else { return Ok(Response::Absent.into()) };
        self.metrics.served_bytes.inc_by(piece.len() as u64);
        Ok(Response::Piece(&piece).into())
    }
}

impl From<Response<'_>> for Answer {
    fn from(response: Response<'_>) -> Self {
        Self { message: response.encode(), read: 0 }
    }
}

fn page_of(outline: &Outline, page: u16) -> Result<Response<'_>, Bad> {
    if page >= page_count(outline.header()) {
        return Err(Bad);
    }
    let hashes = outline.pieces().chunks(HASHES_PER_PAGE).nth(page.into()).unwrap_or_default();
    Ok(Response::Outline { header: *outline.header(), hashes: Cow::Borrowed(hashes) })
}
