//! The node's network as the fetcher's.

use std::{collections::HashSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use ensemble_tensor::TensorId;
use sc_network::{service::traits::NetworkService, types::ProtocolName, IfDisconnected, ReputationChange};
use sc_network_sync::SyncingService;
use sc_network_types::PeerId;
use sp_runtime::traits::Block;
use tokio::sync::mpsc;

use super::{
    network::{Network, Unanswered},
    providers::Lookup,
};

/// How long the DHT may take to name providers.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);
/// New providers that are taken from the DHT at once for one tensor.
const MAX_PROVIDERS: usize = 32;
/// Providers that may wait to be taken.
const MAX_FOUND: usize = 256;

/// The node's network.
pub struct Libp2p<B: Block> {
    /// The network.
    pub network: Arc<dyn NetworkService>,
    /// Who knows the connected peers.
    pub sync: Arc<SyncingService<B>>,
    /// Who asks the DHT.
    pub lookups: mpsc::Sender<Lookup>,
    /// The protocol's name.
    pub protocol: ProtocolName,
}

#[async_trait]
impl<B: Block> Network for Libp2p<B> {
    async fn peers(&self) -> Vec<PeerId> {
        let peers = self.sync.peers_info().await.unwrap_or_default();
        peers.into_iter().map(|(peer, _)| peer).collect()
    }

    async fn providers(&self, id: TensorId, mut known: HashSet<PeerId>) -> Vec<PeerId> {
        let (sender, mut found) = mpsc::channel(MAX_FOUND);
        if self.lookups.send(Lookup { id, found: sender }).await.is_err() {
            return Vec::new();
        }
        let deadline = tokio::time::Instant::now() + LOOKUP_TIMEOUT;
        known.insert(self.network.local_peer_id());
        let mut providers = Vec::new();
        while let Ok(Some(peer)) = tokio::time::timeout_at(deadline, found.recv()).await {
            // Else as many liars, asked in every round, would hide one who holds it.
            if known.insert(peer) {
                providers.push(peer);
            }
            if providers.len() == MAX_PROVIDERS {
                break;
            }
        }
        providers
    }

    async fn request(&self, peer: PeerId, request: Vec<u8>) -> Result<Vec<u8>, Unanswered> {
        let response =
            self.network.request(peer, self.protocol.clone(), request, None, IfDisconnected::TryConnect).await;
        response.map(|(message, _)| message).map_err(|_| Unanswered)
    }

    fn report(&self, peer: PeerId, change: ReputationChange) {
        self.network.report_peer(peer, change);
    }
}
