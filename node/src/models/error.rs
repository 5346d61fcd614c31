//! What can be wrong with a model, each a sentence.

use ensemble_compute::inference::{Error as ProductError, LocalError};
use ensemble_model::OpenError;
use ensemble_tensor::TensorId;

use super::{sandbox, template, tokenizer, Unopened};
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
    /// A file is not what a model has.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store says no.
    #[error(transparent)]
    Store(#[from] StoreError),
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

impl From<Error> for Unopened {
    fn from(error: Error) -> Self {
        // All of these are about the files, which are fetched, checked and mended.
        let passing = matches!(
            error,
            Error::NotHeld(_)
                | Error::Unchecked(_)
                | Error::Store(_)
                | Error::Open(OpenError::Damaged(_) | OpenError::Io(_))
        );
        Self { reason: error.to_string(), passing }
    }
}
