//! The first block.

use std::sync::Arc;

use ensemble_runtime::opaque::Block;
use sc_chain_spec::{BuildGenesisBlock, ChainSpec, GenesisBlockBuilder};
use sc_client_api::backend;

use super::{executor::Executor, partial::Backend};

/// Builds the first block, if the database has none. Only then is its state computed: that takes as long as compiling the
/// runtime, and a node that starts again has no use for it.
pub struct Genesis {
    /// What says what the state is.
    pub spec: Box<dyn ChainSpec>,
    /// Whether the state is stored; else it comes from other nodes.
    pub stores_state: bool,
    /// Where the block goes.
    pub backend: Arc<Backend>,
    /// Reads the runtime's version.
    pub executor: Executor,
}

impl BuildGenesisBlock<Block> for Genesis {
    type BlockImportOperation = <Backend as backend::Backend<Block>>::BlockImportOperation;

    fn build_genesis_block(self) -> sp_blockchain::Result<(Block, Self::BlockImportOperation)> {
        GenesisBlockBuilder::new(self.spec.as_storage_builder(), self.stores_state, self.backend, self.executor)?
            .build_genesis_block()
    }
}
