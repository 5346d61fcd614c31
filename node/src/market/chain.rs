//! The chain's state, as the check of tickets asks it.

use std::sync::Arc;

use ensemble_core::market::{MarketApi, TicketId, TicketView};
use ensemble_runtime::{opaque::Block, AccountId, Balance, BlockNumber, Hash};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;

/// What the chain says of a ticket.
pub type Ticket = TicketView<AccountId, BlockNumber>;

/// The chain's state cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

/// What tickets there are.
pub trait Tickets: Send + Sync {
    /// The chain's first block.
    fn genesis(&self) -> Hash;

    /// A ticket by the state of the best block, with the number of that block.
    fn ticket(&self, id: TicketId) -> Result<(Option<Ticket>, BlockNumber), Unavailable>;
}

/// The node's own chain.
pub struct ClientTickets<C>(pub Arc<C>);

impl<C> Tickets for ClientTickets<C>
where
    C: ProvideRuntimeApi<Block> + HeaderBackend<Block> + Send + Sync,
    C::Api: MarketApi<Block, AccountId, Balance, BlockNumber>,
{
    fn genesis(&self) -> Hash {
        self.0.info().genesis_hash
    }

    fn ticket(&self, id: TicketId) -> Result<(Option<Ticket>, BlockNumber), Unavailable> {
        let info = self.0.info();
        let ticket = self.0.runtime_api().ticket(info.best_hash, id);
        Ok((ticket.map_err(|error| Unavailable(error.to_string()))?, info.best_number))
    }
}
