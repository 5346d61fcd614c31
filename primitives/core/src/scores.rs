//! Scores: what validators find of miners.

use alloc::vec::Vec;

use codec::{Codec, Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;

use crate::{
    epochs::{EpochIndex, EpochPhase},
    ModuleId,
};

/// What a score counts in: so many parts are one.
pub const ONE: u32 = 1_000_000;

/// What a validator found of a miner in an epoch: the mean of what it measured, each but the latency from 0 to [`ONE`].
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Score {
    /// What the miner earns by.
    pub score: u32,
    /// How good its answers are.
    pub quality: u32,
    /// How often it answers.
    pub availability: u32,
    /// How long it takes to answer, in milliseconds.
    pub latency: u32,
}

impl Score {
    /// Whether nothing that counts in parts of one is above one.
    pub fn is_at_most_one(&self) -> bool {
        [self.score, self.quality, self.availability].into_iter().all(|part| part <= ONE)
    }
}

/// What a commitment hides. The hash that is committed to is BLAKE2b-256 of its SCALE encoding.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct Sealed {
    /// The epoch in which it is committed and revealed.
    pub epoch: EpochIndex,
    /// The validator's module.
    pub validator: ModuleId,
    /// Which of the validator's batches it is, from 0.
    pub batch: u32,
    /// Miners and their scores, in the order of the miners' numbers.
    pub scores: Vec<(ModuleId, Score)>,
    /// What nobody else knows.
    pub salt: [u8; 32],
}

/// What a validator must score in this epoch.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct Duties {
    /// The epoch.
    pub epoch: EpochIndex,
    /// What can be done now.
    pub phase: EpochPhase,
    /// Miners of others and sources of truth that it was drawn to check, besides its own miners; none if it was not drawn
    /// yet, and so cannot commit to anything.
    pub checks: Option<Vec<ModuleId>>,
    /// The batches that it committed to in this epoch and did not reveal yet.
    pub unrevealed: Vec<(u32, H256)>,
}

/// What one validator said of a miner.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Rating<Balance> {
    /// The validator's module.
    pub validator: ModuleId,
    /// Its stake and deposit, in planck: the weight of what it says.
    pub stake: Balance,
    /// Whether it was drawn to check the miner, and is not matched with it.
    pub check: bool,
    /// What it said.
    pub score: Score,
}

/// What an epoch's validators found of a miner.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct ResultView<Balance, BlockNumber> {
    /// The epoch.
    pub epoch: EpochIndex,
    /// The miner.
    pub miner: ModuleId,
    /// Each part of it is the stake-weighted median of what was said.
    pub score: Score,
    /// What was said.
    pub ratings: Vec<Rating<Balance>>,
    /// Block in which the last of it was said.
    pub at: BlockNumber,
}

/// What other pallets may ask of scores.
pub trait Scores {
    /// The score that a miner got last, and when; none if that is so long ago that it was forgotten.
    fn last_score(miner: ModuleId) -> Option<(EpochIndex, Score)>;
}

/// Who knows how far scores are settled.
pub trait Settlement {
    /// The first epoch of which not all is settled: what it brought must not be paid yet.
    fn first_unsettled() -> EpochIndex;

    /// Has everything settled that was over before an epoch.
    #[cfg(feature = "runtime-benchmarks")]
    fn settle_before_for_benchmark(epoch: EpochIndex);
}

sp_api::decl_runtime_apis! {
    /// What the chain says of scores.
    pub trait ScoresApi<Balance: Codec, BlockNumber: Codec> {
        /// What a validator must do in this epoch.
        fn duties(validator: ModuleId) -> Option<Duties>;
        /// A miner's result of an epoch that is kept.
        fn result(epoch: EpochIndex, miner: ModuleId) -> Option<ResultView<Balance, BlockNumber>>;
        /// A miner's results of all epochs that are kept, oldest first.
        fn results(miner: ModuleId) -> Vec<ResultView<Balance, BlockNumber>>;
        /// The hash that commits a validator to scores.
        fn seal(sealed: Sealed) -> H256;
    }
}
