//! Computing a session of inference again, and finding what shows that it went wrong.
//!
//! # How a check runs
//!
//! The tokens are taken as they are said to be, and everything else is computed from them, stage by stage, as the
//! gateway and the workers had to. At each stage, and for each position:
//!
//! 1. **State**, against the gateway's trace: it is the embedding, or the sum of the state before and the outputs of
//!    the stage before, or it is carried.
//! 2. **Input**, against the gateway's trace: it is the norm of the state, what attention gives, or the activation.
//! 3. **Inputs of the ranges**: each trace that won says the same as the gateway's.
//! 4. **Outputs**: each range's root is that of the products.
//! 5. **Token**: after the last stage it is the one with the largest output.
//!
//! Where a range's outputs are wrong and published, it goes on with them, because that is what the gateway had to do:
//! what comes after is judged by itself. Where they are wrong and nobody published them, or an input is wrong, of which
//! there is only a hash, nobody knows what comes after, and the check ends there.
//!
//! # What can be found and not shown
//!
//! - A false input of an Output stage: attention reads all positions before, which no block can.
//! - Wrong outputs that were not published: a trace has only their root.
//! - What rests on outputs of a range whose vote was void: nothing says which they were. Everything else in such a
//!   session is checked, with the outputs that this range had to give.

mod claims;
mod cut;
mod evidence;
#[cfg(any(test, feature = "sample"))]
pub mod sample;
#[cfg(test)]
mod tests;
mod walk;

pub use claims::{Claims, Table};
use cut::Cut;
pub use walk::{check, prompt_hash};

use ensemble_compute::inference::{Call, Llama, Tables};
use ensemble_core::inference::{Evidence, MatrixRow, Position, RangeIndex};

/// A model that is here.
pub trait Model {
    /// Its small tables.
    type Tables: Tables;

    /// Its shape.
    fn llama(&self) -> &Llama;
    /// Its small tables.
    fn tables(&self) -> Self::Tables;
    /// The products of all rows of a stage with each input, matrix after matrix.
    fn compute(&self, call: &Call) -> Result<Vec<Vec<i64>>, String>;
    /// A row of a member, and that it is the model's.
    fn prove(&self, member: &str, row: u32) -> Result<MatrixRow, String>;
}

/// What came of a check.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Everything is as it was said to be.
    Right,
    /// What shows that it is not.
    Wrong(Vec<Evidence>),
}

/// Why there is no verdict.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unable {
    /// The tensors are not those of a session.
    #[error("the tokens or a trace do not have the shape of those of a session")]
    Shape,
    /// A token is none of the model's.
    #[error("there is no token {0}")]
    Token(u32),
    /// What the gateway fed to an Output stage is wrong, which cannot be shown.
    #[error(
        "at position {position} the input of stage {stage} is not what attention gives, which no dispute can show"
    )]
    Attention {
        /// The position.
        position: Position,
        /// The stage.
        stage: u32,
    },
    /// A range's outputs are wrong, and not published.
    #[error(
        "at position {position} range {range} gave wrong outputs in stage {stage}, and the gateway withholds them"
    )]
    Withheld {
        /// The range.
        range: RangeIndex,
        /// The position.
        position: Position,
        /// The stage.
        stage: u32,
    },
    /// It takes the outputs of all ranges to show what is wrong, and a range has no trace.
    #[error("at position {position} stage {stage} is wrong, and a range without a trace keeps it from being shown")]
    Void {
        /// The position.
        position: Position,
        /// The stage.
        stage: u32,
    },
    /// Something is wrong of which only the hash is known. What shows it was found.
    #[error("nobody knows what came of the false stage {stage} at position {position}")]
    Unknown {
        /// The position.
        position: Position,
        /// The stage.
        stage: u32,
    },
    /// Nobody asked for it any more.
    #[error("nobody asks for it any more")]
    GivenUp,
    /// The model cannot be computed with.
    #[error("the model: {0}")]
    Model(String),
    /// The sequence cannot be computed.
    #[error("the sequence: {0}")]
    Sequence(String),
}

impl From<ensemble_tensor::Error> for Unable {
    fn from(error: ensemble_tensor::Error) -> Self {
        Self::Sequence(error.to_string())
    }
}
