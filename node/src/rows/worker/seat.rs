//! The thread that serves one session.

use std::{
    sync::{
        mpsc::{Receiver, RecvTimeoutError},
        Arc,
    },
    time::Instant,
};

use ensemble_core::{
    attester::AttesterSignature,
    inference::{ranges_of, SessionPhase},
    AttesterId,
};
use ensemble_rows::{Served, Terms};
use sc_network_types::PeerId;
use sp_core::sr25519::Signature;

use super::{keys::SessionKeys, Key, Worker};
use crate::{
    models::Unopened,
    rows::{
        chain::{self, Session},
        ledger::Asked,
        limits::MAX_TRACE_BYTES,
        network::Delivery,
        protocol::{Call, End, Message},
        LOG_TARGET,
    },
};

/// A session's thread.
pub struct Seat {
    pub worker: Arc<Worker>,
    pub key: Key,
    /// Tells it from others of the same session.
    pub number: u64,
    pub jobs: Receiver<Call>,
}

/// What was seen of a session: for a block, on the way from one fork to another, one may seem to be over.
#[derive(Default)]
struct Looks {
    was_over: bool,
}

impl Looks {
    /// Whether a session is over: it is if it was so twice in a row.
    fn end(&mut self, is_on: bool) -> bool {
        std::mem::replace(&mut self.was_over, !is_on) && !is_on
    }
}

/// Who serves a session.
enum Server {
    /// This node.
    Here(Box<Served>),
    /// The worker of this key, to whom calls are handed on.
    Away(AttesterId),
}

/// Why a call is not answered whose session was given up before.
const NOT_YET: &str = "this session is not served yet";
/// Why a call is not answered after the end.
const OVER: &str = "this worker's part in this session is over";

/// Why a session is not served, and whether that may change in a second or two.
struct Denied {
    passing: bool,
    reason: String,
}

fn denied(reason: impl Into<String>) -> Denied {
    Denied { passing: false, reason: reason.into() }
}

fn not_yet(reason: impl Into<String>) -> Denied {
    Denied { passing: true, reason: reason.into() }
}

impl From<Unopened> for Denied {
    fn from(Unopened { reason, passing }: Unopened) -> Self {
        Self { passing, reason }
    }
}

impl Seat {
    /// Answers calls, or has them answered, until the gateway ends the session, or the chain says that it is over.
    pub fn run(self) {
        let (mut server, idle) = (None, self.worker.context.patience.idle);
        let (mut checked, mut looks) = (Instant::now(), Looks::default());
        loop {
            match self.jobs.recv_timeout(idle) {
                Ok(call) => {
                    if server.is_none() {
                        server = self.admit(&call);
                    }
                    let goes_on = match &mut server {
                        Some(Server::Here(served)) => self.answer(served, &call),
                        Some(Server::Away(key)) => self.hand_on(key, call),
                        None => false,
                    };
                    if !goes_on {
                        break;
                    }
                },
                Err(RecvTimeoutError::Timeout) => (),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if checked.elapsed() >= idle {
                if looks.end(self.is_on()) {
                    break;
                }
                checked = Instant::now();
            }
        }
        self.worker.leave(&self.key, self.number);
        // What came in the meantime is not left without an answer. A session that was not served yet may be so soon.
        let (passing, reason) = (server.is_none(), if server.is_none() { NOT_YET } else { OVER });
        self.jobs.try_iter().for_each(|call| self.worker.refuse(self.peer(), &call, passing, reason));
        self.worker.context.post.served(*self.peer());
        match server {
            Some(Server::Here(served)) => self.seal(*served),
            Some(Server::Away(key)) => {
                let (_, session, place) = self.key;
                self.worker.context.relays.end(&key, End { session, place });
            },
            None => (),
        }
    }

    fn peer(&self) -> &PeerId {
        &self.key.0
    }

    fn admit(&self, call: &Call) -> Option<Server> {
        match self.check(call) {
            Ok(server) => {
                tracing::debug!(
                    target: LOG_TARGET,
                    "Serving session {} at place {} for {}", call.session, call.place, self.peer()
                );
                Some(server)
            },
            Err(Denied { passing, reason }) => {
                self.worker.refuse(self.peer(), call, passing, &reason);
                None
            },
        }
    }

    /// The checks before a session is served, in the order of `mod.rs`.
    fn check(&self, call: &Call) -> Result<Server, Denied> {
        let context = &self.worker.context;
        let unavailable = |error: chain::Unavailable| not_yet(error.to_string());
        let session = context.chain.session(call.session).map_err(unavailable)?;
        let session = session.ok_or_else(|| not_yet("there is no such session, or none any more"))?;
        if chain::peer(&session.gateway).as_ref() != Some(self.peer()) {
            return Err(denied("another peer is the gateway of this session"));
        }
        if let SessionPhase::Open { .. } = session.phase {
            return Err(not_yet("the workers of this session are not drawn yet"));
        }
        let SessionPhase::Assigned { workers, .. } = &session.phase else {
            return Err(denied("this session is closed"));
        };
        let worker = usize::try_from(call.place).ok().and_then(|place| workers.get(place));
        let worker = worker.ok_or_else(|| denied("this session has fewer workers"))?;
        let Some(pair) = context.keyring.pair(&worker.key) else {
            let is_relayed = context.relays_for(worker);
            let elsewhere = || denied("the worker at this place has its key elsewhere");
            return is_relayed.then(|| Server::Away(worker.key.clone())).ok_or_else(elsewhere);
        };
        let model = context.chain.model(session.model).map_err(unavailable)?;
        let model = model.ok_or_else(|| denied("this session's model is gone"))?;
        let model = context.models.open(model.content)?;
        let terms = terms(&session, call.place);
        let row = u64::from(model.llama().stages()).saturating_mul(64);
        let bytes = row.saturating_mul(terms.ranges.len() as u64).saturating_mul(terms.positions.into());
        if bytes > MAX_TRACE_BYTES {
            return Err(denied("the traces of this session would take too much memory"));
        }
        // What comes after this is signed, so this comes last.
        match context.ledger.begin(call.session, call.place) {
            Ok(true) => {
                let gateway = session.gateway.key.clone();
                let keys = SessionKeys { genesis: context.genesis, session: session.id, worker: pair, gateway };
                Ok(Server::Here(Box::new(Served::new(terms, model, Box::new(keys), context.machine))))
            },
            Ok(false) => Err(denied(OVER)),
            Err(error) => Err(not_yet(format!("this worker cannot note that it serves this session: {error}"))),
        }
    }

    /// Answers a call. Says whether the gateway takes what it asked for.
    fn answer(&self, served: &mut Served, call: &Call) -> bool {
        let (context, mut busy, mut delivery) = (&self.worker.context, Instant::now(), Delivery::Sent);
        let send = |message: &Message| {
            let start = Instant::now();
            // A gateway that is gone asks again when it is back.
            delivery = context.post.deliver(self.peer(), message, context.patience.room);
            busy += start.elapsed();
        };
        match served.answer(call, send) {
            Ok(()) => context.metrics.calls.inc(),
            Err(reason) => self.worker.refuse(self.peer(), call, false, &reason),
        }
        context.metrics.busy.inc_by(u64::try_from(busy.elapsed().as_micros()).unwrap_or(u64::MAX));
        if delivery == Delivery::Stuck {
            tracing::debug!(target: LOG_TARGET, "{} does not take its answers", self.peer());
        }
        delivery != Delivery::Stuck
    }

    /// Hands a call on. Says whether the session goes on, which it does: who is away may come back.
    fn hand_on(&self, key: &AttesterId, call: Call) -> bool {
        if let Err(call) = self.worker.context.relays.hand_on(key, *self.peer(), call) {
            self.worker.turn_away(self.peer(), &call, "the worker at this place is away");
        }
        true
    }

    /// Whether the gateway may still call.
    fn is_on(&self) -> bool {
        let session = self.worker.context.chain.session(self.key.1);
        session.map_or(true, |session| {
            session.is_some_and(|session| matches!(session.phase, SessionPhase::Assigned { .. }))
        })
    }

    fn seal(&self, served: Served) {
        let (_, session, place) = self.key;
        let (traces, asked) = served.end();
        let asked = asked.map(|asked| Asked {
            position: asked.position,
            signature: AttesterSignature::from(Signature::from_raw(asked.signature)),
        });
        if traces.iter().all(|(_, trace)| trace.positions() == 0) {
            return;
        }
        match self.worker.context.ledger.seal(session, place, &traces, asked) {
            Ok(()) => tracing::debug!(target: LOG_TARGET, "Sealed the traces of session {session}, place {place}"),
            Err(error) => {
                tracing::warn!(target: LOG_TARGET, "Cannot keep the traces of session {session}: {error}");
            },
        }
    }
}

fn terms(session: &Session, place: u32) -> Terms {
    Terms {
        session: session.id,
        ranges: ranges_of(place, session.workers, session.replicas).collect(),
        place,
        count: session.workers,
        prompt_tokens: session.prompt_tokens,
        positions: chain::most_positions(session),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_over_if_it_is_so_twice_in_a_row() {
        let mut looks = Looks::default();
        let ends = [true, false, true, false, false, true].map(|is_on| looks.end(is_on));
        assert_eq!(ends, [false, false, false, false, true, false]);
    }
}
