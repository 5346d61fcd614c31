//! What is said of a session: the tokens, the gateway's trace, the traces that won, and contested outputs.

use std::sync::OnceLock;

use ensemble_compute::inference::Entry;
use ensemble_core::inference::{Contested, Position};
use ensemble_tensor::{merkle, Hash, Header, Kind, RowProof, Tensor};

use super::Unable;

/// Everything that is said of a session.
pub struct Claims {
    /// BLAKE2b over the prompt's tokens.
    pub prompt: Hash,
    /// Number of the prompt's tokens.
    pub prompt_tokens: u32,
    /// The tokens, prompt first.
    pub tokens: Table,
    /// The gateway's trace.
    pub gateway: Table,
    /// The trace that won, for each range.
    pub won: Vec<Option<Table>>,
    /// Outputs that a majority gave and not everybody, as far as they are known.
    pub contested: Vec<Contested>,
}

impl Claims {
    /// Number of positions that are said to be computed.
    pub fn positions(&self) -> Position {
        self.gateway.header.rows()
    }

    /// Number of ranges.
    pub fn ranges(&self) -> u32 {
        // As many as workers, of which there are few.
        u32::try_from(self.won.len()).unwrap_or(u32::MAX)
    }

    /// Refuses tables of other shapes than those of a session over so many stages.
    pub fn check(&self, stages: u32) -> Result<(), Unable> {
        let positions = self.positions();
        let tokens = &self.tokens.header;
        let traces = [&self.gateway].into_iter().chain(self.won.iter().flatten());
        let is_trace = |table: &Table| {
            let header = &table.header;
            header.kind() == Kind::I32 && header.rows() == positions && Some(header.cols()) == stages.checked_mul(16)
        };
        let is_tokens =
            tokens.kind() == Kind::I32 && tokens.cols() == 1 && Some(tokens.rows()) == positions.checked_add(1);
        let has_answer = self.prompt_tokens > 0 && self.prompt_tokens <= positions;
        if self.won.is_empty() || !has_answer || !is_tokens || !traces.into_iter().all(is_trace) {
            return Err(Unable::Shape);
        }
        Ok(())
    }

    /// The token at a position. Negative ones are beyond every vocabulary.
    pub fn token(&self, position: Position) -> Option<u32> {
        let row = self.tokens.row(position)?;
        Some(u32::from_le_bytes(row.try_into().ok()?))
    }
}

/// A tensor, in memory or in a file that is mapped: a long session's traces would not fit otherwise.
pub struct Table {
    header: Header,
    data: Box<dyn AsRef<[u8]> + Send + Sync>,
    /// The hashes of all leaves, once somebody has asked for a proof.
    leaves: OnceLock<Vec<Hash>>,
}

impl Table {
    /// Puts header and data together.
    pub fn new(header: Header, data: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Self, ensemble_tensor::Error> {
        Tensor::new(header, data.as_ref())?;
        Ok(Self { header, data: Box::new(data), leaves: OnceLock::new() })
    }

    /// Kind and shape.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The data.
    pub fn data(&self) -> &[u8] {
        (*self.data).as_ref()
    }

    /// The bytes of a row.
    pub fn row(&self, row: u32) -> Option<&[u8]> {
        self.data().chunks(self.header.row_len()).nth(row as usize)
    }

    /// What a trace says of a position and stage.
    pub fn entry(&self, position: Position, stage: u32) -> Result<Entry, Unable> {
        let entries = self.row(position).map(|row| row.as_chunks().0).unwrap_or_default();
        entries.get(stage as usize).map(Entry::from_bytes).ok_or(Unable::Shape)
    }

    /// The hash of a row, as the tree over the tensor has it.
    pub fn row_hash(&self, row: u32) -> Option<Hash> {
        self.row(row).map(merkle::leaf_hash)
    }

    /// That a row is the tensor's. Hashes all data the first time.
    pub fn prove(&self, row: u32) -> Result<RowProof, ensemble_tensor::Error> {
        let hash = || self.data().chunks(self.header.leaf_len()).map(merkle::leaf_hash).collect();
        let leaves = self.leaves.get_or_init(hash);
        let tensor = Tensor::new(self.header, self.data())?;
        let (Some(leaf), Some(siblings)) = (tensor.leaf(row), merkle::path(leaves.iter().copied(), row)) else {
            return Err(ensemble_tensor::Error::NoSuchLeaf { index: row, count: self.header.leaf_count() });
        };
        Ok(RowProof { header: self.header, index: row, leaf: leaf.to_vec(), siblings })
    }
}
