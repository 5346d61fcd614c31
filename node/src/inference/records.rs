//! What this node remembers of sessions in which it took part.

use ensemble_core::{
    inference::{Closing, Evidence, Position, RangeIndex, SessionId},
    tasks::Descriptor,
};
use ensemble_host::Check;

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
    /// The furthest position that the gateway of a session, as the chain names it, asked workers of this node for, if
    /// it is beyond this one. May block.
    fn asked(&self, session: SessionId, beyond: Position) -> Option<Asked>;
    /// What this node as the gateway has to say, once the answer is complete. All of it is in the store, pinned.
    fn closing(&self, session: SessionId) -> Option<Closing>;
    /// What workers signed in a session that this node answered. May block.
    fn signed(&self, session: SessionId) -> Vec<Signed>;
    /// Lets go all that is kept for a session.
    fn forget(&self, session: SessionId);
}

/// That the gateway of a session asked for more than it closed with. It may have been given nothing for the position
/// after those.
pub fn short(records: &dyn Records, check: &Check) -> Option<Evidence> {
    let Asked { position, signature } = records.asked(check.session, check.closing.positions())?;
    Some(Evidence::Short { position, signature })
}
