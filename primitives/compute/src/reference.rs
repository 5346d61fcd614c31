//! In whose basis a round is computed: not that of who came first.

use alloc::vec::Vec;

use crate::{
    columns::Columns,
    distance::Distances,
    krum,
    procrustes::{self, Rotation},
    weights, Machine,
};

/// The members in the order in which they are to be asked for their basis, the best first.
///
/// The distance of two members' anchors `A` and `B` is that of `A A^T` and `B B^T`, which no rotation changes. Its square
/// is `|A^T A|^2 + |B^T B|^2 - 2 |A^T B|^2` (Frobenius norms), so that products of `cols * cols` numbers are enough. Over
/// these distances the order is that of the scores of [`krum`].
pub fn candidates(anchors: &[Columns], weights: &[u64], millionths: u32, machine: Machine) -> Vec<usize> {
    let distances = Distances::from_products(anchors.len(), machine, |i, j| match (anchors.get(i), anchors.get(j)) {
        (Some(left), Some(right)) => {
            // It runs on the thread of its pair.
            left.cross(right, machine).iter().map(|number| u128::from(number.unsigned_abs()).pow(2)).sum()
        },
        _ => 0,
    });
    let tolerated = weights::tolerated(weights, millionths);
    let scores = krum::scores(&distances, weights, tolerated, distances.usual(weights, millionths));
    let mut order: Vec<_> = scores.iter().zip(0..).collect();
    order.sort_unstable();
    order.into_iter().map(|(_, member)| member).collect()
}

/// Whether anchors determine a rotation to others at all: their own to themselves.
///
/// Without this check, members who hand in the tables of others without some directions could become the reference, to
/// which nobody's rotation is determined.
pub fn is_well_conditioned(anchors: &Columns, machine: Machine) -> bool {
    procrustes::between(anchors, anchors, machine).is_some()
}

/// The rotation of each member to the reference. None for the ill-conditioned.
pub fn rotations(anchors: &[Columns], reference: &Columns, machine: Machine) -> Vec<Option<Rotation>> {
    let mut found: Vec<_> = anchors.iter().map(|_| None).collect();
    crate::parallel::for_each(machine, &mut found, |place, found| {
        *found = anchors.get(place).and_then(|anchors| procrustes::between(anchors, reference, machine));
    });
    found
}
