//! The node's network as that of workers and gateways.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use parking_lot::RwLock;
use sc_network::{
    config::{NonReservedPeerMode, SetConfig},
    multiaddr::Protocol,
    peer_store::PeerStoreProvider,
    service::{
        traits::{MessageSink, NetworkService, NotificationEvent, NotificationService, ValidationResult},
        NotificationMetrics,
    },
    types::ProtocolName,
    Multiaddr, NetworkBackend, ReputationChange,
};
use sc_network_types::PeerId;
use sp_runtime::traits::Block;
use tokio::sync::oneshot;

use super::{
    limits::MAX_INBOUND,
    network::Network,
    protocol::{self},
    Hub, LOG_TARGET,
};

/// The protocol's name on the chain with this genesis block.
pub fn protocol_name(genesis: impl AsRef<[u8]>) -> ProtocolName {
    format!("/{}/ensemble/rows/1", hex::encode(genesis)).into()
}

/// What the network has to know of the protocol, and what will bring its events.
pub fn protocol_config<B: Block, N: NetworkBackend<B, B::Hash>>(
    name: ProtocolName,
    metrics: NotificationMetrics,
    peers: Arc<dyn PeerStoreProvider>,
) -> (N::NotificationProtocolConfig, Box<dyn NotificationService>) {
    // Gateways open substreams, so others are let in, if the chain knows why. This node opens some to its workers only.
    let set = SetConfig {
        in_peers: MAX_INBOUND,
        out_peers: 0,
        reserved_nodes: Vec::new(),
        non_reserved_mode: NonReservedPeerMode::Accept,
    };
    N::notification_config(name, Vec::new(), protocol::MAX_MESSAGE_LEN as u64, None, set, metrics, peers)
}

/// The node's network.
pub struct Libp2p {
    /// The network.
    pub network: Arc<dyn NetworkService>,
    /// The protocol's name.
    pub protocol: ProtocolName,
    /// The substreams that are open.
    pub links: Links,
}

/// Substreams that are open, and what sends over them.
pub type Links = Arc<RwLock<HashMap<PeerId, Arc<dyn MessageSink>>>>;

impl Network for Libp2p {
    fn local(&self) -> PeerId {
        self.network.local_peer_id()
    }

    fn keep(&self, peer: PeerId) {
        let address = Multiaddr::empty().with(Protocol::P2p(peer.into()));
        let added = self.network.add_peers_to_reserved_set(self.protocol.clone(), HashSet::from([address]));
        if let Err(error) = added {
            tracing::warn!(target: LOG_TARGET, "Cannot keep a connection to {peer}: {error}");
        }
    }

    fn release(&self, peer: PeerId) {
        if let Err(error) = self.network.remove_peers_from_reserved_set(self.protocol.clone(), vec![peer]) {
            tracing::warn!(target: LOG_TARGET, "Cannot release the connection to {peer}: {error}");
        }
    }

    fn send(&self, peer: &PeerId, message: Vec<u8>) -> bool {
        let link = self.links.read().get(peer).cloned();
        // A substream that does not take its messages is closed by the network, which is an event too.
        link.inspect(|link| link.send_sync_notification(message)).is_some()
    }

    fn report(&self, peer: PeerId, change: ReputationChange) {
        self.network.report_peer(peer, change);
        self.network.disconnect_peer(peer, self.protocol.clone());
    }
}

/// Brings what happens on the network to the hub, until the network ends.
pub async fn run(mut notifications: Box<dyn NotificationService>, links: Links, hub: Arc<Hub>) {
    while let Some(event) = notifications.next_event().await {
        match event {
            NotificationEvent::ValidateInboundSubstream { peer, result_tx, .. } => validate(&hub, peer, result_tx),
            NotificationEvent::NotificationStreamOpened { peer, .. } => {
                if let Some(link) = notifications.message_sink(&peer) {
                    links.write().insert(peer, link.into());
                    hub.opened(peer);
                }
            },
            NotificationEvent::NotificationStreamClosed { peer } => {
                links.write().remove(&peer);
                hub.closed(peer);
            },
            NotificationEvent::NotificationReceived { peer, notification } => hub.received(peer, &notification),
        }
    }
}

/// Asks the chain whether a peer may open a substream, on another thread.
fn validate(hub: &Arc<Hub>, peer: PeerId, result: oneshot::Sender<ValidationResult>) {
    let hub = hub.clone();
    tokio::task::spawn_blocking(move || {
        let admitted = hub.admits(&peer);
        tracing::debug!(target: LOG_TARGET, "{peer} opens a substream: {}", if admitted { "yes" } else { "no" });
        // The peer may have gone.
        let _ = result.send(if admitted { ValidationResult::Accept } else { ValidationResult::Reject });
    });
}
