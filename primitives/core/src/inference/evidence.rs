//! What shows that a session went wrong in one place: few enough bytes for a transaction, and little enough work for a
//! block.

use alloc::vec::Vec;

use codec::{Decode, DecodeWithMemTracking, Encode};
use ensemble_tensor::{Hash, RowProof, TensorId};
use scale_info::TypeInfo;

use super::{Position, RangeIndex};
use crate::attester::AttesterSignature;

/// That a model has a member with this id; its name follows from what is disputed.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub struct MemberProof {
    /// Its place in the manifest, from 0.
    pub index: u32,
    /// What it is.
    pub id: TensorId,
    /// Hashes beside the way from it to the root over the members, from the member on.
    pub siblings: Vec<Hash>,
}

/// A row of one of the model's tensors.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub struct MatrixRow {
    /// That the tensor is the model's.
    pub member: MemberProof,
    /// That the row is the tensor's.
    pub row: RowProof,
}

/// Up to 32 outputs of a stage and range, one after the other.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub struct Chunk {
    /// Its number, from 0.
    pub index: u32,
    /// The outputs.
    pub outputs: Vec<i64>,
    /// Hashes beside the way from it to the output root, from the chunk on.
    pub siblings: Vec<Hash>,
}

/// All outputs of a stage and range.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub struct Outputs {
    /// The row of the range's trace.
    pub trace: RowProof,
    /// The outputs.
    pub outputs: Vec<i64>,
}

/// What shows that a session went wrong, and who is at fault. Vectors are in their encoding of docs/numerics.md.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub enum Evidence {
    /// Those who voted for a range's trace give one row's output that is not the product.
    Row {
        /// The range.
        range: RangeIndex,
        /// The stage.
        stage: u32,
        /// The place of the row among the outputs of the range in this stage.
        output: u32,
        /// The row of the range's trace: its number is the position.
        trace: RowProof,
        /// The vector whose hash is the input in the trace.
        input: Vec<u8>,
        /// The outputs among which the wrong one is.
        chunk: Chunk,
        /// The row of the matrix.
        matrix: MatrixRow,
    },
    /// Those who voted for a range's trace say that they were given another input than the gateway says it gave.
    Input {
        /// The range.
        range: RangeIndex,
        /// The stage.
        stage: u32,
        /// The row of the range's trace.
        trace: RowProof,
        /// The row of the gateway's trace at the same position.
        gateway: RowProof,
    },
    /// A worker signed another row of a trace than the one it voted for.
    Signature {
        /// The range.
        range: RangeIndex,
        /// The worker's place.
        place: u32,
        /// The leaf hash of the row that it signed.
        signed: Hash,
        /// Its signature.
        signature: AttesterSignature,
        /// The row of the trace that won; its number is the position.
        trace: RowProof,
    },
    /// The gateway asked workers to compute more than it closed with: not one position further, as an answer may break off
    /// there, but at least two.
    Short {
        /// The position that it asked for.
        position: Position,
        /// Its signature of [`ask_bytes`](super::ask_bytes).
        signature: AttesterSignature,
    },
    /// The gateway did not do what lies between two stages.
    Glue(GlueEvidence),
}

/// A false step of a gateway.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub enum GlueEvidence {
    /// The tokens do not begin with the prompt.
    Prompt {
        /// All tokens.
        tokens: Vec<u32>,
    },
    /// The state before the first stage is not the token's embedding.
    Embedding {
        /// The row of the gateway's trace; its number is the position.
        trace: RowProof,
        /// The token at this position.
        token: RowProof,
        /// The row of the embedding.
        embedding: MatrixRow,
    },
    /// The input of a stage is not the norm of the state before it.
    Norm {
        /// The stage.
        stage: u32,
        /// The row of the gateway's trace.
        trace: RowProof,
        /// The state whose hash is in the trace.
        state: Vec<i64>,
        /// The weights of the norm.
        weights: MatrixRow,
    },
    /// The state changes where nothing is added to it: before the stages Output and Down it is that of the stage before.
    Carry {
        /// The stage.
        stage: u32,
        /// The row of the gateway's trace.
        trace: RowProof,
    },
    /// The state before a stage is not the one before the stage before it and that stage's outputs.
    Sum {
        /// The stage after the addition.
        stage: u32,
        /// The row of the gateway's trace.
        trace: RowProof,
        /// The state before the stage before.
        state: Vec<i64>,
        /// The input of the stage before.
        input: Vec<u8>,
        /// The outputs of all ranges in the stage before.
        outputs: Vec<Outputs>,
    },
    /// The input of a Down stage does not follow from the outputs of the Gate stage.
    Activation {
        /// The Down stage.
        stage: u32,
        /// The row of the gateway's trace.
        trace: RowProof,
        /// The input of the Gate stage.
        input: Vec<u8>,
        /// The outputs of all ranges in the Gate stage.
        outputs: Vec<Outputs>,
    },
    /// The next token is not the one with the largest output of the Head.
    Token {
        /// The token after the position, as the gateway gave it. If there is no such token nothing else is looked at, and
        /// rows and chunks must be empty.
        token: RowProof,
        /// The row of the gateway's trace.
        trace: RowProof,
        /// The range and row of the trace in which that token's output is, and the chunk.
        taken: (RangeIndex, RowProof, Chunk),
        /// The same of a token that goes before it.
        better: (RangeIndex, RowProof, Chunk),
        /// The place of the better output in its chunk.
        place: u32,
    },
}

impl GlueEvidence {
    /// The position that is disputed, where there is one.
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Prompt { .. } => None,
            Self::Embedding { trace, .. }
            | Self::Norm { trace, .. }
            | Self::Carry { trace, .. }
            | Self::Sum { trace, .. }
            | Self::Activation { trace, .. }
            | Self::Token { trace, .. } => Some(trace.index),
        }
    }
}
