//! What can go wrong, each a sentence that says what to do.

use std::path::PathBuf;

use ensemble_compute::inference::{LocalError, RunError};

use super::super::tensor;
use crate::models;

/// Why a model is not imported, or does not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] tensor::Error),
    /// The file is no model that can be imported.
    #[error("the file cannot be imported: {0}")]
    Import(#[from] models::import::Error),
    /// A path that is none of a manifest.
    #[error("{}: this is no manifest of a model; give the file that `model import` names", path.display())]
    NoManifest {
        /// The path.
        path: PathBuf,
    },
    /// The model cannot be opened or asked.
    #[error("the model cannot be used: {0}")]
    Model(#[from] models::Error),
    /// The model does not go on.
    #[error("the model cannot answer: {0}")]
    Local(#[from] LocalError),
    /// The model cannot begin.
    #[error("the model cannot begin: {0}")]
    Run(#[from] RunError),
    /// A result cannot be put into JSON.
    #[error("cannot write the result as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<Error> for sc_cli::Error {
    fn from(error: Error) -> Self {
        Self::Application(Box::new(error))
    }
}
