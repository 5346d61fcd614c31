//! What this node remembers of sessions in which it took part.

use ensemble_core::{
    inference::{Closing, RangeIndex, SessionId},
    tasks::Descriptor,
};

use crate::rows::Signed;

/// What this node remembers of sessions in which it took part.
pub trait Records: Send + Sync {
    /// The trace of a range that this node served. It is in the store, pinned.
    fn trace(&self, session: SessionId, range: RangeIndex) -> Option<Descriptor>;
    /// What this node as the gateway has to say, once the answer is complete. All of it is in the store, pinned.
    fn closing(&self, session: SessionId) -> Option<Closing>;
    /// What workers signed in a session that this node answered.
    fn signed(&self, session: SessionId) -> Vec<Signed>;
    /// Lets go all that is kept for a session.
    fn forget(&self, session: SessionId);
}
