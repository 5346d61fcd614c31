//! What data must be, beyond having the right hash.

use crate::{blocks, Bundle, Error, Header, Kind};

/// Checks that `data` is valid data of a tensor with this header: that it has the right length, that every scale and
/// minimum of a block is a finite number, and that a bundle's manifest is canonical.
pub fn validate(header: &Header, data: &[u8]) -> Result<(), Error> {
    let (expected, found) = (header.data_len(), data.len() as u64);
    if expected != found {
        return Err(Error::WrongLength { expected, found });
    }
    if header.kind() == Kind::Bundle {
        return Bundle::parse(data).map(|_| ());
    }
    validate_rows(header, 0, data)
}

/// Checks what can be checked of some rows, so that a large tensor can be validated piece by piece.
///
/// `rows` are whole rows, the first of them row `first_row`. A bundle's manifest can only be checked as a whole, by
/// [`validate`]: here it passes.
pub fn validate_rows(header: &Header, first_row: u32, rows: &[u8]) -> Result<(), Error> {
    let row_len = header.row_len();
    if !rows.len().is_multiple_of(row_len) {
        let whole = rows.len().next_multiple_of(row_len);
        return Err(Error::WrongLength { expected: whole as u64, found: rows.len() as u64 });
    }
    if header.kind().group_cols() == 1 {
        return Ok(());
    }
    let end = u64::from(first_row).saturating_add((rows.len() / row_len) as u64);
    if end > header.rows().into() {
        return Err(Error::NoSuchLeaf { index: header.rows(), count: header.rows() });
    }
    (first_row..header.rows()).zip(rows.chunks_exact(row_len)).try_for_each(|(row, bytes)| match blocks::first_invalid(
        header.kind(),
        bytes,
    ) {
        Some(block) => Err(Error::ScaleNotFinite { row, block }),
        None => Ok(()),
    })
}
