//! TUNE, fees, and the other fungible classes: stable assets and shares of contributions.

use ensemble_core::AssetId;
use frame_support::{
    parameter_types,
    traits::{
        fungible::{Balanced, Credit},
        ConstU128, ConstU32, ConstU8, EnsureOriginWithArg, OnUnbalanced, VariantCountOf,
    },
    weights::{ConstantMultiplier, IdentityFee},
};
use frame_system::{ensure_signed, EnsureRoot};
use pallet_emission::Burn;
use pallet_transaction_payment::{FungibleAdapter, TargetedFeeAdjustment};
use sp_runtime::{traits::Bounded, FixedPointNumber, Perquintill};

use crate::{
    deposit, weights, AccountId, Authorship, Balance, Balances, Market, Runtime, RuntimeEvent, RuntimeFreezeReason,
    RuntimeHoldReason, RuntimeOrigin, System, EXISTENTIAL_DEPOSIT,
};

/// What a byte of a transaction costs, in planck.
const FEE_PER_BYTE: Balance = 1_000_000;

impl pallet_balances::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeHoldReason = RuntimeHoldReason;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type WeightInfo = weights::pallet_balances::WeightInfo<Runtime>;
    type Balance = Balance;
    type DustRemoval = Burn<Runtime>;
    type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
    type AccountStore = System;
    type ReserveIdentifier = [u8; 8];
    type FreezeIdentifier = RuntimeFreezeReason;
    type MaxLocks = ConstU32<50>;
    type MaxReserves = ConstU32<50>;
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
    type DoneSlashHandler = ();
}

/// Fees and tips go to the author of the block. What cannot be paid out to it is burnt.
pub struct PayAuthor;

impl OnUnbalanced<Credit<AccountId, Balances>> for PayAuthor {
    fn on_nonzero_unbalanced(credit: Credit<AccountId, Balances>) {
        let unpaid = match Authorship::author() {
            Some(author) => Balances::resolve(&author, credit).err(),
            None => Some(credit),
        };
        if let Some(unpaid) = unpaid {
            Burn::<Runtime>::on_unbalanced(unpaid);
        }
    }
}

parameter_types! {
    /// Part of a block's room for ordinary transactions that is full when fees stay as they are.
    pub const TargetBlockFullness: Perquintill = Perquintill::from_percent(25);
    /// How fast fees follow: in a day of full blocks they rise about threefold.
    pub AdjustmentVariable: pallet_transaction_payment::Multiplier =
        pallet_transaction_payment::Multiplier::saturating_from_rational(5, 100_000);
    /// Fees never fall below a tenth.
    pub MinimumMultiplier: pallet_transaction_payment::Multiplier =
        pallet_transaction_payment::Multiplier::saturating_from_rational(1, 10);
    /// Fees have no upper limit.
    pub MaximumMultiplier: pallet_transaction_payment::Multiplier = Bounded::max_value();
}

impl pallet_transaction_payment::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type OnChargeTransaction = FungibleAdapter<Balances, PayAuthor>;
    type WeightToFee = IdentityFee<Balance>;
    type LengthToFee = ConstantMultiplier<Balance, ConstU128<FEE_PER_BYTE>>;
    type FeeMultiplierUpdate =
        TargetedFeeAdjustment<Self, TargetBlockFullness, AdjustmentVariable, MinimumMultiplier, MaximumMultiplier>;
    type OperationalFeeMultiplier = ConstU8<5>;
    type WeightInfo = weights::extensions::WeightInfo<Runtime>;
}

/// Anyone creates ordinary assets; classes of shares are created by the settlement of tasks, and with models, alone.
pub struct EnsureOrdinaryAsset;

impl EnsureOriginWithArg<RuntimeOrigin, AssetId> for EnsureOrdinaryAsset {
    type Success = AccountId;

    fn try_origin(origin: RuntimeOrigin, id: &AssetId) -> Result<AccountId, RuntimeOrigin> {
        match id {
            AssetId::Asset(_) => ensure_signed(origin.clone()).map_err(|_| origin),
            AssetId::Shares(_) | AssetId::Rows(_) => Err(origin),
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn try_successful_origin(_: &AssetId) -> Result<RuntimeOrigin, ()> {
        Ok(RuntimeOrigin::signed(AccountId::new([1; 32])))
    }
}

parameter_types! {
    /// Deposit for a class of assets, in planck.
    pub const AssetDeposit: Balance = deposit(1, 190);
    /// Deposit for an account of a class that does not keep accounts alive by itself, in planck.
    pub const AssetAccountDeposit: Balance = deposit(1, 16);
    /// Deposit for a class's name and symbol, in planck.
    pub const MetadataDepositBase: Balance = deposit(1, 68);
    /// Deposit for each byte of name and symbol, in planck.
    pub const MetadataDepositPerByte: Balance = deposit(0, 1);
}

impl pallet_assets::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type Balance = Balance;
    type AssetId = AssetId;
    type AssetIdParameter = AssetId;
    type ReserveData = ();
    type Currency = Balances;
    type CreateOrigin = EnsureOrdinaryAsset;
    type ForceOrigin = EnsureRoot<AccountId>;
    type AssetDeposit = AssetDeposit;
    type AssetAccountDeposit = AssetAccountDeposit;
    type MetadataDepositBase = MetadataDepositBase;
    type MetadataDepositPerByte = MetadataDepositPerByte;
    type ApprovalDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
    type StringLimit = ConstU32<50>;
    type RemoveItemsLimit = ConstU32<1_000>;
    // Shares that take part in a sale stay in their owners' accounts.
    type Freezer = Market;
    type Holder = ();
    type Extra = ();
    type CallbackHandle = ();
    type AssetIdAllocator = ();
    type WeightInfo = weights::pallet_assets::WeightInfo<Runtime>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = AssetsBenchmarkHelper;
}

/// Names assets for the benchmarks of pallet-assets.
#[cfg(feature = "runtime-benchmarks")]
pub struct AssetsBenchmarkHelper;

#[cfg(feature = "runtime-benchmarks")]
impl pallet_assets::BenchmarkHelper<AssetId, ()> for AssetsBenchmarkHelper {
    fn create_asset_id_parameter(id: u32) -> AssetId {
        AssetId::Asset(id)
    }

    fn create_reserve_id_parameter(_: u32) {}
}
