//! What the row service remembers of sessions.

use ensemble_core::{
    inference::{Closing, Position, RangeIndex, SessionId},
    tasks::Descriptor,
};

use super::Records;
use crate::rows::{Asked, LedgerError, Remembered, Signed};

impl Records for Remembered {
    fn traces(&self, session: SessionId, range: RangeIndex) -> Vec<Descriptor> {
        self.ledger().traces(session, range)
    }

    fn cut(
        &self,
        session: SessionId,
        range: RangeIndex,
        trace: &Descriptor,
        positions: u32,
    ) -> Result<Option<Descriptor>, LedgerError> {
        self.ledger().cut(session, range, trace, positions)
    }

    fn asked(&self, session: SessionId, beyond: Position) -> Option<Asked> {
        self.asked(session, beyond)
    }

    fn closing(&self, session: SessionId) -> Option<Closing> {
        self.ledger().closing(session)
    }

    fn signed(&self, session: SessionId) -> Vec<Signed> {
        self.ledger().signed(session)
    }

    fn forget(&self, session: SessionId) {
        self.ledger().forget(session);
    }
}
