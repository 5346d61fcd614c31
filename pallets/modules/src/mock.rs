//! A runtime with the real balances.

use ensemble_core::{
    modules::{ModuleView, OnModuleTransferred, OnRoleChanged, Role},
    stake::OnModuleRemoved,
    ModelType, ModuleId,
};
use frame_support::{
    assert_ok, derive_impl, parameter_types,
    traits::{
        fungible::{Inspect, InspectHold},
        ConstU32, ConstU64, Hooks, Imbalance, OnUnbalanced,
    },
    weights::Weight,
};
use sp_core::H256;
use sp_io::TestExternalities;
use sp_runtime::{BuildStorage, DispatchError, DispatchResult, FixedU128, Permill};

use crate::{Balance, CreditOf, Curve, Event, HoldReason, NewProfile, Pallet, WeightInfo};

pub type AccountId = u64;
pub type BlockNumber = u64;
type Block = frame_system::mocking::MockBlock<Test>;

pub const ALICE: AccountId = 1;
pub const BOB: AccountId = 2;
pub const CHARLIE: AccountId = 3;
/// Has the existential deposit and nothing else.
pub const POOR: AccountId = 4;
pub const ACCOUNTS: [AccountId; 4] = [ALICE, BOB, CHARLIE, POOR];

pub const ENDOWMENT: Balance = 1_000_000_000;
pub const EXISTENTIAL: Balance = 10;
/// Price of a name of eight bytes or more on a quiet chain.
pub const PRICE: Balance = 1_000;
pub const PATTERN_DEPOSIT: Balance = 50;
pub const NAME_DELAY: BlockNumber = 20;
pub const MAX_RELEASES: u32 = 3;
/// Weight of a call, or of freeing a name.
pub const CALL: u64 = 1_000;

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
    pub type Modules = crate::Pallet<Test>;
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
    pub static CostOfPattern: Balance = PATTERN_DEPOSIT;
    /// Half is a deposit; a registration raises the price by a quarter, and a block takes a tenth of the excess away.
    pub PriceCurve: Curve = Curve {
        base: PRICE,
        deposit: Permill::from_percent(50),
        growth: FixedU128::from_rational(5, 4),
        decay: FixedU128::from_rational(9, 10),
        cap: FixedU128::from_u32(100),
    };
    /// The modules of whose removal was heard.
    pub static Removed: Vec<ModuleId> = Vec::new();
    /// The modules of whose transfer was heard, and their owners then.
    pub static Transferred: Vec<(ModuleId, AccountId)> = Vec::new();
    pub static RefuseMiners: bool = false;
    pub static RolesSet: Vec<(ModuleId, ModelType, Role, Role)> = Vec::new();
    pub static TypesChanged: Vec<(ModuleId, ModelType, ModelType)> = Vec::new();
    /// What was burnt so far.
    pub static BurntSoFar: Balance = 0;
}

/// Burns, and keeps the sum.
pub struct Burn;
impl OnUnbalanced<CreditOf<Test>> for Burn {
    fn on_nonzero_unbalanced(credit: CreditOf<Test>) {
        BurntSoFar::mutate(|sum| *sum += credit.peek());
    }
}

/// Hears of removals.
pub struct Removals;
impl OnModuleRemoved for Removals {
    fn on_module_removed(module: ModuleId) {
        Removed::mutate(|removed| removed.push(module));
    }
}

/// Hears of transfers, and who owns the module then.
pub struct Transfers;
impl OnModuleTransferred for Transfers {
    fn on_module_transferred(module: ModuleId) {
        let owner = crate::Modules::<Test>::get(module).unwrap().owner;
        Transferred::mutate(|transferred| transferred.push((module, owner)));
    }
}

/// Hears of other roles and types, and refuses miners if a test says so.
pub struct Changes;
impl OnRoleChanged for Changes {
    fn on_role_set(module: ModuleId, model_type: ModelType, from: &Role, to: &Role) -> DispatchResult {
        if RefuseMiners::get() && *to == Role::Miner {
            return Err(DispatchError::Other("no miners"));
        }
        RolesSet::mutate(|set| set.push((module, model_type, from.clone(), to.clone())));
        Ok(())
    }

    fn on_type_changed(module: ModuleId, from: ModelType, to: ModelType) {
        assert_eq!(crate::Modules::<Test>::get(module).map(|module| module.model_type), Some(to), "told too early");
        TypesChanged::mutate(|changed| changed.push((module, from, to)));
    }
}

/// The same for every call, and in proportion to `n`.
impl WeightInfo for () {
    fn register() -> Weight {
        weight(1)
    }
    fn update() -> Weight {
        weight(1)
    }
    fn remove() -> Weight {
        weight(1)
    }
    fn set_dependencies(n: u32) -> Weight {
        weight(n)
    }
    fn set_role(n: u32) -> Weight {
        weight(n)
    }
    fn become_miner(n: u32) -> Weight {
        weight(n)
    }
    fn offer_transfer() -> Weight {
        weight(1)
    }
    fn accept_transfer() -> Weight {
        weight(1)
    }
    fn cancel_transfer() -> Weight {
        weight(1)
    }
    fn refresh_type() -> Weight {
        weight(1)
    }
    fn add_type() -> Weight {
        weight(1)
    }
    fn add_pattern() -> Weight {
        weight(1)
    }
    fn remove_pattern() -> Weight {
        weight(1)
    }
    fn add_namespace_pattern() -> Weight {
        weight(1)
    }
    fn remove_namespace_pattern() -> Weight {
        weight(1)
    }
    fn free_names(n: u32) -> Weight {
        weight(n)
    }
}

pub fn weight(calls: u32) -> Weight {
    Weight::from_parts(CALL, CALL).saturating_mul(calls.into())
}

impl crate::Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Burnt = Burn;
    type OnRemoved = Removals;
    type OnRoleChanged = Changes;
    type OnTransferred = Transfers;
    type RegistryOrigin = frame_system::EnsureRoot<AccountId>;
    type PriceCurve = PriceCurve;
    type PatternDeposit = CostOfPattern;
    type NameDelay = ConstU64<NAME_DELAY>;
    type MaxDependencies = ConstU32<3>;
    type MaxDepth = ConstU32<4>;
    type MaxPipeline = ConstU32<8>;
    type MaxPatternsPerStart = ConstU32<128>;
    type MaxNamespacePatterns = ConstU32<2>;
    type MaxReleases = ConstU32<MAX_RELEASES>;
    type WeightInfo = ();
}

pub fn new_test_ext() -> TestExternalities {
    let mut balances: Vec<_> = ACCOUNTS.map(|who| (who, ENDOWMENT)).to_vec();
    balances.pop();
    balances.push((POOR, EXISTENTIAL));
    let config = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig { balances, ..Default::default() },
        ..Default::default()
    };
    let mut ext = TestExternalities::new(config.build_storage().unwrap());
    BurntSoFar::set(0);
    CostOfPattern::set(PATTERN_DEPOSIT);
    ext.execute_with(|| System::set_block_number(1));
    ext
}

/// Runs a test and checks the state after it.
pub fn with_chain(test: impl FnOnce()) {
    new_test_ext().execute_with(|| {
        test();
        check_state();
    });
}

pub fn check_state() {
    Pallet::<Test>::do_try_state().expect("the state is consistent");
    #[cfg(feature = "try-runtime")]
    <Modules as Hooks<BlockNumber>>::try_state(System::block_number()).expect("the hook says the same");
    let endowed = ENDOWMENT * 3 + EXISTENTIAL;
    assert_eq!(Balances::total_issuance() + BurntSoFar::get(), endowed, "money came or went");
}

/// Ends the block with `remaining` to spare, and begins the next one.
pub fn next_block_with(remaining: Weight) -> Weight {
    let now = System::block_number();
    let used = <Modules as Hooks<BlockNumber>>::on_idle(now, remaining);
    assert!(used.all_lte(remaining), "on_idle used more than it was given");
    System::set_block_number(now + 1);
    used
}

/// Ends blocks until `block` is the one being made.
pub fn run_to(block: BlockNumber) {
    while System::block_number() < block {
        next_block_with(Weight::MAX);
    }
}

pub fn signed(who: AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

pub fn profile() -> NewProfile {
    NewProfile {
        endpoint: b"https://example.com/v1".to_vec(),
        metadata: H256::repeat_byte(1),
        description: b"Answers questions.".to_vec(),
        implementation: None,
    }
}

pub fn try_register(who: AccountId, name: impl AsRef<[u8]>) -> DispatchResult {
    Modules::register(signed(who), name.as_ref().to_vec(), profile(), Balance::MAX)
}

/// Registers a module and gives its number.
pub fn register(who: AccountId, name: impl AsRef<[u8]>) -> ModuleId {
    let id = crate::NextModuleId::<Test>::get();
    assert_ok!(try_register(who, name));
    id
}

/// Declares what a module of Alice's is built on.
pub fn build(id: ModuleId, on: &[ModuleId]) -> DispatchResult {
    Modules::set_dependencies(signed(ALICE), id, on.to_vec()).map(drop).map_err(|failed| failed.error)
}

pub fn validator(types: &[ModelType], capacity: u32) -> Role {
    Role::Validator { types: types.to_vec().try_into().unwrap(), capacity }
}

pub fn module(id: ModuleId) -> ModuleView<AccountId, Balance, BlockNumber> {
    Modules::module_view(id).unwrap()
}

pub fn type_of(name: &str) -> ModelType {
    Modules::type_of_name(name.as_bytes()).unwrap()
}

/// What a name costs in all.
pub fn price(name: &str) -> Balance {
    let quote = Modules::price(name.as_bytes()).unwrap().quote;
    quote.deposit + quote.burn
}

pub fn free(who: AccountId) -> Balance {
    Balances::balance(&who)
}

pub fn held(who: AccountId) -> Balance {
    Balances::balance_on_hold(&HoldReason::Module.into(), &who)
}

/// This pallet's events of all blocks so far.
pub fn events() -> Vec<Event<Test>> {
    let records = System::events().into_iter();
    records
        .filter_map(|record| match record.event {
            RuntimeEvent::Modules(event) => Some(event),
            _ => None,
        })
        .collect()
}

pub fn last_event() -> Event<Test> {
    events().pop().unwrap()
}
