//! Workers and gateways of a running node.

use std::{path::Path, sync::Arc};

use ensemble_core::inference::InferenceApi;
use ensemble_host::TensorAccess;
use ensemble_runtime::{opaque::Block as OpaqueBlock, AccountId, Balance, BlockNumber, Hash};
use futures::{Stream, StreamExt};
use jsonrpsee::RpcModule;
use parking_lot::Mutex;
use sc_client_api::{BlockImportNotification, BlockchainEvents};
use sc_keystore::LocalKeystore;
use sc_network::{
    peer_store::PeerStoreProvider,
    service::{
        traits::{NetworkService, NotificationService},
        NotificationMetrics,
    },
    types::ProtocolName,
    NetworkBackend,
};
use sc_service::SpawnTaskHandle;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_runtime::traits::Block;
use substrate_prometheus_endpoint::Registry;

use super::{
    chain::ClientChain,
    gateway::{Consents, Gateway},
    keys::Keys,
    libp2p::{self, Libp2p, Links},
    limits::Faults,
    metrics::Metrics,
    model::HeldModels,
    params::RowParams,
    post::Post,
    relays::Relays,
    rpc::RowsRpc,
    Context, Hub, Ledger, Patience, Remembered, LOG_TARGET,
};
use crate::tensors::Store;

/// Group of the task in the node's list of tasks and its metrics.
const TASK_GROUP: &str = "rows";

/// Workers and gateways of a node whose network does not run yet.
pub struct Rows {
    genesis: Hash,
    metrics: Metrics,
    protocol: ProtocolName,
    notifications: Box<dyn NotificationService>,
    params: RowParams,
}

/// Workers and gateways of a running node.
pub struct RowsService {
    hub: Arc<Hub>,
}

impl Rows {
    /// Returns also what the network has to be given before it starts:
    /// `FullNetworkConfiguration::add_notification_protocol`.
    pub fn new<B: Block<Hash = Hash>, N: NetworkBackend<B, Hash>>(
        params: RowParams,
        genesis: Hash,
        registry: Option<&Registry>,
        network_metrics: NotificationMetrics,
        peers: Arc<dyn PeerStoreProvider>,
    ) -> Result<(Self, N::NotificationProtocolConfig), sc_service::Error> {
        let (metrics, protocol) = (Metrics::new(registry)?, libp2p::protocol_name(genesis));
        let (config, notifications) = libp2p::protocol_config::<B, N>(protocol.clone(), network_metrics, peers);
        Ok((Self { genesis, metrics, protocol, notifications, params }, config))
    }

    /// Starts to serve, and to answer what this node agreed to, and what it is asked to. The tasks end with the node's
    /// task manager. In `folder` it is noted what there is to say of sessions, and what was agreed to.
    pub fn start<C>(
        self,
        network: Arc<dyn NetworkService>,
        client: Arc<C>,
        keystore: Arc<LocalKeystore>,
        (store, tensors): (Arc<Store>, Arc<dyn TensorAccess>),
        folder: &Path,
        tasks: &SpawnTaskHandle,
    ) -> Result<RowsService, sc_service::Error>
    where
        C: ProvideRuntimeApi<OpaqueBlock>
            + HeaderBackend<OpaqueBlock>
            + BlockchainEvents<OpaqueBlock>
            + Send
            + Sync
            + 'static,
        C::Api: InferenceApi<OpaqueBlock, AccountId, Balance, BlockNumber>,
    {
        let Self { genesis, metrics, protocol, notifications, params } = self;
        let unopened = |error| {
            sc_service::Error::Other(format!("Cannot open the sessions' files in {}: {error}", folder.display()))
        };
        let ledger = Ledger::open(&folder.join("rows"), store.clone()).map_err(unopened)?;
        let consents = Consents::open(&folder.join("consents")).map_err(unopened)?;
        let blocks = client.import_notification_stream();
        let wire = Arc::new(Libp2p { network, protocol, links: Links::default() });
        let hub = Hub::new(Arc::new(Context {
            genesis,
            chain: Arc::new(ClientChain(client)),
            keyring: Arc::new(Keys(keystore)),
            models: Arc::new(HeldModels::new(store)),
            ledger,
            consents,
            gateway_replicas: params.gateway_replicas.get(),
            post: Post::new(wire.clone()),
            metrics,
            machine: params.machine(),
            patience: Patience::default(),
            faults: Mutex::new(Faults::default()),
            relays: Relays::new(params.row_relays),
            fetch: Box::new(move |id, max_bytes| tensors.fetch(id, max_bytes)),
        }));
        tasks.spawn("rows", TASK_GROUP, libp2p::run(notifications, wire, hub.clone()));
        tasks.spawn("rows-gateway", TASK_GROUP, look(blocks, hub.gateway.clone()));
        Ok(RowsService { hub })
    }
}

impl RowsService {
    /// What this node has to say of sessions.
    pub fn remembered(&self) -> Arc<Remembered> {
        Arc::new(Remembered::new(self.hub.context.clone()))
    }

    /// The RPC methods.
    pub fn rpc(&self) -> RpcModule<RowsRpc> {
        RowsRpc::module(self.hub.context.clone(), self.hub.gateway.clone())
    }
}

/// Has a gateway look at each state that becomes the best.
async fn look(blocks: impl Stream<Item = BlockImportNotification<OpaqueBlock>>, gateway: Arc<Gateway>) {
    let mut best = std::pin::pin!(blocks.filter(|block| futures::future::ready(block.is_new_best)).ready_chunks(64));
    loop {
        let gateway = gateway.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || gateway.look()).await {
            tracing::warn!(target: LOG_TARGET, "The gateway did not look at its sessions: {error}");
        }
        if best.next().await.is_none() {
            return;
        }
    }
}
