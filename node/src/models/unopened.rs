//! Why a model is not open, for those who only use it.

/// Why a model is not open.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{reason}")]
pub struct Unopened {
    /// A sentence.
    pub reason: String,
    /// Whether it may be open soon: it is being fetched or checked, or the store had no time.
    pub passing: bool,
}

impl From<&str> for Unopened {
    /// For good.
    fn from(reason: &str) -> Self {
        Self { reason: reason.into(), passing: false }
    }
}
