//! Tensors out of files, to a node and from it.

mod fetch;
mod file;
mod model;
mod upload;

pub use fetch::{fetch, fetch_encoded, token_for, Fetched};
pub use file::{Content, File};
pub use model::import;
pub use upload::{has, upload, Has};

use crate::chain::types::{
    ensemble_core::tasks::Descriptor,
    ensemble_tensor::{header::Header as ChainHeader, kind::Kind as ChainKind},
};
use ensemble_tensor::{Hash, Header, Kind};

/// Most bytes of a tensor in one call of a node.
pub const PART: usize = 2 << 20;

/// A kind as the chain takes it.
pub fn chain_kind(kind: Kind) -> ChainKind {
    match kind {
        Kind::Bytes => ChainKind::Bytes,
        Kind::Bundle => ChainKind::Bundle,
        Kind::I16 => ChainKind::I16,
        Kind::I32 => ChainKind::I32,
        Kind::Q8_0 => ChainKind::Q8_0,
        Kind::Q4_0 => ChainKind::Q4_0,
        Kind::Q4_1 => ChainKind::Q4_1,
    }
}

/// A kind as the chain tells it.
pub fn kind_name(kind: &ChainKind) -> &'static str {
    match kind {
        ChainKind::Bytes => "bytes",
        ChainKind::Bundle => "bundle",
        ChainKind::I16 => "i16",
        ChainKind::I32 => "i32",
        ChainKind::Q8_0 => "q8_0",
        ChainKind::Q4_0 => "q4_0",
        ChainKind::Q4_1 => "q4_1",
    }
}

/// Kind and shape as the chain tells them, if there can be such a tensor.
pub fn header_of(header: &ChainHeader) -> Option<Header> {
    let kind = kind_name(&header.kind).parse().ok()?;
    Header::new(kind, header.rows, header.cols).ok()
}

/// What a reveal names a content by.
pub fn descriptor(header: &Header, root: Hash) -> Descriptor {
    let header = ChainHeader { kind: chain_kind(header.kind()), rows: header.rows(), cols: header.cols() };
    Descriptor { header, root }
}
