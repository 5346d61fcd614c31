//! What this node remembers of sessions, held against what the chain says of them.

use std::sync::Arc;

use ensemble_core::inference::{ask_bytes, Position, SessionId};
use sp_core::Pair;

use super::{chain, keys::AttesterPair, Asked, Context, Ledger, LOG_TARGET};

/// The memory of a node, and its view of the chain.
pub struct Remembered {
    context: Arc<Context>,
}

impl Remembered {
    /// That of workers and gateways that share a context.
    pub(super) fn new(context: Arc<Context>) -> Self {
        Self { context }
    }

    /// What it remembers.
    pub fn ledger(&self) -> &Ledger {
        &self.context.ledger
    }

    /// The furthest position that the gateway of a session asked workers of this node for, if it is beyond this one,
    /// and the chain would believe it: on another fork the session of this number may be that of another gateway. May
    /// block.
    pub fn asked(&self, session: SessionId, beyond: Position) -> Option<Asked> {
        let asked = self.context.ledger.asked(session).filter(|asked| asked.position > beyond)?;
        let view = self.context.chain.session(session).unwrap_or_else(|error| {
            tracing::warn!(target: LOG_TARGET, "Session {session}: {error}");
            None
        })?;
        let bytes = ask_bytes(&self.context.genesis, session, asked.position);
        let is_signed = AttesterPair::verify(&asked.signature, bytes, &view.gateway.key);
        (is_signed && asked.position < chain::most_positions(&view)).then_some(asked)
    }
}
