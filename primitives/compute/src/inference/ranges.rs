//! Ranges: which rows of each matrix a worker multiplies, and which worker which ranges.

use alloc::vec::Vec;
use core::ops::Range;

use super::{Llama, RangeIndex, Stage};

/// Most workers that serve one range.
pub const MAX_REPLICAS: u32 = 7;

/// The ranges that the worker at a place serves, the first of them its own.
pub fn ranges_of(place: u32, workers: u32, replicas: u32) -> impl Iterator<Item = RangeIndex> {
    (0..replicas.min(workers)).map(move |step| {
        let back = step % workers.max(1);
        place.wrapping_add(workers).wrapping_sub(back) % workers.max(1)
    })
}

/// The places of the workers that serve a range.
pub fn places_of(range: RangeIndex, workers: u32, replicas: u32) -> impl Iterator<Item = u32> {
    (0..replicas.min(workers)).map(move |step| range.wrapping_add(step) % workers.max(1))
}

/// The rows of range `range` of `ranges`, of a matrix with so many rows. Ranges differ by one row at most. No rows if
/// there is no such range.
pub fn rows(rows: u32, range: u32, ranges: u32) -> Range<u32> {
    if range >= ranges {
        return rows..rows;
    }
    let from = |range: u32| {
        let row = u64::from(rows).saturating_mul(range.into()) / u64::from(ranges);
        u32::try_from(row).unwrap_or(rows)
    };
    from(range)..from(range.saturating_add(1))
}

/// Where the outputs of a range are among all outputs of a stage: a part for each matrix.
pub fn parts(llama: &Llama, stage: Stage, range: u32, ranges: u32) -> Vec<Range<usize>> {
    let mut before = 0_usize;
    let mut part = |rows_of_matrix: u32| {
        let rows = rows(rows_of_matrix, range, ranges);
        let part = before.saturating_add(rows.start as usize)..before.saturating_add(rows.end as usize);
        before = before.saturating_add(rows_of_matrix as usize);
        part
    };
    llama.matrices(stage).iter().map(|matrix| part(matrix.rows)).collect()
}

/// The outputs of a range among all outputs of a stage.
pub fn cut(llama: &Llama, stage: Stage, range: u32, ranges: u32, outputs: &[i64]) -> Vec<i64> {
    let parts = parts(llama, stage, range, ranges);
    parts.into_iter().flat_map(|part| outputs.get(part).unwrap_or_default()).copied().collect()
}

/// Number of outputs of a range.
pub fn len(llama: &Llama, stage: Stage, range: u32, ranges: u32) -> usize {
    parts(llama, stage, range, ranges).into_iter().map(|part| part.len()).sum()
}

/// All outputs of a stage, put together from those of all ranges in order. Nothing if one is missing or of another
/// length.
pub fn join<P: AsRef<[i64]>>(llama: &Llama, stage: Stage, ranges: &[P]) -> Option<Vec<i64>> {
    let count = u32::try_from(ranges.len()).ok()?;
    let mut outputs = alloc::vec![0; llama.outputs(stage) as usize];
    let mut filled = 0_usize;
    for (range, given) in (0..).zip(ranges) {
        let mut given = given.as_ref();
        for part in parts(llama, stage, range, count) {
            let (numbers, rest) = given.split_at_checked(part.len())?;
            outputs.get_mut(part)?.copy_from_slice(numbers);
            filled = filled.saturating_add(numbers.len());
            given = rest;
        }
        if !given.is_empty() {
            return None;
        }
    }
    (filled == outputs.len()).then_some(outputs)
}
