//! Traces: for each position and stage two hashes, as a tensor, so that each can be proved against its root.

use alloc::vec::Vec;

use ensemble_tensor::{merkle, Error, Hash, Header, Kind};

use super::{hashes, Call, Llama};

/// The two hashes of a position and stage.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Entry {
    /// Of the stage's input.
    pub input: Hash,
    /// Of a worker the root over its outputs, of a gateway the hash of the residual before the stage.
    pub other: Hash,
}

impl Entry {
    /// Length in bytes.
    pub const LEN: usize = 64;
    /// Numbers of kind `i32` that it takes.
    pub const COLS: u32 = 16;

    /// The bytes in the trace.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let (input, other) = bytes.split_at_mut(Self::LEN / 2);
        input.copy_from_slice(&self.input);
        other.copy_from_slice(&self.other);
        bytes
    }

    /// The entry with these bytes.
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let mut entry = Self::default();
        let (input, other) = bytes.split_at(Self::LEN / 2);
        entry.input.copy_from_slice(input);
        entry.other.copy_from_slice(other);
        entry
    }

    /// Whether the stage was not computed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A trace as it grows: a row for each position. What was not computed is zero bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trace {
    stages: u32,
    positions: u32,
    bytes: Vec<u8>,
}

impl Trace {
    /// An empty trace of a model. No position beyond the model's can be recorded.
    pub fn new(llama: &Llama) -> Self {
        Self { stages: llama.stages(), positions: llama.positions, bytes: Vec::new() }
    }

    /// The header of a trace of a model with so many positions.
    pub fn header_of(llama: &Llama, positions: u32) -> Result<Header, Error> {
        Self::shape(llama.stages(), positions)
    }

    fn shape(stages: u32, positions: u32) -> Result<Header, Error> {
        Header::new(Kind::I32, positions, stages.saturating_mul(Entry::COLS))
    }

    /// The trace with these bytes, if they are whole rows of no more positions than the model has.
    pub fn from_bytes(llama: &Llama, bytes: Vec<u8>) -> Option<Self> {
        let trace = Self { bytes, ..Self::new(llama) };
        let whole = trace.bytes.len().is_multiple_of(trace.row_len());
        (whole && trace.positions() <= trace.positions).then_some(trace)
    }

    fn row_len(&self) -> usize {
        (self.stages as usize).saturating_mul(Entry::LEN).max(1)
    }

    /// Number of rows: positions up to the last one that something was recorded of.
    pub fn positions(&self) -> u32 {
        u32::try_from(self.bytes.len() / self.row_len()).unwrap_or(u32::MAX)
    }

    /// Writes an entry. Returns whether there are such a position and stage.
    pub fn record(&mut self, position: u32, stage: u32, entry: &Entry) -> bool {
        if position >= self.positions || stage >= self.stages {
            return false;
        }
        let row = (position as usize).saturating_mul(self.row_len());
        let end = row.saturating_add(self.row_len());
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        let from = row.saturating_add((stage as usize).saturating_mul(Entry::LEN));
        let Some(place) = self.bytes.get_mut(from..from.saturating_add(Entry::LEN)) else { return false };
        place.copy_from_slice(&entry.to_bytes());
        true
    }

    /// Writes what a gateway asks, from a sequence that is traced. Returns whether there are such positions and stage.
    pub fn record_call(&mut self, call: &Call) -> bool {
        (call.first..).zip(call.inputs.iter().zip(&call.states)).all(|(position, (input, state))| {
            self.record(position, call.stage, &Entry { input: input.hash(), other: *state })
        })
    }

    /// Writes what a worker answers to a call: the outputs of its rows, for each input. Returns whether there are such
    /// positions and stage.
    pub fn record_answer(&mut self, call: &Call, outputs: &[Vec<i64>]) -> bool {
        (call.first..).zip(call.inputs.iter().zip(outputs)).all(|(position, (input, outputs))| {
            self.record(position, call.stage, &Entry { input: input.hash(), other: hashes::outputs(outputs) })
        })
    }

    /// Forgets all positions from this one on.
    pub fn truncate(&mut self, positions: u32) {
        self.bytes.truncate((positions as usize).saturating_mul(self.row_len()));
    }

    /// The entry of a position and stage.
    pub fn entry(&self, position: u32, stage: u32) -> Option<Entry> {
        let (entries, _) = self.row(position)?.as_chunks();
        entries.get(stage as usize).map(Entry::from_bytes)
    }

    /// The row of a position.
    pub fn row(&self, position: u32) -> Option<&[u8]> {
        let from = (position as usize).checked_mul(self.row_len())?;
        self.bytes.get(from..from.checked_add(self.row_len())?)
    }

    /// The hash of a position's row, as the tree over the tensor has it.
    pub fn row_hash(&self, position: u32) -> Option<Hash> {
        self.row(position).map(merkle::leaf_hash)
    }

    /// All rows: the data of the tensor.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Header and Merkle root of the tensor. Fails if nothing was recorded, or if the tensor would be too large.
    pub fn describe(&self) -> Result<(Header, Hash), Error> {
        let header = Self::shape(self.stages, self.positions())?;
        let rows = self.bytes.chunks(self.row_len()).map(merkle::leaf_hash);
        // There is at least one row, or the header would not be.
        Ok((header, merkle::root(rows).unwrap_or_default()))
    }
}
