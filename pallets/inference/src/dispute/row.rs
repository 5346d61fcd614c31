//! A worker's outputs: whether they are products of rows, and of the input that the gateway gave.

use ensemble_compute::inference::{product, ranges, Stage, Vector};
use ensemble_core::inference::{Chunk, MatrixRow, RangeIndex};
use ensemble_tensor::{merkle, RowProof};

use super::case::{entry, fits_chunk, root_of_chunk, Case};

/// Bytes of a vector's exponent.
const EXPONENT: usize = 4;
/// Bytes of a vector's element.
const MANTISSA: usize = 2;

/// A row among the outputs of a range in a stage.
struct Place {
    /// The matrix's name.
    name: alloc::string::String,
    /// The matrix's rows.
    rows: u32,
    /// The matrix's columns.
    cols: u32,
    /// The number of the row.
    row: u32,
}

/// The row that is so far down among the outputs of a range in a stage.
fn place_of(case: &Case, stage: Stage, range: RangeIndex, output: u32) -> Option<Place> {
    let mut left = output;
    for shape in case.llama.matrices(stage) {
        let rows = ranges::rows(shape.rows, range, case.ranges());
        let count = rows.end.saturating_sub(rows.start);
        if left < count {
            let row = rows.start.saturating_add(left);
            return Some(Place { name: shape.name, rows: shape.rows, cols: shape.cols, row });
        }
        left = left.saturating_sub(count);
    }
    None
}

/// The number of the chunk in which an output is, and its place there.
fn in_chunk(output: u32) -> (u32, usize) {
    let chunk = u32::try_from(ensemble_compute::inference::hashes::CHUNK).unwrap_or(u32::MAX);
    let place = output.checked_rem(chunk).and_then(|place| usize::try_from(place).ok());
    (output.checked_div(chunk).unwrap_or(0), place.unwrap_or(usize::MAX))
}

#[expect(clippy::too_many_arguments, reason = "they are the fields of the evidence")]
pub(super) fn admits(
    case: &Case,
    range: RangeIndex,
    stage: u32,
    output: u32,
    trace: &RowProof,
    input: &[u8],
    chunk: &Chunk,
    matrix: &MatrixRow,
) -> bool {
    let Some(kind) = case.stage(stage, trace.index) else { return false };
    let Some(place) = place_of(case, kind, range, output) else { return false };
    let width = usize::try_from(place.cols).unwrap_or(usize::MAX);
    let (number, _) = in_chunk(output);
    case.won(range).is_some()
        && case.fits_trace(trace)
        && input.len() == width.saturating_mul(MANTISSA).saturating_add(EXPONENT)
        && chunk.index == number
        && fits_chunk(chunk, case.outputs(kind, range))
        && case.fits_matrix(matrix, place.rows, place.cols, place.row)
}

#[expect(clippy::too_many_arguments, reason = "they are the fields of the evidence")]
pub(super) fn shows(
    case: &Case,
    range: RangeIndex,
    stage: u32,
    output: u32,
    trace: &RowProof,
    input: &[u8],
    chunk: &Chunk,
    matrix: &MatrixRow,
) -> Option<bool> {
    let kind = case.stage(stage, trace.index)?;
    let place = place_of(case, kind, range, output)?;
    let said = entry(trace, stage)?;
    let holds = case.is_of_range(range, trace)
        && merkle::leaf_hash(input) == said.input
        && root_of_chunk(chunk, case.outputs(kind, range)) == Some(said.other)
        && case.is_of_model(matrix, &place.name);
    if !holds {
        return None;
    }
    let vector = Vector::decode(input).ok()?;
    let right = product(matrix.row.header.kind(), &matrix.row.leaf, &vector).ok()?;
    let (_, at) = in_chunk(output);
    Some(*chunk.outputs.get(at)? != right)
}

pub(super) fn admits_input(case: &Case, range: RangeIndex, stage: u32, trace: &RowProof, gateway: &RowProof) -> bool {
    case.won(range).is_some()
        && case.stage(stage, trace.index).is_some()
        && trace.index == gateway.index
        && case.fits_trace(trace)
        && case.fits_trace(gateway)
}

pub(super) fn shows_input(
    case: &Case,
    range: RangeIndex,
    stage: u32,
    trace: &RowProof,
    gateway: &RowProof,
) -> Option<bool> {
    let differs = entry(trace, stage)?.input != entry(gateway, stage)?.input;
    Some(differs && case.is_of_range(range, trace) && case.is_gateways(gateway))
}
