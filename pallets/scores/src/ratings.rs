//! What the ratings of a miner say together: its score, who agrees with it, and whether its own validators favour it.

use alloc::vec::Vec;

use ensemble_core::{
    scores::{Rating, Score},
    ModuleId,
};
use sp_runtime::Permill;

use crate::{
    median::{sum, weighted_median},
    Balance,
};

/// Fewest ratings of which one can disagree with the others.
const COMPANY: usize = 2;

/// Fewest checkers who flag a miner, whatever they have at stake.
const CHECKERS: usize = 2;

/// The stake-weighted median of each part of what was said.
pub fn score_of(ratings: &[Rating<Balance>]) -> Score {
    let median = |part: fn(&Score) -> u32| median_of(ratings.iter(), part);
    Score {
        score: median(|said| said.score),
        quality: median(|said| said.quality),
        availability: median(|said| said.availability),
        latency: median(|said| said.latency),
    }
}

/// Whether a score is near enough to what it should be.
pub fn agrees(score: u32, with: u32, tolerance: Permill) -> bool {
    score.abs_diff(with) <= tolerance.deconstruct()
}

/// Who agrees with the median. Nobody is judged where those who agree have no more than half of the weight: nobody can
/// say then who is wrong. So of two raters with as much at stake, one cannot take the other down with it.
pub fn judge(ratings: &[Rating<Balance>], tolerance: Permill) -> Vec<(ModuleId, bool)> {
    if ratings.len() < COMPANY {
        return Vec::new();
    }
    let median = median_of(ratings.iter(), |said| said.score);
    let agree = |rating: &Rating<Balance>| agrees(rating.score.score, median, tolerance);
    if !outweigh(ratings, agree) {
        return Vec::new();
    }
    ratings.iter().map(|rating| (rating.validator, agree(rating))).collect()
}

/// The part of its own validators' score that those who checked a miner gave it, if it is to be flagged.
///
/// It is where at least [`CHECKERS`] gave less than `least` of it and have more than half of the weight of all who scored
/// the miner. So no single liar who is drawn flags a miner, however rich it is.
pub fn cross_check(ratings: &[Rating<Balance>], least: Permill) -> Option<Permill> {
    let score_by = |check: bool| median_of(ratings.iter().filter(|rating| rating.check == check), |said| said.score);
    let own = score_by(false);
    let bar = least.mul_floor(own);
    let below = |rating: &Rating<Balance>| rating.check && rating.score.score < bar;
    let are_enough = ratings.iter().filter(|rating| below(rating)).count() >= CHECKERS;
    (are_enough && outweigh(ratings, below)).then(|| Permill::from_rational(score_by(true), own))
}

/// Whether these have more than half of the weight of all.
fn outweigh(ratings: &[Rating<Balance>], these: impl Fn(&Rating<Balance>) -> bool) -> bool {
    let all = sum(ratings.iter().map(|rating| rating.stake));
    let part = sum(ratings.iter().filter(|rating| these(rating)).map(|rating| rating.stake));
    part > all.saturating_sub(part)
}

fn median_of<'a>(ratings: impl Iterator<Item = &'a Rating<Balance>>, part: fn(&Score) -> u32) -> u32 {
    weighted_median(ratings.map(|rating| (part(&rating.score), rating.stake)).collect())
}
