//! The chain as its metadata describes it.
//!
//! `client/metadata.scale` is the metadata of the runtime that this client was built for; `scripts/metadata` writes it,
//! and a test of the node fails when it is old. Each call is compared with the node's metadata before it is made, so
//! that a client works with another runtime as far as the two agree, and says so where they do not.

use subxt::{config::PolkadotConfig, OnlineClientAtBlock};

/// Calls, storage, events and runtime APIs of the chain.
#[allow(missing_docs, rustdoc::all, clippy::all, clippy::unwrap_used, clippy::cast_possible_truncation)]
#[subxt::subxt(runtime_metadata_path = "metadata.scale")]
pub mod ensemble {}

/// Types that the chain's metadata names.
pub use ensemble::runtime_types as types;
pub use subxt::utils::{AccountId32, H256};

/// How transactions and blocks look: as those of Polkadot.
pub type Config = PolkadotConfig;

/// The chain as it was in one block.
pub type At = OnlineClientAtBlock<Config>;

/// The metadata that this client was built with.
pub const METADATA: &[u8] = include_bytes!("../metadata.scale");

/// Name of the runtime, by which its networks are known.
pub const SPEC_NAME: &str = "ensemble";

/// Time from one block to the next, in seconds.
pub const BLOCK_SECONDS: u64 = 3;

/// A hash as a text.
pub fn hash_text(hash: &H256) -> String {
    format!("0x{}", hex::encode(hash.as_bytes()))
}

/// Bytes that should be a text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
