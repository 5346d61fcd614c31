//! What members hand in, as it lies in the tensor store.

use ensemble_core::{combination::Combination, spaces::STATE};
use ensemble_tensor::{Bundle, Header, Kind, TensorId};
use ndarray::Array2;

use crate::tensors::{Store, StoreError};

/// The tensors that a member hands in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Parts {
    /// The table.
    pub table: TensorId,
    /// The matrices, in the order in which the space names them.
    pub matrices: Vec<TensorId>,
}

/// The parts of a held content; nothing if not all are there, of the kind and shape that the space asks for.
pub fn parts(store: &Store, combination: &Combination, content: &TensorId) -> Result<Option<Parts>, StoreError> {
    let header = store.header(content).ok_or(StoreError::NotHeld(*content))?;
    let Combination { rows, cols, matrices, .. } = combination;
    if matrices.is_empty() {
        return Ok(is_matrix(&header, *rows, *cols).then_some(Parts { table: *content, matrices: Vec::new() }));
    }
    if header.kind() != Kind::Bundle {
        return Ok(None);
    }
    let manifest = bytes(store, content)?;
    let Ok(bundle) = Bundle::parse(&manifest) else { return Ok(None) };
    let asked = matrices.iter().map(|matrix| (matrix.name.as_slice(), matrix.rows, matrix.cols));
    let found = asked.map(|(name, rows, cols)| {
        let name = std::str::from_utf8(name).unwrap_or_default();
        part(store, &bundle, name, rows, cols)
    });
    let matrices = found.collect::<Result<Option<_>, _>>()?;
    let table = part(store, &bundle, STATE, *rows, *cols)?;
    Ok(table.zip(matrices).map(|(table, matrices)| Parts { table, matrices }))
}

/// The member of a held bundle with this name, if it has this shape.
pub fn part(
    store: &Store,
    bundle: &Bundle<'_>,
    name: &str,
    rows: u32,
    cols: u32,
) -> Result<Option<TensorId>, StoreError> {
    let Some(id) = bundle.get(name) else { return Ok(None) };
    let header = store.header(&id).ok_or(StoreError::NotHeld(id))?;
    Ok(is_matrix(&header, rows, cols).then_some(id))
}

fn is_matrix(header: &Header, rows: u32, cols: u32) -> bool {
    header.kind() == Kind::I16 && header.rows() == rows && header.cols() == cols
}

/// The data of a held tensor.
pub fn bytes(store: &Store, id: &TensorId) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    store.read_pieces(id, |piece| bytes.extend_from_slice(piece))?;
    Ok(bytes)
}

/// The numbers of a held tensor of kind `i16`.
pub fn numbers(store: &Store, id: &TensorId) -> Result<Array2<i16>, StoreError> {
    let header = store.header(id).ok_or(StoreError::NotHeld(*id))?;
    let mut numbers = Vec::with_capacity(usize::try_from(header.data_len() / 2).unwrap_or_default());
    store.read_pieces(id, |piece| {
        // Pieces are made of whole rows.
        let (pairs, _) = piece.as_chunks::<2>();
        numbers.extend(pairs.iter().map(|pair| i16::from_le_bytes(*pair)));
    })?;
    // The store keeps header and data of the same length; a tensor of another kind has another.
    Array2::from_shape_vec((header.rows() as usize, header.cols() as usize), numbers)
        .map_err(|_| StoreError::Damaged(*id))
}
