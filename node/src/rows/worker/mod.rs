//! The worker: multiplies its rows for gateways of sessions that it was drawn for.
//!
//! Each session has a thread. Calls wait for it in a queue that is as long as a gateway may have calls unanswered, so
//! that the network's task never waits for arithmetic.

mod seat;
mod served;

pub use served::completed;

use std::{
    collections::HashMap,
    sync::{
        mpsc::{self, SyncSender, TrySendError},
        Arc,
    },
    thread,
};

use ensemble_core::inference::{SessionId, SessionPhase};
use parking_lot::{Mutex, MutexGuard};
use sc_network_types::PeerId;

use super::{
    chain,
    limits::SEATS,
    protocol::{Call, End, Message, Refused, IN_FLIGHT},
    Context, LOG_TARGET,
};
use seat::Seat;

/// Gateway, session and place.
type Key = (PeerId, SessionId, u32);

/// The workers of this node, one for each of its keys that was drawn.
pub struct Worker {
    context: Arc<Context>,
    seats: Mutex<HashMap<Key, SyncSender<Call>>>,
}

impl Worker {
    /// Nobody is served yet.
    pub fn new(context: Arc<Context>) -> Arc<Self> {
        Arc::new(Self { context, seats: Mutex::default() })
    }

    /// Takes a call. It is answered, or refused, by another thread.
    pub fn call(self: &Arc<Self>, peer: PeerId, call: Call) {
        let key = (peer, call.session, call.place);
        let mut seats = self.seats.lock();
        let Some(seat) = seats.get(&key) else { return self.begin(seats, key, call) };
        match seat.try_send(call) {
            Ok(()) => (),
            Err(TrySendError::Full(call)) => {
                drop(seats);
                self.refuse(&peer, &call, true, "more calls are unanswered than a gateway may have");
            },
            Err(TrySendError::Disconnected(call)) => {
                seats.remove(&key);
                self.begin(seats, key, call);
            },
        }
    }

    /// Begins to serve a session, if it turns out to be one that this node serves.
    fn begin(self: &Arc<Self>, mut seats: MutexGuard<'_, HashMap<Key, SyncSender<Call>>>, key: Key, call: Call) {
        if seats.len() >= SEATS {
            drop(seats);
            return self.refuse(&key.0, &call, true, "this worker serves as many sessions as it can");
        }
        let (sender, jobs) = mpsc::sync_channel(IN_FLIGHT as usize);
        let seat = Seat { worker: self.clone(), key, jobs };
        let began = thread::Builder::new().name(format!("rows-{}", call.session)).spawn(move || seat.run());
        if let Err(error) = began {
            drop(seats);
            tracing::warn!(target: LOG_TARGET, "Cannot start a thread for session {}: {error}", call.session);
            return self.refuse(&key.0, &call, true, "this worker has no room for another session");
        }
        // There is room for the first call.
        let _ = sender.try_send(call);
        seats.insert(key, sender);
        self.context.metrics.seats.set(seats.len() as u64);
    }

    /// Ends what is served to a gateway.
    pub fn end(&self, peer: PeerId, end: End) {
        let mut seats = self.seats.lock();
        // The thread ends when it has done what still waits.
        seats.remove(&(peer, end.session, end.place));
        self.context.metrics.seats.set(seats.len() as u64);
    }

    /// Whether a peer is the gateway of a session in which a key of this node takes part, or may be about to. May
    /// block.
    pub fn admits(&self, peer: &PeerId) -> bool {
        let Ok(sessions) = self.context.chain.sessions() else { return false };
        let of_peer = sessions.iter().filter(|session| chain::peer(&session.gateway).as_ref() == Some(peer));
        of_peer.into_iter().any(|session| match &session.phase {
            // This node may know a block less than the gateway.
            SessionPhase::Open { .. } => true,
            SessionPhase::Assigned { workers, .. } => {
                workers.iter().any(|worker| self.context.keyring.has(&worker.key))
            },
            SessionPhase::Voting { .. } | SessionPhase::Disputable { .. } => false,
        })
    }

    fn refuse(&self, peer: &PeerId, call: &Call, passing: bool, reason: &str) {
        let Call { session, place, number, .. } = call;
        tracing::debug!(target: LOG_TARGET, "Call {number} of {peer} in session {session}, place {place}: {reason}");
        self.context.metrics.refused.inc();
        self.context.post.send(peer, &Message::Refused(Refused::new(call, passing, reason)));
        self.context.fault(*peer);
    }

    fn leave(&self, key: &Key) {
        let mut seats = self.seats.lock();
        seats.remove(key);
        self.context.metrics.seats.set(seats.len() as u64);
    }

    /// Sessions that are served now.
    #[cfg(test)]
    pub fn seats(&self) -> usize {
        self.seats.lock().len()
    }
}
