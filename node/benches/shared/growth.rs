//! What things take, and how that grows with the number of entries.

use std::time::Duration;

use frame_support::weights::Weight;

use super::{block::Cost, chain::Chain, report::Report};

/// How many times as much may be read with the most entries as with the fewest: with a hundred, two things that are
/// needed are now and then the same.
const MORE_READS: f64 = 1.05;

/// What something took, by chain.
#[derive(Clone)]
pub struct Costs {
    /// Microseconds.
    pub times: Vec<Vec<f64>>,
    /// Entries whose values were read from the state.
    pub reads: Vec<Vec<f64>>,
}

impl Costs {
    /// Nothing yet.
    pub fn none(chains: &[Chain]) -> Self {
        let none = || vec![Vec::new(); chains.len()];
        Self { times: none(), reads: none() }
    }

    /// Adds what was taken on a chain.
    pub fn add(&mut self, chain: usize, cost: Cost) {
        self.times[chain].push(micros(cost.time));
        self.reads[chain].push(cost.reads as f64);
    }
}

/// Says whether things are flat.
pub struct Flatness<'a> {
    /// Where it is said.
    pub report: &'a mut Report,
    /// What the names of figures begin with.
    pub of: &'static str,
    /// The numbers of entries, the smallest first.
    pub sizes: &'a [u32],
    /// How many times as long a single read takes with the most entries as with the fewest.
    pub reading: f64,
}

impl Flatness<'_> {
    /// It reads as much whatever the number of entries, and takes no more times as long than a read does.
    pub fn of_costs(&mut self, name: &str, costs: &Costs) {
        let (times, reads) = (medians(&costs.times), means(&costs.reads));
        self.growth(name, &times, Some(self.reading));
        let per_call = reads.last().copied().unwrap_or_default();
        self.figure(format!("{name}.reads"), per_call, "entries read with the most entries", None);
        self.figure(format!("{name}.more"), ratio(&reads), "times the reads with the fewest", Some(MORE_READS));
    }

    /// The same is charged whatever the number of entries.
    pub fn of_weights(&mut self, name: &str, weights: &[Weight]) {
        let weights: Vec<f64> = weights.iter().map(|weight| weight.ref_time() as f64 / 1e6).collect();
        for weight in &weights {
            self.figure(format!("{name}.weight"), *weight, "µs", None);
        }
        self.figure(format!("{name}.weights"), weights.len() as f64, "different weights", Some(1.0));
    }

    /// Prints how long something takes, and how many times as long with the most entries, at most `bar`.
    pub fn growth(&mut self, name: &str, times: &[f64], bar: Option<f64>) {
        for (size, time) in self.sizes.iter().zip(times) {
            self.figure(format!("{name}.{size}"), *time, "µs", None);
        }
        self.figure(format!("{name}.growth"), ratio(times), "times the time with the fewest entries", bar);
    }

    /// Prints a figure.
    pub fn figure(&mut self, name: String, value: f64, unit: &'static str, bar: Option<f64>) {
        self.report.figure(format!("{}.{name}", self.of), value, unit, bar);
    }
}

/// The last to the first.
pub fn ratio(of: &[f64]) -> f64 {
    of[of.len() - 1] / of[0]
}

/// The mean of each.
pub fn means(of: &[Vec<f64>]) -> Vec<f64> {
    of.iter().map(|numbers| numbers.iter().sum::<f64>() / numbers.len() as f64).collect()
}

/// The median of each.
pub fn medians(of: &[Vec<f64>]) -> Vec<f64> {
    of.iter().cloned().map(median).collect()
}

/// A time in microseconds.
pub fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// What is in the middle.
pub fn median(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}
