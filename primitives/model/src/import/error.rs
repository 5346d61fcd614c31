//! What can be wrong with a file, each a sentence that says what to do.

use ensemble_compute::inference::config::Invalid;

use crate::{definition::Refusal, template};

/// Why a file is not imported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not well formed, or its metadata is not.
    #[error(transparent)]
    File(#[from] ensemble_tensor::Error),
    /// A tensor is missing or cannot be converted.
    #[error("tensor {name}: {source}")]
    Tensor {
        /// The tensor.
        name: String,
        /// What is wrong.
        source: ensemble_tensor::Error,
    },
    /// A tensor of another shape than the metadata says.
    #[error(
        "tensor {name} has {} rows of {} columns where the metadata asks for {rows} of {cols}; convert the model anew",
        found.0, found.1
    )]
    Shape {
        /// The tensor.
        name: String,
        /// Rows that the metadata asks for.
        rows: u32,
        /// Columns that the metadata asks for.
        cols: u32,
        /// Rows and columns that there are.
        found: (u32, u32),
    },
    /// A matrix of whole numbers.
    #[error("tensor {0} holds whole numbers, which are no weights; convert the model anew")]
    NoMatrix(String),
    /// A norm that is no floating point.
    #[error("tensor {0} is a norm, which is read as F32 or F16 only; convert the model anew")]
    NoNorm(String),
    /// A tensor that the architecture has not.
    #[error(
        "the tensor {0:?} is none that a Llama has: the model computes something that this software does not, and \
         cannot be imported"
    )]
    UnknownTensor(String),
    /// Another architecture.
    #[error("the architecture is {0:?}, but only models of architecture \"llama\" are imported")]
    Architecture(String),
    /// A shape that no model can have.
    #[error("no model can have this shape: {0}")]
    Invalid(#[from] Invalid),
    /// An architecture with something more.
    #[error("{key} asks for {what}, which this software does not compute; the model cannot be imported")]
    Extension {
        /// The key.
        key: String,
        /// What it asks for.
        what: &'static str,
    },
    /// Rotations that are stretched.
    #[error(
        "the rotations are stretched ({0:?}), which this software does not compute; import a model without, or its \
         version before the stretching"
    )]
    RopeScaling(String),
    /// A base of rotations that is none.
    #[error("llama.rope.freq_base is not a number above 1; convert the model anew")]
    RopeBase,
    /// A rotation that cannot be rounded.
    #[error(
        "a rotation lies so near to the middle of two numbers that it cannot be rounded; the model cannot be imported"
    )]
    Undecided,
    /// Heads that are rotated in part, or have values of another width.
    #[error("{key} is {other}, but heads of {head_width} elements are rotated and valued as a whole here")]
    HeadWidth {
        /// The key.
        key: String,
        /// Elements of a head.
        head_width: u32,
        /// What the key says.
        other: u32,
    },
    /// An epsilon that is none.
    #[error("llama.attention.layer_norm_rms_epsilon is not a number from 0 to 1; convert the model anew")]
    Epsilon,
    /// Another kind of tokenizer.
    #[error("the tokenizer is of kind {0:?}, but only \"gpt2\" (merged bytes) is imported")]
    TokenizerModel(String),
    /// A tokenizer that puts a space before every text.
    #[error(
        "the tokenizer puts a space before every text, which none of kind \"gpt2\" does here; convert the model anew"
    )]
    SpacePrefix,
    /// Another way of cutting a text.
    #[error("the tokenizer cuts texts as {0:?} does, but only \"gpt-2\", \"smollm\" and \"llama-bpe\" are known")]
    Cutting(String),
    /// A merge that is not two parts.
    #[error("the merge {0:?} is not two parts with a space between; convert the model anew")]
    Merge(String),
    /// Not one type for each token.
    #[error("there are {types} types for {tokens} tokens; convert the model anew")]
    TokenTypes {
        /// Number of tokens.
        tokens: usize,
        /// Number of types.
        types: u64,
    },
    /// A token beyond the vocabulary.
    #[error("{key} is {number}, which is no token; convert the model anew")]
    NoSuchToken {
        /// The key.
        key: String,
        /// What it says.
        number: u64,
    },
    /// A tokenizer that cannot be used.
    #[error("the tokenizer cannot be used: {0}")]
    Tokenizer(#[from] Refusal),
    /// A chat template that cannot be used.
    #[error("the chat template cannot be used: {0}")]
    Template(#[from] template::Error),
}
