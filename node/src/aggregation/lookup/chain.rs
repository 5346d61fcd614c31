//! The chain's state, as look-ups ask it.

use std::sync::Arc;

use codec::{DecodeAll, Encode};
use ensemble_core::{spaces::SpaceView, SpaceId};
use ensemble_runtime::{opaque::Block, AccountId, Balance, BlockNumber};
use sc_client_api::{CallExecutor, ExecutorProvider};
use sp_blockchain::HeaderBackend;
use sp_core::traits::CallContext;

/// What the chain says of a space.
pub type Space = SpaceView<AccountId, Balance, BlockNumber>;

/// The runtime API that is called, by its name: a chain whose runtime has no spaces yet says so.
const SPACE: &str = "SpacesApi_space";

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
    C: ExecutorProvider<Block> + HeaderBackend<Block> + Send + Sync,
{
    fn space(&self, id: SpaceId) -> Result<Option<Space>, Unavailable> {
        let best = self.0.info().best_hash;
        let answer = self.0.executor().call(best, SPACE, &id.encode(), CallContext::Offchain);
        let answer = answer.map_err(|error| Unavailable(error.to_string()))?;
        DecodeAll::decode_all(&mut &answer[..]).map_err(|error| Unavailable(format!("{SPACE}: {error}")))
    }
}
