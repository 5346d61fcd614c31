//! What each pallet is told, by concern.

mod accounts;
mod consensus;
mod governance;
mod inference;
mod market;
mod modules;
mod money;
mod spaces;
mod subnet;
mod system;
mod tasks;

pub use accounts::ProxyType;
pub use consensus::BABE_GENESIS_EPOCH_CONFIG;
pub use governance::{
    origins as pallet_origins,
    parameters::{dynamic_params, RuntimeParameters},
    tracks::{TrackId, Tracks},
    voters as pallet_voters,
};
pub use system::{RuntimeBlockLength, RuntimeBlockWeights};

use crate::{Balance, TUNE};

/// Most rounds of spaces that run, and are voted on, at one time.
const MAX_ROUNDS: u32 = 4;

/// What 16 attestations would cost an account that sends them, and half as much, in planck.
const ATTEST_FEE: Balance = TUNE * 15 / 1_000;
