//! What this node remembers of sessions in which it took part.

use ensemble_core::{
    inference::{Closing, RangeIndex, SessionId},
    tasks::Descriptor,
};

use crate::rows::{Asked, LedgerError, Signed};

/// What this node remembers of sessions in which it took part.
pub trait Records: Send + Sync {
    /// The traces of a range that keys of this node served, the longest first. All are in the store, pinned.
    fn traces(&self, session: SessionId, range: RangeIndex) -> Vec<Descriptor>;
    /// One of them, cut after so many positions, which goes into the store, pinned; nothing if it has not as many.
    fn cut(
        &self,
        session: SessionId,
        range: RangeIndex,
        trace: &Descriptor,
        positions: u32,
    ) -> Result<Option<Descriptor>, LedgerError>;
    /// The furthest position that the gateway of a session, as the chain names it, asked workers of this node for. May
    /// block.
    fn asked(&self, session: SessionId) -> Option<Asked>;
    /// What this node as the gateway has to say, once the answer is complete. All of it is in the store, pinned.
    fn closing(&self, session: SessionId) -> Option<Closing>;
    /// What workers signed in a session that this node answered. May block.
    fn signed(&self, session: SessionId) -> Vec<Signed>;
    /// Lets go all that is kept for a session.
    fn forget(&self, session: SessionId);
}
