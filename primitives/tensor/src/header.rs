//! The header: kind and shape of a tensor, and all lengths that follow from them.

use core::ops::Range;

use codec::{Decode, DecodeWithMemTracking, Encode, Input, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{merkle, Error, Hash, Kind, TensorId};

/// First bytes of every tensor.
const MAGIC: [u8; 4] = *b"ENST";
/// Version of the encoding.
const VERSION: u8 = 1;

/// Kind and shape of a tensor. Every value of this type is within the limits, so that no length overflows.
#[derive(Clone, Copy, Debug, Encode, Eq, Hash, MaxEncodedLen, PartialEq, TypeInfo)]
#[cfg_attr(feature = "std", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "std", serde(try_from = "Unchecked"))]
pub struct Header {
    kind: Kind,
    rows: u32,
    cols: u32,
}

impl Header {
    /// Length of an encoded header in bytes.
    pub const LEN: usize = 16;
    /// Most bytes of a row.
    pub const MAX_ROW_LEN: u64 = 1 << 20;
    /// Most bytes of data.
    pub const MAX_DATA_LEN: u64 = 1 << 35;
    /// Length of the leaves of `Bytes` and `Bundle`; the last leaf may be shorter.
    pub const BYTES_LEAF_LEN: u32 = 4096;

    /// A header of this kind and shape, if a tensor may have it.
    pub fn new(kind: Kind, rows: u32, cols: u32) -> Result<Self, Error> {
        if rows == 0 || cols == 0 {
            return Err(Error::Empty { rows, cols });
        }
        if kind.is_bytes() && cols != 1 {
            return Err(Error::BytesHaveOneColumn { kind, cols });
        }
        if !cols.is_multiple_of(kind.group_cols()) {
            return Err(Error::PartialBlock { kind, cols });
        }
        let header = Self { kind, rows, cols };
        let (len, limit) = (header.wide_row_len(), Self::MAX_ROW_LEN);
        if len > limit {
            return Err(Error::RowTooLong { len, limit });
        }
        let (len, limit) = (header.data_len(), Self::max_data_len(kind));
        if len > limit {
            return Err(Error::DataTooLong { len, limit });
        }
        Ok(header)
    }

    /// The header of `len` bytes of kind `Bytes`.
    pub fn bytes(len: u64) -> Result<Self, Error> {
        let rows = u32::try_from(len).map_err(|_| Error::DataTooLong { len, limit: u32::MAX.into() })?;
        Self::new(Kind::Bytes, rows, 1)
    }

    fn max_data_len(kind: Kind) -> u64 {
        match kind {
            Kind::Bundle => crate::Bundle::MAX_LEN,
            _ => Self::MAX_DATA_LEN,
        }
    }

    /// How elements are laid out.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Number of rows, at least 1; of bytes for `Bytes` and `Bundle`.
    pub const fn rows(&self) -> u32 {
        self.rows
    }

    /// Number of columns, at least 1.
    pub const fn cols(&self) -> u32 {
        self.cols
    }

    /// The encoding: magic `ENST`, version, kind, two zero bytes, rows and columns in little endian.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = VERSION;
        bytes[5] = self.kind.number();
        bytes[8..12].copy_from_slice(&self.rows.to_le_bytes());
        bytes[12..].copy_from_slice(&self.cols.to_le_bytes());
        bytes
    }

    /// Reads the header that `bytes` begin with; what follows it is not looked at.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let (head, _) = bytes.split_first_chunk::<{ Self::LEN }>().ok_or(Error::HeaderTooShort(bytes.len()))?;
        let [m0, m1, m2, m3, version, kind, zero0, zero1, r0, r1, r2, r3, c0, c1, c2, c3] = *head;
        if [m0, m1, m2, m3] != MAGIC {
            return Err(Error::NotATensor);
        }
        if version != VERSION {
            return Err(Error::UnsupportedVersion(version));
        }
        if [zero0, zero1] != [0, 0] {
            return Err(Error::ReservedBytes);
        }
        let kind = Kind::from_number(kind).ok_or(Error::UnknownKindNumber(kind))?;
        Self::new(kind, u32::from_le_bytes([r0, r1, r2, r3]), u32::from_le_bytes([c0, c1, c2, c3]))
    }

    /// Length of a row in bytes.
    #[expect(clippy::cast_possible_truncation, reason = "a row has at most 1 MiB")]
    pub const fn row_len(&self) -> usize {
        self.wide_row_len() as usize
    }

    const fn wide_row_len(&self) -> u64 {
        // No overflow: both factors come from 32 bits, and no group is longer than 34 bytes.
        (self.cols / self.kind.group_cols()) as u64 * self.kind.group_len() as u64
    }

    /// Length of the data in bytes, without the header.
    pub const fn data_len(&self) -> u64 {
        self.wide_row_len().saturating_mul(self.rows as u64)
    }

    /// Length of the canonical encoding in bytes: header and data.
    pub const fn encoded_len(&self) -> u64 {
        Self::LEN as u64 + self.data_len()
    }

    /// Length of a Merkle leaf in bytes: a row, or 4096 bytes of `Bytes` and `Bundle`, where the last may be shorter.
    pub const fn leaf_len(&self) -> usize {
        if self.kind.is_bytes() {
            Self::BYTES_LEAF_LEN as usize
        } else {
            self.row_len()
        }
    }

    /// Number of Merkle leaves, at least 1.
    pub const fn leaf_count(&self) -> u32 {
        if self.kind.is_bytes() {
            self.rows.div_ceil(Self::BYTES_LEAF_LEN)
        } else {
            self.rows
        }
    }

    /// Where leaf `index` lies in the data; empty at the end of the data if there is no such leaf.
    pub fn leaf_range(&self, index: u32) -> Range<u64> {
        self.leaves_range(index, 1)
    }

    /// Where `count` leaves from `first` on lie in the data, as far as there are as many.
    pub(crate) fn leaves_range(&self, first: u32, count: u32) -> Range<u64> {
        let (len, end) = (self.leaf_len() as u64, self.data_len());
        let at = |leaf: u64| leaf.saturating_mul(len).min(end);
        at(first.into())..at(u64::from(first).saturating_add(count.into()))
    }

    /// The id of the tensor with this header and this Merkle root.
    pub fn id(&self, root: &Hash) -> TensorId {
        merkle::tensor_id(self, root)
    }
}

impl Decode for Header {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        let (kind, rows, cols) = Decode::decode(input)?;
        Self::new(kind, rows, cols).map_err(|_| "no tensor may have this kind and shape".into())
    }
}

impl DecodeWithMemTracking for Header {}

/// A header as it stands in JSON, before it is checked.
#[cfg(feature = "std")]
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    kind: Kind,
    rows: u32,
    cols: u32,
}

#[cfg(feature = "std")]
impl TryFrom<Unchecked> for Header {
    type Error = Error;

    fn try_from(Unchecked { kind, rows, cols }: Unchecked) -> Result<Self, Error> {
        Self::new(kind, rows, cols)
    }
}
