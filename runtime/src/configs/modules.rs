//! Modules and the stake on them: names and prices, how long stake is bound, and how fees may rise.

use frame_support::{
    parameter_types,
    traits::{ConstU128, ConstU32},
    PalletId,
};
use pallet_emission::Burn;
use sp_runtime::Permill;

use super::governance::{
    origins::{EnsureRegistry, EnsureSlasher},
    parameters::{MinStake, NamePrices},
    BindVotes,
};
use crate::{
    weights, Balances, BlockNumber, Emission, Market, Matching, Modules, Runtime, RuntimeHoldReason, Stake, Validators,
    DAYS, TUNE,
};

parameter_types! {
    /// The keyless account that holds all stake.
    pub const StakePalletId: PalletId = PalletId(*b"ens/stak");
    /// Blocks for which stake can still be slashed after it was taken back.
    pub const UnbondingPeriod: BlockNumber = 14 * DAYS;
    /// Highest fee.
    pub const MaxFee: Permill = Permill::from_percent(50);
    /// Most by which a fee rises while those who disagree cannot be out yet.
    pub const MaxFeeRise: Permill = Permill::from_percent(5);
}

impl pallet_modules::Config for Runtime {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Burnt = Burn<Runtime>;
    type OnRemoved = (Stake, (Matching, (Validators, Market)));
    type OnRoleChanged = (Matching, Validators);
    type OnTransferred = Validators;
    type RegistryOrigin = EnsureRegistry;
    type PriceCurve = NamePrices;
    type PatternDeposit = ConstU128<{ TUNE / 10 }>;
    type NameDelay = ConstU32<{ 7 * DAYS }>;
    type MaxDependencies = ConstU32<16>;
    type MaxDepth = ConstU32<8>;
    type MaxPipeline = ConstU32<64>;
    type MaxPatternsPerStart = ConstU32<128>;
    type MaxNamespacePatterns = ConstU32<32>;
    type MaxReleases = ConstU32<100>;
    type WeightInfo = weights::pallet_modules::WeightInfo<Runtime>;
}

impl pallet_stake::Config for Runtime {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Modules = Modules;
    type OnChanged = Validators;
    type Epochs = Emission;
    type Slashed = Burn<Runtime>;
    type OnWithdrawn = BindVotes;
    type SlashOrigin = EnsureSlasher;
    type PalletId = StakePalletId;
    type DefaultUnbondingPeriod = UnbondingPeriod;
    type MaxUnbondings = ConstU32<16>;
    type MinStake = MinStake;
    type MaxFee = MaxFee;
    type MaxFeeRise = MaxFeeRise;
    type WeightInfo = weights::pallet_stake::WeightInfo<Runtime>;
}
