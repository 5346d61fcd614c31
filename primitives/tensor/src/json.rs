//! Byte strings in JSON: `0x` and two hexadecimal digits per byte, nothing else.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serializer};

use crate::Hash;

/// Reads exactly 32 bytes.
pub(crate) fn parse_array(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text.strip_prefix("0x")?, &mut bytes).ok()?;
    Some(bytes)
}

fn write(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// A field of 32 bytes.
pub(crate) mod array {
    use super::{parse_array, write, Cow, Deserialize, Deserializer, Serializer};
    use serde::de::Error as _;

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&write(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        parse_array(&text).ok_or_else(|| D::Error::custom("expected 0x and 64 hexadecimal digits"))
    }
}

/// A field of any number of bytes.
pub(crate) mod bytes {
    use super::{write, Cow, Deserialize, Deserializer, Serializer};
    use serde::de::Error as _;

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&write(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").ok_or_else(|| D::Error::custom("expected 0x and hexadecimal digits"))?;
        hex::decode(digits)
            .map_err(|error| D::Error::custom(format_args!("expected 0x and hexadecimal digits: {error}")))
    }
}

/// A field with a list of hashes.
pub(crate) mod hashes {
    use super::{parse_array, write, Deserialize, Deserializer, Hash, Serializer};
    use serde::de::Error as _;

    pub(crate) fn serialize<S: Serializer>(hashes: &[Hash], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(hashes.iter().map(|hash| write(hash)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Hash>, D::Error> {
        Vec::<String>::deserialize(deserializer)?
            .iter()
            .map(|text| parse_array(text).ok_or_else(|| D::Error::custom("expected 0x and 64 hexadecimal digits")))
            .collect()
    }
}
