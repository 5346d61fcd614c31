//! Miners and validators.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    amount::Amount,
    chain::{
        ensemble, text,
        types::ensemble_core::{emission, matching as chain, scores},
        At,
    },
    connection::ask,
    error::Error,
    views::{
        modules::{Record, Types},
        part,
    },
};

/// Whether a miner or validator takes part.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StandingName {
    /// It does.
    Active,
    /// It was switched off.
    Off,
    /// It was flagged.
    Flagged,
    /// Its matches are being undone.
    Leaving,
}

/// Where a module stands, and why.
fn standing(standing: chain::Standing) -> (StandingName, Option<String>) {
    match standing {
        chain::Standing::Active => (StandingName::Active, None),
        chain::Standing::Off => (StandingName::Off, None),
        chain::Standing::Leaving => (StandingName::Leaving, None),
        chain::Standing::Flagged(reason) => (StandingName::Flagged, Some(flag(reason))),
    }
}

fn flag(reason: chain::FlagReason) -> String {
    match reason {
        chain::FlagReason::Disagreement { agreement } => {
            format!("only {} of its scores agreed with those of others", part(agreement.0))
        },
        chain::FlagReason::CrossCheck { agreement } => {
            format!("those who checked it gave it only {} of its validators' score", part(agreement.0))
        },
        chain::FlagReason::Stated(reason) => text(&reason.0),
    }
}

/// A miner.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MinerView {
    /// The module.
    pub module: u32,
    /// Its name.
    pub name: String,
    /// The kind of model that it serves.
    pub r#type: String,
    /// Whether it takes part.
    pub standing: StandingName,
    /// Why it is flagged.
    pub flag: Option<String>,
    /// The validators that score it.
    pub validators: Vec<u32>,
    /// Whether it waits for a first validator.
    pub waiting: bool,
    /// Its last score, from 0 to 1.
    pub last_score: Option<f64>,
    /// What it would earn if the epoch ended now.
    pub earns: Amount,
}

impl MinerView {
    /// What the chain says of it.
    pub fn new(
        miner: chain::MinerView,
        name: String,
        types: &Types,
        last_score: Option<f64>,
        prospect: &emission::Allocation<u128>,
    ) -> Self {
        let (standing, flag) = standing(miner.standing);
        Self {
            module: miner.module,
            name,
            r#type: types.name(miner.model_type),
            standing,
            flag,
            validators: miner.validators,
            waiting: miner.waiting,
            last_score,
            earns: Amount::planck(prospect.miner),
        }
    }
}

/// What the chain says of a module as a miner; nothing if it plays another part.
///
/// # Errors
///
/// If the node does not answer.
pub async fn miner_view(at: &At, record: &Record) -> Result<Option<MinerView>, Error> {
    let Some(miner) = ask(at, ensemble::runtime_apis().matching_api().miner(record.id)).await? else { return Ok(None) };
    let prospect = ask(at, ensemble::runtime_apis().emission_api().prospect(record.id)).await?;
    let results = ask(at, ensemble::runtime_apis().scores_api().results(record.id)).await?;
    let last = results.last().map(|result| part(result.score.score));
    Ok(Some(MinerView::new(miner, text(&record.name), &Types::of(at).await?, last, &prospect)))
}

/// A validator.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ValidatorView {
    /// The module.
    pub module: u32,
    /// Its name.
    pub name: String,
    /// The types that it judges.
    pub types: Vec<String>,
    /// Most miners that it serves.
    pub capacity: u32,
    /// The number of miners that it has.
    pub load: u32,
    /// How far it can be relied on, from 0 to 1.
    pub reliability: f64,
    /// Whether it takes part.
    pub standing: StandingName,
    /// Why it is flagged.
    pub flag: Option<String>,
    /// Its miners.
    pub miners: Vec<u32>,
    /// The miners that it must score besides in this epoch; none if it was not drawn yet.
    pub checks: Option<Vec<u32>>,
    /// The batches that it committed to in this epoch and did not reveal yet.
    pub unrevealed: Vec<u32>,
    /// What it would earn if the epoch ended now.
    pub earns: Amount,
}

impl ValidatorView {
    /// What the chain says of it.
    pub fn new(
        validator: chain::ValidatorView,
        name: String,
        types: &Types,
        miners: Vec<u32>,
        duties: Option<scores::Duties>,
        prospect: &emission::Allocation<u128>,
    ) -> Self {
        let (standing, flag) = standing(validator.standing);
        let (checks, unrevealed) = duties.map(|duties| (duties.checks, duties.unrevealed)).unwrap_or_default();
        Self {
            module: validator.module,
            name,
            types: validator.types.into_iter().map(|number| types.name(number)).collect(),
            capacity: validator.capacity,
            load: validator.load,
            reliability: part(validator.reliability.0),
            standing,
            flag,
            miners,
            checks,
            unrevealed: unrevealed.into_iter().map(|(batch, _)| batch).collect(),
            earns: Amount::planck(prospect.validator),
        }
    }
}

/// A miner's result of an epoch.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScoreView {
    /// The epoch.
    pub epoch: u32,
    /// The miner.
    pub miner: u32,
    /// From 0 to 1.
    pub score: f64,
    /// From 0 to 1.
    pub quality: f64,
    /// From 0 to 1.
    pub availability: f64,
    /// In milliseconds.
    pub latency: u32,
    /// Number of validators who said something.
    pub ratings: usize,
    /// What was said by the validator that was asked about.
    pub said: Option<f64>,
    /// Block in which the last of it was said.
    pub at: u32,
}

impl ScoreView {
    /// What the chain says of it; `by` is the validator that was asked about.
    pub fn new(result: scores::ResultView<u128, u32>, by: Option<u32>) -> Self {
        let said = result.ratings.iter().find(|rating| Some(rating.validator) == by);
        Self {
            epoch: result.epoch,
            miner: result.miner,
            score: part(result.score.score),
            quality: part(result.score.quality),
            availability: part(result.score.availability),
            latency: result.score.latency,
            said: said.map(|rating| part(rating.score.score)),
            ratings: result.ratings.len(),
            at: result.at,
        }
    }
}
