//! A runtime with the real balances and stake, and a tiny registry of modules.

use std::collections::BTreeMap;

use ensemble_core::{
    emission::{Allocation, Earnings, Side, Split},
    epochs::EpochIndex,
    modules::{ModelType, Modules, Role},
    scores::Settlement,
    ModuleId,
};
use frame_support::{
    assert_ok, derive_impl, parameter_types,
    traits::{
        fungible::{Balanced, InspectHold},
        ConstU32, ConstU64, Hooks, OnUnbalanced,
    },
    weights::Weight,
    PalletId,
};
use frame_system::EnsureRoot;
use sp_io::TestExternalities;
use sp_runtime::{BuildStorage, DispatchResult, Permill};

use crate::{Balance, Burn, EarnerOf, Error, Event, HoldReason, Pallet, Payout};

pub type AccountId = u64;
pub type BlockNumber = u64;
type Block = frame_system::mocking::MockBlock<Test>;

pub const ALICE: AccountId = 11;
pub const BOB: AccountId = 12;
pub const CHARLIE: AccountId = 13;
/// Owns the modules.
pub const OWNER: AccountId = 14;
pub const TREASURY: AccountId = 15;
/// Has nothing.
pub const PAUPER: AccountId = 16;
pub const ENDOWED: [AccountId; 4] = [ALICE, BOB, CHARLIE, OWNER];

pub const ONE: ModuleId = 1;
pub const TWO: ModuleId = 2;
pub const THREE: ModuleId = 3;
pub const MODULES: [ModuleId; 3] = [ONE, TWO, THREE];

pub const ENDOWMENT: Balance = 1_000_000_000;
pub const EXISTENTIAL: Balance = 10;
pub const MIN_STAKE: Balance = 100;
/// Deposit of each of the modules.
pub const DEPOSIT: Balance = 1_000;

/// Blocks of an epoch.
pub const LENGTH: BlockNumber = 10;
pub const KEPT: EpochIndex = 3;
pub const MAX_STEPS: u32 = 5;
/// What paying a module takes of a block's time.
pub const STEP: Weight = Weight::from_parts(100, 0);
/// What forgetting a record takes of it.
pub const FORGET: Weight = Weight::from_parts(50, 0);
/// What looking for steps takes of a block's time.
pub const IDLE: Weight = Weight::from_parts(10, 0);
/// Time enough for anything.
pub const PLENTY: Weight = Weight::from_parts(1_000_000, 0);

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;
    #[runtime::pallet_index(1)]
    pub type Balances = pallet_balances::Pallet<Test>;
    #[runtime::pallet_index(2)]
    pub type Stake = pallet_stake::Pallet<Test>;
    #[runtime::pallet_index(3)]
    pub type Emission = crate::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type AccountData = pallet_balances::AccountData<Balance>;
    type Block = Block;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type AccountStore = System;
    type Balance = Balance;
    type DustRemoval = Burn<Test>;
    type ExistentialDeposit = ExistentialDeposit;
}

parameter_types! {
    pub const ExistentialDeposit: Balance = EXISTENTIAL;
    pub const MinStake: Balance = MIN_STAKE;
    pub const MaxFee: Permill = Permill::from_percent(50);
    pub const MaxFeeRise: Permill = Permill::from_percent(5);
    // Of these, an account of 64 bits has room for four bytes.
    pub const StakePalletId: PalletId = PalletId(*b"stak/ens");
    pub const EmissionPalletId: PalletId = PalletId(*b"emit/ens");
    pub const Treasury: AccountId = TREASURY;
    pub const DefaultSplit: Split = Split {
        miners: Permill::from_percent(60),
        validators: Permill::from_percent(30),
        treasury: Permill::from_percent(10),
    };
    /// Constants that a test can change.
    pub static Cap: Balance = 1_000_000_000_000;
    pub static FirstReward: Balance = 1_000_000;
    pub static HalvingPeriod: EpochIndex = 100;
    /// The first epoch that is not settled. Unless a test says otherwise, that does not hold up anything.
    pub static FirstUnsettled: EpochIndex = EpochIndex::MAX;
    pub static CommitPart: Permill = Permill::from_percent(60);
    /// The registry: owners and deposits.
    pub static Registered: BTreeMap<ModuleId, (AccountId, Balance)> = BTreeMap::new();
}

/// A registry that a test can change.
pub struct Registry;
impl Modules<AccountId> for Registry {
    fn owner(module: ModuleId) -> Option<AccountId> {
        Registered::get().get(&module).map(|(owner, _)| *owner)
    }

    fn deposit(module: ModuleId) -> u128 {
        Registered::get().get(&module).map_or(0, |(_, deposit)| *deposit)
    }

    /// Nobody asks.
    fn role(_: ModuleId) -> Option<(ModelType, Role)> {
        None
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn register_for_benchmark(owner: &AccountId) -> Result<ModuleId, sp_runtime::DispatchError> {
        let module = Registered::get().keys().max().map_or(0, |last| last + 1);
        register(module, *owner, DEPOSIT);
        Ok(module)
    }
}

/// Scores that are settled as far as a test says.
pub struct Settled;
impl Settlement for Settled {
    fn first_unsettled() -> EpochIndex {
        FirstUnsettled::get()
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn settle_before_for_benchmark(epoch: EpochIndex) {
        FirstUnsettled::set(epoch);
    }
}

impl pallet_stake::Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Modules = Registry;
    type Epochs = Emission;
    type OnChanged = ();
    type OnWithdrawn = ();
    type Slashed = Burn<Test>;
    type SlashOrigin = EnsureRoot<AccountId>;
    type PalletId = StakePalletId;
    type DefaultUnbondingPeriod = ConstU64<10>;
    type MaxUnbondings = ConstU32<4>;
    type MinStake = MinStake;
    type MaxFee = MaxFee;
    type MaxFeeRise = MaxFeeRise;
    type WeightInfo = Weightless;
}

impl crate::Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Modules = Registry;
    type Stake = Stake;
    type Reward = Stake;
    type Settlement = Settled;
    type ParametersOrigin = EnsureRoot<AccountId>;
    type PalletId = EmissionPalletId;
    type Treasury = Treasury;
    type DefaultEpochLength = ConstU64<LENGTH>;
    type CommitPart = CommitPart;
    type BlocksPerYear = ConstU64<87_600>;
    type Cap = Cap;
    type FirstReward = FirstReward;
    type HalvingPeriod = HalvingPeriod;
    type DefaultSplit = DefaultSplit;
    type KeptEpochs = ConstU32<KEPT>;
    type MaxStepsPerBlock = ConstU32<MAX_STEPS>;
    type WeightInfo = ();
}

/// Tests do not weigh what stake does.
pub struct Weightless;
impl pallet_stake::WeightInfo for Weightless {
    fn stake() -> Weight {
        Weight::zero()
    }
    fn unstake() -> Weight {
        Weight::zero()
    }
    fn withdraw() -> Weight {
        Weight::zero()
    }
    fn move_stake() -> Weight {
        Weight::zero()
    }
    fn set_fee() -> Weight {
        Weight::zero()
    }
    fn reward() -> Weight {
        Weight::zero()
    }
    fn reward_credit() -> Weight {
        Weight::zero()
    }
    fn slash() -> Weight {
        Weight::zero()
    }
}

/// Tests weigh steps only.
impl crate::WeightInfo for () {
    fn set_split() -> Weight {
        Weight::zero()
    }
    fn claim() -> Weight {
        Weight::zero()
    }
    fn burn() -> Weight {
        Weight::zero()
    }
    fn set_merit() -> Weight {
        Weight::zero()
    }
    fn forfeit() -> Weight {
        Weight::zero()
    }
    fn check_epoch() -> Weight {
        Weight::from_parts(1, 0)
    }
    fn close_epoch() -> Weight {
        Weight::from_parts(2, 0)
    }
    fn idle() -> Weight {
        IDLE
    }
    fn pay() -> Weight {
        STEP
    }
    fn forget_earner() -> Weight {
        FORGET.div(2)
    }
    fn forget_epoch() -> Weight {
        FORGET
    }
}

/// A chain on which the owner has three modules and everybody but the pauper has money.
pub fn new_chain() -> TestExternalities {
    chain_with(None)
}

/// The same, with epochs of another length.
pub fn chain_with(epoch_length: Option<BlockNumber>) -> TestExternalities {
    let config = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: ENDOWED.map(|who| (who, ENDOWMENT)).to_vec(),
            ..Default::default()
        },
        emission: crate::GenesisConfig { epoch_length },
        ..Default::default()
    };
    let mut ext = TestExternalities::new(config.build_storage().unwrap());
    Registered::set(MODULES.map(|module| (module, (OWNER, DEPOSIT))).into());
    ext.execute_with(|| System::set_block_number(1));
    ext
}

/// Runs a test on a new chain and checks the state after it.
pub fn on_chain(test: impl FnOnce()) {
    new_chain().execute_with(|| {
        test();
        check_state();
    });
}

pub fn check_state() {
    assert_eq!(Pallet::<Test>::do_try_state(), Ok(()));
    #[cfg(feature = "try-runtime")]
    {
        assert_eq!(<Emission as Hooks<BlockNumber>>::try_state(System::block_number()), Ok(()));
        assert_eq!(<Stake as Hooks<BlockNumber>>::try_state(System::block_number()), Ok(()));
    }
}

/// Ends the block with so much time left, and begins the next one. Gives what the end took.
pub fn next_block_with(remaining: Weight) -> Weight {
    let used = Emission::on_idle(System::block_number(), remaining);
    assert!(used.all_lte(remaining));
    check_state();
    System::set_block_number(System::block_number() + 1);
    Emission::on_initialize(System::block_number());
    check_state();
    used
}

/// Ends the block with time enough, and begins the next one.
pub fn next_block() {
    next_block_with(PLENTY);
}

pub fn run_to(block: BlockNumber) {
    while System::block_number() < block {
        next_block();
    }
}

/// Goes to the first block of the next epoch, whose end is still to come.
pub fn next_epoch() {
    run_to((System::block_number() / LENGTH + 1) * LENGTH);
}

/// The same, and blocks have no time for anything.
pub fn next_epoch_starved() {
    let end = (System::block_number() / LENGTH + 1) * LENGTH;
    while System::block_number() < end {
        assert_eq!(next_block_with(Weight::zero()), Weight::zero());
    }
}

pub fn register(module: ModuleId, owner: AccountId, deposit: Balance) {
    Registered::mutate(|modules| modules.insert(module, (owner, deposit)));
}

pub fn remove(module: ModuleId) {
    use ensemble_core::stake::OnModuleRemoved;
    Registered::mutate(|modules| modules.remove(&module));
    Stake::on_module_removed(module);
}

pub fn stake(who: AccountId, module: ModuleId, amount: Balance) {
    assert_ok!(Stake::stake(RuntimeOrigin::signed(who), module, amount));
}

pub fn percent(part: u32) -> Permill {
    Permill::from_percent(part)
}

pub fn mine(module: ModuleId, merit: Permill) {
    Emission::set_merit(module, Side::Miner, merit);
}

pub fn judge(module: ModuleId, merit: Permill) {
    Emission::set_merit(module, Side::Validator, merit);
}

/// Anybody calls, because anybody may.
pub fn claim(epoch: EpochIndex, module: ModuleId) -> DispatchResult {
    Emission::claim(RuntimeOrigin::signed(CHARLIE), epoch, module)
}

pub fn burn(who: AccountId, amount: Balance) -> DispatchResult {
    Emission::burn(RuntimeOrigin::signed(who), amount)
}

pub fn set_split(miners: Permill, validators: Permill, treasury: Permill) -> DispatchResult {
    Emission::set_split(RuntimeOrigin::root(), Split { miners, validators, treasury })
}

/// Burns as another pallet would.
pub fn burn_credit(who: AccountId, amount: Balance) {
    use frame_support::traits::tokens::{Fortitude::Polite, Precision::Exact, Preservation::Expendable};
    let credit = <Balances as Balanced<AccountId>>::withdraw(&who, amount, Exact, Expendable, Polite).unwrap();
    Burn::<Test>::on_unbalanced(credit);
}

pub fn earner(epoch: EpochIndex, module: ModuleId) -> Option<EarnerOf<Test>> {
    crate::Earned::<Test>::get(epoch, module)
}

pub fn payout(epoch: EpochIndex, module: ModuleId) -> Payout {
    earner(epoch, module).unwrap().payout
}

/// What a module got of an epoch that is kept.
pub fn allocation(epoch: EpochIndex, module: ModuleId) -> Allocation<Balance> {
    Emission::allocations_of(module, epoch, epoch).pop().unwrap()
}

/// The same, as planck on both sides.
pub fn got(epoch: EpochIndex, module: ModuleId) -> (Balance, Balance) {
    let allocation = allocation(epoch, module);
    (allocation.miner, allocation.validator)
}

pub fn free(who: AccountId) -> Balance {
    Balances::free_balance(who)
}

pub fn staked(module: ModuleId) -> Balance {
    <Stake as ensemble_core::stake::Stake<AccountId, Balance>>::staked(module)
}

/// What is held for those who were not paid yet.
pub fn held() -> Balance {
    Balances::balance_on_hold(&HoldReason::Owed.into(), &Emission::account_id())
}

pub fn issuance() -> Balance {
    Balances::total_issuance()
}

/// This pallet's events of all blocks so far.
pub fn events() -> Vec<Event<Test>> {
    let records = System::events().into_iter();
    records
        .filter_map(|record| match record.event {
            RuntimeEvent::Emission(event) => Some(event),
            _ => None,
        })
        .collect()
}

pub fn last_event() -> Event<Test> {
    events().pop().unwrap()
}

/// An error of this pallet, as its calls give it.
pub fn refused(error: Error<Test>) -> DispatchResult {
    Err(error.into())
}
