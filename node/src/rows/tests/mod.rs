//! Workers and gateways on a network in memory.
#![allow(clippy::cast_possible_truncation, reason = "samples are small")]

mod consents;
mod faults;
mod generation;
pub mod net;
mod relays;
mod rpc;
mod serving;
pub mod tiny;
mod wire;
