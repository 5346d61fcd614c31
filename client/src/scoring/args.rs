//! The options of `ensemble validator run`.

use std::{path::PathBuf, time::Duration};

use super::{formula::Weights, quality::Judge};
use crate::{error::Error, plugin::Plugin};

/// Most bytes that a plug-in may say.
const MAX_VERDICT: u64 = 64 << 10;
/// The largest weight.
const MAX_WEIGHT: f64 = 10.0;

/// How a validator scores.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The validator's module, by number or name; --key is its owner's
    pub module: String,

    /// The test cases: a JSON object in each line, with `input`, and `expect` if there is no plug-in
    #[arg(long, value_name = "FILE")]
    pub cases: PathBuf,

    /// Questions to each miner in an epoch, drawn from the test cases
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub questions: u32,

    /// A command that judges each answer: JSON on its standard input, {"score": 0.5} on its standard output
    #[arg(long, value_name = "COMMAND")]
    pub score_command: Option<String>,

    /// Seconds that the command may take
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub score_timeout: u64,

    /// Seconds that a miner may take for an answer
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub timeout: u64,

    /// Most bytes of an answer
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20,
          value_parser = clap::value_parser!(u32).range(1..=64 << 20))]
    pub max_answer: u32,

    /// Miners that are asked at one time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub concurrency: u32,

    /// How much quality counts: an exponent, 0 leaves it out
    #[arg(long, value_name = "NUMBER", default_value_t = 1.0, value_parser = weight)]
    pub quality_weight: f64,

    /// How much availability counts
    #[arg(long, value_name = "NUMBER", default_value_t = 1.0, value_parser = weight)]
    pub availability_weight: f64,

    /// How much speed counts
    #[arg(long, value_name = "NUMBER", default_value_t = 0.5, value_parser = weight)]
    pub speed_weight: f64,

    /// Milliseconds up to which nobody is faster
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=600_000))]
    pub fast: u32,

    /// Call endpoints at private addresses too, as on a test network
    #[arg(long)]
    pub allow_private: bool,
}

fn weight(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(weight) if (0.0..=MAX_WEIGHT).contains(&weight) => Ok(weight),
        _ => Err(format!("expected a number from 0 to {MAX_WEIGHT}")),
    }
}

impl Args {
    /// How much each part of a score counts.
    pub fn weights(&self) -> Weights {
        Weights {
            quality: self.quality_weight,
            availability: self.availability_weight,
            speed: self.speed_weight,
            fast: self.fast,
        }
    }

    /// What tells how good answers are.
    pub fn judge(&self) -> Judge {
        match &self.score_command {
            None => Judge::Comparison,
            Some(command) => Judge::Plugin(Plugin::new(command, Duration::from_secs(self.score_timeout), MAX_VERDICT)),
        }
    }

    /// Refuses options that contradict each other.
    ///
    /// # Errors
    ///
    /// If nothing would count.
    pub fn check(&self) -> Result<(), Error> {
        let sum = self.quality_weight + self.availability_weight + self.speed_weight;
        if sum > 0.0 {
            return Ok(());
        }
        Err(Error::Usage {
            message: "with all weights 0, each miner that answers gets the same".into(),
            remedy: "give one of --quality-weight, --availability-weight and --speed-weight".into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_bounded_numbers() {
        for text in ["0", "0.5", "10"] {
            assert!(weight(text).is_ok(), "{text}");
        }
        for text in ["-1", "11", "NaN", "inf", "much", ""] {
            assert!(weight(text).is_err(), "{text}");
        }
    }
}
