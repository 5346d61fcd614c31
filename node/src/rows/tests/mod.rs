//! Workers and gateways on a network in memory.

mod consents;
mod faults;
mod generation;
pub mod net;
mod rpc;
mod serving;
pub mod tiny;
mod wire;
