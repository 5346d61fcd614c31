//! The node's services, in the order in which they start: storage and consensus imports ([`partial`]), network, RPC,
//! then authoring, discovery, finality and off-chain work ([`full`]).

mod equivocations;
mod executor;
mod full;
mod genesis;
mod inherents;
mod partial;

pub use executor::RuntimeParams;
pub use full::full;
pub use partial::{partial, Backend, Client, Pool, SelectChain};
