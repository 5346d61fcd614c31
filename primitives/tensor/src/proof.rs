//! Proofs that a row belongs to a tensor.

use alloc::vec::Vec;

use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

use crate::{merkle, Error, Hash, Header, TensorId};

/// One leaf of a tensor with what it takes to check it against the tensor's id: a row, or 4096 bytes of a tensor
/// without rows.
///
/// A value of this type says nothing before [`Self::verify`] has accepted it.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
#[cfg_attr(feature = "std", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "std", serde(rename_all = "camelCase", deny_unknown_fields))]
pub struct RowProof {
    /// Kind and shape of the tensor.
    pub header: Header,
    /// Number of the leaf, counted from 0; of the row where a leaf is a row.
    pub index: u32,
    /// The leaf's bytes.
    #[cfg_attr(feature = "std", serde(with = "crate::json::bytes"))]
    pub leaf: Vec<u8>,
    /// Hashes of the nodes that stand beside the way from the leaf to the root, from the leaf on.
    #[cfg_attr(feature = "std", serde(with = "crate::json::hashes"))]
    pub siblings: Vec<Hash>,
}

impl RowProof {
    /// Checks that the tensor `id` has this header and this leaf at this place.
    ///
    /// Hashes the leaf and at most 33 short strings, whatever the proof holds.
    pub fn verify(&self, id: &TensorId) -> Result<(), Error> {
        let Self { header, index, leaf, siblings } = self;
        let (index, count) = (*index, header.leaf_count());
        if index >= count {
            return Err(Error::NoSuchLeaf { index, count });
        }
        let range = header.leaf_range(index);
        let expected = range.end - range.start;
        if leaf.len() as u64 != expected {
            return Err(Error::WrongLeafLength { index, expected, found: leaf.len() });
        }
        let expected = merkle::path_len(index, count);
        let root = merkle::root_of_path(merkle::leaf_hash(leaf), index, count, siblings)
            .ok_or(Error::WrongSiblingCount { expected, found: siblings.len() })?;
        if header.id(&root) != *id {
            return Err(Error::ProofMismatch(*id));
        }
        Ok(())
    }
}
