//! The chain's state, as look-ups ask it.

use std::sync::Arc;

use ensemble_core::{
    spaces::{SpaceView, SpacesApi},
    SpaceId,
};
use ensemble_runtime::{opaque::Block, AccountId, Balance, BlockNumber};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;

/// What the chain says of a space.
pub type Space = SpaceView<AccountId, Balance, BlockNumber>;

/// The chain's state cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

/// What spaces there are.
pub trait Spaces: Send + Sync {
    /// A space, by the state of the best block.
    fn space(&self, id: SpaceId) -> Result<Option<Space>, Unavailable>;
}

/// The node's own chain.
pub struct ClientSpaces<C>(pub Arc<C>);

impl<C> Spaces for ClientSpaces<C>
where
    C: ProvideRuntimeApi<Block> + HeaderBackend<Block> + Send + Sync,
    C::Api: SpacesApi<Block, AccountId, Balance, BlockNumber>,
{
    fn space(&self, id: SpaceId) -> Result<Option<Space>, Unavailable> {
        let best = self.0.info().best_hash;
        self.0.runtime_api().space(best, id).map_err(|error| Unavailable(error.to_string()))
    }
}
