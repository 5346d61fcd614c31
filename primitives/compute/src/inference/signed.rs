//! What gateways and workers sign while a session is answered.

use alloc::vec::Vec;

use codec::Encode;

use super::{Position, RangeIndex, SessionId};

/// What a worker signs for each position and range, in front of everything else.
pub const ROWS_DOMAIN: &[u8] = b"ensemble/rows";

/// What a gateway signs for each position that it asks workers to compute, in front of everything else.
pub const ASK_DOMAIN: &[u8] = b"ensemble/ask";

/// What a worker signs that is reached through a node of others, in front of everything else.
pub const RELAY_DOMAIN: &[u8] = b"ensemble/relay";

/// The bytes that a worker signs when it has served a position: `row` is the leaf hash of its trace's row.
pub fn served_bytes<Hash: Encode>(
    genesis: &Hash,
    session: SessionId,
    range: RangeIndex,
    position: Position,
    row: &[u8; 32],
) -> Vec<u8> {
    (ROWS_DOMAIN, genesis, session, range, position, row).encode()
}

/// The bytes that a gateway signs when it asks workers to compute a position: of several at once, the last.
pub fn ask_bytes<Hash: Encode>(genesis: &Hash, session: SessionId, position: Position) -> Vec<u8> {
    (ASK_DOMAIN, genesis, session, position).encode()
}

/// The bytes that a worker signs for the node, of this peer id, that is to hand on to it what gateways send to the worker of
/// this key: once at each block number.
pub fn relay_bytes<Hash: Encode>(genesis: &Hash, peer: &[u8], key: &[u8; 32], at: u32) -> Vec<u8> {
    (RELAY_DOMAIN, genesis, peer, key, at).encode()
}
