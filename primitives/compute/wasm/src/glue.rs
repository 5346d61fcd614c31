//! Jobs of inference: every function between the products, and whole sequences through a small model.

use alloc::{vec, vec::Vec};

use codec::{Decode, Encode};
use ensemble_compute::{
    inference::{
        glue::{self, Cache, Turn},
        ranges, Llama, Local, Next, Run, Trace, Vector,
    },
    Machine,
};
use ensemble_tensor::{Hash, Kind};

use crate::small::Small;

/// A call of a function of inference.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
#[cfg_attr(feature = "std", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "std", serde(rename_all = "snake_case"))]
pub enum Glue {
    /// A row of the embedding.
    Embed { kind: Kind, row: Vec<u8> },
    /// The residual, normed.
    Norm { state: Vec<i64>, weights: Vec<i32>, epsilon: u64 },
    /// Outputs added to the residual.
    Add { state: Vec<i64>, outputs: Vec<i64>, exponent: i32 },
    /// The two halves of the feed-forward part.
    Activate { gate: Vec<i64>, up: Vec<i64>, exponent: i32 },
    /// Attention, position by position.
    Attend { heads: Heads, positions: Vec<Position> },
    /// The token taken.
    Pick { logits: Vec<i64> },
    /// A sequence through a small model whose rows are cut in ranges.
    Sequence { shape: Small, prompt: Vec<u32>, batch: u32, answer: u32, ranges: u32 },
}

/// The heads of an attention.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
#[cfg_attr(feature = "std", derive(serde::Deserialize, serde::Serialize))]
pub struct Heads {
    pub heads: u32,
    pub kv_heads: u32,
    pub head_width: u32,
    pub interleaved: bool,
}

/// What attention takes of a position.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
#[cfg_attr(feature = "std", derive(serde::Deserialize, serde::Serialize))]
pub struct Position {
    /// Queries, keys, values.
    pub outputs: Vec<i64>,
    pub exponent: i32,
    pub turn: Vec<i32>,
}

/// What comes of a [`Glue`].
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
#[cfg_attr(feature = "std", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "std", serde(rename_all = "snake_case"))]
pub enum Made {
    /// It cannot be done.
    Refused,
    /// Numbers.
    Numbers(Vec<i64>),
    /// Vectors: exponent and mantissas.
    Vectors(Vec<(i32, Vec<i16>)>),
    /// A token.
    Token(Option<u32>),
    /// The answer; the root of the gateway's trace, and of that of each range.
    Sequence { answer: Vec<u32>, gateway: Hash, workers: Vec<Hash> },
}

impl Glue {
    /// Does the job.
    pub fn run(&self, machine: Machine) -> Made {
        match self {
            Self::Embed { kind, row } => Made::Numbers(glue::embed(*kind, row)),
            Self::Norm { state, weights, epsilon } => one(&glue::norm(state, weights, *epsilon)),
            Self::Add { state, outputs, exponent } => Made::Numbers(glue::add(state, outputs, *exponent)),
            Self::Activate { gate, up, exponent } => one(&glue::activate(gate, up, *exponent)),
            Self::Attend { heads, positions } => attend(heads, positions, machine),
            Self::Pick { logits } => Made::Token(glue::pick(logits)),
            Self::Sequence { shape, prompt, batch, answer, ranges } => {
                sequence(shape, prompt, *batch as usize, *answer, *ranges, machine).unwrap_or(Made::Refused)
            },
        }
    }
}

fn parts(vector: &Vector) -> (i32, Vec<i16>) {
    (vector.exponent(), vector.mantissas().to_vec())
}

fn one(vector: &Vector) -> Made {
    Made::Vectors(vec![parts(vector)])
}

fn attend(heads: &Heads, positions: &[Position], machine: Machine) -> Made {
    let llama = Llama {
        heads: heads.heads,
        kv_heads: heads.kv_heads,
        head_width: heads.head_width,
        ..Small::default().llama()
    };
    let mut cache = Cache::new(&llama);
    let mut mixed = Vec::new();
    for (visible, Position { outputs, exponent, turn }) in (1..).zip(positions) {
        let turn = Turn::new(turn, heads.interleaved);
        let (queries, rest) = outputs.split_at((llama.query_width() as usize).min(outputs.len()));
        let (keys, values) = rest.split_at((llama.key_width() as usize).min(rest.len()));
        cache.push(keys, values, *exponent, &turn);
        mixed.push(parts(&cache.attend(queries, *exponent, &turn, visible, machine)));
    }
    Made::Vectors(mixed)
}

/// Everybody who takes part in a sequence, in one place.
struct Players<'a> {
    llama: Llama,
    run: Run<&'a crate::small::Model>,
    locals: Vec<Local<'a>>,
    gateway: Trace,
    workers: Vec<Trace>,
}

fn sequence(shape: &Small, prompt: &[u32], batch: usize, count: u32, ranges: u32, machine: Machine) -> Option<Made> {
    let (llama, model) = (shape.llama(), shape.model());
    let local = |range| Local::of_range(&llama, machine, range, ranges, |name| model.matrix(name)).ok();
    let mut players = Players {
        llama,
        run: Run::new(&llama, &model, true, machine).ok()?,
        locals: (0..ranges).map(local).collect::<Option<_>>()?,
        gateway: Trace::new(&llama),
        workers: (0..ranges).map(|_| Trace::new(&llama)).collect(),
    };
    let batches = prompt.chunks(batch.max(1));
    let last = batches.len().checked_sub(1)?;
    let mut answer = Vec::new();
    for (number, tokens) in batches.enumerate() {
        answer.extend(players.step(tokens, number == last)?);
    }
    while answer.len() < count as usize {
        let token = *answer.last()?;
        answer.extend(players.step(&[token], true)?);
    }
    let root = |trace: &Trace| trace.describe().ok().map(|(_, root)| root);
    let workers = players.workers.iter().map(root).collect::<Option<_>>()?;
    Some(Made::Sequence { answer, gateway: root(&players.gateway)?, workers })
}

impl Players<'_> {
    /// One step. The token that follows, if there is to be one.
    fn step(&mut self, tokens: &[u32], answer: bool) -> Option<Option<u32>> {
        let mut call = self.run.begin(tokens, answer).ok()?;
        loop {
            self.gateway.record_call(&call).then_some(())?;
            let mut shares = Vec::new();
            for (local, trace) in self.locals.iter().zip(&mut self.workers) {
                let outputs = local.compute(&call).ok()?;
                trace.record_answer(&call, &outputs).then_some(())?;
                shares.push(outputs);
            }
            let stage = self.llama.stage(call.stage)?;
            let whole = |input: usize| {
                let ranges: Vec<&[i64]> =
                    shares.iter().map(|share| share.get(input).map(|all| &all[..])).collect::<Option<_>>()?;
                ranges::join(&self.llama, stage, &ranges)
            };
            let outputs: Vec<Vec<i64>> = (0..call.inputs.len()).map(whole).collect::<Option<_>>()?;
            call = match self.run.supply(&outputs).ok()? {
                Next::Call(call) => call,
                Next::Token(token) => return Some(Some(token)),
                Next::Stored => return Some(None),
            };
        }
    }
}
