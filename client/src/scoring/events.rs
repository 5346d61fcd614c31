//! What `ensemble validator run` tells, one event a line.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::measure::Measured;
use crate::{error::Error, views::part};

/// Something that a validator did, or that happened to it.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(tag = "event", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum Event {
    /// It began.
    Started {
        /// The validator's module.
        module: u32,
        /// Its name.
        name: String,
        /// The owner, who signs.
        account: String,
        /// Number of test cases.
        cases: usize,
    },
    /// There is nothing to score for now.
    Idle {
        /// Why.
        reason: String,
    },
    /// It had the chain draw which miners of others it checks.
    Drawn {
        /// The epoch.
        epoch: u32,
        /// The block.
        block: u64,
    },
    /// It asked its miners, and those that it checks.
    Measured {
        /// The epoch.
        epoch: u32,
        /// What came of it.
        miners: Vec<MinerScore>,
    },
    /// It committed to a batch of scores.
    Committed {
        /// The epoch.
        epoch: u32,
        /// The batch.
        batch: u32,
        /// The block.
        block: u64,
    },
    /// It revealed a batch.
    Revealed {
        /// The epoch.
        epoch: u32,
        /// The batch.
        batch: u32,
        /// The block.
        block: u64,
    },
    /// A batch that was committed to cannot be revealed.
    Lost {
        /// The epoch.
        epoch: u32,
        /// The batch.
        batch: u32,
        /// Why, and what to do.
        reason: String,
    },
    /// Something went wrong, and it goes on.
    Failed {
        /// What it was about.
        during: String,
        /// What went wrong.
        error: String,
        /// What to do about it.
        remedy: String,
    },
    /// The node is gone.
    Disconnected {
        /// What the system says.
        error: String,
    },
    /// The node is there again.
    Connected,
    /// It ends because somebody asked it to.
    Stopped,
}

/// What was found of a miner.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MinerScore {
    /// The miner's module.
    pub miner: u32,
    /// Its name.
    pub name: String,
    /// Whether it is matched with the validator, which otherwise only checks it.
    pub is_own: bool,
    /// From 0 to 1; none if it could not be judged.
    pub score: Option<f64>,
    /// From 0 to 1.
    pub quality: Option<f64>,
    /// From 0 to 1.
    pub availability: Option<f64>,
    /// In milliseconds.
    pub latency: Option<u32>,
    /// The number of questions that count.
    pub asked: usize,
    /// The number that it answered.
    pub answered: usize,
    /// The first thing that went wrong.
    pub problem: Option<String>,
}

impl Event {
    /// Something went wrong, and it goes on.
    pub fn failed(during: impl Into<String>, error: &Error) -> Self {
        Self::Failed { during: during.into(), error: error.to_string(), remedy: error.remedy() }
    }
}

impl From<&Measured> for MinerScore {
    fn from(measured: &Measured) -> Self {
        let Measured { miner, found, asked, answered, problem } = measured;
        Self {
            miner: miner.module,
            name: miner.name.clone(),
            is_own: miner.is_own,
            score: found.map(|found| part(found.score)),
            quality: found.map(|found| part(found.quality)),
            availability: found.map(|found| part(found.availability)),
            latency: found.map(|found| found.latency),
            asked: *asked,
            answered: *answered,
            problem: problem.clone(),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { module, name, account, cases } => {
                write!(f, "validator {module} ({name}) of {account} scores with {cases} test cases")
            },
            Self::Idle { reason } => write!(f, "nothing to score: {reason}"),
            Self::Drawn { epoch, block } => write!(f, "epoch {epoch}: checks drawn in block {block}"),
            Self::Measured { epoch, miners } => {
                let miners: Vec<String> = miners.iter().map(ToString::to_string).collect();
                write!(f, "epoch {epoch}: {}", miners.join(", "))
            },
            Self::Committed { epoch, batch, block } => {
                write!(f, "epoch {epoch}: committed to batch {batch} in block {block}")
            },
            Self::Revealed { epoch, batch, block } => {
                write!(f, "epoch {epoch}: revealed batch {batch} in block {block}")
            },
            Self::Lost { epoch, batch, reason } => write!(f, "epoch {epoch}: batch {batch} is lost: {reason}"),
            Self::Failed { during, error, remedy } => write!(f, "{during}: {error}; {remedy}"),
            Self::Disconnected { error } => write!(f, "the node is gone, and is looked for again: {error}"),
            Self::Connected => write!(f, "the node is there again"),
            Self::Stopped => write!(f, "stopped; what was committed to can be revealed by running it again"),
        }
    }
}

impl fmt::Display for MinerScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.name)?;
        match self.score {
            Some(score) => write!(f, "{score:.3}")?,
            None => write!(f, "not judged")?,
        }
        match &self.problem {
            Some(problem) => write!(f, " ({problem})"),
            None => Ok(()),
        }
    }
}
