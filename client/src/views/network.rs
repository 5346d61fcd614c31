//! The network as a whole.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    amount::Amount,
    chain::{
        types::ensemble_core::{
            emission as chain,
            validators::{CandidateView as Candidate, SeatView},
        },
        AccountId32, BLOCK_SECONDS,
    },
};

/// The network at a glance.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusView {
    /// Name of the chain.
    pub chain: String,
    /// Where the node is.
    pub url: String,
    /// Hash of the first block.
    pub genesis: String,
    /// Version of the node.
    pub node: String,
    /// Version of the runtime.
    pub runtime: u32,
    /// Version of this client.
    pub client: String,
    /// Whether the runtime is, to the byte, the one that this client was built for.
    pub same_metadata: bool,
    /// Number of the best block.
    pub best: u64,
    /// Number of the last final block.
    pub finalized: u64,
    /// Number of nodes that the node is connected to.
    pub peers: u32,
    /// Whether the node is still fetching blocks.
    pub syncing: bool,
    /// The current epoch.
    pub epoch: u32,
    /// Modules that are miners.
    pub miners: u32,
    /// Modules that are validators.
    pub validators: u32,
    /// Those of both that take part.
    pub active: u32,
    /// Those of both that are flagged.
    pub flagged: u32,
    /// Pairs of a validator and a miner.
    pub matches: u32,
    /// Miners that wait for a first validator.
    pub waiting: u32,
    /// Results of the epochs that are kept.
    pub results: u32,
    /// Services that are listed.
    pub listings: u32,
    /// All TUNE that exist.
    pub supply: Amount,
    /// All TUNE that were ever burnt.
    pub burnt: Amount,
}

/// Where the clock stands.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EpochView {
    /// Number of the epoch.
    pub epoch: u32,
    /// `commit` or `reveal`.
    pub phase: String,
    /// The best block.
    pub block: u32,
    /// Its first block.
    pub begins: u32,
    /// First block in which scores are revealed.
    pub reveals: u32,
    /// First block of the next epoch.
    pub ends: u32,
    /// Seconds until then, if blocks come in time.
    pub seconds_left: u64,
}

impl EpochView {
    /// What the chain says in a block.
    pub fn new(view: &chain::EpochView<u32>, phase: &str, block: u32) -> Self {
        Self {
            epoch: view.epoch,
            phase: phase.into(),
            block,
            begins: view.begins,
            reveals: view.reveals,
            ends: view.ends,
            seconds_left: u64::from(view.ends.saturating_sub(block)) * BLOCK_SECONDS,
        }
    }
}

/// All TUNE.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SupplyView {
    /// All that exist.
    pub issuance: Amount,
    /// What existed at genesis.
    pub genesis: Amount,
    /// What was emitted since.
    pub emitted: Amount,
    /// What was burnt since.
    pub burnt: Amount,
    /// What exists outside the treasury and of what is owed.
    pub circulating: Amount,
    /// What belongs to the treasury.
    pub treasury: Amount,
    /// What was emitted and not paid out yet.
    pub owed: Amount,
    /// The most that is ever emitted.
    pub cap: Amount,
    /// What the current epoch emits at most.
    pub next: Amount,
}

impl From<chain::Supply<u128>> for SupplyView {
    fn from(supply: chain::Supply<u128>) -> Self {
        Self {
            issuance: Amount::planck(supply.issuance),
            genesis: Amount::planck(supply.genesis),
            emitted: Amount::planck(supply.emitted),
            burnt: Amount::planck(supply.burnt),
            circulating: Amount::planck(supply.circulating),
            treasury: Amount::planck(supply.treasury),
            owed: Amount::planck(supply.owed),
            cap: Amount::planck(supply.cap),
            next: Amount::planck(supply.next),
        }
    }
}

/// What was burnt, beside what was made.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BurnView {
    /// All TUNE that were ever burnt.
    pub burnt: Amount,
    /// All that were ever emitted.
    pub emitted: Amount,
    /// What was burnt as a part of what was emitted; none before the first emission.
    pub ratio: Option<f64>,
}

/// What stake on a module earns.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct AprView {
    /// The module.
    pub module: u32,
    /// Its name.
    pub name: String,
    /// What is staked on it.
    pub staked: Amount,
    /// The owner's part of rewards, from 0 to 1.
    pub fee: f64,
    /// What stake earns in a year of epochs like the last, as a part of itself, before the fee; none if it earned
    /// nothing.
    pub apr: Option<f64>,
}

/// Who validates blocks, and who stands for it.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EraView {
    /// The era.
    pub era: u32,
    /// The current session.
    pub session: u32,
    /// The first session of the next era, for which validators are elected when the one before it begins.
    pub next_era_session: u32,
    /// Least stake on a module that stands.
    pub min_stake: Amount,
    /// With fewer than so many candidates all who sit stay.
    pub min_validators: u32,
    /// Most validators.
    pub max_validators: u32,
    /// Number of modules that stand.
    pub standing: u32,
    /// The validators of this session.
    pub validators: Vec<BlockValidatorView>,
    /// The modules that stand, those with most stake first, a hundred at most.
    pub candidates: Vec<CandidateView>,
}

/// A block validator.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockValidatorView {
    /// Its account.
    pub account: String,
    /// Its place in the session.
    pub place: usize,
    /// The module whose stake answers for it; none for a validator of genesis that does not stand.
    pub module: Option<u32>,
    /// Whether it is switched off for an offence until the session ends.
    pub is_disabled: bool,
    /// Blocks that it authored in this session.
    pub blocks: u32,
    /// Whole sessions in a row, up to the last that ended, in which it authored none.
    pub silent_sessions: u32,
    /// The part of the module's stake that was slashed in this era, from 0 to 1.
    pub slashed: f64,
}

impl BlockValidatorView {
    /// What the chain says of the validator in a place of the session; its seat is none if it was elected for another
    /// era.
    pub fn new(account: String, place: usize, is_disabled: bool, seat: Option<&SeatView<AccountId32>>) -> Self {
        Self {
            account,
            place,
            module: seat.and_then(|seat| seat.module),
            is_disabled,
            blocks: seat.map_or(0, |seat| seat.blocks),
            silent_sessions: seat.map_or(0, |seat| seat.silent_sessions),
            slashed: seat.map_or(0.0, |seat| f64::from(seat.slashed.0) / 1e9),
        }
    }
}

/// A module that stands for election.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CandidateView {
    /// The module.
    pub module: u32,
    /// Its owner, whose session keys author and finalise blocks.
    pub account: String,
    /// What is staked on it.
    pub stake: Amount,
    /// The era in which it stood.
    pub stood: u32,
    /// Whether the owner has session keys.
    pub has_keys: bool,
    /// Whether the owner is among the validators of the sessions to come.
    pub sits: bool,
}

impl From<Candidate<AccountId32, u128>> for CandidateView {
    fn from(candidate: Candidate<AccountId32, u128>) -> Self {
        Self {
            module: candidate.module,
            account: candidate.validator.to_string(),
            stake: Amount::planck(candidate.stake),
            stood: candidate.stood,
            has_keys: candidate.has_keys,
            sits: candidate.sits,
        }
    }
}

/// A parameter of the chain.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ParameterView {
    /// The pallet.
    pub pallet: String,
    /// Its name.
    pub name: String,
    /// Its value; amounts are in planck, times in blocks, parts in millionths.
    pub value: String,
    /// What it means.
    pub about: String,
}
