//! What evidence in a session is judged by, and the checks that its kinds share.

use alloc::vec::Vec;

use codec::Encode;
use ensemble_compute::inference::{hashes, ranges, Architecture, Entry, Llama, Stage};
use ensemble_core::{
    inference::{Chunk, Closing, MatrixRow, MemberProof, Position, Question, RangeIndex, RangeVote},
    AttesterId, SessionId,
};
use ensemble_tensor::{merkle, Hash, Header, Kind, RowProof, TensorId};

use crate::{models::member_hash, Config, Pallet, SessionOf, State};

/// Kinds of matrices and of the embedding.
const WEIGHTS: &[Kind] = &[Kind::Q8_0, Kind::Q4_0, Kind::Q4_1];
/// The kind of tables.
const TABLES: &[Kind] = &[Kind::I32];

/// A session in its window.
pub(super) struct Case {
    pub(super) session: SessionId,
    /// The encoded hash of the chain's first block.
    pub(super) genesis: Vec<u8>,
    pub(super) llama: Llama,
    members: Hash,
    count: u32,
    pub(super) question: Question,
    pub(super) closing: Closing,
    /// What won, the places of who voted for it as bits, and whether it was shown to be wrong; for each range, nothing where
    /// the vote was void.
    won: Vec<Option<(TensorId, u32, bool)>>,
    keys: Vec<AttesterId>,
    /// The gateway's key.
    pub(super) gateway: AttesterId,
}

impl Case {
    /// What evidence in this session is judged by; nothing if it is not in its window.
    pub(super) fn of<T: Config>(id: SessionId, session: &SessionOf<T>) -> Option<Self> {
        let State::Disputable { team, closing, ranges, .. } = &session.state else { return None };
        let model = Pallet::<T>::model(session.model).ok()?;
        let Architecture::Llama(llama) = model.architecture;
        let won = ranges.iter().map(|range| match range.vote {
            RangeVote::Won(content) => Some((content, range.backers, range.is_wrong)),
            RangeVote::Open(_) | RangeVote::Void => None,
        });
        Some(Self {
            session: id,
            genesis: Pallet::<T>::genesis().encode(),
            llama,
            members: model.members,
            count: model.count,
            question: session.question,
            closing: *closing,
            won: won.collect(),
            keys: team.iter().map(|party| party.key.clone()).collect(),
            gateway: session.gateway.key.clone(),
        })
    }

    /// Number of ranges, and of workers.
    pub(super) fn ranges(&self) -> u32 {
        self.question.workers
    }

    fn range(&self, range: RangeIndex) -> Option<&(TensorId, u32, bool)> {
        self.won.get(usize::try_from(range).ok()?)?.as_ref()
    }

    /// What won of a range.
    pub(super) fn won(&self, range: RangeIndex) -> Option<TensorId> {
        self.range(range).map(|(content, ..)| *content)
    }

    /// The places of who voted for that, as bits.
    pub(super) fn backers(&self, range: RangeIndex) -> u32 {
        self.range(range).map_or(0, |(_, backers, _)| *backers)
    }

    /// Whether something won of a range and nobody has shown it to be wrong.
    pub(super) fn stands(&self, range: RangeIndex) -> bool {
        self.range(range).is_some_and(|(.., is_wrong)| !is_wrong)
    }

    /// The key of the worker at a place.
    pub(super) fn key(&self, place: u32) -> Option<&AttesterId> {
        self.keys.get(usize::try_from(place).ok()?)
    }

    /// A stage, if there is one with this number and it is computed at this position.
    pub(super) fn stage(&self, number: u32, position: Position) -> Option<Stage> {
        let stage = self.llama.stage(number)?;
        // Of a prompt the head is computed at the last position alone.
        let answers = position.saturating_add(1) >= self.question.prompt_tokens;
        (stage != Stage::Head || answers).then_some(stage)
    }

    /// Whether this is a row of a trace as far as sizes go.
    pub(super) fn fits_trace(&self, row: &RowProof) -> bool {
        is_row(row, &self.closing.trace.header)
    }

    /// Whether this is a row of the gateway's tokens as far as sizes go.
    pub(super) fn fits_tokens(&self, row: &RowProof) -> bool {
        is_row(row, &self.closing.tokens.header)
    }

    /// Whether this is a matrix or the embedding, and a row of it, as far as sizes go.
    pub(super) fn fits_matrix(&self, matrix: &MatrixRow, rows: u32, cols: u32, row: u32) -> bool {
        self.fits_member(matrix, WEIGHTS, rows, cols) && matrix.row.index == row
    }

    /// Whether this is a norm as far as sizes go.
    pub(super) fn fits_norm(&self, norm: &MatrixRow) -> bool {
        self.fits_member(norm, TABLES, 1, self.llama.width)
    }

    fn fits_member(&self, matrix: &MatrixRow, kinds: &[Kind], rows: u32, cols: u32) -> bool {
        let MatrixRow { member: MemberProof { index, siblings, .. }, row } = matrix;
        let header = &row.header;
        *index < self.count
            && siblings.len() == merkle::path_len(*index, self.count)
            && kinds.contains(&header.kind())
            && (header.rows(), header.cols()) == (rows, cols)
            && is_row(row, header)
    }

    /// Whether this is a row of the model's member of this name.
    pub(super) fn is_of_model(&self, matrix: &MatrixRow, name: &str) -> bool {
        let MatrixRow { member: MemberProof { index, id, siblings }, row } = matrix;
        let root = merkle::root_of_path(member_hash(name, id), *index, self.count, siblings);
        root == Some(self.members) && row.verify(id).is_ok()
    }

    /// Whether this is a row of the gateway's trace.
    pub(super) fn is_gateways(&self, row: &RowProof) -> bool {
        row.verify(&self.closing.trace.id()).is_ok()
    }

    /// Whether this is a row of what won of a range.
    pub(super) fn is_of_range(&self, range: RangeIndex, row: &RowProof) -> bool {
        self.won(range).is_some_and(|content| row.verify(&content).is_ok())
    }

    /// Whether this is a row of the gateway's tokens.
    pub(super) fn is_token(&self, row: &RowProof) -> bool {
        row.verify(&self.closing.tokens.id()).is_ok()
    }

    /// Number of outputs of a range in a stage.
    pub(super) fn outputs(&self, stage: Stage, range: RangeIndex) -> usize {
        ranges::len(&self.llama, stage, range, self.ranges())
    }
}

/// Whether this is a row of a tensor with this header as far as sizes go.
fn is_row(row: &RowProof, header: &Header) -> bool {
    let count = header.leaf_count();
    row.header == *header
        && row.index < count
        && row.leaf.len() == header.row_len()
        && row.siblings.len() == merkle::path_len(row.index, count)
}

/// Whether this is a chunk of so many outputs as far as sizes go.
pub(super) fn fits_chunk(chunk: &Chunk, outputs: usize) -> bool {
    let (count, start) = chunks(chunk, outputs);
    let len = outputs.saturating_sub(start).min(hashes::CHUNK);
    chunk.index < count && chunk.outputs.len() == len && chunk.siblings.len() == merkle::path_len(chunk.index, count)
}

/// The output root that a chunk of so many outputs leads to.
pub(super) fn root_of_chunk(chunk: &Chunk, outputs: usize) -> Option<Hash> {
    let (count, _) = chunks(chunk, outputs);
    merkle::root_of_path(hashes::chunk(&chunk.outputs), chunk.index, count, &chunk.siblings)
}

/// Number of chunks, and the place of this one's first output.
fn chunks(chunk: &Chunk, outputs: usize) -> (u32, usize) {
    let count = u32::try_from(outputs.div_ceil(hashes::CHUNK)).unwrap_or(u32::MAX);
    let index = usize::try_from(chunk.index).unwrap_or(usize::MAX);
    (count, index.saturating_mul(hashes::CHUNK))
}

/// The entry of a stage in a row of a trace.
pub(super) fn entry(row: &RowProof, stage: u32) -> Option<Entry> {
    let (entries, _) = row.leaf.as_chunks();
    entries.get(usize::try_from(stage).ok()?).map(Entry::from_bytes)
}

/// The numbers of a row of kind `i32`.
pub(super) fn numbers(row: &RowProof) -> Vec<i32> {
    let (numbers, _) = row.leaf.as_chunks();
    numbers.iter().map(|bytes| i32::from_le_bytes(*bytes)).collect()
}

/// The token in a row of the tokens.
pub(super) fn token(row: &RowProof) -> Option<u32> {
    row.leaf.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}
