//! What can be wrong with a model, each a sentence.

use std::io;

use ensemble_compute::inference::{config::Invalid, Error as ProductError, LocalError};
use ensemble_tensor::TensorId;

use super::{sandbox, template, tokenizer};
use crate::tensors::StoreError;

/// Why a model is not opened, or does not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bundle, or a member, is not held.
    #[error("the model {0} is not held as a whole; fetch it first")]
    NotHeld(TensorId),
    /// The bytes were not looked at yet.
    #[error("the model {0} is still being checked; try again in a while")]
    Unchecked(TensorId),
    /// The id is that of something else.
    #[error("{0} is no bundle, or one too large for a model")]
    NoBundle(TensorId),
    /// A file is not what its name says.
    #[error("the file of {0} is damaged; get it again")]
    Damaged(TensorId),
    /// A member is missing.
    #[error("the bundle has no {0:?}, which every model has; import the model anew")]
    Missing(String),
    /// A member of bytes is none, or too long.
    #[error("the member {name:?} does not consist of bytes, or has more than {limit}")]
    Bytes {
        /// The member.
        name: String,
        /// Most bytes.
        limit: u64,
    },
    /// A matrix or table of another kind or shape.
    #[error("the member {0:?} has another kind or shape than the architecture says")]
    Shape(String),
    /// The architecture cannot be read.
    #[error("the architecture is of none that this software knows; update it")]
    Config,
    /// No model can have this shape.
    #[error("no model can have this shape: {0}")]
    Invalid(#[from] Invalid),
    /// A tensor is not valid.
    #[error(transparent)]
    Tensor(#[from] ensemble_tensor::Error),
    /// The store says no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file cannot be read.
    #[error("a file of the model cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The tokenizer is refused, or a text.
    #[error(transparent)]
    Tokenizer(#[from] tokenizer::Error),
    /// The template is no text, or too long.
    #[error("the model's template is no text, or too long")]
    TemplateText,
    /// The model has no template.
    #[error("the model has no template for conversations; give it tokens instead")]
    NoTemplate,
    /// A conversation is refused.
    #[error("the conversation is refused: {0}")]
    Conversation(#[from] template::Error),
    /// The template did not make a text of a conversation.
    #[error(transparent)]
    Sandbox(#[from] sandbox::Error),
    /// A stage that the model has not.
    #[error("the model has no stage {0}")]
    NoSuchStage(u32),
    /// Inputs that do not fit.
    #[error(transparent)]
    Product(#[from] ProductError),
    /// A sequence that does not go on.
    #[error(transparent)]
    Local(#[from] LocalError),
}
