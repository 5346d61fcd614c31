//! A running node.

use std::{sync::Arc, time::Duration};

use ensemble_host::{
    AggregationAccess, AggregationAccessExt, InferenceAccess, InferenceAccessExt, TensorAccess, TensorAccessExt,
};
use ensemble_runtime::opaque::Block;
use futures::{FutureExt, StreamExt};
use sc_authority_discovery::WorkerConfig;
use sc_client_api::{Backend as _, BlockBackend};
use sc_consensus_babe::{BabeParams, SlotProportion};
use sc_consensus_grandpa::{FinalityProofProvider, GrandpaParams, SharedVoterState, VotingRulesBuilder};
use sc_consensus_slots::BackoffAuthoringOnFinalizedHeadLagging;
use sc_network::{
    config::FullNetworkConfiguration, service::traits::NetworkService, Event, NetworkBackend, NetworkEventStream,
};
use sc_network_sync::{strategy::warp::WarpSyncConfig, SyncingService};
use sc_offchain::{OffchainWorkerOptions, OffchainWorkers};
use sc_service::{
    config::Configuration, error::Error as ServiceError, BuildNetworkParams, PartialComponents, Role, SpawnTasksParams,
    TaskManager,
};
use sc_telemetry::{Telemetry, TelemetryHandle};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_keystore::KeystorePtr;
use substrate_prometheus_endpoint::Registry;

use super::{
    executor::RuntimeParams,
    partial::{partial, Backend, Client, Consensus, Pool, SelectChain},
};
use crate::{
    aggregation::{
        self,
        lookup::{ClientSpaces, Lookup, LookupRpc},
        Aggregation,
    },
    inference::{self, Sessions, StoredModels},
    market::{ClientTickets, TicketRpc},
    rows::{RowParams, Rows, RowsService},
    rpc,
    tensors::{ClientChain, TensorParams, TensorService, Tensors},
};

/// Part of a slot in which its author fills the block. The rest is for its way and for the importers' work.
const PROPOSAL_PORTION: f32 = 0.5;
/// How long a GRANDPA message may take to reach everyone.
const GOSSIP_DURATION: Duration = Duration::from_millis(333);
/// Blocks after which the voter makes a justification even if nothing else asks for one.
const JUSTIFICATION_PERIOD: u32 = 512;

/// What every service of a running node is given.
struct Node {
    client: Arc<Client>,
    backend: Arc<Backend>,
    pool: Arc<Pool>,
    select_chain: SelectChain,
    keystore: KeystorePtr,
    network: Arc<dyn NetworkService>,
    sync: Arc<SyncingService<Block>>,
    role: Role,
    registry: Option<Registry>,
    telemetry: Option<TelemetryHandle>,
}

/// Starts the node on the network backend `N`.
pub fn full<N: NetworkBackend<Block, ensemble_runtime::Hash>>(
    config: Configuration,
    runtime_params: &RuntimeParams,
    tensor_params: &TensorParams,
    row_params: RowParams,
) -> Result<TaskManager, ServiceError> {
    let PartialComponents {
        client,
        backend,
        mut task_manager,
        import_queue,
        keystore_container,
        select_chain,
        transaction_pool: pool,
        other: (consensus, mut telemetry),
    } = partial(&config, runtime_params)?;
    let registry = config.prometheus_registry().cloned();
    let genesis_hash =
        client.block_hash(0)?.ok_or_else(|| ServiceError::Other("the database has no genesis".into()))?;

    // The network and its protocols.
    let mut net_config = FullNetworkConfiguration::<_, _, N>::new(&config.network, registry.clone());
    let metrics = N::register_notification_metrics(registry.as_ref());
    let grandpa_protocol = sc_consensus_grandpa::protocol_standard_name(&genesis_hash, &config.chain_spec);
    let (grandpa_config, grandpa_notifications) = sc_consensus_grandpa::grandpa_peers_set_config::<_, N>(
        grandpa_protocol.clone(),
        metrics.clone(),
        net_config.peer_store_handle(),
    );
    net_config.add_notification_protocol(grandpa_config);
    let chain_folder = config.base_path.config_dir(config.chain_spec.id());
    let (tensors, tensors_config) =
        Tensors::new::<Block, N>(&tensor_params.config(&chain_folder), genesis_hash, registry.as_ref())?;
    net_config.add_request_response_protocol(tensors_config);
    let (rows, rows_config) = Rows::new::<Block, N>(
        row_params,
        genesis_hash,
        registry.as_ref(),
        metrics.clone(),
        net_config.peer_store_handle(),
    )?;
    net_config.add_notification_protocol(rows_config);
    let warp_sync = Arc::new(sc_consensus_grandpa::warp_proof::NetworkProvider::new(
        backend.clone(),
        consensus.grandpa_link.shared_authority_set().clone(),
        Vec::new(),
    ));
    let (network, system_rpc_tx, tx_handler_controller, sync, _bitswap) =
        sc_service::build_network(BuildNetworkParams {
            config: &config,
            net_config,
            client: client.clone(),
            transaction_pool: pool.clone(),
            spawn_handle: task_manager.spawn_handle(),
            spawn_essential_handle: task_manager.spawn_essential_handle(),
            import_queue,
            block_announce_validator_builder: None,
            warp_sync_config: Some(WarpSyncConfig::WithProvider(warp_sync)),
            block_relay: None,
            metrics,
            gap_sync_body_policy: None,
        })?;
    let tensors = tensors.start(
        network.clone(),
        sync.clone(),
        Arc::new(ClientChain(client.clone())),
        keystore_container.keystore(),
        &task_manager.spawn_handle(),
    );

    let rows = rows.start(
        network.clone(),
        client.clone(),
        keystore_container.local_keystore(),
        (tensors.store().clone(), tensors.access()),
        &chain_folder,
        &task_manager.spawn_handle(),
    )?;

    let aggregation = Aggregation::start(
        tensors.store().clone(),
        aggregation::Metrics::new(registry.as_ref())?,
        aggregation::machine(),
    )?;
    let sessions = Sessions::start(
        tensors.store().clone(),
        tensors.access(),
        rows.remembered(),
        StoredModels,
        inference::Metrics::new(registry.as_ref())?,
        inference::machine(),
    )?;

    let node = Node {
        client,
        backend,
        pool,
        select_chain,
        keystore: keystore_container.keystore(),
        network,
        sync,
        role: config.role,
        registry,
        telemetry: telemetry.as_ref().map(Telemetry::handle),
    };
    let voter_state = SharedVoterState::empty();
    let settings = Settings::of(&config);

    // RPC, telemetry, metrics, transaction gossip.
    let rpc_deps = rpc_deps(&node, &config, &consensus, voter_state.clone(), &tensors, &rows);
    sc_service::spawn_tasks(SpawnTasksParams {
        config,
        client: node.client.clone(),
        backend: node.backend.clone(),
        task_manager: &mut task_manager,
        keystore: node.keystore.clone(),
        transaction_pool: node.pool.clone(),
        rpc_builder: Box::new(move |executor| rpc::create(&rpc_deps, executor).map_err(ServiceError::Application)),
        network: node.network.clone(),
        system_rpc_tx,
        tx_handler_controller,
        sync_service: node.sync.clone(),
        telemetry: telemetry.as_mut(),
        tracing_execute_block: None,
    })?;

    // What makes a validator.
    let Consensus { block_import, babe_link, grandpa_link, inherents, .. } = consensus;
    if node.role.is_authority() {
        let authoring = sc_consensus_babe::start_babe(BabeParams {
            keystore: node.keystore.clone(),
            client: node.client.clone(),
            select_chain: node.select_chain.clone(),
            env: sc_basic_authorship::ProposerFactory::new(
                task_manager.spawn_handle(),
                node.client.clone(),
                node.pool.clone(),
                node.registry.as_ref(),
                node.telemetry.clone(),
            ),
            block_import,
            sync_oracle: node.sync.clone(),
            justification_sync_link: node.sync.clone(),
            create_inherent_data_providers: inherents,
            force_authoring: settings.force_authoring,
            backoff_authoring_blocks: Some(BackoffAuthoringOnFinalizedHeadLagging::default()),
            babe_link,
            block_proposal_slot_portion: SlotProportion::new(PROPOSAL_PORTION),
            max_block_proposal_slot_portion: None,
            telemetry: node.telemetry.clone(),
        })?;
        task_manager.spawn_essential_handle().spawn_blocking("babe", Some("block-authoring"), authoring);
        start_authority_discovery(&node, settings.discovery, &task_manager);
    }
    if settings.finality {
        let voter = sc_consensus_grandpa::run_grandpa_voter(GrandpaParams {
            config: sc_consensus_grandpa::Config {
                gossip_duration: GOSSIP_DURATION,
                justification_generation_period: JUSTIFICATION_PERIOD,
                observer_enabled: false,
                local_role: node.role,
                name: Some(settings.name.clone()),
                keystore: node.role.is_authority().then(|| node.keystore.clone()),
                telemetry: node.telemetry.clone(),
                protocol_name: grandpa_protocol,
            },
            link: grandpa_link,
            network: node.network.clone(),
            sync: node.sync.clone(),
            notification_service: grandpa_notifications,
            voting_rule: VotingRulesBuilder::default().build(),
            prometheus_registry: node.registry.clone(),
            shared_voter_state: voter_state,
            telemetry: node.telemetry.clone(),
            offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(node.pool.clone()),
        })?;
        task_manager.spawn_essential_handle().spawn_blocking("grandpa-voter", None, voter);
    }
    if settings.offchain_worker {
        let access = Access { tensors: tensors.access(), aggregation, sessions };
        start_offchain_workers(&node, access, &task_manager)?;
    }
    Ok(task_manager)
}

/// What the services after the RPC need of a configuration that the RPC has taken.
struct Settings {
    name: String,
    force_authoring: bool,
    finality: bool,
    offchain_worker: bool,
    discovery: WorkerConfig,
}

impl Settings {
    fn of(config: &Configuration) -> Self {
        Self {
            name: config.network.node_name.clone(),
            force_authoring: config.force_authoring,
            finality: !config.disable_grandpa,
            offchain_worker: config.offchain_worker.enabled,
            discovery: WorkerConfig {
                publish_non_global_ips: config.network.allow_non_globals_in_dht,
                public_addresses: config.network.public_addresses.clone(),
                persisted_cache_directory: config.network.net_config_path.clone(),
                ..Default::default()
            },
        }
    }
}

fn rpc_deps(
    node: &Node,
    config: &Configuration,
    consensus: &Consensus,
    voter_state: SharedVoterState,
    tensors: &Arc<TensorService>,
    rows: &RowsService,
) -> rpc::Deps {
    let authority_set = consensus.grandpa_link.shared_authority_set().clone();
    let spaces = Arc::new(ClientSpaces(node.client.clone()));
    let lookup = Lookup::new(spaces, tensors.access(), tensors.store().clone());
    rpc::Deps {
        client: node.client.clone(),
        pool: node.pool.clone(),
        select_chain: node.select_chain.clone(),
        chain_spec: config.chain_spec.cloned_box(),
        keystore: node.keystore.clone(),
        babe_worker: consensus.babe_worker.clone(),
        grandpa: rpc::Grandpa {
            voter_state,
            justification_stream: consensus.grandpa_link.justification_stream(),
            finality_proofs: FinalityProofProvider::new_for_service(node.backend.clone(), Some(authority_set.clone())),
            authority_set,
        },
        tensors: tensors.rpc().remove_context(),
        lookup: LookupRpc::module(lookup).remove_context(),
        rows: rows.rpc().remove_context(),
        tickets: TicketRpc::module(ClientTickets(node.client.clone())).remove_context(),
    }
}

/// Publishes the validator's addresses and finds those of the others.
fn start_authority_discovery(node: &Node, config: WorkerConfig, task_manager: &TaskManager) {
    let dht_events = node.network.event_stream("authority-discovery").filter_map(|event| async move {
        if let Event::Dht(event) = event {
            Some(event)
        } else {
            None
        }
    });
    let (worker, _service) = sc_authority_discovery::new_worker_and_service_with_config(
        config,
        node.client.clone(),
        Arc::new(node.network.clone()),
        Box::pin(dht_events),
        sc_authority_discovery::Role::PublishAndDiscover(node.keystore.clone()),
        node.registry.clone(),
        task_manager.spawn_handle(),
    );
    task_manager.spawn_handle().spawn("authority-discovery", Some("networking"), worker.run());
}

/// What off-chain workers may ask of the node.
struct Access {
    tensors: Arc<dyn TensorAccess>,
    aggregation: Arc<dyn AggregationAccess>,
    sessions: Arc<dyn InferenceAccess>,
}

/// Runs the runtime's off-chain worker after every imported block, with access to what it may ask of the node.
fn start_offchain_workers(node: &Node, access: Access, task_manager: &TaskManager) -> Result<(), ServiceError> {
    let workers = OffchainWorkers::new(OffchainWorkerOptions {
        runtime_api_provider: node.client.clone(),
        keystore: Some(node.keystore.clone()),
        offchain_db: node.backend.offchain_storage(),
        transaction_pool: Some(OffchainTransactionPoolFactory::new(node.pool.clone())),
        network_provider: Arc::new(node.network.clone()),
        is_validator: node.role.is_authority(),
        // The worker needs the chain and what it may ask of the node, nothing on the web.
        enable_http_requests: false,
        custom_extensions: move |_| {
            vec![
                Box::new(TensorAccessExt(access.tensors.clone())) as Box<_>,
                Box::new(AggregationAccessExt(access.aggregation.clone())) as Box<_>,
                Box::new(InferenceAccessExt(access.sessions.clone())) as Box<_>,
            ]
        },
    })?;
    task_manager.spawn_handle().spawn(
        "offchain-workers",
        Some("offchain-worker"),
        workers.run(node.client.clone(), task_manager.spawn_handle()).boxed(),
    );
    Ok(())
}
