//! What can be wrong with the files of a model, each a sentence.

use std::io;

use ensemble_compute::inference::config::Invalid;
use ensemble_tensor::TensorId;

/// Why a model's files are not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
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
    /// A file cannot be read.
    #[error("a file of the model cannot be read: {0}")]
    Io(#[from] io::Error),
}
