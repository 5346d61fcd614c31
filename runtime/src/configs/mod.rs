//! What each pallet is told, by concern.

mod accounts;
mod consensus;
mod modules;
mod money;
mod spaces;
mod subnet;
mod system;
mod tasks;

pub use accounts::ProxyType;
pub use consensus::BABE_GENESIS_EPOCH_CONFIG;
pub use system::{RuntimeBlockLength, RuntimeBlockWeights};

/// Most rounds of spaces that run, and are voted on, at one time.
const MAX_ROUNDS: u32 = 4;
