//! What crosses the borders between Ensemble's parts: identifiers, shared types and runtime APIs.
//!
//! A pallet knows another pallet only through this crate; the node and the client speak to the runtime only in these
//! types. Nothing here holds state.

#![cfg_attr(not(feature = "std"), no_std)]
#![expect(clippy::cast_possible_truncation, reason = "codec's derive numbers variants with `as u8`")]

extern crate alloc;

pub mod assets;
pub mod attester;
pub mod combination;
pub mod deposits;
pub mod emission;
pub mod epochs;
pub mod exchange;
pub mod inference;
pub mod market;
pub mod matching;
pub mod modules;
pub mod order;
pub mod scores;
pub mod spaces;
pub mod stake;
pub mod tasks;
pub mod validators;
pub mod votes;

pub use assets::AssetId;
pub use attester::AttesterId;
pub use epochs::EpochIndex;
pub use inference::{ModelId, SessionId};
pub use market::TicketId;
pub use modules::{ModelType, ModuleId};
pub use spaces::SpaceId;
pub use tasks::TaskId;
pub use validators::EraIndex;
