//! Tokens with a meaning of their own.

use serde::{Deserialize, Serialize};

/// The `special` member of a model.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Special {
    /// The token at the beginning of a text, if the model has one.
    pub beginning: Option<u32>,
    /// The token at the end of a text, if the model has one.
    pub end: Option<u32>,
    /// The tokens that end an answer, in ascending order.
    pub ends: Vec<u32>,
}
