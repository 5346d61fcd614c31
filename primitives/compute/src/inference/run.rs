//! One sequence of tokens through a model, without the matrix products: those are somebody else's.

mod step;

use alloc::{sync::Arc, vec::Vec};

use ensemble_tensor::{Hash, Kind};

use super::{
    config::{Invalid, Llama, Norm},
    glue::{self, Cache, Turn},
    Vector,
};
use crate::Machine;
use step::Step;

/// The tables of a model that are not multiplied by.
pub trait Tables {
    /// The weights of a norm, in units of 2^-20.
    fn norm(&self, norm: Norm) -> Option<&[i32]>;
    /// The rotation of a position: cosines, then sines, in units of 2^-30.
    fn rope(&self, position: u32) -> Option<&[i32]>;
    /// The kind of the embedding, and a token's row.
    fn embedding(&self, token: u32) -> Option<(Kind, &[u8])>;
}

impl<T: Tables + ?Sized> Tables for &T {
    fn norm(&self, norm: Norm) -> Option<&[i32]> {
        (**self).norm(norm)
    }

    fn rope(&self, position: u32) -> Option<&[i32]> {
        (**self).rope(position)
    }

    fn embedding(&self, token: u32) -> Option<(Kind, &[u8])> {
        (**self).embedding(token)
    }
}

impl<T: Tables + ?Sized> Tables for Arc<T> {
    fn norm(&self, norm: Norm) -> Option<&[i32]> {
        (**self).norm(norm)
    }

    fn rope(&self, position: u32) -> Option<&[i32]> {
        (**self).rope(position)
    }

    fn embedding(&self, token: u32) -> Option<(Kind, &[u8])> {
        (**self).embedding(token)
    }
}

/// Why a sequence does not go on. It is as it was before the call.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RunError {
    /// No model has this shape.
    #[error(transparent)]
    Architecture(#[from] Invalid),
    /// A table is missing, or has another shape than the architecture says.
    #[error("the model's {0} is missing or has another shape than its architecture says")]
    Table(&'static str),
    /// Nothing to begin with.
    #[error("a step takes at least one token")]
    NoTokens,
    /// A token that is not in the vocabulary.
    #[error("there is no token {token} in a vocabulary of {vocabulary}")]
    NoSuchToken {
        /// The token.
        token: u32,
        /// Tokens there are.
        vocabulary: u32,
    },
    /// A sequence longer than the model knows.
    #[error("the model knows {limit} positions, and these tokens would make it {wanted}")]
    TooManyPositions {
        /// Positions with these tokens.
        wanted: u64,
        /// Positions there are.
        limit: u32,
    },
    /// A step began before the last one ended.
    #[error("the last step still waits for outputs")]
    Waiting,
    /// Outputs that were not asked for.
    #[error("no step waits for outputs")]
    NotWaiting,
    /// Outputs of another number or length than those asked for.
    #[error("a stage gives {outputs} numbers for each of {inputs} inputs")]
    WrongOutputs {
        /// Inputs of the call.
        inputs: usize,
        /// Numbers for each.
        outputs: usize,
    },
}

/// Inputs that a stage's matrices have to be multiplied by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// The number of the stage.
    pub stage: u32,
    /// The position of the first input; each other is that of the next position.
    pub first: u32,
    /// The inputs.
    pub inputs: Vec<Vector>,
    /// For each input the hash of the residual before the stage. Empty if the sequence is not traced.
    pub states: Vec<Hash>,
}

/// What comes next in a step.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Next {
    /// Products are needed.
    Call(Call),
    /// The step is over, and this token follows.
    Token(u32),
    /// The step is over, and no token was asked for.
    Stored,
}

/// One sequence: its keys and values, and the step that it is in.
///
/// It computes everything but the matrix products. These are asked for one stage at a time, and it does not care where
/// they come from, or how long that takes.
#[derive(Clone, Debug)]
pub struct Run<T> {
    llama: Llama,
    tables: T,
    machine: Machine,
    traced: bool,
    caches: Vec<Cache>,
    step: Option<Step>,
}

impl<T: Tables> Run<T> {
    /// An empty sequence. If it is `traced`, calls come with hashes of the residual.
    ///
    /// Refuses a model that cannot be, and norms that do not fit it. `machine` says how many threads a long sequence's
    /// attention may use.
    pub fn new(llama: &Llama, tables: T, traced: bool, machine: Machine) -> Result<Self, RunError> {
        llama.check()?;
        let norms = (0..llama.layers).flat_map(|layer| [Norm::Attention(layer), Norm::Feed(layer)]);
        for norm in norms.chain([Norm::Output]) {
            weights(llama, &tables, norm)?;
        }
        let caches = (0..llama.layers).map(|_| Cache::new(llama)).collect();
        Ok(Self { llama: *llama, tables, machine, traced, caches, step: None })
    }

    /// The model's shape.
    pub fn llama(&self) -> &Llama {
        &self.llama
    }

    /// Positions that are computed.
    pub fn positions(&self) -> u32 {
        // The last layer's keys and values come last.
        let positions = self.caches.last().map_or(0, Cache::positions);
        u32::try_from(positions).unwrap_or(u32::MAX)
    }

    /// Begins a step with the next tokens. With `answer` it ends with the token that follows them; without, it only
    /// takes them in.
    pub fn begin(&mut self, tokens: &[u32], answer: bool) -> Result<Call, RunError> {
        if self.step.is_some() {
            return Err(RunError::Waiting);
        }
        let first = self.positions();
        self.check_tokens(tokens, first)?;
        let mut states = Vec::with_capacity(tokens.len());
        for (position, token) in (first..).zip(tokens) {
            self.turn(position)?;
            states.push(self.embed(*token)?);
        }
        let mut step = Step::new(first, states, answer, self.traced);
        let call = step.normed(&self.llama, weights(&self.llama, &self.tables, Norm::Attention(0))?);
        self.step = Some(step);
        Ok(call)
    }

    fn check_tokens(&self, tokens: &[u32], first: u32) -> Result<(), RunError> {
        if tokens.is_empty() {
            return Err(RunError::NoTokens);
        }
        let vocabulary = self.llama.vocabulary;
        if let Some(token) = tokens.iter().find(|token| **token >= vocabulary) {
            return Err(RunError::NoSuchToken { token: *token, vocabulary });
        }
        let (wanted, limit) = (u64::from(first).saturating_add(tokens.len() as u64), self.llama.positions);
        if wanted > u64::from(limit) {
            return Err(RunError::TooManyPositions { wanted, limit });
        }
        Ok(())
    }

    fn embed(&self, token: u32) -> Result<Vec<i64>, RunError> {
        let (kind, row) = self.tables.embedding(token).ok_or(RunError::Table("embedding"))?;
        let state = glue::embed(kind, row);
        if state.len() != self.llama.width as usize {
            return Err(RunError::Table("embedding"));
        }
        Ok(state)
    }

    fn turn(&self, position: u32) -> Result<Turn<'_>, RunError> {
        turn(&self.llama, &self.tables, position)
    }

    /// Takes the outputs of the last call: for each input, the products with all rows of the stage's matrices, one
    /// matrix after the other.
    pub fn supply(&mut self, outputs: &[Vec<i64>]) -> Result<Next, RunError> {
        let (llama, tables) = (self.llama, &self.tables);
        let step = self.step.as_mut().ok_or(RunError::NotWaiting)?;
        step.check(&llama, outputs)?;
        let next = step.advance(&llama, tables, &mut self.caches, self.machine, outputs)?;
        if !matches!(next, Next::Call(_)) {
            self.step = None;
        }
        Ok(next)
    }
}

/// The weights of a norm, if they are as many as the residual's elements.
fn weights<'a, T: Tables>(llama: &Llama, tables: &'a T, norm: Norm) -> Result<&'a [i32], RunError> {
    let fits = |weights: &&[i32]| weights.len() == llama.width as usize;
    tables.norm(norm).filter(fits).ok_or(RunError::Table("norm"))
}

/// The rotation of a position.
fn turn<'a, T: Tables>(llama: &Llama, tables: &'a T, position: u32) -> Result<Turn<'a>, RunError> {
    let fits = |row: &&[i32]| row.len() == llama.head_width as usize;
    let row = tables.rope(position).filter(fits).ok_or(RunError::Table("table of rotations"))?;
    Ok(Turn::new(row, llama.rope_interleaved))
}
