//! Workers and gateways on a network in memory.

mod faults;
mod generation;
mod net;
mod rpc;
mod serving;
pub mod tiny;
mod wire;
