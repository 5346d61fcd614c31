//! The identity of a tensor.

use core::fmt;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Identity of a tensor: a hash of its header and the Merkle root over its leaves.
///
/// Equal ids mean equal kind, shape and data. Written as `0x` and 64 hexadecimal digits.
#[derive(
    Clone,
    Copy,
    Decode,
    DecodeWithMemTracking,
    Default,
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
#[cfg_attr(feature = "std", serde(transparent))]
pub struct TensorId(#[cfg_attr(feature = "std", serde(with = "crate::json::array"))] pub [u8; 32]);

impl AsRef<[u8]> for TensorId {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for TensorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TensorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(feature = "std")]
impl core::str::FromStr for TensorId {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        crate::json::parse_array(text).map(Self).ok_or_else(|| crate::Error::InvalidId(text.into()))
    }
}
