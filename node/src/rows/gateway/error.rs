//! Why a session is not answered, or not agreed to.

use ensemble_core::inference::{ModelId, SessionId};
use ensemble_runtime::Balance;
use ensemble_tensor::TensorId;

use crate::{models::Unopened, rows::chain::Unavailable};

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
    Model(#[from] Unopened),
    /// What comes of it could not be kept.
    #[error("the answer could not be kept: {0}")]
    NoRoom(String),
    /// Others take the memory.
    #[error("the answer takes {needed} bytes of memory, and this gateway has {free} left for answers")]
    NoMemory {
        /// What it takes.
        needed: u64,
        /// What others leave.
        free: u64,
    },
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

/// Why this node does not agree to drive a session.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It would not answer it either.
    #[error(transparent)]
    Answer(#[from] Error),
    /// Too much depends on each worker.
    #[error("this gateway drives sessions with {0} replicas or more")]
    TooFewReplicas(u32),
    /// The prompt is none.
    #[error("a prompt has tokens, and only such as the model knows")]
    Tokens,
    /// There can be no such session.
    #[error("there can be no session of this model with so many tokens, workers and replicas")]
    Terms,
    /// The requester could not open it.
    #[error("the requester cannot pay the price of {0} planck")]
    CannotPay(Balance),
    /// None of its keys is that of a gateway.
    #[error("this node has no key of such a gateway: one with a bond, that announced this node and is not leaving")]
    NoGateway,
    /// Its bond covers other sessions.
    #[error("the price of {price} planck has to be free of the gateway's bond, and {free} are")]
    BondTooSmall {
        /// The price.
        price: Balance,
        /// What is free.
        free: Balance,
    },
    /// Too many at once.
    #[error("this gateway has agreed to as much as it can answer, {0} sessions at once; ask again in a minute")]
    Busy(usize),
    /// It cannot be written down.
    #[error("the consent cannot be noted: {0}")]
    Unnoted(String),
}

impl From<Unavailable> for Refusal {
    fn from(error: Unavailable) -> Self {
        Self::Answer(error.into())
    }
}
