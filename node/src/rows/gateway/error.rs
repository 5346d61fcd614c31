//! Why a session is not answered.

use ensemble_core::inference::{ModelId, SessionId};
use ensemble_tensor::TensorId;

use crate::rows::chain::Unavailable;

/// Why a session is not answered.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The chain has no such session.
    #[error("there is no session {0}, or none any more")]
    UnknownSession(SessionId),
    /// Its workers are not drawn yet.
    #[error("the session's workers are not drawn yet; ask again in a few blocks")]
    NotAssigned,
    /// It is over.
    #[error("the session is closed")]
    Closed,
    /// Another node is the gateway.
    #[error("the key of the session's gateway is not in this node's keystore; ask the node that has it")]
    NotGateway,
    /// The session was opened for another prompt.
    #[error("the session was opened for other tokens: their number or their BLAKE2b hash differs")]
    AnotherPrompt,
    /// The answer is complete, and its tokens are in the store.
    #[error("the session has been answered; its tokens are the tensor {0}")]
    Answered(TensorId),
    /// The chain has no such model.
    #[error("there is no model {0}")]
    UnknownModel(ModelId),
    /// The model cannot be opened.
    #[error("the model cannot be opened: {0}")]
    Model(String),
    /// Too many at once.
    #[error("this gateway answers {0} sessions at once; ask again when one is complete")]
    Busy(usize),
    /// The system refused a thread.
    #[error("this gateway has no room for another session: {0}")]
    Thread(String),
    /// The chain cannot be asked.
    #[error(transparent)]
    Chain(#[from] Unavailable),
}
