//! A model, as workers and gateways see it.

use std::sync::Arc;

use ensemble_compute::inference::{Llama, Rows, Tables};
use ensemble_rows::Matrices;
use ensemble_tensor::TensorId;
use serde::Deserialize;

use super::opened::Opened;
use crate::{
    models::{self, Message, Unopened},
    tensors::Store,
};

/// Models that this node has.
pub trait Models: Send + Sync {
    /// Opens a model, or says why it cannot be. May take a while, and less the second time.
    fn open(&self, content: TensorId) -> Result<Arc<dyn Model>, Unopened>;
}

/// A model that is open.
pub trait Model: Tables + Matrices {
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
    Messages(Vec<Message>),
}

impl Matrices for models::Model {
    fn llama(&self) -> &Llama {
        self.llama()
    }

    fn matrix(&self, stage: u32, matrix: usize) -> Option<Rows<'_>> {
        self.matrices().matrix(stage, matrix)
    }
}

impl Model for models::Model {
    fn prompt(&self, prompt: &Prompt) -> Result<Vec<u32>, String> {
        match prompt {
            Prompt::Text(text) => self.tokenizer().tokens(text).map_err(|error| error.to_string()),
            Prompt::Messages(messages) => self.prompt(messages).map_err(|error| error.to_string()),
        }
    }

    fn text(&self, tokens: &[u32]) -> String {
        self.tokenizer().text(tokens)
    }

    fn is_end(&self, token: u32) -> bool {
        self.tokenizer().ends(token)
    }
}

/// The models in a store.
pub struct HeldModels {
    store: Arc<Store>,
    opened: Opened<models::Model>,
}

impl HeldModels {
    /// None is open yet.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, opened: Opened::default() }
    }
}

impl Models for HeldModels {
    fn open(&self, content: TensorId) -> Result<Arc<dyn Model>, Unopened> {
        let model = self.opened.get(content, || Ok(models::Model::held(&self.store, &content)?))?;
        Ok(model)
    }
}
