//! Outlines on the disk: the header and the hashes of the pieces, one after the other.

use std::{fs, path::Path};

use ensemble_tensor::{Hash, Header, Outline, TensorId};

/// The content of an outline's file.
pub(super) fn encode(outline: &Outline) -> Vec<u8> {
    [outline.header().to_bytes().as_slice(), outline.pieces().as_flattened()].concat()
}

/// The outline of the tensor `id` from its file, if it is there and belongs to the id.
pub(super) fn read(path: &Path, id: &TensorId, header: &Header) -> Option<Outline> {
    // The length comes first, so that a file of another size costs no memory.
    if fs::metadata(path).ok()?.len() != super::index::outline_len(header) {
        return None;
    }
    let bytes = fs::read(path).ok()?;
    let (head, pieces) = bytes.split_at_checked(Header::LEN)?;
    if head != header.to_bytes() {
        return None;
    }
    let (pieces, []) = pieces.as_chunks::<{ size_of::<Hash>() }>() else { return None };
    Outline::verify(id, header, pieces.to_vec()).ok()
}

/// Checks what the kind asks of the bytes of piece `index`. A bundle's manifest can only be checked as a whole.
pub(super) fn validate_piece(header: &Header, index: u32, bytes: &[u8]) -> Result<(), ensemble_tensor::Error> {
    let first_row = index.saturating_mul(Outline::piece_leaves(header));
    ensemble_tensor::validate_rows(header, first_row, bytes)
}
