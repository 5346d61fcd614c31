//! Inference: how many models and sessions, what they cost, how long everything lasts.

use ensemble_core::tasks::Phases;
use frame_support::{
    parameter_types,
    traits::{ConstU128, ConstU32, ConstU64, Get},
    PalletId,
};
use pallet_emission::Burn;
use pallet_inference::{Lengths, Parameters, Rates, Slashes, Split};
use sp_core::H256;
use sp_runtime::{transaction_validity::TransactionPriority, Permill};

use super::{governance::origins::EnsureParameters, ATTEST_FEE};
use crate::{weights, Assets, Balances, BlockNumber, Runtime, RuntimeHoldReason, Tasks, DAYS, HOURS, MINUTES, TUNE};

parameter_types! {
    /// The keyless account that owns the classes of shares of rows; those of pots follow from it.
    pub const InferencePalletId: PalletId = PalletId(*b"ens/infr");
    /// A hundred positions of a model of 135 million weights in three replicas come to 0.07 TUNE.
    pub const DefaultParameters: Parameters = Parameters {
        rates: Rates { position: TUNE / 10_000, billion: TUNE / 1_000 },
        split: Split {
            gateway: Permill::from_percent(10),
            credits: Permill::from_percent(20),
            burnt: Permill::from_percent(5),
        },
        slashes: Slashes {
            outvoted: Permill::from_percent(10),
            wrong: Permill::from_percent(50),
            challenger: Permill::from_percent(40),
        },
        owners: Permill::from_percent(50),
    };
    /// A vote that gets lost can be sent again some times; attesters fetch some MiB for each range. In an hour everybody who
    /// holds a model computes an answer again.
    pub const DefaultLengths: Lengths<BlockNumber> = Lengths {
        answer: 10 * MINUTES,
        votes: Phases { commit: 2 * MINUTES, reveal: MINUTES, attest: 5 * MINUTES },
        window: HOURS,
        leave: DAYS,
    };
}

/// What the pallet of tasks mixes of the randomness of all blocks.
pub struct MixedEntropy;

impl Get<H256> for MixedEntropy {
    fn get() -> H256 {
        pallet_tasks::Entropy::<Runtime>::get()
    }
}

impl pallet_inference::Config for Runtime {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Shares = Assets;
    type Contributions = Tasks;
    type Votes = Tasks;
    type Slashed = Burn<Runtime>;
    type Entropy = MixedEntropy;
    type ParametersOrigin = EnsureParameters;
    type DefaultParameters = DefaultParameters;
    type DefaultLengths = DefaultLengths;
    type PalletId = InferencePalletId;
    type MaxModels = ConstU32<1_000>;
    // Nothing looks at all of them: a bound for the sake of a number's type.
    type MaxWorkers = ConstU32<1_000_000>;
    // Up to 10 kB each.
    type MaxSessions = ConstU32<1_000>;
    // About one session's price; 51 TUNE for the last hundred of them.
    type SessionDeposit = ConstU128<{ TUNE / 10 }>;
    // As much as nodes read of one session.
    type MaxSessionBytes = ConstU64<{ 1 << 30 }>;
    // A prompt of so many tokens can be disputed in one transaction.
    type MaxPositions = ConstU32<32_768>;
    // Whoever holds a third of the slots has four in a row once in 81 times, and then knows who is drawn, but chooses only
    // whether to open a session before it is too late.
    type AssignDelay = ConstU32<4>;
    // Five minutes, in which a requester signs and sends what its gateway has agreed to.
    type ConsentLength = ConstU32<{ 5 * MINUTES }>;
    type SettlePerCall = ConstU32<32>;
    type ModelDeposit = ConstU128<{ 10 * TUNE }>;
    type MinBond = ConstU128<{ 100 * TUNE }>;
    type BondCap = ConstU128<{ 1_000 * TUNE }>;
    // A tenth of the least bond: a worker is wrong ten times before it is nobody's worker any more.
    type DisputeDeposit = ConstU128<{ 10 * TUNE }>;
    // A commitment and a reveal, each like an attestation, of which a task pays for 16.
    type VoteFee = ConstU128<{ ATTEST_FEE / 8 }>;
    type AttestFee = ConstU128<ATTEST_FEE>;
    type ProductsPerShare = ConstU128<1_000_000>;
    // A thousand million products, for which somebody paid 0.001 TUNE.
    type MinShares = ConstU128<1_000>;
    // A thousand million answers of a thousand tokens from a model of a thousand million weights.
    type MaxShares = ConstU128<1_000_000_000_000_000>;
    // As attestations: whether an answer counts should not depend on what others pay.
    type ClosePriority = ConstU64<{ TransactionPriority::MAX / 2 }>;
    type WeightInfo = weights::pallet_inference::WeightInfo<Runtime>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = InferenceBenchmarkHelper;
}

/// Has tasks won and shares owned, for the benchmarks of inference.
#[cfg(feature = "runtime-benchmarks")]
pub struct InferenceBenchmarkHelper;

#[cfg(feature = "runtime-benchmarks")]
impl pallet_inference::BenchmarkHelper<crate::AccountId> for InferenceBenchmarkHelper {
    fn win(task: ensemble_core::TaskId, descriptor: ensemble_core::tasks::Descriptor) {
        let contribution = pallet_tasks::Contribution {
            creator: crate::AccountId::new([0; 32]),
            content: descriptor.id(),
            descriptor,
            audience: ensemble_core::exchange::Audience::Public,
            winners: 1,
            weight: 1,
            committed: 1,
            committed_weight: 1,
            settled_at: 1,
        };
        pallet_tasks::Contributions::<Runtime>::insert(task, contribution);
    }
}
