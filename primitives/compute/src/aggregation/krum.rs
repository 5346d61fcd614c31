//! Scores and selection by distances: weighted Multi-Krum.
//!
//! After P. Blanchard, E. M. El Mhamdi, R. Guerraoui, J. Stainer, *Machine Learning with Adversaries: Byzantine Tolerant
//! Gradient Descent* (NIPS 2017), with three changes. Members count by weight. Distances shorter than the usual one
//! count as the usual one, and selected members that lie within it share their weight (the sharing function of
//! D. E. Goldberg, J. Richardson, *Genetic Algorithms with Sharing for Multimodal Function Optimization*, 1987): else
//! colluders who hand in nearly the same table near the middle, as in *A Little Is Enough* (G. Baruch, M. Baruch,
//! Y. Goldberg, NeurIPS 2019), have the best scores of all. And besides those who are always selected, all are selected
//! whose score is near that of the member in the middle, since in a round without cheats nobody need be left out.
//!
//! Weights are at most 2^20 here, and members at most 128: nothing overflows.

use alloc::vec::Vec;

use crate::aggregation::{distance::Distances, weights};

/// How far above the score in the middle a score may be, as a fraction.
#[derive(Clone, Copy, Debug)]
pub struct Slack {
    /// Numerator of what a score may be divided by the score in the middle.
    pub numerator: u64,
    /// Its denominator.
    pub denominator: u64,
}

impl Slack {
    /// For whole tables: a sixteenth.
    pub const TABLES: Self = Self { numerator: 17, denominator: 16 };
    /// For single rows, whose distances scatter more: a half.
    pub const ROWS: Self = Self { numerator: 3, denominator: 2 };

    /// Whether a score is near enough to the one in the middle.
    pub fn allows(self, score: u64, middle: u64) -> bool {
        u128::from(score) * u128::from(self.denominator) <= u128::from(middle) * u128::from(self.numerator)
    }
}

/// The score of each member: the mean squared distance to its nearest others that have, together with it, all the weight
/// that may not cheat; by weight, rounded down. Distances count as `least` at least. The smaller, the better.
///
/// `tolerated` is the weight that may cheat, less than half of the sum of `weights`.
pub fn scores(distances: &Distances, weights: &[u64], tolerated: u64, least: u64) -> Vec<u64> {
    let honest = weights.iter().sum::<u64>().saturating_sub(tolerated);
    let mut others = Vec::with_capacity(weights.len());
    (0..)
        .zip(weights)
        .map(|(member, own)| {
            others.clear();
            let all = (0usize..).zip(distances.row(member).iter().zip(weights));
            others
                .extend(all.filter(|(i, _)| *i != member).map(|(_, (square, weight))| (*square.max(&least), *weight)));
            others.sort_unstable();
            nearest_mean(&others, honest.saturating_sub(*own))
        })
        .collect()
}

/// The mean of the first values that have this much weight together; the last of them with a part of its weight.
fn nearest_mean(sorted: &[(u64, u64)], weight: u64) -> u64 {
    let (mut sum, mut left) = (0u128, weight);
    for (value, available) in sorted {
        let taken = left.min(*available);
        sum += u128::from(*value) * u128::from(taken);
        left -= taken;
    }
    let taken = u128::from(weight - left).max(1);
    u64::try_from(sum / taken).unwrap_or(u64::MAX)
}

/// The score in the middle, by weight.
pub fn middle(scores: &[u64], weights: &[u64]) -> u64 {
    weights::median(scores.iter().zip(weights).map(|(score, weight)| (*score, u128::from(*weight))).collect())
}

/// Which members are selected: those with the best scores until they have all the weight that may not cheat, the
/// earlier of two with the same score first; and all whose score the slack allows. `millionths` of the weight may belong
/// to cheats.
pub fn select(distances: &Distances, weights: &[u64], millionths: u32, slack: Slack) -> Vec<bool> {
    let tolerated = weights::tolerated(weights, millionths);
    let least = distances.usual(weights, millionths);
    let scores = scores(distances, weights, tolerated, least);
    let middle = middle(&scores, weights);
    let mut selected: Vec<_> = scores.iter().map(|score| slack.allows(*score, middle)).collect();
    let mut order: Vec<_> = scores.iter().zip(0usize..).collect();
    order.sort_unstable();
    let mut left = weights.iter().sum::<u64>().saturating_sub(tolerated);
    for (_, member) in order {
        if left == 0 {
            break;
        }
        if let (Some(selected), Some(weight)) = (selected.get_mut(member), weights.get(member)) {
            *selected = true;
            left = left.saturating_sub(*weight);
        }
    }
    selected
}

/// The part that each selected member has in the mean: its weight, shared with those selected that lie within the usual
/// distance of it, the more the nearer. Zero for the others.
///
/// `w * w / sum(w_j * k_j)`, where `k_j` falls from 1 at no distance to 0 at the usual one. So members who hand
/// in the same table together have at most the weight of the heaviest of them.
pub fn influence(distances: &Distances, weights: &[u64], millionths: u32, selected: &[bool]) -> Vec<u64> {
    let usual = distances.usual(weights, millionths);
    let weights: Vec<_> =
        weights.iter().zip(selected).map(|(weight, selected)| if *selected { *weight } else { 0 }).collect();
    let parts: Vec<_> = (0..)
        .zip(&weights)
        .map(|(member, weight)| {
            let shared = (0usize..).zip(distances.row(member).iter().zip(&weights)).map(|(other, (square, weight))| {
                let nearness = if other == member { 1 << NEARNESS_BITS } else { nearness(*square, usual) };
                u128::from(*weight) * nearness
            });
            (u128::from(*weight).pow(2) << (2 * NEARNESS_BITS)) / shared.sum::<u128>().max(1)
        })
        .collect();
    weights::reduce(&parts)
}

/// Bits behind the point of a nearness.
const NEARNESS_BITS: u32 = 16;

/// 1 at no distance, falling to 0 at the usual one. 0 if the usual one is 0.
fn nearness(square: u64, usual: u64) -> u128 {
    let (square, usual) = (u128::from(square), u128::from(usual));
    (usual.saturating_sub(square) << NEARNESS_BITS).checked_div(usual).unwrap_or_default()
}
