//! The worker: multiplies its rows for gateways of sessions that it was drawn for.
//!
//! Each session has a thread. Calls wait for it in a queue that is as long as a gateway may have calls unanswered, so
//! that the network's task never waits for arithmetic.

mod gateways;
mod keys;
mod seat;

#[cfg(test)]
pub use keys::SessionKeys;

use std::{
    collections::HashMap,
    sync::{
        mpsc::{self, SyncSender, TrySendError},
        Arc,
    },
    thread,
    time::{Duration, Instant},
};

use ensemble_core::inference::SessionId;
use parking_lot::{Mutex, MutexGuard};
use sc_network_types::PeerId;

use super::{
    limits::{SEATS, SEATS_OF_GATEWAY},
    protocol::{Call, End, Message, Refused, IN_FLIGHT},
    Context, LOG_TARGET,
};
use gateways::Gateways;
use seat::Seat;

/// Gateway, session and place.
type Key = (PeerId, SessionId, u32);

/// The workers of this node, one for each of its keys that was drawn.
pub struct Worker {
    context: Arc<Context>,
    seats: Mutex<Seats>,
    gateways: Gateways,
}

/// The sessions that are served.
#[derive(Default)]
struct Seats {
    taken: HashMap<Key, Taken>,
    /// How many were ever taken.
    count: u64,
}

/// The way to a session's thread.
struct Taken {
    /// Tells it from others of the same session, which came before or come after it.
    number: u64,
    calls: SyncSender<Call>,
    /// When the gateway called last.
    called_at: Instant,
}

impl Seats {
    /// Whether there is room for another session of a gateway. Of those that were not called for long the one that
    /// waits longest makes way, if need be: its thread ends, and keeps what it has.
    fn has_room(&mut self, peer: &PeerId, leisure: Duration) -> bool {
        let of_peer = self.taken.keys().filter(|(gateway, ..)| gateway == peer).count();
        let is_full = self.taken.len() >= SEATS;
        if of_peer < SEATS_OF_GATEWAY && !is_full {
            return true;
        }
        let may_go = |(gateway, ..): &Key| of_peer < SEATS_OF_GATEWAY || gateway == peer;
        let idle = self.taken.iter().filter(|(key, taken)| may_go(key) && taken.called_at.elapsed() >= leisure);
        let Some(longest) = idle.min_by_key(|(_, taken)| taken.called_at).map(|(key, _)| *key) else { return false };
        self.taken.remove(&longest);
        true
    }
}

impl Worker {
    /// Nobody is served yet.
    pub fn new(context: Arc<Context>) -> Arc<Self> {
        Arc::new(Self { context, seats: Mutex::default(), gateways: Gateways::default() })
    }

    /// Takes a call. It is answered, or refused, by another thread.
    pub fn call(self: &Arc<Self>, peer: PeerId, call: Call) {
        let key = (peer, call.session, call.place);
        let mut seats = self.seats.lock();
        let Some(seat) = seats.taken.get_mut(&key) else { return self.begin(seats, key, call) };
        seat.called_at = Instant::now();
        match seat.calls.try_send(call) {
            Ok(()) => (),
            Err(TrySendError::Full(call)) => {
                drop(seats);
                self.refuse(&peer, &call, true, "more calls are unanswered than a gateway may have");
            },
            Err(TrySendError::Disconnected(call)) => {
                seats.taken.remove(&key);
                self.begin(seats, key, call);
            },
        }
    }

    /// Begins to serve a session, if it turns out to be one that this node serves.
    fn begin(self: &Arc<Self>, mut seats: MutexGuard<'_, Seats>, key: Key, call: Call) {
        if !seats.has_room(&key.0, self.context.patience.leisure) {
            drop(seats);
            return self.turn_away(&key.0, &call, "this worker serves as many sessions as it can");
        }
        let (sender, jobs) = mpsc::sync_channel(IN_FLIGHT as usize);
        seats.count = seats.count.saturating_add(1);
        let number = seats.count;
        let seat = Seat { worker: self.clone(), key, number, jobs };
        self.context.post.serve(key.0);
        let began = thread::Builder::new().name(format!("rows-{}", call.session)).spawn(move || seat.run());
        if let Err(error) = began {
            drop(seats);
            self.context.post.served(key.0);
            tracing::warn!(target: LOG_TARGET, "Cannot start a thread for session {}: {error}", call.session);
            return self.turn_away(&key.0, &call, "this worker has no room for another session");
        }
        // There is room for the first call.
        let _ = sender.try_send(call);
        seats.taken.insert(key, Taken { number, calls: sender, called_at: Instant::now() });
        self.context.metrics.seats.set(seats.taken.len() as u64);
    }

    /// Ends what is served to a gateway.
    pub fn end(&self, peer: PeerId, end: End) {
        let mut seats = self.seats.lock();
        // The thread ends when it has done what still waits.
        seats.taken.remove(&(peer, end.session, end.place));
        self.context.metrics.seats.set(seats.taken.len() as u64);
    }

    /// Whether a peer is the gateway of a session in which a key of this node takes part, or may be about to. May
    /// block, and is computed once for each block, whoever asks however often.
    pub fn admits(&self, peer: &PeerId) -> bool {
        self.gateways.has(&self.context, peer)
    }

    /// Refuses a call that is out of turn.
    fn refuse(&self, peer: &PeerId, call: &Call, passing: bool, reason: &str) {
        self.say_no(peer, call, passing, reason);
        self.context.fault(*peer);
    }

    /// Refuses a call for want of room here, which is nothing that a peer does wrong.
    fn turn_away(&self, peer: &PeerId, call: &Call, reason: &str) {
        self.say_no(peer, call, true, reason);
    }

    fn say_no(&self, peer: &PeerId, call: &Call, passing: bool, reason: &str) {
        let Call { session, place, number, .. } = call;
        tracing::debug!(target: LOG_TARGET, "Call {number} of {peer} in session {session}, place {place}: {reason}");
        self.context.metrics.refused.inc();
        self.context.post.send(peer, &Message::Refused(Refused::new(call, passing, reason)));
    }

    /// A session's thread takes no more calls. Another may have taken its place.
    fn leave(&self, key: &Key, number: u64) {
        let mut seats = self.seats.lock();
        if seats.taken.get(key).is_some_and(|taken| taken.number == number) {
            seats.taken.remove(key);
        }
        self.context.metrics.seats.set(seats.taken.len() as u64);
    }

    /// Sessions that are served now.
    #[cfg(test)]
    pub fn seats(&self) -> usize {
        self.seats.lock().taken.len()
    }
}
