//! In whose basis a round is computed: not that of who came first.

use alloc::vec::Vec;

use crate::{
    aggregation::{
        columns::Columns,
        distance::Distances,
        krum,
        procrustes::{self, Rotation},
        weights, Error,
    },
    parallel, Machine,
};

/// Whether each member's anchors determine a rotation at all: their own to themselves.
pub fn well_conditioned(anchors: &[Columns], machine: Machine) -> Vec<bool> {
    let mut found: Vec<_> = anchors.iter().map(|_| false).collect();
    parallel::for_each(machine, &mut found, |place, found| {
        *found = anchors.get(place).is_some_and(|anchors| procrustes::between(anchors, anchors, machine).is_some());
    });
    found
}

/// The rotation of each member to the reference; none for those whose anchors determine none to it.
///
/// The reference is the first candidate to whom members with all the weight that may not cheat have a rotation, `millionths`
/// of the weight being what may. One who may be turned to itself need not do for others: anchors can be made of
/// others' and a weak direction that nobody else has. Fails if there is nobody, or if the candidates passed over have more
/// weight than may cheat.
pub fn choose(
    anchors: &[Columns],
    weights: &[u64],
    millionths: u32,
    machine: Machine,
) -> Result<Vec<Option<Rotation>>, Error> {
    let tolerated = weights::tolerated(weights, millionths);
    let mut passed_over = 0;
    for candidate in candidates(anchors, weights, millionths, machine) {
        if passed_over > tolerated {
            break;
        }
        let (Some(reference), Some(weight)) = (anchors.get(candidate), weights.get(candidate)) else { continue };
        if let Some(found) = rotations(anchors, reference, weights, tolerated, machine) {
            return Ok(found);
        }
        passed_over += weight;
    }
    Err(if anchors.is_empty() { Error::NobodyLeft } else { Error::NoReference })
}

/// The members in the order in which they are to be asked for their basis, the best first.
///
/// The distance of two members' anchors `A` and `B` is that of `A A^T` and `B B^T`, which no rotation changes. Its square
/// is `|A^T A|^2 + |B^T B|^2 - 2 |A^T B|^2` (Frobenius norms), so that products of `cols * cols` numbers are enough. Over
/// these distances the order is that of the scores of [`krum`].
fn candidates(anchors: &[Columns], weights: &[u64], millionths: u32, machine: Machine) -> Vec<usize> {
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

/// The rotation of each member to the reference, or nothing if those who have none have more weight than may cheat.
fn rotations(
    anchors: &[Columns],
    reference: &Columns,
    weights: &[u64],
    tolerated: u64,
    machine: Machine,
) -> Option<Vec<Option<Rotation>>> {
    let mut found: Vec<_> = anchors.iter().map(|_| None).collect();
    // A few at once, so that a reference that does not do is soon known.
    let at_once = machine.threads.max(1);
    let members = anchors.chunks(at_once).zip(weights.chunks(at_once));
    let mut without = 0;
    for (found, (anchors, weights)) in found.chunks_mut(at_once).zip(members) {
        parallel::for_each(machine, found, |place, found| {
            *found = anchors.get(place).and_then(|anchors| procrustes::between(anchors, reference, machine));
        });
        let missing = found.iter().zip(weights).filter(|(found, _)| found.is_none());
        without += missing.map(|(_, weight)| weight).sum::<u64>();
        if without > tolerated {
            return None;
        }
    }
    Some(found)
}
