//! A tiny model, and sessions with it that are honest or not.

#![expect(clippy::cast_possible_truncation, clippy::unwrap_used, reason = "tests count in small numbers")]

use std::{collections::BTreeMap, sync::Arc};

use codec::Encode;
use ensemble_compute::{
    inference::{hashes, ranges, Call, Entry, Llama, Local, Next, Norm, Rows, Run, Tables, Trace, Vector},
    Machine,
};
use ensemble_core::inference::{Contested, MatrixRow, MemberProof};
use ensemble_tensor::{merkle, Header, Kind, Tensor, TensorId};

use super::{prompt_hash, Claims, Model, Table};

/// The table of rotations.
const ROPE: &str = "rope";

/// Two layers; enough tokens for the head to have several chunks in each of three ranges.
pub const LLAMA: Llama = Llama {
    layers: 2,
    width: 64,
    heads: 4,
    kv_heads: 2,
    head_width: 16,
    hidden: 96,
    vocabulary: 320,
    positions: 64,
    epsilon: 11_000_000,
    rope_interleaved: true,
    tied: true,
};

/// Members of a model, in the order of their names.
pub struct Tiny {
    pub members: BTreeMap<String, (Header, Vec<u8>)>,
    small: Arc<Small>,
}

/// The tables that are not multiplied by.
pub struct Small {
    tables: BTreeMap<String, Vec<i32>>,
    embedding: Vec<u8>,
}

impl Tables for Small {
    fn norm(&self, norm: Norm) -> Option<&[i32]> {
        self.tables.get(&norm.name()).map(Vec::as_slice)
    }

    fn rope(&self, position: u32) -> Option<&[i32]> {
        let width = LLAMA.head_width as usize;
        self.tables.get(ROPE)?.chunks(width).nth(position as usize)
    }

    fn embedding(&self, token: u32) -> Option<(Kind, &[u8])> {
        let len = row_len();
        Some((Kind::Q8_0, self.embedding.chunks(len).nth(token as usize)?))
    }
}

fn row_len() -> usize {
    Header::new(Kind::Q8_0, 1, LLAMA.width).unwrap().row_len()
}

impl Default for Tiny {
    fn default() -> Self {
        let mut noise = Noise(7);
        let mut members = BTreeMap::<String, (Header, Vec<u8>)>::new();
        let matrices = (0..LLAMA.stages()).flat_map(|stage| LLAMA.matrices(LLAMA.stage(stage).unwrap()));
        for shape in matrices {
            let header = Header::new(Kind::Q8_0, shape.rows, shape.cols).unwrap();
            let blocks = header.data_len() / 34;
            let block = |_| {
                // A scale of 2^-8, that of no model, but one that keeps numbers within sight.
                let scale = 0x1c00_u16.to_le_bytes();
                scale.into_iter().chain((0..32).map(|_| noise.next().to_le_bytes()[1])).collect::<Vec<_>>()
            };
            members.insert(shape.name, (header, (0..blocks).flat_map(block).collect()));
        }
        let mut tables = BTreeMap::new();
        for shape in LLAMA.tables() {
            let unit = if shape.name == ROPE { 1 << 29 } else { 1 << 20 };
            let number = |_| unit + i32::from(noise.next().to_le_bytes()[0]) * 1000;
            let numbers: Vec<i32> = (0..shape.rows * shape.cols).map(number).collect();
            let data = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
            members.insert(shape.name.clone(), (Header::new(Kind::I32, shape.rows, shape.cols).unwrap(), data));
            tables.insert(shape.name, numbers);
        }
        let embedding = members.get(&LLAMA.embedding().name).unwrap().1.clone();
        Self { members, small: Arc::new(Small { tables, embedding }) }
    }
}

impl Tiny {
    fn local(&self) -> Local<'_> {
        let rows = |name: &str| {
            let (header, data) = self.members.get(name)?;
            Rows::new(header.kind(), header.cols() as usize, data).ok()
        };
        Local::new(&LLAMA, Machine::ONE_CORE, rows).unwrap()
    }

    pub fn id(&self, name: &str) -> TensorId {
        let (header, data) = self.members.get(name).unwrap();
        Tensor::new(*header, data).unwrap().id().unwrap()
    }

    fn leaves(&self) -> Vec<[u8; 32]> {
        self.members.keys().map(|name| merkle::leaf_hash(&(name.as_bytes(), self.id(name)).encode())).collect()
    }

    /// The root over the members, as the chain has it.
    pub fn root(&self) -> [u8; 32] {
        merkle::root(self.leaves()).unwrap()
    }
}

impl Model for Tiny {
    type Tables = Arc<Small>;

    fn llama(&self) -> &Llama {
        &LLAMA
    }

    fn tables(&self) -> Arc<Small> {
        self.small.clone()
    }

    fn compute(&self, call: &Call) -> Result<Vec<Vec<i64>>, String> {
        self.local().compute(call).map_err(|error| error.to_string())
    }

    fn prove(&self, member: &str, row: u32) -> Result<MatrixRow, String> {
        let index = self.members.keys().position(|name| name == member).ok_or("no such member")?;
        let (header, data) = self.members.get(member).unwrap();
        let index = u32::try_from(index).unwrap();
        Ok(MatrixRow {
            member: MemberProof { index, id: self.id(member), siblings: merkle::path(self.leaves(), index).unwrap() },
            row: Tensor::new(*header, data).unwrap().prove(row).map_err(|error| error.to_string())?,
        })
    }
}

/// Numbers without a pattern.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }
}

/// What somebody does wrong, at a position and a stage.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lie {
    /// The workers of a range give an output too much by one.
    Output { range: u32, output: usize },
    /// They say that they were given something else.
    Given { range: u32 },
    /// The gateway feeds another vector.
    Input,
    /// The gateway goes on with another state.
    State,
    /// The gateway takes another token than the one that follows.
    Token,
}

/// A session.
pub struct Play<'a> {
    pub model: &'a Tiny,
    pub prompt: &'a [u32],
    pub positions: u32,
    pub ranges: u32,
    pub lies: &'a [(u32, u32, Lie)],
    /// Whether what a range gave wrong is published.
    pub publishes: bool,
}

impl Play<'_> {
    fn lies(&self, position: u32, stage: u32) -> impl Iterator<Item = Lie> + '_ {
        self.lies.iter().filter(move |lie| (lie.0, lie.1) == (position, stage)).map(|lie| lie.2)
    }

    /// Generates, and says what the parties say of it.
    pub fn run(&self) -> Claims {
        let mut run = Run::new(&LLAMA, self.model.tables(), true, Machine::ONE_CORE).unwrap();
        let mut tokens = self.prompt.to_vec();
        let mut gateway = Trace::new(&LLAMA);
        let mut traces: Vec<_> = (0..self.ranges).map(|_| Trace::new(&LLAMA)).collect();
        let mut contested = Vec::new();
        let mut first = 0;
        while first < self.positions {
            let end = (self.prompt.len() as u32).max(first + 1);
            let mut call = run.begin(&tokens[first as usize..end as usize], true).unwrap();
            loop {
                self.misfeed(&mut call);
                assert!(gateway.record_call(&call));
                let mut outputs = self.model.compute(&call).unwrap();
                self.misgive(&call, &mut outputs, &mut traces, &mut contested);
                match run.supply(&outputs).unwrap() {
                    Next::Call(next) => call = next,
                    Next::Token(token) => {
                        let is_false = self.lies(end - 1, LLAMA.head()).any(|lie| lie == Lie::Token);
                        tokens.push(if is_false { (token + 1) % LLAMA.vocabulary } else { token });
                        break;
                    },
                    Next::Stored => panic!("an answer was asked for"),
                }
            }
            first = end;
        }
        Claims {
            prompt: prompt_hash(self.prompt),
            prompt_tokens: self.prompt.len() as u32,
            tokens: table_of_tokens(&tokens),
            gateway: table(&gateway),
            won: traces.iter().map(|trace| Some(table(trace))).collect(),
            contested,
        }
    }

    /// Lets the gateway lie.
    fn misfeed(&self, call: &mut Call) {
        for (place, position) in (0..call.inputs.len()).zip(call.first..) {
            for lie in self.lies(position, call.stage) {
                match lie {
                    Lie::Input => {
                        let mut mantissas = call.inputs[place].mantissas().to_vec();
                        mantissas[3] ^= 1;
                        call.inputs[place] = Vector::new(call.inputs[place].exponent(), mantissas).unwrap();
                    },
                    Lie::State => call.states[place][0] ^= 1,
                    Lie::Output { .. } | Lie::Given { .. } | Lie::Token => {},
                }
            }
        }
    }

    /// Lets the workers lie, and writes their traces.
    fn misgive(&self, call: &Call, outputs: &mut [Vec<i64>], traces: &mut [Trace], contested: &mut Vec<Contested>) {
        let stage = LLAMA.stage(call.stage).unwrap();
        for ((position, outputs), input) in (call.first..).zip(outputs).zip(&call.inputs) {
            for lie in self.lies(position, call.stage) {
                let Lie::Output { range, output } = lie else { continue };
                let parts = ranges::parts(&LLAMA, stage, range, self.ranges);
                let place = parts.into_iter().flatten().nth(output).unwrap();
                outputs[place] += 1;
                if self.publishes {
                    let outputs = ranges::cut(&LLAMA, stage, range, self.ranges, outputs);
                    contested.push(Contested { range, position, stage: call.stage, outputs });
                }
            }
            for (range, trace) in (0..).zip(traces.iter_mut()) {
                let mut hash = input.hash();
                if self.lies(position, call.stage).any(|lie| lie == Lie::Given { range }) {
                    hash[0] ^= 1;
                }
                let of_range = ranges::cut(&LLAMA, stage, range, self.ranges, outputs);
                let entry = Entry { input: hash, other: hashes::outputs(&of_range) };
                assert!(trace.record(position, call.stage, &entry));
            }
        }
    }
}

/// A trace as a tensor.
pub fn table(trace: &Trace) -> Table {
    Table::new(trace.describe().unwrap().0, trace.bytes().to_vec()).unwrap()
}

/// Tokens as a tensor.
pub fn table_of_tokens(tokens: &[u32]) -> Table {
    let header = Header::new(Kind::I32, tokens.len() as u32, 1).unwrap();
    Table::new(header, tokens.iter().flat_map(|token| token.to_le_bytes()).collect::<Vec<_>>()).unwrap()
}
