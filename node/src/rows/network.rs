//! The network, as workers and gateways see it.

use std::time::Duration;

use sc_network::ReputationChange;
use sc_network_types::PeerId;

/// Peers, as workers and gateways see them. What comes from them comes to [`Hub`](super::Hub).
pub trait Network: Send + Sync {
    /// This node.
    fn local(&self) -> PeerId;

    /// Opens a substream to a peer, connecting to it if need be, and opens it again whenever it closes.
    fn keep(&self, peer: PeerId);

    /// Ends the effect of [`Self::keep`].
    fn release(&self, peer: PeerId);

    /// Sends a message on the substream to a peer. Says whether there is one.
    fn send(&self, peer: &PeerId, message: Vec<u8>) -> bool;

    /// Sends a message on the substream to a peer, and waits for so long until it has room for it: what a peer does not
    /// take piles up nowhere. Blocks.
    fn deliver(&self, peer: &PeerId, message: Vec<u8>, patience: Duration) -> Delivery;

    /// Closes the substream to a peer, and changes what is thought of it.
    fn report(&self, peer: PeerId, change: ReputationChange);
}

/// What became of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Delivery {
    /// It is on its way.
    Sent,
    /// There is no substream to the peer.
    Gone,
    /// The peer did not take what was sent before it.
    Stuck,
}
