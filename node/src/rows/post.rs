//! Sending messages: over the network, or straight to this node itself, which may be gateway and worker of one session.

use std::{
    collections::{hash_map::Entry, HashMap},
    sync::{Arc, OnceLock, Weak},
};

use codec::Encode;
use parking_lot::Mutex;
use sc_network::ReputationChange;
use sc_network_types::PeerId;

use super::{network::Network, protocol::Message, Hub};

/// Sends messages.
pub struct Post {
    network: Arc<dyn Network>,
    hub: OnceLock<Weak<Hub>>,
    /// How many sessions keep a peer.
    kept: Mutex<HashMap<PeerId, u32>>,
}

impl Post {
    /// Over this network.
    pub fn new(network: Arc<dyn Network>) -> Arc<Self> {
        Arc::new(Self { network, hub: OnceLock::new(), kept: Mutex::default() })
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
        let hub = self.hub.get().and_then(Weak::upgrade);
        hub.inspect(|hub| hub.deliver(*peer, message.clone())).is_some()
    }

    /// Keeps a substream to a peer open, for one more session.
    pub fn keep(&self, peer: PeerId) {
        if peer == self.network.local() {
            return;
        }
        let mut kept = self.kept.lock();
        let sessions = kept.entry(peer).or_default();
        *sessions = sessions.saturating_add(1);
        if *sessions == 1 {
            self.network.keep(peer);
        }
    }

    /// Ends the effect of one [`Self::keep`].
    pub fn release(&self, peer: PeerId) {
        let mut kept = self.kept.lock();
        let Entry::Occupied(mut sessions) = kept.entry(peer) else { return };
        *sessions.get_mut() = sessions.get().saturating_sub(1);
        if *sessions.get() == 0 {
            sessions.remove();
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
