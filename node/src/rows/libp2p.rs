//! The node's network as that of workers and gateways.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
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
    limits::{MAX_INBOUND, NO_GATEWAY},
    network::{Delivery, Network},
    protocol, Hub, LOG_TARGET,
};

/// How often it is looked whether a substream that was full has room.
const ROOM_INTERVAL: Duration = Duration::from_millis(2);

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
        // Without waiting: only short messages, and calls, of which no more are sent than a worker has answered.
        link.inspect(|link| link.send_sync_notification(message)).is_some()
    }

    fn deliver(&self, peer: &PeerId, message: Vec<u8>, patience: Duration) -> Delivery {
        let link = self.links.read().get(peer).cloned();
        link.map_or(Delivery::Gone, |link| deliver(&*link, message, patience))
    }

    fn report(&self, peer: PeerId, change: ReputationChange) {
        self.network.report_peer(peer, change);
        self.network.disconnect_peer(peer, self.protocol.clone());
    }
}

/// Waits for room on a substream, and looks again now and then: this has to work while the node's runtime ends.
fn deliver(link: &dyn MessageSink, message: Vec<u8>, patience: Duration) -> Delivery {
    let (start, mut sending) = (Instant::now(), link.send_async_notification(message));
    loop {
        match sending.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => return Delivery::Sent,
            Poll::Ready(Err(_)) => return Delivery::Gone,
            Poll::Pending if start.elapsed() >= patience => return Delivery::Stuck,
            Poll::Pending => thread::sleep(ROOM_INTERVAL),
        }
    }
}

/// Brings what happens on the network to the hub, until the network ends.
pub async fn run(mut notifications: Box<dyn NotificationService>, wire: Arc<Libp2p>, hub: Arc<Hub>) {
    while let Some(event) = notifications.next_event().await {
        match event {
            NotificationEvent::ValidateInboundSubstream { peer, result_tx, .. } => validate(&hub, peer, result_tx),
            NotificationEvent::NotificationStreamOpened { peer, direction, .. } => {
                if let Some(link) = notifications.message_sink(&peer) {
                    wire.links.write().insert(peer, link.into());
                    hub.opened(peer);
                }
                if direction.is_inbound() {
                    look_into(&wire, &hub, peer);
                }
            },
            NotificationEvent::NotificationStreamClosed { peer } => {
                wire.links.write().remove(&peer);
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

/// Closes a substream that a peer may not have. The libp2p backend asks nobody before it opens one.
fn look_into(wire: &Arc<Libp2p>, hub: &Arc<Hub>, peer: PeerId) {
    let (wire, hub) = (wire.clone(), hub.clone());
    tokio::task::spawn_blocking(move || {
        if !hub.admits(&peer) {
            tracing::debug!(target: LOG_TARGET, "{peer} has a substream, and is no gateway");
            wire.report(peer, NO_GATEWAY);
        }
    });
}
