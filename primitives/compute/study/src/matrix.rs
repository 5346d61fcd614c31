//! A matrix that comes with each table, and cheats who hand in an honest table with a false one.

use ensemble_compute::{
    aggregation::{
        carry::{carry, combine_carried, Side},
        combine, Error, Outcome, Settings,
    },
    Machine,
};
use ndarray::{Array2, ArrayView2};

use crate::world::{quantised, turned, Random, World};

/// Standard deviation of the true matrix's numbers.
const STRENGTH: f32 = 0.1;
/// Standard deviation of the noise in each number of an honest matrix.
const NOISE: f32 = 0.02;

/// What one contributor hands in, in its own basis.
#[derive(Clone, Debug)]
pub struct Contribution {
    /// The table.
    pub table: Array2<i16>,
    /// A matrix that takes rows to rows.
    pub matrix: Array2<i16>,
    /// What the matrix should be.
    truth: Array2<i16>,
}

/// The contributions of those with these tables, of whom the first so many have a matrix of nothing but the largest
/// number. The first of all hands in the mean of the others' tables, if it cheats: nearer to the middle than anybody.
pub fn contributions(tables: &[Array2<f32>], cheats: usize, world: &World, random: &mut Random) -> Vec<Contribution> {
    let cols = world.truth.ncols();
    let truth = STRENGTH * random.normal(cols, cols);
    let sum = tables.iter().skip(1).fold(Array2::zeros(world.truth.dim()), |sum, table| sum + table);
    let middle = sum / tables.len().saturating_sub(1).max(1) as f32;
    let contribution = |(place, table): (usize, &Array2<f32>)| {
        let basis = random.rotation(cols);
        let in_basis = |matrix: &Array2<f32>| quantised(basis.t().dot(matrix).dot(&basis).view());
        let honest = in_basis(&(&truth + NOISE * random.normal(cols, cols)));
        Contribution {
            table: turned(if place == 0 && cheats > 0 { middle.view() } else { table.view() }, basis.view()),
            matrix: if place < cheats { Array2::from_elem((cols, cols), i16::MAX) } else { honest },
            truth: in_basis(&truth),
        }
    };
    tables.iter().enumerate().map(contribution).collect()
}

/// How far a matrix made of all is from the true one, in standard deviations of one honest matrix: as a space makes it,
/// and as the mean by influence would.
pub fn deviations(
    settings: &Settings,
    contributions: &[Contribution],
    outcome: &Outcome,
    machine: Machine,
) -> Result<[f64; 2], Error> {
    let (mut carried, mut truths, mut influences) = (Vec::new(), Vec::new(), Vec::new());
    let found = outcome.reports.iter().zip(&outcome.rotations);
    for (contribution, (report, rotation)) in contributions.iter().zip(found) {
        let Some(rotation) = rotation.as_ref().filter(|_| report.influence > 0) else { continue };
        let carry = |matrix: &Array2<i16>| carry(matrix.view(), Side::Both, rotation, machine);
        carried.push(carry(&contribution.matrix)?);
        truths.push(carry(&contribution.truth)?);
        influences.push(report.influence);
    }
    let truth = combine::mean(&views(&truths), &vec![1; truths.len()])?;
    let far = |matrix: Array2<i32>| {
        let squares = matrix.iter().zip(&truth).map(|(one, other)| f64::from(one - other).powi(2));
        (squares.sum::<f64>() / matrix.len() as f64).sqrt() / 32_768.0 / f64::from(NOISE)
    };
    let trimmed = combine_carried(settings, &views(&carried), &vec![1; carried.len()])?;
    Ok([far(trimmed), far(combine::mean(&views(&carried), &influences)?)])
}

fn views(matrices: &[Array2<i32>]) -> Vec<ArrayView2<'_, i32>> {
    matrices.iter().map(|matrix| matrix.view()).collect()
}
