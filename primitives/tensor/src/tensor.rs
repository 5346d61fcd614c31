//! A tensor in memory.

use alloc::vec::Vec;

use crate::{merkle, validate, Error, Header, Outline, OutlineBuilder, RowProof, TensorId};

/// A header and borrowed data of exactly the length that the header says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tensor<'a> {
    header: Header,
    data: &'a [u8],
}

impl<'a> Tensor<'a> {
    /// Puts header and data together. Fails if the data is shorter or longer than the header says.
    pub fn new(header: Header, data: &'a [u8]) -> Result<Self, Error> {
        let (expected, found) = (header.data_len(), data.len() as u64);
        if expected != found {
            return Err(Error::WrongLength { expected, found });
        }
        Ok(Self { header, data })
    }

    /// Reads the canonical encoding: a header and the data, nothing after it.
    pub fn parse(encoded: &'a [u8]) -> Result<Self, Error> {
        let header = Header::from_bytes(encoded)?;
        Self::new(header, encoded.get(Header::LEN..).unwrap_or_default())
    }

    /// The canonical encoding.
    pub fn encode(&self) -> Vec<u8> {
        [&self.header.to_bytes(), self.data].concat()
    }

    /// Kind and shape.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The data, without the header.
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// The bytes of leaf `index`: of a row, or of 4096 bytes of a tensor without rows.
    pub fn leaf(&self, index: u32) -> Option<&'a [u8]> {
        self.data.chunks(self.header.leaf_len()).nth(usize::try_from(index).ok()?)
    }

    /// The upper part of the Merkle tree.
    pub fn outline(&self) -> Result<Outline, Error> {
        let mut builder = OutlineBuilder::new(&self.header);
        builder.update(self.data)?;
        builder.finish()
    }

    /// The identity. Hashes all data.
    pub fn id(&self) -> Result<TensorId, Error> {
        self.outline().map(|outline| outline.id())
    }

    /// The proof of leaf `index`. Hashes all data.
    pub fn prove(&self, index: u32) -> Result<RowProof, Error> {
        let hashes = self.data.chunks(self.header.leaf_len()).map(merkle::leaf_hash);
        let (Some(leaf), Some(siblings)) = (self.leaf(index), merkle::path(hashes, index)) else {
            return Err(Error::NoSuchLeaf { index, count: self.header.leaf_count() });
        };
        Ok(RowProof { header: self.header, index, leaf: leaf.to_vec(), siblings })
    }

    /// Checks that the data is valid for its kind: see [`validate`].
    pub fn validate(&self) -> Result<(), Error> {
        validate(&self.header, self.data)
    }
}
