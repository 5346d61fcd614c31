//! Tensors on this node: a content-addressed store, and its exchange with other nodes.
//!
//! # How a tensor travels
//!
//! ```text
//!  operator ── ensemble_putTensor ──▶ uploads/ ──▶ held/ ◀── partial/ ◀── pieces from peers
//!                                                   │ ▲
//!               peers ◀── server, checked ──────────┘ └── off-chain worker: status, fetch, pin
//! ```
//!
//! 1. **Upload.** Somebody sends the canonical encoding in parts. When the last byte is there, the id that the bytes
//!    have is compared with the id that was named, and the file moves into `held/`.
//! 2. **Announcement.** The node tells the DHT that it provides the tensor.
//! 3. **Order.** On another node the off-chain worker, or the operator, asks for the id. A job asks the connected peers
//!    whether they hold it; if none does, it asks the DHT.
//! 4. **Transfer.** A source gives the outline, then sources give the pieces, several at a time. Every piece is written
//!    to its place in a file in `partial/` as it comes. After a crash the file itself says which pieces it has.
//! 5. **Arrival.** The complete file moves into `held/`, and the node serves it too. The members of a bundle follow the
//!    manifest in the same way.
//!
//! # The checks, in the order in which they run
//!
//! | what is checked | when it fails |
//! |---|---|
//! | the request's length and encoding (serving) | the peer is banned for a while and gets no answer |
//! | whom a restricted tensor is served to (serving) | the answer is that it is restricted, and for which task |
//! | what the peer took lately, and left lying (serving) | it is told to come back later |
//! | a piece against the outline (serving) | the file is removed, and the answer is that it is not held |
//! | the response's length and encoding (fetching) | the peer is banned for a while, another is asked |
//! | the outline against the id | the peer is banned for a while, another is asked |
//! | the size against what the caller allows | `TooLarge` |
//! | the size against the quota and what may be collected | `StoreFull` |
//! | every piece against the outline | the peer is banned for a while, another is asked |
//! | every scale of a piece, the manifest of a bundle | `Invalid`: the bytes are what the id promises, but no tensor |
//! | that bundles do not nest | `Invalid` |
//! | that any peer is left to ask | `NotFound` |
//!
//! What is found on the disk when the node starts is served at once, piece by checked piece, and checked as a whole in
//! the background before the off-chain worker hears that it is held.

mod exchange;
mod gate;
mod host;
mod metrics;
mod params;
mod rpc;
#[cfg(test)]
mod samples;
mod service;
mod store;
#[cfg(test)]
pub mod testing;
mod verifier;

use std::sync::Arc;

use ensemble_runtime::Hash;
use sc_network::{config::IncomingRequest, service::traits::NetworkService, types::ProtocolName, NetworkBackend};
use sc_network_sync::SyncingService;
use sc_service::SpawnTaskHandle;
use sp_keystore::KeystorePtr;
use sp_runtime::traits::Block;
use substrate_prometheus_endpoint::Registry;

pub use gate::{Chain, ClientChain};
pub use params::{TensorConfig, TensorParams};
pub use service::{reason, TensorService};
pub use store::{Error as StoreError, Guard, Store};

use exchange::{Fetcher, Libp2p, Patience, Providers, Server};
use gate::{Gate, Identity, Keys};
use metrics::Metrics;
use store::Room;

/// Target of the log.
const LOG_TARGET: &str = "tensors";
/// Group of the tasks in the node's list of tasks and its metrics.
const TASK_GROUP: &str = "tensors";

/// Bytes of the disk that the store leaves to the chain's database and everything else.
const MIN_FREE: u64 = 2 << 30;

/// The tensors of a node whose network does not run yet.
pub struct Tensors {
    store: Arc<Store>,
    metrics: Metrics,
    genesis: Hash,
    protocol: ProtocolName,
    requests: async_channel::Receiver<IncomingRequest>,
    rpc_writes: bool,
}

impl Tensors {
    /// Opens the store. Returns also what the network has to be given before it starts:
    /// `FullNetworkConfiguration::add_request_response_protocol`.
    pub fn new<B: Block<Hash = Hash>, N: NetworkBackend<B, Hash>>(
        config: &TensorConfig,
        genesis: Hash,
        registry: Option<&Registry>,
    ) -> Result<(Self, N::RequestResponseProtocolConfig), sc_service::Error> {
        let metrics = Metrics::new(registry)?;
        let room = Room { quota: config.quota, min_free: MIN_FREE };
        let store = Store::open(&config.path, room, metrics.clone()).map_err(|error| {
            sc_service::Error::Other(format!("Cannot open the tensor store in {}: {error}", config.path.display()))
        })?;
        let protocol = exchange::protocol_name(genesis);
        let (network_config, requests) = exchange::protocol_config::<B, N>(protocol.clone());
        Ok((Self { store, metrics, genesis, protocol, requests, rpc_writes: config.rpc_writes }, network_config))
    }

    /// Starts to serve and to fetch. The tasks end with the node's task manager.
    pub fn start<B: Block>(
        self,
        network: Arc<dyn NetworkService>,
        sync: Arc<SyncingService<B>>,
        chain: Arc<dyn Chain>,
        keystore: KeystorePtr,
        tasks: &SpawnTaskHandle,
    ) -> Arc<TensorService> {
        let Self { store, metrics, genesis, protocol, requests, rpc_writes } = self;
        let node = network.local_peer_id();
        let gate = Arc::new(Gate::new(store.clone(), chain.clone(), genesis, node));
        let identity = Identity { genesis, node, signer: Arc::new(Keys(keystore)), chain };
        let (providers, lookups) = Providers::new(network.clone(), store.clone(), metrics.clone());
        let network = Arc::new(Libp2p { network, sync, lookups, protocol });
        let server = Server::new(requests, store.clone(), gate.clone(), network.clone(), metrics.clone());
        let (fetcher, worker) = Fetcher::new(store.clone(), network, identity, metrics, Patience::default());

        tasks.spawn_blocking("tensor-server", TASK_GROUP, server.run());
        tasks.spawn_blocking("tensor-verifier", TASK_GROUP, verifier::run(store.clone()));
        tasks.spawn("tensor-fetcher", TASK_GROUP, worker.run());
        tasks.spawn("tensor-providers", TASK_GROUP, providers.run());
        Arc::new(TensorService::new(store, gate, fetcher, rpc_writes))
    }
}
