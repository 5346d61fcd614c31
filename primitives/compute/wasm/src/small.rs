//! Small models of numbers that look random, the same for the same seed everywhere.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use codec::{Decode, Encode};
use ensemble_compute::inference::{config::ROPE, Llama, Norm, Rows, Shape, Tables};
use ensemble_tensor::Kind;

/// Kinds of matrices, one after the other.
const KINDS: [Kind; 3] = [Kind::Q8_0, Kind::Q4_0, Kind::Q4_1];
/// The binary16 numbers 2^-7 and -2^-5, whose lower ten bits are filled.
const SCALE: u32 = 0x2000;
const MINIMUM: u32 = 0xa800;

/// The shape and seed of a small model.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
#[cfg_attr(feature = "std", derive(serde::Deserialize, serde::Serialize))]
pub struct Small {
    pub seed: u64,
    pub layers: u32,
    pub width: u32,
    pub heads: u32,
    pub kv_heads: u32,
    pub head_width: u32,
    pub hidden: u32,
    pub vocabulary: u32,
    pub positions: u32,
    pub interleaved: bool,
    pub tied: bool,
}

impl Default for Small {
    fn default() -> Self {
        Self {
            seed: 1,
            layers: 2,
            width: 64,
            heads: 4,
            kv_heads: 2,
            head_width: 16,
            hidden: 96,
            vocabulary: 80,
            positions: 40,
            interleaved: true,
            tied: true,
        }
    }
}

/// A model in memory.
#[derive(Clone, Debug)]
pub struct Model {
    llama: Llama,
    matrices: BTreeMap<String, (Kind, usize, Vec<u8>)>,
    tables: BTreeMap<String, Vec<i32>>,
}

impl Small {
    /// The architecture.
    pub fn llama(&self) -> Llama {
        Llama {
            layers: self.layers,
            width: self.width,
            heads: self.heads,
            kv_heads: self.kv_heads,
            head_width: self.head_width,
            hidden: self.hidden,
            vocabulary: self.vocabulary,
            positions: self.positions,
            // 10^-5.
            epsilon: 10_995_116,
            rope_interleaved: self.interleaved,
            tied: self.tied,
        }
    }

    /// The model: the embedding, the matrices stage by stage, the norms, the rotations.
    pub fn model(&self) -> Model {
        let llama = self.llama();
        let mut random = Random(self.seed | 1);
        let stages = (0..llama.stages()).filter_map(|number| llama.stage(number));
        let shapes = [llama.embedding()].into_iter().chain(stages.flat_map(|stage| llama.matrices(stage)));
        let mut matrices = BTreeMap::new();
        for (shape, kind) in shapes.zip(KINDS.into_iter().cycle()) {
            let member = matrices.entry(shape.name.clone());
            member.or_insert_with(|| (kind, shape.cols as usize, random.matrix(&shape, kind)));
        }
        let mut tables = BTreeMap::new();
        for shape in llama.tables() {
            let numbers = (0..shape.rows.saturating_mul(shape.cols)).map(|_| random.next());
            let numbers = if shape.name == ROPE {
                numbers.map(|number| number.cast_signed() >> 1).collect()
            } else {
                // From one to one and a half.
                numbers.map(|number| ((1 << 20) + (number >> 13)).cast_signed()).collect()
            };
            tables.insert(shape.name, numbers);
        }
        Model { llama, matrices, tables }
    }
}

impl Model {
    /// The matrix of this name.
    pub fn matrix(&self, name: &str) -> Option<Rows<'_>> {
        let (kind, cols, data) = self.matrices.get(name)?;
        Rows::new(*kind, *cols, data).ok()
    }
}

impl Tables for Model {
    fn norm(&self, norm: Norm) -> Option<&[i32]> {
        self.tables.get(&norm.name()).map(|table| &table[..])
    }

    fn rope(&self, position: u32) -> Option<&[i32]> {
        self.tables.get(ROPE)?.chunks_exact(self.llama.head_width as usize).nth(position as usize)
    }

    fn embedding(&self, token: u32) -> Option<(Kind, &[u8])> {
        let rows = self.matrix(&self.llama.embedding().name)?;
        rows.data().chunks_exact(rows.row_len()).nth(token as usize).map(|row| (rows.kind(), row))
    }
}

/// Marsaglia's xorshift of 64 bits, of which the upper half is used.
struct Random(u64);

impl Random {
    #[allow(clippy::cast_possible_truncation, reason = "the upper half is 32 bits")]
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u32
    }

    /// Blocks with scales from 2^-7 to 2^-6, minima from -2^-4 to -2^-5, and any quants.
    fn matrix(&mut self, shape: &Shape, kind: Kind) -> Vec<u8> {
        let blocks = shape.rows.saturating_mul(shape.cols / kind.group_cols());
        let mut data = Vec::new();
        for _ in 0..blocks {
            let before = data.len();
            let heads: &[u32] = if kind == Kind::Q4_1 { &[SCALE, MINIMUM] } else { &[SCALE] };
            for bits in heads {
                let [low, high, ..] = (bits | self.next() >> 22).to_le_bytes();
                data.extend([low, high]);
            }
            while data.len() < before.saturating_add(kind.group_len() as usize) {
                data.push(self.next().to_le_bytes()[3]);
            }
        }
        data
    }
}
