//! The chain's state, as the gate asks it.

use std::sync::Arc;

use ensemble_core::{
    exchange::{Asker, ExchangeApi, Received, Refusal, Title},
    TaskId,
};
use ensemble_runtime::{opaque::Block, AccountId, BlockNumber, Hash};
use ensemble_tensor::TensorId;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;

use crate::tensors::LOG_TARGET;

/// The chain's state cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unavailable;

/// Who is entitled to what.
pub trait Chain: Send + Sync {
    /// The best block.
    fn best(&self) -> Hash;

    /// Whether `asker` may have `content` of `task` by the state of a block.
    fn entitlement(
        &self,
        at: Hash,
        asker: &Asker<AccountId>,
        task: TaskId,
        content: TensorId,
    ) -> Result<Result<Title<BlockNumber>, Refusal>, Unavailable>;

    /// What an account was granted and may still have by the state of a block, oldest first.
    fn received(&self, at: Hash, account: &AccountId) -> Result<Vec<Received<BlockNumber>>, Unavailable>;
}

/// The node's own chain.
pub struct ClientChain<C>(pub Arc<C>);

impl<C> Chain for ClientChain<C>
where
    C: ProvideRuntimeApi<Block> + HeaderBackend<Block> + Send + Sync,
    C::Api: ExchangeApi<Block, AccountId, BlockNumber>,
{
    fn best(&self) -> Hash {
        self.0.info().best_hash
    }

    fn entitlement(
        &self,
        at: Hash,
        asker: &Asker<AccountId>,
        task: TaskId,
        content: TensorId,
    ) -> Result<Result<Title<BlockNumber>, Refusal>, Unavailable> {
        self.0.runtime_api().entitlement(at, asker.clone(), task, content).map_err(|error| {
            tracing::warn!(target: LOG_TARGET, "Cannot ask the chain who may have {content}: {error}");
            Unavailable
        })
    }

    fn received(&self, at: Hash, account: &AccountId) -> Result<Vec<Received<BlockNumber>>, Unavailable> {
        self.0.runtime_api().received(at, account.clone()).map_err(|error| {
            tracing::warn!(target: LOG_TARGET, "Cannot ask the chain what {account} was granted: {error}");
            Unavailable
        })
    }
}
