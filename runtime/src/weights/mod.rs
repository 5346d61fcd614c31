//! What calls cost, measured by `scripts/weights`.
//!
//! The equivocation reports of BABE and GRANDPA, the keys of sessions and the pallets of governance keep the weights that
//! their pallets state.

mod block_weights;
pub mod extensions;
mod extrinsic_weights;
pub mod frame_system;
pub mod pallet_assets;
pub mod pallet_balances;
pub mod pallet_emission;
pub mod pallet_exchange;
pub mod pallet_inference;
pub mod pallet_market;
pub mod pallet_matching;
pub mod pallet_modules;
pub mod pallet_multisig;
pub mod pallet_proxy;
pub mod pallet_scores;
pub mod pallet_spaces;
pub mod pallet_stake;
pub mod pallet_sudo;
pub mod pallet_tasks;
pub mod pallet_timestamp;
pub mod pallet_utility;
pub mod pallet_validators;

pub use block_weights::BlockExecutionWeight;
pub use extrinsic_weights::ExtrinsicBaseWeight;
