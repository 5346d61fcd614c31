//! Who scores whom, what scores decide, and what is earned by them.

use ensemble_core::{emission::Split, EpochIndex};
use frame_support::{
    parameter_types,
    traits::{ConstU32, Randomness},
    PalletId,
};
use sp_runtime::Permill;

use super::governance::{
    origins::{EnsureParameters, EnsureRegistry},
    TreasuryAccount,
};
use crate::{
    weights, Balance, Balances, BlockNumber, Emission, Hash, Market, Matching, Modules, Runtime, RuntimeHoldReason,
    Scores, Stake, DAYS, HOURS, TUNE,
};

/// Epochs of a year, each an hour.
const YEAR: EpochIndex = 365 * 24;

parameter_types! {
    /// A validator of which nothing is known is trusted half.
    pub const InitialReliability: Permill = Permill::from_percent(50);
    /// How far apart two validators may be who agree.
    pub const Tolerance: Permill = Permill::from_percent(10);
    /// Who agrees less is flagged.
    pub const LeastAgreement: Permill = Permill::from_percent(70);
    /// The keyless account that holds what was emitted and not paid out yet.
    pub const EmissionPalletId: PalletId = PalletId(*b"ens/emis");
    /// The part of an epoch in which scores are committed.
    pub const CommitPart: Permill = Permill::from_percent(60);
    /// Most that is ever emitted, in planck.
    pub const EmissionCap: Balance = 500_000_000 * TUNE;
    /// What the first epoch brings, in planck: halved every four years, all epochs together bring what the cap allows.
    pub const FirstReward: Balance = 7_134 * TUNE;
    /// How an epoch's emission is divided.
    pub const DefaultSplit: Split = Split {
        miners: Permill::from_percent(60),
        validators: Permill::from_percent(30),
        treasury: Permill::from_percent(10),
    };
}

/// Randomness of an epoch of BABE that was over before scores could be known. No single author chose it.
pub struct EpochRandomness;

impl Randomness<Hash, BlockNumber> for EpochRandomness {
    fn random(subject: &[u8]) -> (Hash, BlockNumber) {
        pallet_babe::RandomnessFromOneEpochAgo::<Runtime>::random(subject)
    }
}

impl pallet_matching::Config for Runtime {
    type Modules = Modules;
    type Earnings = Emission;
    type OnMiner = Market;
    type Epochs = Emission;
    type FlagOrigin = EnsureRegistry;
    type TruthOrigin = EnsureRegistry;
    type ValidatorsPerMiner = ConstU32<2>;
    type InitialReliability = InitialReliability;
    type MaxSteps = ConstU32<500>;
    type MaxTruths = ConstU32<16>;
    type MaxTestCases = ConstU32<64>;
    type WeightInfo = weights::pallet_matching::WeightInfo<Runtime>;
}

impl pallet_scores::Config for Runtime {
    type Modules = Modules;
    type Stake = Stake;
    type Matching = Matching;
    type Earnings = Emission;
    type OnScored = Market;
    type Epochs = Emission;
    type Randomness = EpochRandomness;
    type MaxBatches = ConstU32<8>;
    type MaxScores = ConstU32<128>;
    type MaxRatings = ConstU32<16>;
    type ChecksPerEpoch = ConstU32<2>;
    type Tolerance = Tolerance;
    type LeastAgreement = LeastAgreement;
    type MinJudged = ConstU32<10>;
    type JudgementsKept = ConstU32<100>;
    type KeptEpochs = ConstU32<24>;
    type MaxSteps = ConstU32<500>;
    type WeightInfo = weights::pallet_scores::WeightInfo<Runtime>;
}

impl pallet_emission::Config for Runtime {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Modules = Modules;
    type Stake = Stake;
    type Reward = Stake;
    type Settlement = Scores;
    type ParametersOrigin = EnsureParameters;
    type PalletId = EmissionPalletId;
    type Treasury = TreasuryAccount;
    type DefaultEpochLength = ConstU32<HOURS>;
    type CommitPart = CommitPart;
    type BlocksPerYear = ConstU32<{ 365 * DAYS }>;
    type Cap = EmissionCap;
    type FirstReward = FirstReward;
    type HalvingPeriod = ConstU32<{ 4 * YEAR }>;
    type DefaultSplit = DefaultSplit;
    type KeptEpochs = ConstU32<48>;
    type MaxStepsPerBlock = ConstU32<500>;
    type WeightInfo = weights::pallet_emission::WeightInfo<Runtime>;
}
