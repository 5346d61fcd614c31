//! The ledger of the row service as what is remembered of sessions.

use ensemble_core::{
    inference::{Closing, RangeIndex, SessionId},
    tasks::Descriptor,
};

use super::Records;
use crate::rows::{Ledger, Signed};

impl Records for Ledger {
    fn trace(&self, session: SessionId, range: RangeIndex) -> Option<Descriptor> {
        self.trace(session, range)
    }

    fn closing(&self, session: SessionId) -> Option<Closing> {
        self.closing(session)
    }

    fn signed(&self, session: SessionId) -> Vec<Signed> {
        self.answered(session).map(|answered| answered.signed).unwrap_or_default()
    }

    fn forget(&self, session: SessionId) {
        self.forget(session);
    }
}
