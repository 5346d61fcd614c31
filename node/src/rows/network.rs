//! The network, as workers and gateways see it.

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

    /// Closes the substream to a peer, and changes what is thought of it.
    fn report(&self, peer: PeerId, change: ReputationChange);
}
