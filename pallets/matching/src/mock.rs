//! A runtime with a registry, a clock and earnings that tests can change.

use std::collections::BTreeMap;

use ensemble_core::{
    emission::{Earnings, Side},
    epochs::{EpochPhase, Epochs},
    market::{OnMiner, Serving as _},
    matching::{Matching as _, MinerView, ValidatorView},
    modules::{Modules, OnRoleChanged, Role},
    stake::OnModuleRemoved,
    EpochIndex, ModelType, ModuleId,
};
use frame_support::{
    assert_ok, derive_impl, parameter_types, storage::with_storage_layer, traits::Hooks, weights::Weight,
};
use frame_system::EnsureRoot;
use sp_io::TestExternalities;
use sp_runtime::{BuildStorage, DispatchResult, Permill};

use crate::{Event, Pallet, WeightInfo};

pub type AccountId = u64;
pub type BlockNumber = u64;
type Block = frame_system::mocking::MockBlock<Test>;

pub const ALICE: AccountId = 1;
pub const BOB: AccountId = 2;
/// May say what is true.
pub const ORACLE: AccountId = 3;

pub const CHAT: ModelType = 1;
pub const AUDIO: ModelType = 2;
pub const VIDEO: ModelType = 3;

/// Weight of a call or a step.
pub const STEP: u64 = 1_000;

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
    pub type Matching = crate::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
}

/// What the registry knows of a module.
pub type Record = (AccountId, ModelType, Role);

parameter_types! {
    pub static Registered: BTreeMap<ModuleId, Record> = BTreeMap::new();
    pub static NextModule: ModuleId = 0;
    pub static Epoch: EpochIndex = 0;
    pub static Phase: EpochPhase = EpochPhase::Commit;
    pub static Forfeited: Vec<ModuleId> = Vec::new();
    /// What whoever hears of miners was told.
    pub static Told: Vec<(ModuleId, bool)> = Vec::new();
    pub static ValidatorsPerMiner: u32 = 1;
    pub static MaxSteps: u32 = 1_000;
    pub const InitialReliability: Permill = Permill::from_percent(50);
    pub const MaxTruths: u32 = 3;
    pub const MaxTestCases: u32 = 3;
}

/// The registry.
pub struct Registry;
impl Modules<AccountId> for Registry {
    fn owner(module: ModuleId) -> Option<AccountId> {
        Registered::get().get(&module).map(|(owner, ..)| *owner)
    }

    fn deposit(_: ModuleId) -> u128 {
        0
    }

    fn role(module: ModuleId) -> Option<(ModelType, Role)> {
        Registered::get().get(&module).map(|(_, model_type, role)| (*model_type, role.clone()))
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn register_for_benchmark(owner: &AccountId) -> Result<ModuleId, sp_runtime::DispatchError> {
        Ok(register(*owner, CHAT))
    }
}

/// Remembers who earns nothing.
pub struct Earned;
impl Earnings for Earned {
    fn set_merit(_: ModuleId, _: Side, _: Permill) {}

    fn forfeit_closed(_: EpochIndex, _: ModuleId) {}

    fn forfeit(module: ModuleId) {
        Forfeited::mutate(|forfeited| forfeited.push(module));
    }
}

impl OnMiner for Told {
    fn on_miner_changed(miner: ModuleId, serving: bool) {
        let last = Told::get().into_iter().rfind(|(told, _)| *told == miner).is_some_and(|(_, before)| before);
        assert_ne!(last, serving, "miner {miner} did not change");
        Told::mutate(|told| told.push((miner, serving)));
    }
}

/// A clock that tests set.
pub struct Clock;
impl Epochs for Clock {
    fn current() -> EpochIndex {
        Epoch::get()
    }

    fn phase() -> EpochPhase {
        Phase::get()
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn move_to_for_benchmark(epoch: EpochIndex, phase: EpochPhase) {
        Epoch::set(epoch);
        Phase::set(phase);
    }
}

/// The same for every call and step.
impl WeightInfo for () {
    fn switch_off() -> Weight {
        weight(1)
    }
    fn switch_miner_off() -> Weight {
        weight(1)
    }
    fn switch_on() -> Weight {
        weight(1)
    }
    fn switch_miner_on() -> Weight {
        weight(1)
    }
    fn flag() -> Weight {
        weight(1)
    }
    fn flag_miner() -> Weight {
        weight(1)
    }
    fn unflag() -> Weight {
        weight(1)
    }
    fn unflag_miner() -> Weight {
        weight(1)
    }
    fn set_truth() -> Weight {
        weight(1)
    }
    fn add_test_case() -> Weight {
        weight(1)
    }
    fn remove_test_case() -> Weight {
        weight(1)
    }
    fn idle() -> Weight {
        weight(1)
    }
    fn look() -> Weight {
        weight(1)
    }
    fn find() -> Weight {
        weight(1)
    }
    fn find_in_vain() -> Weight {
        weight(1)
    }
    fn part_miner() -> Weight {
        weight(1)
    }
    fn part_validator() -> Weight {
        weight(1)
    }
    fn depart() -> Weight {
        weight(1)
    }
    fn depart_miner() -> Weight {
        weight(1)
    }
}

pub fn weight(steps: u32) -> Weight {
    Weight::from_parts(STEP, STEP).saturating_mul(steps.into())
}

impl crate::Config for Test {
    type Modules = Registry;
    type Earnings = Earned;
    type OnMiner = Told;
    type Epochs = Clock;
    type FlagOrigin = EnsureRoot<AccountId>;
    type TruthOrigin = frame_system::EnsureSignedBy<OracleOnly, AccountId>;
    type ValidatorsPerMiner = ValidatorsPerMiner;
    type InitialReliability = InitialReliability;
    type MaxSteps = MaxSteps;
    type MaxTruths = MaxTruths;
    type MaxTestCases = MaxTestCases;
    type WeightInfo = ();
}

pub struct OracleOnly;
impl frame_support::traits::SortedMembers<AccountId> for OracleOnly {
    fn sorted_members() -> Vec<AccountId> {
        vec![ORACLE]
    }
}

pub fn new_chain() -> TestExternalities {
    let mut ext = TestExternalities::new(RuntimeGenesisConfig::default().build_storage().unwrap());
    Registered::set(BTreeMap::new());
    NextModule::set(0);
    Epoch::set(0);
    Phase::set(EpochPhase::Commit);
    Forfeited::set(Vec::new());
    Told::set(Vec::new());
    ValidatorsPerMiner::set(1);
    MaxSteps::set(1_000);
    ext.execute_with(|| System::set_block_number(1));
    ext
}

/// A chain on which miners have as many validators as they can.
#[cfg(feature = "runtime-benchmarks")]
pub fn chain_to_measure() -> TestExternalities {
    let ext = new_chain();
    ValidatorsPerMiner::set(ensemble_core::matching::MAX_VALIDATORS_PER_MINER);
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
    let told: BTreeMap<ModuleId, bool> = Told::get().into_iter().collect();
    for (miner, serving) in told {
        assert_eq!(Matching::serving(miner), serving, "what was told last of miner {miner}");
    }
    #[cfg(feature = "try-runtime")]
    assert_eq!(<Matching as Hooks<BlockNumber>>::try_state(System::block_number()), Ok(()));
}

/// Ends the block with room for so many steps, checking the state before and after, and begins the next one.
pub fn next_block_with(steps: u32) {
    check_state();
    let now = System::block_number();
    let remaining = weight(steps.saturating_add(1));
    let used = <Matching as Hooks<BlockNumber>>::on_idle(now, remaining);
    assert!(used.all_lte(remaining), "on_idle used more than it was given");
    check_state();
    System::set_block_number(now + 1);
}

/// Ends the block with room for everything that there is to do.
pub fn next_block() {
    next_block_with(100_000);
}

/// Registers a module that plays no part.
pub fn register(owner: AccountId, model_type: ModelType) -> ModuleId {
    let id = NextModule::get();
    NextModule::set(id + 1);
    Registered::mutate(|registered| registered.insert(id, (owner, model_type, Role::Idle)));
    id
}

/// Gives a module a part, as the registry does.
pub fn set_role(id: ModuleId, role: Role) -> DispatchResult {
    let (_, model_type, from) = Registered::get().get(&id).cloned().expect("the module is registered");
    with_storage_layer(|| Matching::on_role_set(id, model_type, &from, &role))?;
    Registered::mutate(|registered| registered.get_mut(&id).expect("it is").2 = role);
    Ok(())
}

pub fn set_type(id: ModuleId, to: ModelType) {
    let from = Registry::role(id).expect("the module is registered").0;
    Matching::on_type_changed(id, from, to);
    Registered::mutate(|registered| registered.get_mut(&id).expect("it is").1 = to);
}

pub fn remove(id: ModuleId) {
    Registered::mutate(|registered| registered.remove(&id));
    Matching::on_module_removed(id);
}

pub fn validator_role(types: &[ModelType], capacity: u32) -> Role {
    Role::Validator { types: types.to_vec().try_into().unwrap(), capacity }
}

/// Registers a miner of Alice's.
pub fn miner(model_type: ModelType) -> ModuleId {
    let id = register(ALICE, model_type);
    assert_ok!(set_role(id, Role::Miner));
    id
}

/// Registers a validator of Alice's.
pub fn validator(types: &[ModelType], capacity: u32) -> ModuleId {
    let id = register(ALICE, CHAT);
    assert_ok!(set_role(id, validator_role(types, capacity)));
    id
}

pub fn switch_off(id: ModuleId) -> DispatchResult {
    Matching::switch_off(RuntimeOrigin::signed(ALICE), id)
}

pub fn switch_on(id: ModuleId) -> DispatchResult {
    Matching::switch_on(RuntimeOrigin::signed(ALICE), id)
}

pub fn flag(id: ModuleId) -> DispatchResult {
    Matching::flag(RuntimeOrigin::root(), id, b"too slow".to_vec())
}

pub fn unflag(id: ModuleId) -> DispatchResult {
    Matching::unflag(RuntimeOrigin::root(), id)
}

pub fn rely(id: ModuleId, percent: u32) {
    Matching::set_reliability(id, Permill::from_percent(percent));
}

pub fn miner_view(id: ModuleId) -> MinerView {
    Matching::miner_view(id).expect("there is such a miner")
}

pub fn validator_view(id: ModuleId) -> ValidatorView {
    Matching::validator_view(id).expect("there is such a validator")
}

/// The validators of a miner.
pub fn validators_of(id: ModuleId) -> Vec<ModuleId> {
    miner_view(id).validators
}

/// The miners of a validator, in the order of their numbers.
pub fn miners_of(id: ModuleId) -> Vec<ModuleId> {
    let mut miners = Matching::miners_of(id, 0, u32::MAX);
    miners.sort_unstable();
    miners
}

pub fn load(id: ModuleId) -> u32 {
    Matching::load(id)
}

/// This pallet's events of all blocks so far.
pub fn events() -> Vec<Event<Test>> {
    let records = System::events().into_iter();
    records
        .filter_map(|record| match record.event {
            RuntimeEvent::Matching(event) => Some(event),
            _ => None,
        })
        .collect()
}

pub fn last_event() -> Event<Test> {
    events().pop().unwrap()
}
