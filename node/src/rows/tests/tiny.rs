//! A model that fits a test, with a tokenizer.

use std::sync::Arc;

use ensemble_compute::inference::{Llama, Norm, Rows, Tables};
use ensemble_rows::{sample::Sample, Matrices};
use ensemble_tensor::{Kind, TensorId};
use parking_lot::Mutex;

use crate::{
    models::Unopened,
    rows::model::{Model, Models, Prompt},
};

pub use ensemble_rows::sample::{vectors, LLAMA};

/// The two halves of a character.
pub const HALVES: [u32; 2] = [39, 40];

/// A prompt that takes a while to make.
pub const SLOW: &str = "slow";

/// A model with numbers from a seed.
#[derive(Clone)]
pub struct Tiny {
    sample: Sample,
    /// The token that ends an answer.
    pub end: Option<u32>,
}

impl Tiny {
    pub fn new(seed: u64) -> Self {
        Self { sample: Sample::new(seed), end: None }
    }

    /// The matrix of a name.
    pub fn named(&self, name: &str) -> Option<Rows<'_>> {
        self.sample.named(name)
    }

    /// The same with one quant of a row that is another.
    pub fn altered(&self, name: &str, row: usize) -> Self {
        Self { sample: self.sample.altered(name, row), ..*self }
    }
}

impl Tables for Tiny {
    fn norm(&self, norm: Norm) -> Option<&[i32]> {
        self.sample.norm(norm)
    }

    fn rope(&self, position: u32) -> Option<&[i32]> {
        self.sample.rope(position)
    }

    fn embedding(&self, token: u32) -> Option<(Kind, &[u8])> {
        self.sample.embedding(token)
    }
}

impl Matrices for Tiny {
    fn llama(&self) -> &Llama {
        self.sample.llama()
    }

    fn matrix(&self, stage: u32, matrix: usize) -> Option<Rows<'_>> {
        self.sample.matrix(stage, matrix)
    }
}

impl Model for Tiny {
    fn prompt(&self, prompt: &Prompt) -> Result<Vec<u32>, String> {
        match prompt {
            Prompt::Text(text) if text == SLOW => {
                std::thread::sleep(std::time::Duration::from_millis(30));
                Ok(vec![1])
            },
            Prompt::Text(text) => Ok(text.bytes().map(|byte| u32::from(byte % 39)).collect()),
            Prompt::Messages(_) => Err("the model has no template".into()),
        }
    }

    fn text(&self, tokens: &[u32]) -> String {
        let byte = |token: &u32| match token {
            39 => 0xc3,
            40 => 0xa9,
            other => b'A' + *other as u8,
        };
        String::from_utf8_lossy(&tokens.iter().map(byte).collect::<Vec<_>>()).into_owned()
    }

    fn is_end(&self, token: u32) -> bool {
        self.end == Some(token)
    }
}

/// The models of a node: one, whatever is asked for.
pub struct Shelf(pub Mutex<Result<Arc<Tiny>, Unopened>>);

impl Models for Shelf {
    fn open(&self, _: TensorId) -> Result<Arc<dyn Model>, Unopened> {
        Ok(self.0.lock().clone()?)
    }
}
