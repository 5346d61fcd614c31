//! How much of the true table's neighbourhoods a table keeps.

use std::collections::BTreeSet;

use ndarray::{s, Array2, ArrayView2, Axis};

use crate::world::{unit, World};

/// Neighbours that are looked at.
const NEIGHBOURS: usize = 10;

/// The neighbourhoods of the rows that are no anchors, among all rows.
#[derive(Clone, Debug)]
pub struct Neighbourhoods(Vec<Vec<usize>>);

/// Parts of the neighbourhoods, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kept {
    /// Rows whose nearest neighbour is the true one.
    pub nearest: f64,
    /// True ones among the nearest ten.
    pub ten: f64,
}

impl Neighbourhoods {
    /// Of the truth.
    pub fn of(world: &World) -> Self {
        Self(neighbours(world.truth.view(), world.anchors))
    }

    /// How much of them a table keeps, whatever its basis.
    pub fn kept(&self, world: &World, table: ArrayView2<'_, f32>) -> Kept {
        let found = neighbours(unit(table.to_owned()).view(), world.anchors);
        let pairs = || self.0.iter().zip(&found);
        let nearest = pairs().filter(|(truth, found)| truth[0] == found[0]).count();
        let common = |truth: &[usize], found: &[usize]| {
            truth.iter().collect::<BTreeSet<_>>().intersection(&found.iter().collect()).count()
        };
        let ten: usize = pairs().map(|(truth, found)| common(truth, found)).sum();
        let rows = self.0.len() as f64;
        Kept { nearest: nearest as f64 / rows, ten: ten as f64 / rows / NEIGHBOURS as f64 }
    }
}

/// For each row from `from` on, the rows with the largest cosines, the nearest first. Rows have unit length.
fn neighbours(table: ArrayView2<'_, f32>, from: usize) -> Vec<Vec<usize>> {
    const AT_ONCE: usize = 256;
    let queries = table.slice(s![from.., ..]);
    let mut row = from;
    let mut found = Vec::new();
    for queries in queries.axis_chunks_iter(Axis(0), AT_ONCE) {
        let cosines: Array2<f32> = queries.dot(&table.t());
        for cosines in cosines.rows() {
            let mut order: Vec<_> = (0..table.nrows()).filter(|other| *other != row).collect();
            let nearer = |a: &usize, b: &usize| cosines[*b].total_cmp(&cosines[*a]);
            order.select_nth_unstable_by(NEIGHBOURS, nearer);
            order.truncate(NEIGHBOURS);
            order.sort_by(nearer);
            found.push(order);
            row += 1;
        }
    }
    found
}
