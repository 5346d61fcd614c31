//! A model with real numbers, small enough that a test computes with it, and a session in which it answered.

#![expect(clippy::cast_possible_truncation, clippy::indexing_slicing, reason = "tests count in small numbers")]

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use codec::Encode;
use ensemble_compute::{
    inference::{
        glue, hashes, ranges, Architecture, Entry, Llama, Local, Next, Norm, Rows, Run, Stage, Tables, Trace, Vector,
    },
    Machine,
};
use ensemble_core::{
    inference::{Chunk, Closing, Evidence, GlueEvidence, MatrixRow, MemberProof, Outputs, RangeIndex},
    tasks::Descriptor,
};
use ensemble_tensor::{merkle, Bundle, Hash, Header, Kind, RowProof, Tensor, TensorId};
use sp_core::H256;

use crate::{models::member_hash, ConfigBytes, Manifest};

/// A tensor that owns its data.
#[derive(Clone, Debug)]
pub struct Owned {
    pub header: Header,
    pub data: Vec<u8>,
}

impl Owned {
    fn new(kind: Kind, rows: u32, cols: u32, data: Vec<u8>) -> Self {
        let header = Header::new(kind, rows, cols).unwrap();
        assert_eq!(header.data_len(), data.len() as u64);
        Self { header, data }
    }

    fn bytes(data: Vec<u8>) -> Self {
        Self { header: Header::bytes(data.len() as u64).unwrap(), data }
    }

    fn tensor(&self) -> Tensor<'_> {
        Tensor::new(self.header, &self.data).unwrap()
    }

    pub fn id(&self) -> TensorId {
        self.tensor().id().unwrap()
    }

    pub fn row(&self, index: u32) -> RowProof {
        self.tensor().prove(index).unwrap()
    }

    pub fn descriptor(&self) -> Descriptor {
        let leaves = self.data.chunks(self.header.leaf_len()).map(merkle::leaf_hash);
        let descriptor = Descriptor { header: self.header, root: merkle::root(leaves).unwrap() };
        assert_eq!(descriptor.id(), self.id());
        descriptor
    }
}

/// A model.
#[derive(Debug)]
pub struct Model {
    pub llama: Llama,
    members: BTreeMap<String, Owned>,
    pub bundle: Owned,
    numbers: BTreeMap<String, Vec<i32>>,
}

static TINY: LazyLock<Arc<Model>> = LazyLock::new(|| Arc::new(Model::new()));
static HONEST: LazyLock<World> = LazyLock::new(World::new);

/// Bytes that look random and are always the same.
fn noise(seed: &str, len: usize) -> Vec<u8> {
    let blocks = (0u32..).flat_map(|block| sp_crypto(&(seed, block).encode()));
    blocks.take(len).collect()
}

fn sp_crypto(bytes: &[u8]) -> [u8; 32] {
    merkle::leaf_hash(bytes)
}

/// Rows of blocks with the scale 2^-7.
fn weights(name: &str, rows: u32, cols: u32) -> Owned {
    let blocks = (rows * cols / 32) as usize;
    let quants = noise(name, blocks * 32);
    let block = |quants: &[u8]| [&0x2000u16.to_le_bytes(), quants].concat();
    Owned::new(Kind::Q8_0, rows, cols, quants.chunks(32).flat_map(block).collect())
}

fn table(rows: u32, cols: u32, number: impl Fn(u32, u32) -> i32) -> Owned {
    let numbers = (0..rows).flat_map(|row| (0..cols).map(move |col| (row, col)));
    let data = numbers.flat_map(|(row, col)| number(row, col).to_le_bytes()).collect();
    Owned::new(Kind::I32, rows, cols, data)
}

impl Model {
    pub fn tiny() -> Arc<Self> {
        TINY.clone()
    }

    fn new() -> Self {
        let llama = Llama {
            layers: 2,
            width: 64,
            heads: 2,
            kv_heads: 1,
            head_width: 32,
            hidden: 96,
            vocabulary: 100,
            positions: 32,
            epsilon: 10_995_116,
            rope_interleaved: true,
            tied: true,
        };
        llama.check().unwrap();
        let mut members = BTreeMap::new();
        for stage in (0..llama.stages()).filter_map(|number| llama.stage(number)) {
            for shape in llama.matrices(stage) {
                members.insert(shape.name.clone(), weights(&shape.name, shape.rows, shape.cols));
            }
        }
        let half = llama.head_width / 2;
        for shape in llama.tables() {
            let tensor = if shape.name == "rope" {
                // A turn by some angle at each position.
                table(shape.rows, shape.cols, |row, col| {
                    let angle = f64::from(row) / f64::from(1 + col % half);
                    let turned = if col < half { angle.cos() } else { angle.sin() };
                    (turned * f64::from(1 << 30)).round() as i32
                })
            } else {
                table(shape.rows, shape.cols, |_, col| (1 << 20) + (col as i32 - 20) * 1_000)
            };
            members.insert(shape.name, tensor);
        }
        members.insert("tokenizer".into(), Owned::bytes(b"{}".to_vec()));
        members.insert("template".into(), Owned::bytes(b"{{ messages }}".to_vec()));
        members.insert("config".into(), Owned::bytes(Architecture::Llama(llama).encode()));
        let manifest = Bundle::encode(members.iter().map(|(name, tensor)| (name.as_str(), tensor.id()))).unwrap();
        let bundle = Owned { header: Bundle::header(&manifest).unwrap(), data: manifest };
        let tables = members.iter().filter(|(_, tensor)| tensor.header.kind() == Kind::I32);
        let numbers = tables.map(|(name, tensor)| {
            let numbers = tensor.data.chunks(4).map(|bytes| i32::from_le_bytes(bytes.try_into().unwrap()));
            (name.clone(), numbers.collect())
        });
        Self { llama, numbers: numbers.collect(), members, bundle }
    }

    pub fn manifest(&self) -> Manifest {
        Manifest::truncate_from(self.bundle.data.clone())
    }

    pub fn config(&self) -> ConfigBytes {
        ConfigBytes::truncate_from(self.members["config"].data.clone())
    }

    /// The manifest without a member.
    pub fn manifest_without(&self, name: &str) -> Owned {
        let others = self.members.iter().filter(|(member, _)| *member != name);
        let manifest = Bundle::encode(others.map(|(name, tensor)| (name.as_str(), tensor.id()))).unwrap();
        Owned { header: Bundle::header(&manifest).unwrap(), data: manifest }
    }

    /// That the model has a member of this name.
    pub fn member(&self, name: &str) -> MemberProof {
        let hashes = self.members.iter().map(|(name, tensor)| member_hash(name, &tensor.id()));
        let index = self.members.keys().position(|member| member == name).unwrap() as u32;
        MemberProof { index, id: self.members[name].id(), siblings: merkle::path(hashes, index).unwrap() }
    }

    /// A row of the member of this name.
    pub fn row(&self, name: &str, row: u32) -> MatrixRow {
        MatrixRow { member: self.member(name), row: self.members[name].row(row) }
    }

    /// The matrix of this name.
    pub fn rows(&self, name: &str) -> Option<Rows<'_>> {
        let Owned { header, data } = self.members.get(name)?;
        Rows::new(header.kind(), header.cols() as usize, data).ok()
    }
}

impl Tables for Model {
    fn norm(&self, norm: Norm) -> Option<&[i32]> {
        self.numbers.get(&norm.name()).map(Vec::as_slice)
    }

    fn rope(&self, position: u32) -> Option<&[i32]> {
        self.numbers["rope"].chunks(self.llama.head_width as usize).nth(position as usize)
    }

    fn embedding(&self, token: u32) -> Option<(Kind, &[u8])> {
        let Owned { header, data } = &self.members["token_embd.weight"];
        Some((header.kind(), data.chunks(header.row_len()).nth(token as usize)?))
    }
}

/// What happened at a position and stage.
#[derive(Clone, Debug)]
pub struct Step {
    pub input: Vector,
    pub state: Vec<i64>,
    /// Of all rows.
    pub outputs: Vec<i64>,
}

/// A session in which the model answered, or pretends to have.
#[derive(Clone, Debug)]
pub struct World {
    pub model: Arc<Model>,
    pub prompt: Vec<u32>,
    /// What the gateway says of tokens.
    pub tokens: Vec<u32>,
    pub steps: BTreeMap<(u32, u32), Step>,
    /// What the gateway says instead of what was.
    pub said: BTreeMap<(u32, u32), Entry>,
    /// What workers say of the input instead of what was.
    pub given: BTreeMap<(u32, u32), Hash>,
}

impl World {
    pub fn honest() -> Self {
        HONEST.clone()
    }

    /// Three tokens of a prompt, and three of an answer.
    fn new() -> Self {
        let model = Model::tiny();
        let prompt = vec![3, 14, 15];
        let (mut tokens, mut steps) = (prompt.clone(), BTreeMap::new());
        let mut run = Run::new(&model.llama, model.clone(), true, Machine::PORTABLE).unwrap();
        let local = Local::new(&model.llama, Machine::PORTABLE, |name| model.rows(name)).unwrap();
        for position in 0..5 {
            let answers = position as usize + 1 >= prompt.len();
            let token = tokens[position as usize];
            let (kind, row) = model.embedding(token).unwrap();
            let mut state = glue::embed(kind, row);
            let mut call = run.begin(&[token], answers).unwrap();
            loop {
                assert_eq!(call.states, [hashes::state(&state)], "states follow from outputs");
                let outputs = local.compute(&call).unwrap();
                let step = Step { input: call.inputs[0].clone(), state: state.clone(), outputs: outputs[0].clone() };
                if let Some(Stage::Output(_) | Stage::Down(_)) = model.llama.stage(call.stage) {
                    state = glue::add(&state, &outputs[0], step.input.exponent());
                }
                steps.insert((position, call.stage), step);
                call = match run.supply(&outputs).unwrap() {
                    Next::Call(call) => call,
                    Next::Token(token) => {
                        tokens.push(token);
                        break;
                    },
                    Next::Stored => break,
                };
            }
        }
        assert_eq!(tokens.len(), 6);
        Self { model, prompt, tokens, steps, said: BTreeMap::new(), given: BTreeMap::new() }
    }

    pub fn prompt_tokens(&self) -> u32 {
        self.prompt.len() as u32
    }

    pub fn prompt_hash(&self) -> H256 {
        H256(sp_io::hashing::blake2_256(&self.prompt.encode()))
    }

    fn llama(&self) -> &Llama {
        &self.model.llama
    }

    pub fn tokens(&self) -> Owned {
        let data = self.tokens.iter().flat_map(|token| token.to_le_bytes()).collect();
        Owned::new(Kind::I32, self.tokens.len() as u32, 1, data)
    }

    fn trace_of(&self, entry: impl Fn(u32, u32, &Step) -> Entry) -> Owned {
        let mut trace = Trace::new(self.llama());
        for ((position, stage), step) in &self.steps {
            assert!(trace.record(*position, *stage, &entry(*position, *stage, step)));
        }
        let (header, _) = trace.describe().unwrap();
        Owned { header, data: trace.bytes().to_vec() }
    }

    /// The gateway's trace.
    pub fn gateway(&self) -> Owned {
        self.trace_of(|position, stage, step| {
            let was = Entry { input: step.input.hash(), other: hashes::state(&step.state) };
            self.said.get(&(position, stage)).copied().unwrap_or(was)
        })
    }

    fn outputs(&self, stage: u32, step: &Step, range: RangeIndex, count: u32) -> Vec<i64> {
        let stage = self.llama().stage(stage).unwrap();
        ranges::cut(self.llama(), stage, range, count, &step.outputs)
    }

    /// The trace of a range.
    pub fn trace(&self, range: RangeIndex, count: u32) -> Owned {
        self.trace_of(|position, stage, step| {
            let input = self.given.get(&(position, stage)).copied().unwrap_or(step.input.hash());
            Entry { input, other: hashes::outputs(&self.outputs(stage, step, range, count)) }
        })
    }

    pub fn closing(&self) -> Closing {
        Closing { tokens: self.tokens().descriptor(), trace: self.gateway().descriptor(), contested: None }
    }

    /// Has the row of an output, of all rows of a stage, come out wrong.
    pub fn falsify(&mut self, position: u32, stage: u32, output: usize) {
        self.steps.get_mut(&(position, stage)).unwrap().outputs[output] += 1;
    }

    /// The range in which an output of a stage is, and its place there.
    pub fn locate(&self, stage: u32, output: usize, count: u32) -> (RangeIndex, u32) {
        let stage = self.llama().stage(stage).unwrap();
        for range in 0..count {
            let mut before = 0;
            for part in ranges::parts(self.llama(), stage, range, count) {
                if part.contains(&output) {
                    return (range, (before + output - part.start) as u32);
                }
                before += part.len();
            }
        }
        panic!("no range has it");
    }

    fn chunk(outputs: &[i64], index: u32) -> Chunk {
        let siblings = hashes::chunk_path(outputs, index).unwrap();
        let outputs = outputs.chunks(hashes::CHUNK).nth(index as usize).unwrap().to_vec();
        Chunk { index, outputs, siblings }
    }

    /// What there is to show of an output, of all rows of a stage.
    pub fn row(&self, position: u32, stage: u32, output: usize, count: u32) -> Evidence {
        let (range, place) = self.locate(stage, output, count);
        let step = &self.steps[&(position, stage)];
        let mut row = output as u32;
        let shapes = self.llama().matrices(self.llama().stage(stage).unwrap());
        let shape = shapes.iter().find(|shape| {
            let is_here = row < shape.rows;
            row -= if is_here { 0 } else { shape.rows };
            is_here
        });
        Evidence::Row {
            range,
            stage,
            output: place,
            trace: self.trace(range, count).row(position),
            input: step.input.encode(),
            chunk: Self::chunk(&self.outputs(stage, step, range, count), place / hashes::CHUNK as u32),
            matrix: self.model.row(&shape.unwrap().name, row),
        }
    }

    pub fn input(&self, position: u32, stage: u32, range: RangeIndex, count: u32) -> Evidence {
        let (trace, gateway) = (self.trace(range, count).row(position), self.gateway().row(position));
        Evidence::Input { range, stage, trace, gateway }
    }

    pub fn prompt(&self) -> Evidence {
        Evidence::Glue(GlueEvidence::Prompt { tokens: self.tokens.clone() })
    }

    pub fn embedding(&self, position: u32) -> Evidence {
        let token = self.tokens[position as usize];
        Evidence::Glue(GlueEvidence::Embedding {
            trace: self.gateway().row(position),
            token: self.tokens().row(position),
            embedding: self.model.row("token_embd.weight", token),
        })
    }

    pub fn norm(&self, position: u32, stage: u32) -> Evidence {
        let norm = match self.llama().stage(stage).unwrap() {
            Stage::Attention(layer) => Norm::Attention(layer),
            Stage::Gate(layer) => Norm::Feed(layer),
            _ => Norm::Output,
        };
        Evidence::Glue(GlueEvidence::Norm {
            stage,
            trace: self.gateway().row(position),
            state: self.steps[&(position, stage)].state.clone(),
            weights: self.model.row(&norm.name(), 0),
        })
    }

    pub fn carry(&self, position: u32, stage: u32) -> Evidence {
        Evidence::Glue(GlueEvidence::Carry { stage, trace: self.gateway().row(position) })
    }

    fn all_outputs(&self, position: u32, stage: u32, count: u32) -> Vec<Outputs> {
        let step = &self.steps[&(position, stage)];
        let of_range = |range| Outputs {
            trace: self.trace(range, count).row(position),
            outputs: self.outputs(stage, step, range, count),
        };
        (0..count).map(of_range).collect()
    }

    pub fn sum(&self, position: u32, stage: u32, count: u32) -> Evidence {
        let before = &self.steps[&(position, stage - 1)];
        Evidence::Glue(GlueEvidence::Sum {
            stage,
            trace: self.gateway().row(position),
            state: before.state.clone(),
            input: before.input.encode(),
            outputs: self.all_outputs(position, stage - 1, count),
        })
    }

    pub fn activation(&self, position: u32, stage: u32, count: u32) -> Evidence {
        Evidence::Glue(GlueEvidence::Activation {
            stage,
            trace: self.gateway().row(position),
            input: self.steps[&(position, stage - 1)].input.encode(),
            outputs: self.all_outputs(position, stage - 1, count),
        })
    }

    /// That there is no such token as the one after a position.
    pub fn no_token(&self, position: u32) -> Evidence {
        let trace = RowProof { leaf: Vec::new(), siblings: Vec::new(), ..self.gateway().row(position) };
        let none = (0, trace.clone(), Chunk { index: 0, outputs: Vec::new(), siblings: Vec::new() });
        let token = self.tokens().row(position + 1);
        Evidence::Glue(GlueEvidence::Token { token, trace, taken: none.clone(), better: none, place: 0 })
    }

    /// That `better` goes before the token after a position.
    pub fn token(&self, position: u32, better: u32, count: u32) -> Evidence {
        let head = self.llama().head();
        let taken = self.tokens[position as usize + 1];
        let of = |token: u32| {
            let token = token.min(self.llama().vocabulary - 1);
            let (range, place) = self.locate(head, token as usize, count);
            let outputs = self.outputs(head, &self.steps[&(position, head)], range, count);
            let chunk = Self::chunk(&outputs, place / hashes::CHUNK as u32);
            (range, self.trace(range, count).row(position), chunk)
        };
        let (_, place) = self.locate(head, better as usize, count);
        Evidence::Glue(GlueEvidence::Token {
            token: self.tokens().row(position + 1),
            trace: self.gateway().row(position),
            taken: of(taken),
            better: of(better),
            place: place % hashes::CHUNK as u32,
        })
    }
}
