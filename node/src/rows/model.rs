//! A model, as workers and gateways see it.

use std::sync::Arc;

use ensemble_compute::inference::{Llama, Rows, Tables};
use ensemble_tensor::TensorId;
use serde::Deserialize;

/// Models that this node has.
pub trait Models: Send + Sync {
    /// Opens a model, or says why it cannot be. May take a while, and less the second time.
    fn open(&self, content: TensorId) -> Result<Arc<dyn Model>, String>;
}

/// A model that is open.
pub trait Model: Tables + Send + Sync {
    /// Its shape.
    fn llama(&self) -> &Llama;

    /// The matrix of this name.
    fn matrix(&self, name: &str) -> Option<Rows<'_>>;

    /// The tokens of a prompt.
    fn prompt(&self, prompt: &Prompt) -> Result<Vec<u32>, String>;

    /// The text of tokens.
    fn text(&self, tokens: &[u32]) -> String;

    /// Whether an answer ends with this token.
    fn is_end(&self, token: u32) -> bool;
}

/// What a model is asked.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(untagged)]
pub enum Prompt {
    /// A text, as it is.
    Text(String),
    /// A conversation, through the model's template.
    Messages(Vec<Saying>),
}

/// What somebody said in a conversation.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Saying {
    /// Who: `system`, `user` or `assistant`.
    pub role: String,
    /// What.
    pub content: String,
}

impl Prompt {
    /// Bytes of all its texts.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Messages(sayings) => sayings.iter().map(|saying| saying.role.len() + saying.content.len()).sum(),
        }
    }
}
