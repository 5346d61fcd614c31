//! How the outputs of a stage are cut into ranges, and ranges into chunks.

use std::ops::Range;

use ensemble_compute::inference::{hashes, ranges, Llama, Stage};
use ensemble_core::inference::{Chunk, RangeIndex};
use ensemble_tensor::merkle;

/// A stage whose matrices are cut into so many ranges.
#[derive(Clone, Copy)]
pub struct Cut<'a> {
    /// The model's shape.
    pub llama: &'a Llama,
    /// The stage.
    pub stage: Stage,
    /// The number of ranges.
    pub ranges: u32,
}

impl Cut<'_> {
    fn parts(&self, range: RangeIndex) -> Vec<Range<usize>> {
        ranges::parts(self.llama, self.stage, range, self.ranges)
    }

    /// The outputs of a range, out of those of the stage.
    pub fn gather(&self, outputs: &[i64], range: RangeIndex) -> Vec<i64> {
        ranges::cut(self.llama, self.stage, range, self.ranges, outputs)
    }

    /// Puts the outputs of a range in their places; as many as there are places for.
    pub fn scatter(&self, outputs: &mut [i64], range: RangeIndex, of_range: &[i64]) {
        let mut given = of_range.iter();
        for part in self.parts(range) {
            let places = outputs.get_mut(part).unwrap_or_default();
            places.iter_mut().zip(given.by_ref()).for_each(|(place, number)| *place = *number);
        }
    }

    /// The name of the matrix, and the row of it, that an output of a range comes from.
    pub fn row(&self, range: RangeIndex, output: usize) -> Option<(String, u32)> {
        let mut left = u32::try_from(output).ok()?;
        for matrix in self.llama.matrices(self.stage) {
            let rows = ranges::rows(matrix.rows, range, self.ranges);
            let Some(beyond) = left.checked_sub(rows.end.saturating_sub(rows.start)) else {
                return Some((matrix.name, rows.start.checked_add(left)?));
            };
            left = beyond;
        }
        None
    }

    /// The outputs of a stage with one matrix that a range gives.
    pub fn span(&self, range: RangeIndex) -> Range<usize> {
        self.parts(range).into_iter().next().unwrap_or_default()
    }

    /// The range that gives an output of a stage with one matrix, and its place among the outputs of the range.
    pub fn holder(&self, output: u32) -> Option<(RangeIndex, usize)> {
        let output = usize::try_from(output).ok()?;
        (0..self.ranges).find_map(|range| {
            let part = self.span(range);
            part.contains(&output).then(|| (range, output.saturating_sub(part.start)))
        })
    }
}

/// The chunk in which an output of a range is.
pub fn chunk(outputs: &[i64], output: usize) -> Option<Chunk> {
    let place = output / hashes::CHUNK;
    let index = u32::try_from(place).ok()?;
    let chunk = outputs.chunks(hashes::CHUNK).nth(place)?;
    let siblings = merkle::path(outputs.chunks(hashes::CHUNK).map(hashes::chunk), index)?;
    Some(Chunk { index, outputs: chunk.to_vec(), siblings })
}
