//! What works on blocks without a network: the database, the executor, the transaction pool and the import pipeline.

use std::sync::Arc;

use ensemble_runtime::{opaque::Block, RuntimeApi};
use sc_consensus::{DefaultImportQueue, LongestChain};
use sc_consensus_babe::{BabeBlockImport, BabeLink, BabeWorkerHandle, ImportQueueParams};
use sc_consensus_grandpa::{GrandpaBlockImport, LinkHalf};
use sc_service::{error::Error as ServiceError, Configuration, PartialComponents, TaskManager};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool::TransactionPoolHandle;
use sc_transaction_pool_api::{OffchainTransactionPoolFactory, RejectAllTxPool};

use super::{
    equivocations::Watched,
    executor::{Executor, RuntimeParams},
    genesis::Genesis,
    inherents::Inherents,
};

/// Gives access to blocks and state.
pub type Client = sc_service::TFullClient<Block, RuntimeApi, Executor>;
/// Stores blocks and state.
pub type Backend = sc_service::TFullBackend<Block>;
/// Chooses the best chain.
pub type SelectChain = LongestChain<Backend, Block>;
/// Holds transactions until a block takes them.
pub type Pool = TransactionPoolHandle<Block, Client>;
/// Imports blocks: BABE checks them, then GRANDPA follows the authority set. Equivocations among them are reported.
pub type BlockImport = Watched<
    BabeBlockImport<Block, Client, GrandpaBlockImport<Backend, Block, Client, SelectChain>, Inherents, SelectChain>,
>;

/// The consensus parts that later services are connected to.
pub struct Consensus {
    /// Imports own blocks.
    pub block_import: BlockImport,
    /// Connects BABE's import and authoring.
    pub babe_link: BabeLink<Block>,
    /// Answers questions about BABE's epochs.
    pub babe_worker: BabeWorkerHandle<Block>,
    /// Connects GRANDPA's import and voter.
    pub grandpa_link: LinkHalf<Block, Client, SelectChain>,
    /// States slot and time of blocks.
    pub inherents: Inherents,
}

/// The parts of a node, before it has a network.
pub type Parts =
    PartialComponents<Client, Backend, SelectChain, DefaultImportQueue<Block>, Pool, (Consensus, Option<Telemetry>)>;

/// Blocks after which GRANDPA stores a justification even if nothing else asks for one.
const JUSTIFICATION_PERIOD: u32 = 512;

/// Opens the database and builds everything that imports blocks.
pub fn partial(config: &Configuration, runtime_params: &RuntimeParams) -> Result<Parts, ServiceError> {
    let telemetry_worker = telemetry_worker(config)?;
    let executor = runtime_params.executor(config);
    let backend = sc_service::new_db_backend(config.db_config())?;
    let genesis = Genesis {
        spec: config.chain_spec.cloned_box(),
        stores_state: !config.no_genesis(),
        backend: backend.clone(),
        executor: executor.clone(),
    };
    let (client, backend, keystore_container, task_manager) =
        sc_service::new_full_parts_with_genesis_builder::<Block, RuntimeApi, _, _>(
            config,
            telemetry_worker.as_ref().map(|(_, telemetry)| telemetry.handle()),
            executor,
            backend,
            genesis,
            false,
        )?;
    let client = Arc::new(client);
    let telemetry = telemetry_worker.map(|(worker, telemetry)| {
        task_manager.spawn_handle().spawn("telemetry", None, worker.run());
        telemetry
    });
    let select_chain = LongestChain::new(backend.clone());
    let transaction_pool = Arc::new(
        sc_transaction_pool::Builder::new(
            task_manager.spawn_essential_handle(),
            client.clone(),
            config.role.is_authority().into(),
        )
        .with_options(config.transaction_pool.clone())
        .with_prometheus(config.prometheus_registry())
        .build(),
    );
    let (consensus, import_queue) =
        consensus(config, &client, &select_chain, &transaction_pool, &task_manager, telemetry.as_ref())?;

    Ok(PartialComponents {
        client,
        backend,
        task_manager,
        keystore_container,
        select_chain,
        import_queue,
        transaction_pool,
        other: (consensus, telemetry),
    })
}

fn telemetry_worker(config: &Configuration) -> Result<Option<(TelemetryWorker, Telemetry)>, ServiceError> {
    let endpoints = config.telemetry_endpoints.clone().filter(|endpoints| !endpoints.is_empty());
    endpoints
        .map(|endpoints| -> Result<_, sc_telemetry::Error> {
            let worker = TelemetryWorker::new(16)?;
            let telemetry = worker.handle().new_telemetry(endpoints);
            Ok((worker, telemetry))
        })
        .transpose()
        .map_err(Into::into)
}

fn consensus(
    config: &Configuration,
    client: &Arc<Client>,
    select_chain: &SelectChain,
    pool: &Arc<Pool>,
    task_manager: &TaskManager,
    telemetry: Option<&Telemetry>,
) -> Result<(Consensus, DefaultImportQueue<Block>), ServiceError> {
    let telemetry = telemetry.map(Telemetry::handle);
    let (grandpa_import, grandpa_link) = sc_consensus_grandpa::block_import(
        client.clone(),
        JUSTIFICATION_PERIOD,
        &client.clone(),
        select_chain.clone(),
        telemetry.clone(),
    )?;
    let babe_config = sc_consensus_babe::configuration(&**client)?;
    let slot_duration = babe_config.slot_duration();
    let inherents = Inherents::new(slot_duration);
    let (block_import, babe_link) = sc_consensus_babe::block_import(
        babe_config,
        grandpa_import.clone(),
        client.clone(),
        inherents,
        select_chain.clone(),
        // It reports equivocations by headers without seals, which prove nothing.
        OffchainTransactionPoolFactory::new(RejectAllTxPool::default()),
    )?;
    let block_import = Watched::new(block_import, client.clone(), OffchainTransactionPoolFactory::new(pool.clone()));
    let (import_queue, babe_worker) = sc_consensus_babe::import_queue(ImportQueueParams {
        link: babe_link.clone(),
        block_import: block_import.clone(),
        justification_import: Some(Box::new(grandpa_import)),
        client: client.clone(),
        slot_duration,
        spawner: &task_manager.spawn_essential_handle(),
        registry: config.prometheus_registry(),
        telemetry,
    })?;
    Ok((Consensus { block_import, babe_link, babe_worker, grandpa_link, inherents }, import_queue))
}
