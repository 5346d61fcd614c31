//! The architecture of a model: what its `config` member says, and the matrices and stages that follow from it.

#![expect(clippy::cast_possible_truncation, reason = "codec's derive numbers variants with `as u8`")]

use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use ensemble_tensor::Kind;
use scale_info::TypeInfo;

/// How the stages of a model follow one another. Its SCALE encoding is the `config` member of a model's bundle.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Architecture {
    /// RMSNorm, rotary positions, grouped attention, SwiGLU.
    Llama(Llama),
}

impl Architecture {
    /// Refuses what no model can be: see [`Llama::check`].
    pub fn check(&self) -> Result<(), Invalid> {
        let Self::Llama(llama) = self;
        llama.check()
    }
}

/// The shape of a Llama.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Llama {
    /// Layers, one after the other.
    pub layers: u32,
    /// Elements of the residual.
    pub width: u32,
    /// Heads of queries.
    pub heads: u32,
    /// Heads of keys and values, each shared by `heads / kv_heads` heads of queries.
    pub kv_heads: u32,
    /// Elements of a head.
    pub head_width: u32,
    /// Elements between the two halves of the feed-forward part.
    pub hidden: u32,
    /// Tokens there are.
    pub vocabulary: u32,
    /// Most tokens of a sequence.
    pub positions: u32,
    /// What [`norm`](super::glue::norm) adds to the mean square, in units of 2^-40.
    pub epsilon: u64,
    /// Whether neighbours (2i, 2i + 1) are rotated together, as in GGUF's files, or the two halves (i, i + half).
    pub rope_interleaved: bool,
    /// Whether the embedding is the head's matrix too.
    pub tied: bool,
}

/// Why no model can have this shape.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Invalid {
    /// A number is zero.
    #[error("a model has at least one layer, head, token and position, and no width is zero")]
    Zero,
    /// A number is over its limit.
    #[error(
        "a model has at most 256 layers, width 16384, heads of width 1024 and together 65536, hidden 65536, 2^19 \
         tokens, 2^17 positions"
    )]
    TooLarge,
    /// Heads of queries cannot be shared out to those of keys.
    #[error("the number of heads is a multiple of that of key-value heads")]
    Groups,
    /// A vector does not consist of whole blocks, or a head not of pairs.
    #[error("width, hidden and the heads together are multiples of 32, the width of a head is even")]
    Width,
}

/// A matrix product of the model: the matrices that share one input.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// Queries, keys and values of a layer.
    Attention(u32),
    /// From a layer's heads back to the residual.
    Output(u32),
    /// Gate and up of a layer.
    Gate(u32),
    /// From a layer's hidden vector back to the residual.
    Down(u32),
    /// From the residual to a number for each token.
    Head,
}

/// Name and shape of a member of a model's bundle.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shape {
    /// The member's name.
    pub name: String,
    /// Rows of the tensor.
    pub rows: u32,
    /// Columns of the tensor.
    pub cols: u32,
}

impl Llama {
    /// Most layers.
    pub const MAX_LAYERS: u32 = 256;
    /// Most elements of the residual.
    pub const MAX_WIDTH: u32 = 1 << 14;
    /// Most elements of a head, so that products of heads fit 32 bits.
    pub const MAX_HEAD_WIDTH: u32 = 1 << 10;
    /// Most elements of the hidden vector, and of all heads together.
    pub const MAX_HIDDEN: u32 = 1 << 16;
    /// Most tokens.
    pub const MAX_VOCABULARY: u32 = 1 << 19;
    /// Most positions.
    pub const MAX_POSITIONS: u32 = 1 << 17;

    /// Refuses what no model can be. All other functions expect that this was asked first, and are merely free of
    /// panics if it was not.
    pub fn check(&self) -> Result<(), Invalid> {
        let limits = [
            (self.layers, Self::MAX_LAYERS),
            (self.width, Self::MAX_WIDTH),
            (self.kv_heads, self.heads),
            (self.head_width, Self::MAX_HEAD_WIDTH),
            (self.query_width(), Self::MAX_HIDDEN),
            (self.hidden, Self::MAX_HIDDEN),
            (self.vocabulary, Self::MAX_VOCABULARY),
            (self.positions, Self::MAX_POSITIONS),
        ];
        if limits.iter().any(|(number, _)| *number == 0) {
            return Err(Invalid::Zero);
        }
        if limits.iter().any(|(number, limit)| number > limit) {
            return Err(Invalid::TooLarge);
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            return Err(Invalid::Groups);
        }
        let whole = |width: u32| width.is_multiple_of(Kind::Q8_0.group_cols());
        if !whole(self.width) || !whole(self.query_width()) || !whole(self.hidden) || !self.head_width.is_multiple_of(2)
        {
            return Err(Invalid::Width);
        }
        Ok(())
    }

    /// Elements of all heads of queries together.
    pub const fn query_width(&self) -> u32 {
        self.heads.saturating_mul(self.head_width)
    }

    /// Elements of all heads of keys together, and of values.
    pub const fn key_width(&self) -> u32 {
        self.kv_heads.saturating_mul(self.head_width)
    }

    /// Number of stages of a position: four for each layer, and the head.
    pub const fn stages(&self) -> u32 {
        self.layers.saturating_mul(4).saturating_add(1)
    }

    /// The number of the last stage.
    pub const fn head(&self) -> u32 {
        self.layers.saturating_mul(4)
    }

    /// The stage with this number, if there is one.
    pub const fn stage(&self, number: u32) -> Option<Stage> {
        let layer = number / 4;
        if layer >= self.layers {
            return if number == self.head() { Some(Stage::Head) } else { None };
        }
        Some(match number % 4 {
            0 => Stage::Attention(layer),
            1 => Stage::Output(layer),
            2 => Stage::Gate(layer),
            _ => Stage::Down(layer),
        })
    }

    /// The matrices that a stage multiplies its input by, in the order of its outputs.
    pub fn matrices(&self, stage: Stage) -> Vec<Shape> {
        let of_layer = |layer: u32, matrix: &str, rows, cols| Shape { name: in_layer(layer, matrix), rows, cols };
        match stage {
            Stage::Attention(layer) => vec![
                of_layer(layer, "attn_q", self.query_width(), self.width),
                of_layer(layer, "attn_k", self.key_width(), self.width),
                of_layer(layer, "attn_v", self.key_width(), self.width),
            ],
            Stage::Output(layer) => vec![of_layer(layer, "attn_output", self.width, self.query_width())],
            Stage::Gate(layer) => vec![
                of_layer(layer, "ffn_gate", self.hidden, self.width),
                of_layer(layer, "ffn_up", self.hidden, self.width),
            ],
            Stage::Down(layer) => vec![of_layer(layer, "ffn_down", self.width, self.hidden)],
            Stage::Head if self.tied => vec![self.embedding()],
            Stage::Head => vec![Shape { name: "output.weight".to_string(), ..self.embedding() }],
        }
    }

    /// The table that has a row for each token.
    pub fn embedding(&self) -> Shape {
        Shape { name: "token_embd.weight".to_string(), rows: self.vocabulary, cols: self.width }
    }

    /// The tables of kind `i32`: the weights of all norms, and the rotations.
    pub fn tables(&self) -> Vec<Shape> {
        let norm = |name| Shape { name, rows: 1, cols: self.width };
        let layers = (0..self.layers)
            .flat_map(|layer| [Norm::Attention(layer), Norm::Feed(layer)])
            .chain([Norm::Output])
            .map(|place| norm(place.name()));
        let rope = Shape { name: ROPE.to_string(), rows: self.positions, cols: self.head_width };
        layers.chain([rope]).collect()
    }

    /// Elements of a stage's input.
    pub const fn inputs(&self, stage: Stage) -> u32 {
        match stage {
            Stage::Attention(_) | Stage::Gate(_) | Stage::Head => self.width,
            Stage::Output(_) => self.query_width(),
            Stage::Down(_) => self.hidden,
        }
    }

    /// Elements of a stage's output: the rows of all its matrices.
    pub const fn outputs(&self, stage: Stage) -> u32 {
        match stage {
            Stage::Attention(_) => self.query_width().saturating_add(self.key_width().saturating_mul(2)),
            Stage::Output(_) | Stage::Down(_) => self.width,
            Stage::Gate(_) => self.hidden.saturating_mul(2),
            Stage::Head => self.vocabulary,
        }
    }

    /// Multiplications of a stage for one position.
    pub const fn products_of(&self, stage: Stage) -> u64 {
        self.inputs(stage) as u64 * self.outputs(stage) as u64
    }

    /// Multiplications of all stages for one position. Below 2^44.
    pub const fn products(&self) -> u64 {
        let layer = self
            .products_of(Stage::Attention(0))
            .saturating_add(self.products_of(Stage::Output(0)))
            .saturating_add(self.products_of(Stage::Gate(0)))
            .saturating_add(self.products_of(Stage::Down(0)));
        layer.saturating_mul(self.layers as u64).saturating_add(self.products_of(Stage::Head))
    }
}

/// Where a vector is normed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Norm {
    /// Before a layer's attention.
    Attention(u32),
    /// Before a layer's feed-forward part.
    Feed(u32),
    /// Before the head.
    Output,
}

impl Norm {
    /// The name of the bundle's member with the weights.
    pub fn name(self) -> String {
        match self {
            Self::Attention(layer) => in_layer(layer, "attn_norm"),
            Self::Feed(layer) => in_layer(layer, "ffn_norm"),
            Self::Output => "output_norm.weight".to_string(),
        }
    }
}

/// The name of the bundle's member with the rotations.
pub const ROPE: &str = "rope";

fn in_layer(layer: u32, matrix: &str) -> String {
    format!("blk.{layer}.{matrix}.weight")
}
