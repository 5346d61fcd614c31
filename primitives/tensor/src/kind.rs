//! Kinds of tensors: how elements are laid out in a row.

use core::fmt;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What the data of a tensor is. The number is part of the header and of the SCALE encoding.
#[derive(
    Clone,
    Copy,
    Debug,
    Decode,
    DecodeWithMemTracking,
    Encode,
    Eq,
    Hash,
    MaxEncodedLen,
    Ord,
    PartialEq,
    PartialOrd,
    TypeInfo,
)]
#[cfg_attr(feature = "std", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "std", serde(rename_all = "snake_case"))]
#[repr(u8)]
pub enum Kind {
    /// Any bytes. One row per byte, one column.
    Bytes = 0,
    /// The manifest of a bundle: names and ids of other tensors. One row per byte of the manifest, one column.
    Bundle = 1,
    /// Signed 16-bit integers, little endian.
    I16 = 2,
    /// Signed 32-bit integers, little endian.
    I32 = 3,
    /// Blocks of 32 signed 8-bit quants with one scale.
    Q8_0 = 4,
    /// Blocks of 32 signed 4-bit quants with one scale.
    Q4_0 = 5,
    /// Blocks of 32 unsigned 4-bit quants with one scale and one minimum.
    Q4_1 = 6,
}

impl Kind {
    /// Every kind, in the order of the numbers.
    pub const ALL: [Self; 7] = [Self::Bytes, Self::Bundle, Self::I16, Self::I32, Self::Q8_0, Self::Q4_0, Self::Q4_1];

    /// The number that stands for this kind in a header.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The kind with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The name, as it is written in JSON and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Bundle => "bundle",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::Q8_0 => "q8_0",
            Self::Q4_0 => "q4_0",
            Self::Q4_1 => "q4_1",
        }
    }

    /// Whether the data is a string of bytes without rows of its own: `Bytes` and `Bundle`.
    ///
    /// Such a tensor has one column, as many rows as bytes, and leaves of a fixed length instead of one leaf per row.
    pub const fn is_bytes(self) -> bool {
        matches!(self, Self::Bytes | Self::Bundle)
    }

    /// Elements that are encoded together: the number of columns is a multiple of it.
    pub const fn group_cols(self) -> u32 {
        match self {
            Self::Bytes | Self::Bundle | Self::I16 | Self::I32 => 1,
            Self::Q8_0 | Self::Q4_0 | Self::Q4_1 => 32,
        }
    }

    /// Length of [`Self::group_cols`] elements in bytes.
    pub const fn group_len(self) -> u32 {
        match self {
            Self::Bytes | Self::Bundle => 1,
            Self::I16 => 2,
            Self::I32 => 4,
            Self::Q8_0 => 34,
            Self::Q4_0 => 18,
            Self::Q4_1 => 20,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(feature = "std")]
impl core::str::FromStr for Kind {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| crate::Error::UnknownKind(text.into()))
    }
}
