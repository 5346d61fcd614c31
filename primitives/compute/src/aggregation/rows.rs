//! Multi-Krum once more, in each row.
//!
//! A member who lies in a few rows only is not far from the others as a whole. In those rows it is.

use alloc::vec::Vec;

use ndarray::Array2;

use crate::{
    aggregation::{
        combine::mean_of,
        distance::Distances,
        krum::{self, Slack},
        weights,
    },
    parallel, Machine,
};

/// The weighted mean, in each row of those whose score in that row the slack allows.
///
/// `millionths` of the weight may belong to cheats. Tables have the same shape.
pub fn mean(tables: &[&Array2<i16>], weights: &[u64], millionths: u32, machine: Machine) -> Array2<i16> {
    let Some(first) = tables.first() else { return Array2::default((0, 0)) };
    let mut result = Array2::zeros(first.dim());
    let mut rows: Vec<_> = result.outer_iter_mut().collect();
    // Each row is a task of its own, and threads are for rows.
    let alone = Machine { threads: 1, ..machine };
    parallel::for_each(machine, &mut rows, |place, out| {
        let lines: Vec<&[i16]> = tables.iter().map(|table| line(table, place)).collect();
        let weights = selected(&lines, weights, millionths, alone);
        let mut values: Vec<_> = weights.iter().map(|weight| (0, *weight)).collect();
        for (column, out) in out.iter_mut().enumerate() {
            for ((value, _), line) in values.iter_mut().zip(&lines) {
                *value = line.get(column).copied().unwrap_or_default().into();
            }
            // A mean lies between the numbers it is made of.
            *out = i16::try_from(mean_of(&values)).unwrap_or_default();
        }
    });
    drop(rows);
    result
}

fn line(table: &Array2<i16>, place: usize) -> &[i16] {
    table.as_slice().and_then(|numbers| numbers.chunks_exact(table.ncols().max(1)).nth(place)).unwrap_or_default()
}

/// The weights of those who count in this row; zero for the others.
fn selected(lines: &[&[i16]], weights: &[u64], millionths: u32, machine: Machine) -> Vec<u64> {
    let cols = lines.first().map_or(0, |line| line.len()).max(1);
    let distances = Distances::between(lines, cols, machine);
    let least = distances.usual(weights, millionths);
    let scores = krum::scores(&distances, weights, weights::tolerated(weights, millionths), least);
    let middle = krum::middle(&scores, weights);
    let near = |score: &u64| Slack::ROWS.allows(*score, middle);
    scores.iter().zip(weights).map(|(score, weight)| if near(score) { *weight } else { 0 }).collect()
}
