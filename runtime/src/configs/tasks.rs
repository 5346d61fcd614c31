//! Tasks: how many, how long, how much; and how what wins is handed on.

use ensemble_core::{
    votes::{Failure, Matter, VoteEnd, VoteOutcome},
    AttesterId,
};
use frame_support::{
    parameter_types,
    traits::{ConstU128, ConstU32, ConstU64, Randomness},
    weights::Weight,
    PalletId,
};
use pallet_emission::Burn;
use pallet_exchange::{Parameters, Rule};
use sp_runtime::transaction_validity::TransactionPriority;

use super::{governance::origins::EnsureParameters, ATTEST_FEE, MAX_ROUNDS};
use crate::{
    weights, Assets, Balances, BlockNumber, Exchange, Hash, Inference, Market, Runtime, RuntimeHoldReason, Spaces,
    Tasks, DAYS, EXISTENTIAL_DEPOSIT, TUNE,
};

parameter_types! {
    /// The keyless account that owns the classes of shares.
    pub const TasksPalletId: PalletId = PalletId(*b"ens/task");
    /// A winner is granted two of the latest 32 contributions, for a month.
    pub const ExchangeParameters: Parameters<BlockNumber> =
        Parameters { rule: Rule::LeastHanded, number: 2, recent: 32, lifetime: 30 * DAYS };
}

/// Randomness of the block before, which comes from its author's VRF. The author has known it since the epoch began and
/// can only withhold it, together with the block; the pallet mixes that of many authors. In the first blocks, which
/// have none: that of an earlier epoch.
pub struct BlockRandomness;

impl Randomness<Hash, BlockNumber> for BlockRandomness {
    fn random(subject: &[u8]) -> (Hash, BlockNumber) {
        match pallet_babe::ParentBlockRandomness::<Runtime>::random(subject) {
            (Some(hash), known_since) => (hash, known_since),
            (None, _) => pallet_babe::RandomnessFromOneEpochAgo::<Runtime>::random(subject),
        }
    }
}

/// Passes what becomes of votes on to the pallet whose matter they are.
pub struct VoteOutcomes;

impl VoteOutcome for VoteOutcomes {
    fn left(matter: Matter, voter: &AttesterId, failure: Option<Failure>) {
        match matter {
            Matter::Round { .. } => Spaces::left(matter, voter, failure),
            Matter::Trace { .. } => Inference::left(matter, voter, failure),
        }
    }

    fn left_weight() -> Weight {
        Spaces::left_weight().max(Inference::left_weight())
    }

    fn ended(matter: Matter, end: VoteEnd) {
        match matter {
            Matter::Round { .. } => Spaces::ended(matter, end),
            Matter::Trace { .. } => Inference::ended(matter, end),
        }
    }

    fn ended_weight() -> Weight {
        Spaces::ended_weight().max(Inference::ended_weight())
    }
}

impl pallet_tasks::Config for Runtime {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Shares = Assets;
    type Exchange = Exchange;
    type Spaces = Spaces;
    type Outcomes = VoteOutcomes;
    type Slashed = Burn<Runtime>;
    type Randomness = BlockRandomness;
    type PalletId = TasksPalletId;
    // All places together cost a million TUNE as long as they are held, the first thousand of them one each.
    type MaxTasks = ConstU32<10_000>;
    // A vote of each of 128 validators on each: 512 of 0.4 ms, 0.2 s of the 0.9 s that a block has for transactions.
    type MaxRounds = ConstU32<MAX_ROUNDS>;
    // Those of two sessions with the most workers, or of twenty with four. Of seven replicas each: 560 ballots of 0.4 ms,
    // another 0.23 s, which sessions pay for.
    type MaxTraces = ConstU32<80>;
    type MaxParticipants = ConstU32<256>;
    type MaxAttesters = ConstU32<128>;
    type AttestersPerTask = ConstU32<16>;
    // Whoever holds a third of the slots has ten in a row once in 59,000 times.
    type DrawDelay = ConstU32<10>;
    // 20 panels of 16 with 0.5 ms for each attestation: another 0.2 s.
    type MaxPanelsPerBlock = ConstU32<20>;
    type SettlePerCall = ConstU32<32>;
    type MinPhase = ConstU32<2>;
    type MaxPhase = ConstU32<{ 28 * DAYS }>;
    type MinBond = ConstU128<{ 10 * EXISTENTIAL_DEPOSIT }>;
    type TaskDeposit = ConstU128<TUNE>;
    // An eighth of what a validator's store holds by default, which is the most it takes for one task.
    type MaxContentBytes = ConstU64<{ 5 * 1024 * 1024 * 1024 / 2 }>;
    // Ten TUNE for a GiB, which at least eleven validators keep.
    type RentPerMib = ConstU128<{ TUNE / 100 }>;
    type AttestFee = ConstU128<ATTEST_FEE>;
    // Above all tips below some hundred TUNE, which buy one place each: whether a task is void should not depend on
    // what others pay.
    type AttestPriority = ConstU64<{ TransactionPriority::MAX / 2 }>;
    type WeightInfo = weights::pallet_tasks::WeightInfo<Runtime>;
}

impl pallet_exchange::Config for Runtime {
    type Contributions = Tasks;
    type Sales = Market;
    type ParametersOrigin = EnsureParameters;
    type DefaultParameters = ExchangeParameters;
    type MaxRecent = ConstU32<64>;
    type MaxPerVictory = ConstU32<8>;
    type MaxGrants = ConstU32<64>;
    type MaxVictories = ConstU32<128>;
    // Settling takes a few blocks, and more only on a chain whose blocks are full.
    type SettlingTime = ConstU32<DAYS>;
    type WeightInfo = weights::pallet_exchange::WeightInfo<Runtime>;
}
