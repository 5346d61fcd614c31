//! The node's RPC beyond what every Substrate node answers.

use std::{error::Error, sync::Arc};

use ensemble_runtime::{opaque::Block, BlockNumber, Hash};
use jsonrpsee::RpcModule;
use sc_consensus_babe::BabeWorkerHandle;
use sc_consensus_grandpa::{FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState};
use sc_rpc::SubscriptionTaskExecutor;
use sp_keystore::KeystorePtr;

use crate::service::{Backend, Client, Pool, SelectChain};

/// What the RPC of GRANDPA reads.
pub struct Grandpa {
    /// State of the running rounds.
    pub voter_state: SharedVoterState,
    /// The authorities of the current set.
    pub authority_set: SharedAuthoritySet<Hash, BlockNumber>,
    /// Justifications as they come.
    pub justification_stream: GrandpaJustificationStream<Block>,
    /// Proofs of finality.
    pub finality_proofs: Arc<FinalityProofProvider<Backend, Block>>,
}

/// What the node's RPC reads.
pub struct Deps {
    /// Blocks and state.
    pub client: Arc<Client>,
    /// Transactions.
    pub pool: Arc<Pool>,
    /// The best chain.
    pub select_chain: SelectChain,
    /// The chain's specification.
    pub chain_spec: Box<dyn sc_chain_spec::ChainSpec>,
    /// The node's keys.
    pub keystore: KeystorePtr,
    /// BABE's epochs.
    pub babe_worker: BabeWorkerHandle<Block>,
    /// GRANDPA.
    pub grandpa: Grandpa,
    /// The tensor store's methods.
    pub tensors: RpcModule<()>,
    /// The methods of look-ups.
    pub lookup: RpcModule<()>,
    /// The methods of inference.
    pub rows: RpcModule<()>,
    /// The methods of paid access.
    pub tickets: RpcModule<()>,
}

/// Puts the RPC methods together.
pub fn create(deps: &Deps, executor: SubscriptionTaskExecutor) -> Result<RpcModule<()>, Box<dyn Error + Send + Sync>> {
    use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
    use sc_consensus_babe_rpc::{Babe, BabeApiServer};
    use sc_consensus_grandpa_rpc::{Grandpa as GrandpaRpc, GrandpaApiServer};
    use sc_sync_state_rpc::{SyncState, SyncStateApiServer};
    use substrate_frame_rpc_system::{System, SystemApiServer};

    let Deps { client, pool, select_chain, chain_spec, keystore, babe_worker, grandpa, tensors, lookup, rows, tickets } =
        deps;
    let mut module = RpcModule::new(());
    module.merge(System::new(client.clone(), pool.clone()).into_rpc())?;
    module.merge(TransactionPayment::new(client.clone()).into_rpc())?;
    module.merge(Babe::new(client.clone(), babe_worker.clone(), keystore.clone(), select_chain.clone()).into_rpc())?;
    module.merge(
        GrandpaRpc::new(
            executor,
            grandpa.authority_set.clone(),
            grandpa.voter_state.clone(),
            grandpa.justification_stream.clone(),
            grandpa.finality_proofs.clone(),
        )
        .into_rpc(),
    )?;
    module.merge(
        SyncState::new(chain_spec.cloned_box(), client.clone(), grandpa.authority_set.clone(), babe_worker.clone())?
            .into_rpc(),
    )?;
    module.merge(tensors.clone())?;
    module.merge(lookup.clone())?;
    module.merge(rows.clone())?;
    module.merge(tickets.clone())?;
    Ok(module)
}
