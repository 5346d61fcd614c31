//! The exchange of tensors between nodes, over a request-response protocol of its own.
//!
//! | file | what it does |
//! |---|---|
//! | `protocol` | messages and their limits |
//! | `limits`, `server` | answering peers |
//! | `fetcher`, `transfer` | fetching from peers: jobs, and one tensor of a job |
//! | `reopen` | finding out that what came as restricted content is open elsewhere |
//! | `network`, `libp2p` | the network as the fetcher sees it, and the node's as such |
//! | `providers` | announcing and finding tensors in the DHT |

mod fetcher;
mod libp2p;
mod limits;
mod network;
mod protocol;
mod providers;
mod reopen;
mod server;
#[cfg(test)]
pub mod tests;
mod transfer;

use sc_network::{config::IncomingRequest, types::ProtocolName, NetworkBackend};
use sp_runtime::traits::Block;

pub use fetcher::{Fetcher, JobStatus, QueueFull, Terms};
pub use libp2p::Libp2p;
pub use providers::Providers;
pub use server::Server;
pub use transfer::Patience;

/// The protocol's name on the chain with this genesis block.
pub fn protocol_name(genesis: impl AsRef<[u8]>) -> ProtocolName {
    format!("/{}/ensemble/tensors/1", hex::encode(genesis)).into()
}

/// What the network has to know of the protocol, and the requests that it will bring.
pub fn protocol_config<B: Block, N: NetworkBackend<B, B::Hash>>(
    name: ProtocolName,
) -> (N::RequestResponseProtocolConfig, async_channel::Receiver<IncomingRequest>) {
    let (inbound, requests) = async_channel::bounded(protocol::INBOUND_QUEUE);
    let config = N::request_response_config(
        name,
        Vec::new(),
        protocol::MAX_REQUEST_LEN as u64,
        protocol::MAX_RESPONSE_LEN as u64,
        protocol::REQUEST_TIMEOUT,
        Some(inbound),
    );
    (config, requests)
}
