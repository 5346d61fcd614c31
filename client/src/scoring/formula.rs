//! One score of many measurements.
//!
//! ```text
//! score = quality^Q * availability^A * speed^S
//! ```
//!
//! Quality is the mean of what the answers deserve, from 0 to 1; availability the part of the questions that were answered
//! at all; speed is 1 up to a latency of `fast` milliseconds, and `fast / latency` above. Latency is the median over the
//! answers. A weight of 0 leaves its part out, a larger one makes it count more. As the parts are multiplied, who is bad at
//! one of them cannot make up for it with another: a wrong answer is worth nothing, however fast it comes.

/// What a score counts in: so many parts are one.
pub const ONE: u32 = 1_000_000;

/// How much each part counts, and what counts as fast.
#[derive(Clone, Copy, Debug)]
pub struct Weights {
    /// The exponent of quality.
    pub quality: f64,
    /// The exponent of availability.
    pub availability: f64,
    /// The exponent of speed.
    pub speed: f64,
    /// A latency up to which nobody is faster, in milliseconds.
    pub fast: u32,
}

/// What became of one question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// There was no answer.
    Silent,
    /// There was one.
    Answered {
        /// What it deserves, from 0 to 1.
        quality: f64,
        /// How long it took, in milliseconds.
        latency: u32,
    },
}

/// What was found of a miner, as it goes on chain: all but the latency in millionths.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Found {
    /// What the miner earns by.
    pub score: u32,
    /// How good its answers are.
    pub quality: u32,
    /// How often it answers.
    pub availability: u32,
    /// How long it takes to answer, in milliseconds.
    pub latency: u32,
}

/// What all outcomes together make of a miner; nothing if there are none.
pub fn combine(outcomes: &[Outcome], weights: &Weights) -> Option<Found> {
    if outcomes.is_empty() {
        return None;
    }
    let answers = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Silent => None,
        Outcome::Answered { quality, latency } => Some((*quality, *latency)),
    });
    let (qualities, latencies): (Vec<f64>, Vec<u32>) = answers.unzip();
    let availability = qualities.len() as f64 / outcomes.len() as f64;
    let quality = if qualities.is_empty() { 0.0 } else { qualities.iter().sum::<f64>() / qualities.len() as f64 };
    let latency = median(latencies);
    let score = if qualities.is_empty() { 0.0 } else { score(quality, availability, latency, weights) };
    Some(Found { score: parts(score), quality: parts(quality), availability: parts(availability), latency })
}

fn score(quality: f64, availability: f64, latency: u32, weights: &Weights) -> f64 {
    let speed = (f64::from(weights.fast) / f64::from(latency.max(1))).min(1.0);
    quality.powf(weights.quality) * availability.powf(weights.availability) * speed.powf(weights.speed)
}

/// The one in the middle, the smaller of two; 0 if there are none.
fn median(mut numbers: Vec<u32>) -> u32 {
    numbers.sort_unstable();
    let middle = numbers.len().saturating_sub(1) / 2;
    numbers.get(middle).copied().unwrap_or_default()
}

/// A number from 0 to 1 in millionths.
fn parts(number: f64) -> u32 {
    // Between 0 and a million, so that nothing is cut off.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let parts = (number.clamp(0.0, 1.0) * f64::from(ONE)).round() as u32;
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEIGHTS: Weights = Weights { quality: 1.0, availability: 1.0, speed: 0.5, fast: 1_000 };

    fn answered(quality: f64, latency: u32) -> Outcome {
        Outcome::Answered { quality, latency }
    }

    fn combined(outcomes: &[Outcome]) -> Found {
        combine(outcomes, &WEIGHTS).expect("there are some")
    }

    #[test]
    fn who_answers_all_well_and_fast_gets_all() {
        let all = Found { score: ONE, quality: ONE, availability: ONE, latency: 20 };
        assert_eq!(combined(&[answered(1.0, 10), answered(1.0, 20), answered(1.0, 900)]), all);
    }

    #[test]
    fn each_part_counts() {
        let half_right = combined(&[answered(1.0, 10), answered(0.0, 10)]);
        assert_eq!((half_right.quality, half_right.score), (500_000, 500_000));
        let half_there = combined(&[answered(1.0, 10), Outcome::Silent]);
        assert_eq!((half_there.quality, half_there.availability, half_there.score), (ONE, 500_000, 500_000));
        let slow = combined(&[answered(1.0, 4_000)]);
        assert_eq!((slow.latency, slow.score), (4_000, 500_000), "the root of a quarter");
    }

    #[test]
    fn a_wrong_answer_is_worth_nothing_and_silence_neither() {
        assert_eq!(combined(&[answered(0.0, 1)]).score, 0);
        assert_eq!(combined(&[Outcome::Silent]), Found::default());
        let without = Weights { quality: 0.0, availability: 0.0, ..WEIGHTS };
        assert_eq!(combine(&[Outcome::Silent], &without), Some(Found::default()), "whatever the weights");
        assert_eq!(combine(&[], &WEIGHTS), None);
    }

    #[test]
    fn a_weight_of_zero_leaves_a_part_out() {
        let without = Weights { speed: 0.0, ..WEIGHTS };
        assert_eq!(combine(&[answered(1.0, 60_000)], &without).map(|found| found.score), Some(ONE));
    }

    #[test]
    fn nothing_leaves_its_bounds() {
        let found = combined(&[answered(f64::MAX, 0), answered(1.0, u32::MAX)]);
        assert_eq!((found.score, found.quality, found.latency), (ONE, ONE, 0));
        let found = combined(&[answered(f64::NAN, 0)]);
        assert_eq!((found.score, found.quality), (0, 0));
    }
}
