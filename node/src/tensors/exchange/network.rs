//! The network, as the fetcher sees it.

use std::collections::HashSet;

use async_trait::async_trait;
use ensemble_tensor::TensorId;
use sc_network::ReputationChange;
use sc_network_types::PeerId;

/// Peers, as the fetcher sees them.
#[async_trait]
pub trait Network: Send + Sync {
    /// The peers that are connected.
    async fn peers(&self) -> Vec<PeerId>;

    /// The peers that say in the DHT that they hold the tensor, without those that are `known` already.
    async fn providers(&self, id: TensorId, known: HashSet<PeerId>) -> Vec<PeerId>;

    /// Sends a request to a peer, connecting to it if need be. Fails without an answer; the caller has a deadline of
    /// its own.
    async fn request(&self, peer: PeerId, request: Vec<u8>) -> Result<Vec<u8>, Unanswered>;

    /// Changes what is thought of a peer.
    fn report(&self, peer: PeerId, change: ReputationChange);
}

/// A request that was not answered: the peer is gone, refused it, or does not speak the protocol.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unanswered;
