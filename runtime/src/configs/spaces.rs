//! Spaces: how many, how large, how often.

use ensemble_core::{
    combination::{MAX_INPUT_BYTES, MAX_WORK},
    spaces::{RoundIndex, MAX_MEMBERS},
    tasks::Phases,
};
use frame_support::{
    parameter_types,
    traits::{ConstU128, ConstU32, ConstU64},
};
use pallet_emission::Burn;
use sp_runtime::transaction_validity::TransactionPriority;

use super::{ATTEST_FEE, MAX_ROUNDS};
use crate::{
    weights, Balances, BlockNumber, Runtime, RuntimeHoldReason, Tasks, DAYS, MILLISECS_PER_BLOCK, MINUTES, TUNE,
};

/// Rounds of each space that are kept when they are over.
const KEPT_ROUNDS: RoundIndex = 64;

/// Blocks in which a validator fetches what a round takes, and combines it.
const COMMIT: BlockNumber = 10 * MINUTES;

/// Products of two numbers that a validator's machine computes in a second: `scripts/bench aggregation` combines 16 tables
/// in 5.5 * 10^10.
const WORK_PER_SECOND: u64 = 20_000_000_000;

// One thread computes all rounds, one after the other. A sixth of the time is left for fetching.
const _: () = assert!(
    MAX_WORK / WORK_PER_SECOND * MAX_ROUNDS as u64 * 6 <= COMMIT as u64 * MILLISECS_PER_BLOCK / 1_000 * 5,
    "as many rounds as run at one time must be computed while they take commitments"
);

parameter_types! {
    /// A validator fetches a GiB and computes as many of the largest rounds as there can be in ten minutes; a reveal takes a
    /// block, and attesting as long as fetching.
    pub const DefaultPhases: Phases<BlockNumber> = Phases { commit: COMMIT, reveal: MINUTES, attest: 5 * MINUTES };
}

impl pallet_spaces::Config for Runtime {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Fees = Burn<Runtime>;
    type Votes = Tasks;
    // A validator's worker looks at each of them in every block.
    type MaxSpaces = ConstU32<1_000>;
    type MaxMembers = ConstU32<MAX_MEMBERS>;
    // A tenth of what one task may ask for: every validator keeps it.
    type MaxResultBytes = ConstU64<{ 256 * 1024 * 1024 }>;
    type MaxRoundBytes = ConstU64<MAX_INPUT_BYTES>;
    type MaxRoundWork = ConstU64<MAX_WORK>;
    type DefaultPhases = DefaultPhases;
    type MinCadence = ConstU32<MINUTES>;
    type MaxCadence = ConstU32<{ 28 * DAYS }>;
    type MaxRejections = ConstU32<3>;
    type KeptRounds = ConstU32<KEPT_ROUNDS>;
    // About 40 kB of members, rosters and history.
    type SpaceDeposit = ConstU128<{ 10 * TUNE }>;
    // A hundred times the rent, but it returns, and eight times as many keep it as keep what won a task. What all validators
    // may pin, four fifths of 20 GiB, takes 16,000 TUNE.
    type StateDepositPerMib = ConstU128<TUNE>;
    // 256 votes and 16 attestations, at what tasks pay for 16 of them.
    type RoundFee = ConstU128<{ 17 * ATTEST_FEE }>;
    // At most 2.5 TUNE for a round, and 0.24 for 16 tables of 4,096 x 256.
    type WorkFee = ConstU128<{ TUNE / 1_000 }>;
    // As attestations: whether a report is read should not depend on what others pay.
    type ReportPriority = ConstU64<{ TransactionPriority::MAX / 2 }>;
    type WeightInfo = weights::pallet_spaces::WeightInfo<Runtime>;
}
