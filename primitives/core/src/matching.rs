//! Matching: which validators score which miners.

use alloc::vec::Vec;

use codec::{Codec, Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ConstU32, H256};
use sp_runtime::{BoundedVec, Permill};

use crate::{epochs::EpochIndex, ModelType, ModuleId};

/// Most validators of a miner, whatever the chain's parameter says.
pub const MAX_VALIDATORS_PER_MINER: u32 = 5;

/// Most bytes of a reason that somebody gives for flagging a module.
pub const MAX_REASON_BYTES: u32 = 128;

/// Why a module is flagged: until it is unflagged it is matched with nobody.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum FlagReason {
    /// A validator whose scores agreed too seldom with those of the others or with sources of truth.
    Disagreement {
        /// The part of its judged scores that agreed.
        agreement: Permill,
    },
    /// A miner whose own validators gave it a much better score than those drawn to check it.
    CrossCheck {
        /// The part of its validators' score that the others gave.
        agreement: Permill,
    },
    /// Somebody entitled said so, in UTF-8.
    Stated(BoundedVec<u8, ConstU32<MAX_REASON_BYTES>>),
}

/// What a validator is to a miner.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Assignment {
    /// It scores the miner, and did so before scores were revealed in this epoch.
    Matched,
    /// It does not, or does so only since scores are revealed, but the miner's validators changed, or it came or left,
    /// in this epoch: it may have done so before. So it may if the module is no miner (any more).
    Changed,
    /// It has nothing to do with the miner.
    Foreign,
}

/// What other pallets may ask of matching. The cost of none of it depends on the number of miners or validators.
pub trait Matching {
    /// What a validator is to a miner now.
    fn assignment(validator: ModuleId, miner: ModuleId) -> Assignment;

    /// The types that an active validator judges; none if it is none, or switched off, or flagged.
    fn types(validator: ModuleId) -> Option<Vec<ModelType>>;

    /// The number of miners that a validator has.
    fn load(validator: ModuleId) -> u32;

    /// Since when a validator takes part and has miners, without a break; none if it does not, or has none.
    fn serving_since(validator: ModuleId) -> Option<EpochIndex>;

    /// The type of an active miner; none if it is none, or switched off, or flagged.
    fn miner_type(miner: ModuleId) -> Option<ModelType>;

    /// The active miner of a type that a number, drawn at random, stands for; none if there are none.
    fn pick_miner(model_type: ModelType, random: u64) -> Option<ModuleId>;

    /// The score that a miner deserves; none if it is no source of truth.
    fn truth_of(miner: ModuleId) -> Option<Permill>;

    /// The source of truth of a type that a number, drawn at random, stands for; none if there are none.
    fn pick_truth(model_type: ModelType, random: u64) -> Option<ModuleId>;

    /// How far a validator can be relied on. Outlasts its absence.
    fn reliability(validator: ModuleId) -> Permill;

    /// Sets how far a validator can be relied on, and its place among those of equal load.
    fn set_reliability(validator: ModuleId, reliability: Permill);

    /// Flags a miner or validator. Nothing happens if it is flagged.
    fn flag(module: ModuleId, reason: FlagReason);

    /// Switches a validator off that does not do its work; its owner may switch it on again.
    fn switch_off(validator: ModuleId);

    /// Makes a pair of matched modules of one owner, and `extra` more miners of the validator.
    ///
    /// # Errors
    ///
    /// If they cannot be registered or matched.
    #[cfg(feature = "runtime-benchmarks")]
    fn match_for_benchmark(extra: u32) -> Result<(ModuleId, Vec<ModuleId>), sp_runtime::DispatchError>;
}

/// Why a miner or validator is as it is.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub enum Standing {
    /// It takes part.
    Active,
    /// It was switched off.
    Off,
    /// It was flagged.
    Flagged(FlagReason),
    /// It does not take part any more, and its miners are being matched anew.
    Leaving,
}

/// What an outsider may know of a miner.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct MinerView {
    /// The module.
    pub module: ModuleId,
    /// The kind of model that it serves.
    pub model_type: ModelType,
    /// Whether it takes part.
    pub standing: Standing,
    /// The validators that score it.
    pub validators: Vec<ModuleId>,
    /// Whether it waits for a first validator.
    pub waiting: bool,
}

/// What an outsider may know of a validator.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct ValidatorView {
    /// The module.
    pub module: ModuleId,
    /// The types that it judges.
    pub types: Vec<ModelType>,
    /// Most miners that it serves.
    pub capacity: u32,
    /// The number of miners that it has.
    pub load: u32,
    /// How far it can be relied on.
    pub reliability: Permill,
    /// Whether it takes part.
    pub standing: Standing,
}

/// Inputs for which the right outputs are known.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct TestCase {
    /// Hash of the inputs.
    pub inputs: H256,
    /// Hash of the expected outputs.
    pub outputs: H256,
    /// How far outputs may be from those expected and still be right.
    pub tolerance: Permill,
}

/// The subnet in figures.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Counts {
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
}

/// All that an outsider may want to know of the subnet at a glance.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct Status<Balance> {
    /// Miners, validators and matches.
    pub counts: Counts,
    /// The current epoch.
    pub epoch: EpochIndex,
    /// Results of the epochs that are kept.
    pub results: u32,
    /// Services that are listed.
    pub listings: u32,
    /// All TUNE that exist, in planck.
    pub supply: Balance,
    /// All TUNE that were ever burnt, in planck.
    pub burnt: Balance,
}

sp_api::decl_runtime_apis! {
    /// What the chain says of miners, validators and their matches.
    pub trait MatchingApi<Balance: Codec> {
        /// One miner.
        fn miner(module: ModuleId) -> Option<MinerView>;
        /// One validator.
        fn validator(module: ModuleId) -> Option<ValidatorView>;
        /// The miners of a validator, from the one in this place on, at most `limit` (and 1,000).
        fn miners_of(validator: ModuleId, first: u32, limit: u32) -> Vec<ModuleId>;
        /// The test cases of a type.
        fn test_cases(model_type: ModelType) -> Vec<TestCase>;
        /// The sources of truth of a type, with the scores they deserve.
        fn truths(model_type: ModelType) -> Vec<(ModuleId, Permill)>;
        /// The subnet in figures.
        fn status() -> Status<Balance>;
    }
}
