//! Outlines: the upper part of a tensor's Merkle tree, by which the tensor is received in pieces.

use alloc::vec::Vec;
use core::ops::Range;

use crate::{
    merkle::{self, LeafHasher, RootBuilder},
    Error, Hash, Header, RowProof, TensorId,
};

/// The Merkle tree of a tensor, cut where a node covers at most 1 MiB of data.
///
/// Whoever receives a tensor first verifies the outline against the id, then each piece against the outline as it
/// comes, in any order. A value of this type always has as many piece hashes as its header asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outline {
    header: Header,
    pieces: Vec<Hash>,
}

impl Outline {
    /// Most bytes of data in a piece.
    pub const MAX_PIECE_LEN: u64 = 1 << 20;

    /// Number of leaves in a piece: the largest power of two whose data fits; the last piece may have fewer.
    pub fn piece_leaves(header: &Header) -> u32 {
        let fitting = Self::MAX_PIECE_LEN / (header.leaf_len() as u64).max(1);
        // A row has at most 1 MiB, so at least one fits.
        let level = fitting.checked_ilog2().unwrap_or(0);
        1 << level.min(u32::BITS - 1)
    }

    /// Number of pieces of a tensor with this header, at least 1 and at most 65,536.
    pub fn piece_count(header: &Header) -> u32 {
        header.leaf_count().div_ceil(Self::piece_leaves(header))
    }

    /// Where piece `index` lies in the data; empty at the end of the data if there is no such piece.
    pub fn piece_range(header: &Header, index: u32) -> Range<u64> {
        let leaves = Self::piece_leaves(header);
        header.leaves_range(index.saturating_mul(leaves), leaves)
    }

    /// The hash of a piece: the root over its leaves. `piece` has to have the length of [`Self::piece_range`].
    pub fn piece_hash(header: &Header, piece: &[u8]) -> Option<Hash> {
        merkle::root(leaf_hashes(header, piece))
    }

    /// The outline that somebody says `id` has, if that is true.
    pub fn verify(id: &TensorId, header: &Header, pieces: Vec<Hash>) -> Result<Self, Error> {
        let outline = Self::from_pieces(*header, pieces)?;
        if outline.id() != *id {
            return Err(Error::OutlineMismatch(*id));
        }
        Ok(outline)
    }

    fn from_pieces(header: Header, pieces: Vec<Hash>) -> Result<Self, Error> {
        let expected = Self::piece_count(&header);
        if u32::try_from(pieces.len()) != Ok(expected) {
            return Err(Error::WrongPieceCount { expected, found: pieces.len() });
        }
        Ok(Self { header, pieces })
    }

    /// Kind and shape of the tensor.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The hashes of the pieces, in order.
    pub fn pieces(&self) -> &[Hash] {
        &self.pieces
    }

    /// The Merkle root.
    pub fn root(&self) -> Hash {
        // There is at least one piece, since every header has at least one leaf.
        merkle::root(self.pieces.iter().copied()).unwrap_or_default()
    }

    /// The id of the tensor.
    pub fn id(&self) -> TensorId {
        self.header.id(&self.root())
    }

    /// Whether `bytes` are piece `index`.
    pub fn verify_piece(&self, index: u32, bytes: &[u8]) -> bool {
        let range = Self::piece_range(&self.header, index);
        let Some(expected) = usize::try_from(index).ok().and_then(|index| self.pieces.get(index)) else {
            return false;
        };
        range.end - range.start == bytes.len() as u64
            && Self::piece_hash(&self.header, bytes).as_ref() == Some(expected)
    }

    /// The number of the piece in which leaf `index` lies.
    pub fn piece_of_leaf(header: &Header, index: u32) -> u32 {
        index / Self::piece_leaves(header)
    }

    /// The proof of leaf `index`, given the piece in which it lies ([`Self::piece_of_leaf`]).
    ///
    /// Fails if there is no such leaf or if `piece` is not that piece.
    pub fn prove(&self, index: u32, piece: &[u8]) -> Result<RowProof, Error> {
        let header = self.header;
        let no_such_leaf = Error::NoSuchLeaf { index, count: header.leaf_count() };
        if index >= header.leaf_count() {
            return Err(no_such_leaf);
        }
        let number = Self::piece_of_leaf(&header, index);
        if !self.verify_piece(number, piece) {
            return Err(Error::PieceMismatch { index: number });
        }
        let inside = index % Self::piece_leaves(&header);
        let leaf = usize::try_from(inside).ok().and_then(|inside| piece.chunks(header.leaf_len()).nth(inside));
        let below = merkle::path(leaf_hashes(&header, piece), inside);
        let above = merkle::path(self.pieces.iter().copied(), number);
        let (Some(leaf), Some(mut siblings), Some(above)) = (leaf, below, above) else {
            return Err(no_such_leaf);
        };
        siblings.extend(above);
        Ok(RowProof { header, index, leaf: leaf.to_vec(), siblings })
    }
}

fn leaf_hashes<'a>(header: &Header, data: &'a [u8]) -> impl Iterator<Item = Hash> + 'a {
    data.chunks(header.leaf_len()).map(merkle::leaf_hash)
}

/// Builds an outline from data that comes in parts of any length, without keeping the data.
#[derive(Clone, Debug)]
pub struct OutlineBuilder {
    header: Header,
    /// Bytes of data still to come.
    missing: u64,
    leaf: LeafHasher,
    /// Bytes that `leaf` still needs, if more than the end of the data is to come.
    leaf_missing: usize,
    piece: RootBuilder,
    piece_leaves: u32,
    pieces: Vec<Hash>,
}

impl OutlineBuilder {
    /// A builder for the data of a tensor with this header.
    pub fn new(header: &Header) -> Self {
        Self {
            header: *header,
            missing: header.data_len(),
            leaf: LeafHasher::new(),
            leaf_missing: header.leaf_len(),
            piece: RootBuilder::new(),
            piece_leaves: 0,
            pieces: Vec::new(),
        }
    }

    /// Takes the next bytes of data. Fails, and takes none of them, if they are more than the header allows.
    pub fn update(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        self.missing = self.missing.checked_sub(bytes.len() as u64).ok_or_else(|| Error::WrongLength {
            expected: self.header.data_len(),
            found: self.taken().saturating_add(bytes.len() as u64),
        })?;
        while !bytes.is_empty() {
            let (part, rest) = bytes.split_at(self.leaf_missing.min(bytes.len()));
            self.leaf.update(part);
            self.leaf_missing -= part.len();
            if self.leaf_missing == 0 {
                self.end_leaf();
            }
            bytes = rest;
        }
        Ok(())
    }

    /// Number of bytes of data taken so far.
    pub fn taken(&self) -> u64 {
        self.header.data_len() - self.missing
    }

    /// The outline, once all data is taken.
    pub fn finish(mut self) -> Result<Outline, Error> {
        if self.missing > 0 {
            return Err(Error::WrongLength { expected: self.header.data_len(), found: self.taken() });
        }
        if self.leaf_missing < self.header.leaf_len() {
            self.end_leaf();
        }
        self.end_piece();
        Outline::from_pieces(self.header, self.pieces)
    }

    fn end_leaf(&mut self) {
        self.piece.push(core::mem::replace(&mut self.leaf, LeafHasher::new()).finish());
        self.leaf_missing = self.header.leaf_len();
        self.piece_leaves += 1;
        if self.piece_leaves == Outline::piece_leaves(&self.header) {
            self.end_piece();
        }
    }

    fn end_piece(&mut self) {
        self.piece_leaves = 0;
        self.pieces.extend(core::mem::take(&mut self.piece).root());
    }
}
