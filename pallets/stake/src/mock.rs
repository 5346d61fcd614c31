//! A runtime with the real balances and a tiny registry of modules.

use std::collections::BTreeMap;

use ensemble_core::{
    epochs::{EpochIndex, EpochPhase, Epochs},
    modules::{ModelType, Modules, Role},
    stake::{OnModuleRemoved, OnStakeChanged, OnStakeWithdrawn, Reward},
    ModuleId,
};
use frame_support::{
    assert_ok, derive_impl, parameter_types,
    storage::unhashed,
    traits::{
        fungible::{Balanced, InspectHold},
        ConstU32, ConstU64, Imbalance, OnUnbalanced,
    },
    weights::Weight,
    PalletId,
};
use frame_system::EnsureRoot;
use sp_io::TestExternalities;
use sp_runtime::{BuildStorage, DispatchResult, Perbill, Permill};

use crate::{Balance, CreditOf, Event, HoldReason, Pallet, PoolOf};

pub type AccountId = u64;
pub type BlockNumber = u64;
type Block = frame_system::mocking::MockBlock<Test>;

pub const ALICE: AccountId = 11;
pub const BOB: AccountId = 12;
pub const CHARLIE: AccountId = 13;
/// Owns the modules.
pub const OWNER: AccountId = 14;
/// Has more than a pool can hold.
pub const WHALE: AccountId = 15;
pub const ACCOUNTS: [AccountId; 4] = [ALICE, BOB, CHARLIE, OWNER];

pub const ONE: ModuleId = 1;
pub const TWO: ModuleId = 2;
pub const THREE: ModuleId = 3;
pub const MODULES: [ModuleId; 3] = [ONE, TWO, THREE];

pub const ENDOWMENT: Balance = 1_000_000;
pub const HOARD: Balance = 1 << 84;
pub const EXISTENTIAL: Balance = 10;
pub const MIN_STAKE: Balance = 100;
pub const UNBONDING: BlockNumber = 10;
pub const MAX_UNBONDINGS: u32 = 4;
/// Blocks of an epoch.
pub const EPOCH: BlockNumber = 8;

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
    pub type Stake = crate::Pallet<Test>;
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
    type ExistentialDeposit = ExistentialDeposit;
}

parameter_types! {
    pub const ExistentialDeposit: Balance = EXISTENTIAL;
    pub const MinStake: Balance = MIN_STAKE;
    pub const MaxFee: Permill = Permill::from_percent(50);
    pub const MaxFeeRise: Permill = Permill::from_percent(5);
    pub const StakePalletId: PalletId = PalletId(*b"ens/stak");
    /// The registry.
    pub static Owners: BTreeMap<ModuleId, AccountId> = BTreeMap::new();
    /// Who was paid out, and what it owned in pools and outside when that was told.
    pub static Told: Vec<(AccountId, Balance, Balance)> = Vec::new();
}

/// What was slashed so far. It is in storage, so that what a failed call slashed is undone.
pub struct SlashedSoFar;
impl SlashedSoFar {
    const KEY: &[u8] = b"slashed so far";

    pub fn get() -> Balance {
        unhashed::get_or_default(Self::KEY)
    }
}

/// Burns what is slashed and keeps the sum.
pub struct Burn;
impl OnUnbalanced<CreditOf<Test>> for Burn {
    fn on_nonzero_unbalanced(credit: CreditOf<Test>) {
        unhashed::put(SlashedSoFar::KEY, &(SlashedSoFar::get() + credit.peek()));
    }
}

/// What it weighs to listen.
pub const LISTENING: Weight = Weight::from_parts(77, 0);

/// Writes down what it hears.
pub struct Listener;
impl OnStakeWithdrawn<AccountId> for Listener {
    fn on_stake_withdrawn(account: &AccountId) {
        Told::mutate(|told| told.push((*account, Stake::owned_by(account), free(*account))));
    }

    fn on_stake_withdrawn_weight() -> Weight {
        LISTENING
    }
}

/// A registry that a test can change.
pub struct Registry;
impl Modules<AccountId> for Registry {
    fn owner(module: ModuleId) -> Option<AccountId> {
        Owners::get().get(&module).copied()
    }

    /// Nobody asks.
    fn deposit(_: ModuleId) -> u128 {
        0
    }

    /// Nobody asks.
    fn role(_: ModuleId) -> Option<(ModelType, Role)> {
        None
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn register_for_benchmark(owner: &AccountId) -> Result<ModuleId, sp_runtime::DispatchError> {
        let module = Owners::get().keys().max().map_or(0, |last| last + 1);
        Owners::mutate(|owners| owners.insert(module, *owner));
        Ok(module)
    }
}

/// Notes what is staked on a module whenever it hears that it changed. It is in storage, so that what is heard during a
/// failed call is forgotten.
pub struct Changes;
impl Changes {
    /// How often it heard of a module, and what was staked on it the last time.
    pub fn heard(module: ModuleId) -> (u32, Balance) {
        unhashed::get_or_default(&Self::key(module))
    }

    fn key(module: ModuleId) -> Vec<u8> {
        [b"heard of", &module.to_be_bytes()[..]].concat()
    }
}

impl OnStakeChanged for Changes {
    fn on_stake_changed(module: ModuleId) {
        let staked = <Stake as ensemble_core::stake::Stake<AccountId, Balance>>::staked(module);
        let (times, before) = Self::heard(module);
        assert_ne!(before, staked, "nothing changed");
        unhashed::put(&Self::key(module), &(times + 1, staked));
    }
}

/// Epochs that only reveal.
pub struct Clock;
impl Epochs for Clock {
    fn current() -> EpochIndex {
        EpochIndex::try_from(System::block_number() / EPOCH).unwrap()
    }

    fn phase() -> EpochPhase {
        EpochPhase::Reveal
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn move_to_for_benchmark(epoch: EpochIndex, _: EpochPhase) {
        System::set_block_number(EPOCH * BlockNumber::from(epoch));
    }
}

impl crate::Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Modules = Registry;
    type Epochs = Clock;
    type OnChanged = Changes;
    type Slashed = Burn;
    type OnWithdrawn = Listener;
    type SlashOrigin = EnsureRoot<AccountId>;
    type PalletId = StakePalletId;
    type DefaultUnbondingPeriod = ConstU64<UNBONDING>;
    type MaxUnbondings = ConstU32<MAX_UNBONDINGS>;
    type MinStake = MinStake;
    type MaxFee = MaxFee;
    type MaxFeeRise = MaxFeeRise;
    type WeightInfo = ();
}

/// Tests do not weigh.
impl crate::WeightInfo for () {
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

/// A chain on which the owner has three modules and everybody has money.
pub fn new_chain() -> TestExternalities {
    let endowed = ACCOUNTS.map(|who| (who, ENDOWMENT));
    let config = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: endowed.into_iter().chain([(WHALE, HOARD)]).collect(),
            ..Default::default()
        },
        ..Default::default()
    };
    let mut ext = TestExternalities::new(config.build_storage().unwrap());
    Owners::set(MODULES.map(|module| (module, OWNER)).into());
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
    assert_eq!(<Stake as frame_support::traits::Hooks<BlockNumber>>::try_state(System::block_number()), Ok(()));
    assert_eq!(Balances::total_issuance() + SlashedSoFar::get(), issued_at_genesis());
    for module in MODULES {
        let staked = <Stake as ensemble_core::stake::Stake<AccountId, Balance>>::staked(module);
        assert_eq!(Changes::heard(module).1, staked, "a change was not heard of");
    }
}

pub fn issued_at_genesis() -> Balance {
    ENDOWMENT * ACCOUNTS.len() as Balance + HOARD + EXISTENTIAL
}

/// Checks the state and goes to `block`.
pub fn run_to(block: BlockNumber) {
    check_state();
    System::set_block_number(block);
}

pub fn skip(blocks: BlockNumber) {
    run_to(System::block_number() + blocks);
}

pub fn remove_module(module: ModuleId) {
    Owners::mutate(|owners| owners.remove(&module));
    Stake::on_module_removed(module);
}

pub fn stake(who: AccountId, module: ModuleId, amount: Balance) -> DispatchResult {
    Stake::stake(RuntimeOrigin::signed(who), module, amount)
}

pub fn unstake(who: AccountId, module: ModuleId, amount: Balance) -> DispatchResult {
    Stake::unstake(RuntimeOrigin::signed(who), module, amount)
}

/// Somebody else calls, because it may.
pub fn withdraw(who: AccountId, module: ModuleId) -> DispatchResult {
    Stake::withdraw(RuntimeOrigin::signed(WHALE), who, module)
}

pub fn move_stake(who: AccountId, from: ModuleId, to: ModuleId, amount: Balance) -> DispatchResult {
    Stake::move_stake(RuntimeOrigin::signed(who), from, to, amount)
}

pub fn set_fee(who: AccountId, module: ModuleId, percent: u32) -> DispatchResult {
    Stake::set_fee(RuntimeOrigin::signed(who), module, Permill::from_percent(percent))
}

pub fn reward(payer: AccountId, module: ModuleId, amount: Balance) -> DispatchResult {
    Stake::reward(RuntimeOrigin::signed(payer), module, amount)
}

pub fn slash(module: ModuleId, percent: u32) -> DispatchResult {
    Stake::slash(RuntimeOrigin::root(), module, Perbill::from_percent(percent))
}

/// Rewards with money of the whale, as another pallet would. Gives what came back.
pub fn reward_credit(module: ModuleId, amount: Balance) -> Result<(), Balance> {
    use frame_support::traits::tokens::{Fortitude::Polite, Precision::Exact, Preservation::Preserve};
    let credit = <Balances as Balanced<AccountId>>::withdraw(&WHALE, amount, Exact, Preserve, Polite).unwrap();
    <Stake as Reward<CreditOf<Test>>>::reward(module, credit).map_err(|credit| {
        let back = credit.peek();
        assert!(Balances::resolve(&WHALE, credit).is_ok());
        back
    })
}

/// Makes an account whose only money is staked on a module.
pub fn newcomer(who: AccountId, module: ModuleId, amount: Balance) {
    use frame_support::traits::fungible::Mutate;
    use frame_support::traits::tokens::Preservation::Preserve;
    assert_ok!(<Balances as Mutate<_>>::transfer(&WHALE, &who, amount + EXISTENTIAL, Preserve));
    assert_ok!(stake(who, module, amount));
}

pub fn pool(module: ModuleId) -> PoolOf<Test> {
    crate::Pools::<Test>::get(module)
}

pub fn staked(who: AccountId, module: ModuleId) -> Balance {
    <Stake as ensemble_core::stake::Stake<AccountId, Balance>>::staked_by(&who, module)
}

/// What was staked on a module all through this epoch.
pub fn steady(module: ModuleId) -> Balance {
    <Stake as ensemble_core::stake::Stake<AccountId, Balance>>::steady(module)
}

/// Goes to the first block of the next epoch.
pub fn next_epoch() {
    run_to((System::block_number() / EPOCH + 1) * EPOCH);
}

/// An amount after rounding, which may cost its owner a planck and never brings one.
pub fn assert_about(amount: Balance, exact: Balance) {
    assert!(amount <= exact && amount + 1 >= exact, "{amount} is not about {exact}");
}

/// What of an account is unbonding from a module.
pub fn unbonding(who: AccountId, module: ModuleId) -> Balance {
    let entries = crate::Unbondings::<Test>::get(who, module);
    entries.iter().map(|entry| pool(module).unbonding.worth(&entry.position)).sum()
}

pub fn free(who: AccountId) -> Balance {
    Balances::free_balance(who)
}

/// What is held for all pools together.
pub fn held() -> Balance {
    Balances::balance_on_hold(&HoldReason::Stake.into(), &Stake::account_id())
}

/// Nothing is recorded and nothing is held.
pub fn assert_nothing_left() {
    assert_eq!(held(), 0);
    assert_eq!(crate::Pools::<Test>::iter().count(), 0);
    assert_eq!(crate::Stakes::<Test>::iter().count(), 0);
    assert_eq!(crate::Moves::<Test>::iter().count(), 0);
    assert_eq!(crate::Unbondings::<Test>::iter().count(), 0);
}

/// This pallet's events of all blocks so far.
pub fn events() -> Vec<Event<Test>> {
    let records = System::events().into_iter();
    records
        .filter_map(|record| match record.event {
            RuntimeEvent::Stake(event) => Some(event),
            _ => None,
        })
        .collect()
}

pub fn last_event() -> Event<Test> {
    events().pop().unwrap()
}
