//! Sending messages: over the network, or straight to this node itself, which may be gateway and worker of one session.

use std::{
    collections::{hash_map::Entry, HashMap},
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use codec::Encode;
use parking_lot::Mutex;
use sc_network::ReputationChange;
use sc_network_types::PeerId;

use super::{
    network::{Delivery, Network},
    protocol::{Frame, Message},
    Hub,
};

/// Sends messages.
pub struct Post {
    network: Arc<dyn Network>,
    hub: OnceLock<Weak<Hub>>,
    kept: Mutex<HashMap<PeerId, Kept>>,
}

/// What a substream to a peer is needed for.
#[derive(Default)]
struct Kept {
    /// Sessions that this node answers, in which the peer is a worker.
    answers: u32,
    /// Sessions that this node serves, of which the peer is the gateway.
    seats: u32,
    /// Whether the network keeps the substream.
    by_network: bool,
}

impl Post {
    /// Over this network.
    pub fn new(network: Arc<dyn Network>) -> Arc<Self> {
        Arc::new(Self { network, hub: OnceLock::new(), kept: Mutex::default() })
    }

    /// This node.
    pub fn local(&self) -> PeerId {
        self.network.local()
    }

    /// Says where messages to this node itself go. Only the first time counts.
    pub(super) fn connect(&self, hub: &Arc<Hub>) {
        let _ = self.hub.set(Arc::downgrade(hub));
    }

    /// Sends a message. Says whether there is a way to the peer.
    pub fn send(&self, peer: &PeerId, message: &Message) -> bool {
        if *peer != self.network.local() {
            return self.network.send(peer, message.encode());
        }
        self.hand_over(peer, message.clone())
    }

    /// Sends a call to the worker at a place. Says whether there is a way to the peer.
    pub fn call(&self, peer: &PeerId, frame: &Frame, place: u32) -> bool {
        match *peer == self.network.local() {
            true => self.hand_over(peer, frame.message(place)),
            false => self.network.send(peer, frame.encoded(place)),
        }
    }

    /// Gives this node a message of its own.
    fn hand_over(&self, peer: &PeerId, message: Message) -> bool {
        let hub = self.hub.get().and_then(Weak::upgrade);
        hub.inspect(|hub| hub.deliver(*peer, message)).is_some()
    }

    /// Sends a message, and waits for so long until the peer takes it. Blocks.
    pub fn deliver(&self, peer: &PeerId, message: &Message, patience: Duration) -> Delivery {
        if *peer != self.network.local() {
            return self.network.deliver(peer, message.encode(), patience);
        }
        match self.send(peer, message) {
            true => Delivery::Sent,
            false => Delivery::Gone,
        }
    }

    /// Keeps a substream to a peer open, for one more session that this node answers.
    pub fn keep(&self, peer: PeerId) {
        if peer == self.network.local() {
            return;
        }
        let mut all = self.kept.lock();
        let kept = all.entry(peer).or_default();
        kept.answers = kept.answers.saturating_add(1);
        if !kept.by_network {
            kept.by_network = true;
            self.network.keep(peer);
        }
    }

    /// Whether a substream to a peer is kept open.
    pub fn keeps(&self, peer: &PeerId) -> bool {
        self.kept.lock().contains_key(peer)
    }

    /// Ends the effect of one [`Self::keep`].
    pub fn release(&self, peer: PeerId) {
        self.change(peer, |kept| kept.answers = kept.answers.saturating_sub(1));
    }

    /// Has the network not end what keeps a substream to a peer as long as it is the gateway of a session: the network
    /// closes the substream then, whoever needs it.
    pub fn serve(&self, peer: PeerId) {
        let mut all = self.kept.lock();
        let kept = all.entry(peer).or_default();
        kept.seats = kept.seats.saturating_add(1);
    }

    /// Ends the effect of one [`Self::serve`].
    pub fn served(&self, peer: PeerId) {
        self.change(peer, |kept| kept.seats = kept.seats.saturating_sub(1));
    }

    fn change(&self, peer: PeerId, change: impl FnOnce(&mut Kept)) {
        let mut all = self.kept.lock();
        let Entry::Occupied(mut kept) = all.entry(peer) else { return };
        change(kept.get_mut());
        if kept.get().answers > 0 || kept.get().seats > 0 {
            return;
        }
        if kept.remove().by_network {
            self.network.release(peer);
        }
    }

    /// Ends the connection to a peer that broke the protocol, and its part in all answers.
    pub fn report(&self, peer: PeerId, change: ReputationChange) {
        if peer == self.network.local() {
            return;
        }
        self.network.report(peer, change);
        if let Some(hub) = self.hub.get().and_then(Weak::upgrade) {
            hub.gateway.banned(peer);
        }
    }
}
