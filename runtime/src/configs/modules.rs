//! Modules and the stake on them: names and prices, how long stake is bound, and how fees may rise.

use frame_support::{
    parameter_types,
    traits::{ConstU128, ConstU32},
    PalletId,
};
use frame_system::EnsureRoot;
use pallet_emission::Burn;
use pallet_modules::Curve;
use sp_runtime::{FixedU128, Permill};

use crate::{
    weights, AccountId, Balances, BlockNumber, Emission, Matching, Modules, Runtime, RuntimeHoldReason, Stake, DAYS,
    EXISTENTIAL_DEPOSIT, TUNE,
};

parameter_types! {
    /// Half of a price is a deposit. A thousand registrations raise prices to almost three times, and what they rose by
    /// halves within a day.
    pub NamePrices: Curve = Curve {
        base: TUNE,
        deposit: Permill::from_percent(50),
        growth: FixedU128::from_rational(1_001, 1_000),
        decay: FixedU128::from_rational(999_975_932, 1_000_000_000),
        cap: FixedU128::from_u32(100),
    };
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
    type OnRemoved = (Stake, Matching);
    type OnRoleChanged = Matching;
    type RegistryOrigin = EnsureRoot<AccountId>;
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
    type Epochs = Emission;
    type Slashed = Burn<Runtime>;
    type OnWithdrawn = ();
    type SlashOrigin = EnsureRoot<AccountId>;
    type PalletId = StakePalletId;
    type DefaultUnbondingPeriod = UnbondingPeriod;
    type MaxUnbondings = ConstU32<16>;
    type MinStake = ConstU128<{ 100 * EXISTENTIAL_DEPOSIT }>;
    type MaxFee = MaxFee;
    type MaxFeeRise = MaxFeeRise;
    type WeightInfo = weights::pallet_stake::WeightInfo<Runtime>;
}
