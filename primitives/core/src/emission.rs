//! Emission: new TUNE for those who served and judged.

use alloc::vec::Vec;

use codec::{Codec, Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::{FixedU128, Permill};

use crate::{
    epochs::{EpochIndex, EpochPhase},
    ModuleId,
};

/// What a module earns for.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Side {
    /// For being scored.
    Miner,
    /// For scoring.
    Validator,
}

/// Who keeps count of what an epoch is earned by. The cost of none of it depends on the number of modules.
pub trait Earnings {
    /// In the current epoch a module earns on this side by `merit` times its stake and deposit. Replaces what was said
    /// of it before.
    fn set_merit(module: ModuleId, side: Side, merit: Permill);

    /// In an epoch that is over a module gets nothing that it was not paid yet.
    fn forfeit_closed(epoch: EpochIndex, module: ModuleId);

    /// In the current epoch a module earns nothing on either side, whatever is said of it afterwards.
    fn forfeit(module: ModuleId);
}

/// How an epoch's emission is divided. The parts make one.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Split {
    /// To miners.
    pub miners: Permill,
    /// To validators.
    pub validators: Permill,
    /// To the treasury.
    pub treasury: Permill,
}

impl Split {
    /// Whether the parts make one.
    pub fn is_whole(&self) -> bool {
        let parts = [self.miners, self.validators, self.treasury].map(|part| u64::from(part.deconstruct()));
        parts.iter().sum::<u64>() == u64::from(Permill::one().deconstruct())
    }
}

/// Where the clock stands.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct EpochView<BlockNumber> {
    /// Number of the epoch.
    pub epoch: EpochIndex,
    /// What can be done now.
    pub phase: EpochPhase,
    /// Its first block.
    pub begins: BlockNumber,
    /// First block in which scores are revealed.
    pub reveals: BlockNumber,
    /// First block of the next epoch.
    pub ends: BlockNumber,
}

/// What an epoch brought.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct Closed<Balance> {
    /// Number of the epoch.
    pub epoch: EpochIndex,
    /// To all miners together, in planck.
    pub miners: Balance,
    /// To all validators together, in planck.
    pub validators: Balance,
    /// To the treasury, in planck.
    pub treasury: Balance,
    /// Sum of the miners' weights.
    pub miner_weights: u128,
    /// Sum of the validators' weights.
    pub validator_weights: u128,
}

/// What a module gets of an epoch.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct Allocation<Balance> {
    /// The epoch.
    pub epoch: EpochIndex,
    /// The module.
    pub module: ModuleId,
    /// For being scored, in planck.
    pub miner: Balance,
    /// For scoring, in planck.
    pub validator: Balance,
    /// Whether it was paid out.
    pub paid: bool,
}

/// All TUNE, in planck.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct Supply<Balance> {
    /// All that exist.
    pub issuance: Balance,
    /// What existed at genesis.
    pub genesis: Balance,
    /// What was emitted since.
    pub emitted: Balance,
    /// What was burnt since.
    pub burnt: Balance,
    /// What exists outside the treasury and of what is owed.
    pub circulating: Balance,
    /// What belongs to the treasury.
    pub treasury: Balance,
    /// What was emitted and not paid out yet.
    pub owed: Balance,
    /// The most that is ever emitted.
    pub cap: Balance,
    /// What the current epoch emits at most.
    pub next: Balance,
}

sp_api::decl_runtime_apis! {
    /// What the chain says of emission.
    pub trait EmissionApi<Balance: Codec, BlockNumber: Codec> {
        /// Where the clock stands.
        fn epoch() -> EpochView<BlockNumber>;
        /// What epochs brought that are kept, oldest first.
        fn epochs() -> Vec<Closed<Balance>>;
        /// What modules got of an epoch that is kept, in the order in which they first earned, from this place on, at
        /// most `limit` (and 1,000). They add up to what the epoch brought, less what rounding left.
        fn allocations(epoch: EpochIndex, first: u32, limit: u32) -> Vec<Allocation<Balance>>;
        /// What a module got of the kept epochs from `first` to `last`.
        fn allocations_of(module: ModuleId, first: EpochIndex, last: EpochIndex) -> Vec<Allocation<Balance>>;
        /// What a module would get if the current epoch ended now.
        fn prospect(module: ModuleId) -> Allocation<Balance>;
        /// All TUNE.
        fn supply() -> Supply<Balance>;
        /// What stake on a module would earn in a year of epochs like the last, as a part of itself, before the owner's
        /// fee; none if there is no stake, or it earned nothing.
        fn apr(module: ModuleId) -> Option<FixedU128>;
    }
}
