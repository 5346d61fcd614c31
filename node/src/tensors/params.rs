//! The command line's part of the configuration.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

/// Options of a node that concern tensors.
#[derive(Clone, Debug, clap::Args)]
pub struct TensorParams {
    /// Most disk space for tensors, for example 500MiB or 2TiB.
    ///
    /// When it is used up, tensors that are neither pinned nor in use are removed, those first that were not used for
    /// longest. If everything is pinned, new tensors are refused.
    #[arg(long, value_name = "SIZE", default_value = "20GiB")]
    pub tensor_quota: ByteSize,

    /// Let everybody who reaches the RPC port upload tensors.
    ///
    /// Their uploads under way may take a quarter of the quota. Without it, uploading is an unsafe method, which
    /// `--rpc-methods` governs, as fetching, pinning and removing always are.
    #[arg(long)]
    pub tensor_rpc_writes: bool,
}

/// How a node keeps tensors.
#[derive(Clone, Debug)]
pub struct TensorConfig {
    /// The store's folder.
    pub path: PathBuf,
    /// Most bytes on disk.
    pub quota: u64,
    /// Whether everybody may upload by RPC.
    pub rpc_writes: bool,
}

impl TensorParams {
    /// The configuration of a node that keeps its chain in `chain_folder`.
    pub fn config(&self, chain_folder: &Path) -> TensorConfig {
        TensorConfig {
            path: chain_folder.join("tensors"),
            quota: self.tensor_quota.0,
            rpc_writes: self.tensor_rpc_writes,
        }
    }
}

/// A number of bytes, written with or without a binary unit: `4096`, `500MiB`, `2TiB`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ByteSize(pub u64);

/// Text that is no number of bytes.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is no size: write a whole number of bytes, or one followed by KiB, MiB, GiB or TiB")]
pub struct InvalidSize(String);

const UNITS: [(&str, u32); 4] = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)];

impl FromStr for ByteSize {
    type Err = InvalidSize;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let with_unit = UNITS.iter().find_map(|(unit, bits)| Some((text.strip_suffix(unit)?, *bits)));
        let (number, bits) = with_unit.unwrap_or((text, 0));
        let number: Option<u64> = number.trim_end().parse().ok();
        number.and_then(|number| number.checked_mul(1 << bits)).map(Self).ok_or_else(|| InvalidSize(text.into()))
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, bits): &&(&str, u32)| self.0 > 0 && self.0.is_multiple_of(1 << bits);
        match UNITS.iter().rev().find(fits) {
            Some((unit, bits)) => write!(f, "{}{unit}", self.0 >> bits),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        for (text, bytes) in [("0", 0), ("4096", 4096), ("20GiB", 20 << 30), ("3 MiB", 3 << 20), ("1KiB", 1024)] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)));
        }
        assert_eq!(ByteSize(20 << 30).to_string(), "20GiB");
        assert_eq!(ByteSize(1025).to_string(), "1025");
    }

    #[test]
    fn other_text_is_no_size() {
        for text in ["", "GiB", "-1", "1.5GiB", "20GB", "99999999999999TiB", "0x10"] {
            assert_eq!(text.parse::<ByteSize>(), Err(InvalidSize(text.into())), "{text}");
        }
    }
}
