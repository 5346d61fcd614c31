//! A runtime of balances, session, offences and validators, with tiny stand-ins for modules and stake.

use std::collections::BTreeMap;

use ensemble_core::{
    modules::{ModelType, Modules, OnModuleTransferred, OnRoleChanged, Role},
    stake::{OnModuleRemoved, OnStakeChanged, Stake},
    ModuleId,
};
use frame_support::{
    assert_ok, derive_impl, parameter_types,
    traits::{ConstU128, ConstU32, ConstU64},
    weights::Weight,
};
use pallet_authorship::EventHandler;
use pallet_session::{historical::NoteHistoricalRoot, PeriodicSessions, SessionInterface, TestSessionHandler};
use sp_io::TestExternalities;
use sp_runtime::{testing::UintAuthorityId, traits::ConvertInto, BuildStorage, DispatchResult, Perbill};
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

use crate::{Balance, ChillReason, Event, Pallet};

pub type AccountId = u64;
pub type BlockNumber = u64;
type Block = frame_system::mocking::MockBlock<Test>;

/// The validators of genesis.
pub const FOUNDERS: [AccountId; 4] = [1, 2, 3, 4];
/// They own modules of the same numbers.
pub const CANDIDATES: [AccountId; 8] = [11, 12, 13, 14, 15, 16, 17, 18];

pub const MAX_VALIDATORS: u32 = 10;
pub const MIN_VALIDATORS: u32 = 4;
pub const MAX_CANDIDATES: u32 = 12;
pub const MIN_STAKE: Balance = 100;
pub const MAX_SKIPS: u32 = 2;
pub const CHILL_PERIOD: u32 = 2;
pub const REPORTABLE_SESSIONS: u32 = 4;
pub const SILENT_SESSIONS: u32 = 2;
pub const SILENT_SHARE: u32 = 12;
pub const SESSIONS_PER_ERA: u32 = 3;
/// Blocks that whoever works authors in a session.
pub const BLOCKS: u32 = 10;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Balances: pallet_balances,
        Validators: crate,
        Session: pallet_session,
        Historical: pallet_session::historical,
        Offences: pallet_offences,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountData = pallet_balances::AccountData<u64>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type AccountStore = System;
}

impl pallet_session::Config for Test {
    type RuntimeEvent = RuntimeEvent;
    type ValidatorId = AccountId;
    type ValidatorIdOf = ConvertInto;
    type ShouldEndSession = PeriodicSessions<ConstU64<5>, ConstU64<0>>;
    type NextSessionRotation = PeriodicSessions<ConstU64<5>, ConstU64<0>>;
    type SessionManager = NoteHistoricalRoot<Test, Validators>;
    type SessionHandler = TestSessionHandler;
    type Keys = UintAuthorityId;
    type DisablingStrategy = pallet_session::disabling::UpToLimitWithReEnablingDisablingStrategy;
    type WeightInfo = ();
    type Currency = Balances;
    type KeyDeposit = ConstU64<1>;
}

impl pallet_session::historical::Config for Test {
    type RuntimeEvent = RuntimeEvent;
    type FullIdentification = ();
    type FullIdentificationOf = crate::Identification;
}

impl pallet_offences::Config for Test {
    type RuntimeEvent = RuntimeEvent;
    type IdentificationTuple = (AccountId, ());
    type OnOffenceHandler = Validators;
}

/// What the stand-ins know of a module.
#[derive(Clone, Debug)]
pub struct Module {
    pub owner: AccountId,
    pub role: Role,
    pub stake: Balance,
}

parameter_types! {
    /// The modules.
    pub static Registry: BTreeMap<ModuleId, Module> = BTreeMap::new();
}

fn change(module: ModuleId, change: impl FnOnce(&mut Module)) {
    Registry::mutate(|modules| {
        modules.entry(module).and_modify(change);
    });
}

/// Modules as a test changes them.
pub struct Modular;
impl Modules<AccountId> for Modular {
    fn owner(module: ModuleId) -> Option<AccountId> {
        Registry::get().get(&module).map(|module| module.owner)
    }

    /// Nobody asks.
    fn deposit(_: ModuleId) -> u128 {
        0
    }

    fn role(module: ModuleId) -> Option<(ModelType, Role)> {
        Registry::get().get(&module).map(|module| (1, module.role.clone()))
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn register_for_benchmark(owner: &AccountId) -> Result<ModuleId, sp_runtime::DispatchError> {
        let module = Registry::get().keys().max().map_or(0, |last| last + 1);
        let registered = Module { owner: *owner, role: Role::Idle, stake: 0 };
        Registry::mutate(|modules| modules.insert(module, registered));
        Ok(module)
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn play_for_benchmark(module: ModuleId, role: Role) {
        change(module, |module| module.role = role);
    }
}

/// Stake as a test changes it. Nobody asks for anything but sums.
pub struct Staked;
impl Stake<AccountId, Balance> for Staked {
    fn staked(module: ModuleId) -> Balance {
        Registry::get().get(&module).map_or(0, |module| module.stake)
    }

    fn steady(_: ModuleId) -> Balance {
        0
    }

    fn staked_by(_: &AccountId, _: ModuleId) -> Balance {
        0
    }

    fn slash(module: ModuleId, part: Perbill) -> Balance {
        let taken = part.mul_ceil(Self::staked(module));
        change(module, |module| module.stake -= taken);
        Validators::on_stake_changed(module);
        taken
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn stake_for_benchmark(_: &AccountId, module: ModuleId, amount: Balance) -> DispatchResult {
        change(module, |module| module.stake += amount);
        Validators::on_stake_changed(module);
        Ok(())
    }
}

impl crate::Config for Test {
    type Modules = Modular;
    type Stake = Staked;
    type ReportSilence = Offences;
    type MaxValidators = ConstU32<MAX_VALIDATORS>;
    type MinValidators = ConstU32<MIN_VALIDATORS>;
    type MaxCandidates = ConstU32<MAX_CANDIDATES>;
    type MinStake = ConstU128<MIN_STAKE>;
    type MaxSkips = ConstU32<MAX_SKIPS>;
    type ChillPeriod = ConstU32<CHILL_PERIOD>;
    type ReportableSessions = ConstU32<REPORTABLE_SESSIONS>;
    type SilentSessions = ConstU32<SILENT_SESSIONS>;
    type SilentShare = ConstU32<SILENT_SHARE>;
    type WeightInfo = ();
}

/// Only hooks are weighed: each step counts as 1, and what it does for each of `n` as 10.
impl crate::WeightInfo for () {
    fn stand() -> Weight {
        Weight::zero()
    }
    fn chill() -> Weight {
        Weight::zero()
    }
    fn note_author() -> Weight {
        Weight::from_parts(1, 0)
    }
    fn elect(n: u32) -> Weight {
        Weight::from_parts(1 + 10 * u64::from(n), 0)
    }
    fn end_session(n: u32) -> Weight {
        Weight::from_parts(1 + 10 * u64::from(n), 0)
    }
    fn start_session(n: u32) -> Weight {
        Weight::from_parts(1 + 10 * u64::from(n), 0)
    }
    fn offence() -> Weight {
        Weight::from_parts(1, 0)
    }
}

/// A chain with these validators.
pub fn chain_of(validators: &[AccountId]) -> TestExternalities {
    let keys = validators.iter().map(|&who| (who, who, UintAuthorityId(who))).collect();
    let balances = validators.iter().chain(&CANDIDATES).map(|&who| (who, 100)).collect();
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig { balances, ..Default::default() },
        validators: crate::GenesisConfig {
            validators: validators.to_vec(),
            session_length: Some(7),
            sessions_per_era: Some(SESSIONS_PER_ERA),
        },
        session: pallet_session::GenesisConfig { keys, ..Default::default() },
        ..Default::default()
    };
    let mut externalities: TestExternalities = genesis.build_storage().expect("genesis is valid").into();
    Registry::set(BTreeMap::new());
    externalities.execute_with(|| System::set_block_number(1));
    externalities
}

/// A chain with the founders.
#[cfg(any(feature = "runtime-benchmarks", feature = "try-runtime"))]
pub fn new_chain() -> TestExternalities {
    chain_of(&FOUNDERS)
}

/// Runs a test on a chain with the founders, and checks the state after it.
pub fn on_chain(test: impl FnOnce()) {
    with_validators(&FOUNDERS, test);
}

/// Runs a test on a chain with these validators, and checks the state after it.
pub fn with_validators(validators: &[AccountId], test: impl FnOnce()) {
    chain_of(validators).execute_with(|| {
        test();
        check_state();
    });
}

pub fn check_state() {
    assert_eq!(Pallet::<Test>::do_try_state(), Ok(()));
    #[cfg(feature = "try-runtime")]
    assert_eq!(<Validators as frame_support::traits::Hooks<BlockNumber>>::try_state(System::block_number()), Ok(()));
}

pub fn module_of(who: AccountId) -> ModuleId {
    ModuleId::try_from(who).unwrap()
}

pub fn validator() -> Role {
    Role::Validator { types: vec![1].try_into().unwrap(), capacity: 1 }
}

/// Gives an account a module that plays the part of a validator, stake on it, and session keys.
pub fn prepare(who: AccountId, stake: Balance) {
    let module = Module { owner: who, role: validator(), stake };
    Registry::mutate(|modules| modules.insert(module_of(who), module));
    set_keys(who);
}

pub fn set_keys(who: AccountId) {
    assert_ok!(<Session as SessionInterface>::set_keys(&who, UintAuthorityId(who)));
}

pub fn remove_keys(who: AccountId) {
    assert_ok!(Session::purge_keys(RuntimeOrigin::signed(who)));
}

pub fn try_stand(who: AccountId, module: ModuleId) -> DispatchResult {
    Validators::stand(RuntimeOrigin::signed(who), module)
}

/// An account stands with a new module and this stake.
pub fn stand(who: AccountId, stake: Balance) {
    prepare(who, stake);
    assert_ok!(try_stand(who, module_of(who)));
}

pub fn chill(who: AccountId, module: ModuleId) -> DispatchResult {
    Validators::chill(RuntimeOrigin::signed(who), module)
}

pub fn set_stake(module: ModuleId, stake: Balance) {
    change(module, |module| module.stake = stake);
    Validators::on_stake_changed(module);
}

pub fn staked(who: AccountId) -> Balance {
    Staked::staked(module_of(who))
}

pub fn set_role(module: ModuleId, role: Role) {
    let from = Registry::get()[&module].role.clone();
    assert_ok!(<Validators as OnRoleChanged>::on_role_set(module, 1, &from, &role));
    change(module, |module| module.role = role);
}

pub fn transfer(module: ModuleId, to: AccountId) {
    change(module, |module| module.owner = to);
    Validators::on_module_transferred(module);
}

pub fn remove_module(module: ModuleId) {
    Registry::mutate(|modules| modules.remove(&module));
    Validators::on_module_removed(module);
}

/// Ends the current session, in which each validator authored so many blocks, and checks the state.
pub fn end_session_with(blocks: impl Fn(AccountId) -> u32) {
    for validator in Session::validators() {
        (0..blocks(validator)).for_each(|_| Validators::note_author(validator));
    }
    Session::rotate_session();
    check_state();
}

/// Ends sessions in which all worked but these.
pub fn end_sessions_without(count: u32, silent: &[AccountId]) {
    for _ in 0..count {
        end_session_with(|who| if silent.contains(&who) { 0 } else { BLOCKS });
    }
}

/// Ends sessions in which all worked.
pub fn end_sessions(count: u32) {
    end_sessions_without(count, &[]);
}

/// Ends sessions until the first of the next era begins, whatever is elected then.
pub fn next_era() {
    end_sessions(SESSIONS_PER_ERA - Session::current_index() % SESSIONS_PER_ERA);
}

/// Offences of a session, each with what it costs, in percent.
pub fn offend_in(session: u32, offences: &[(AccountId, u32)]) {
    let details: Vec<_> =
        offences.iter().map(|(who, _)| OffenceDetails { offender: (*who, ()), reporters: vec![] }).collect();
    let parts: Vec<_> = offences.iter().map(|(_, percent)| Perbill::from_percent(*percent)).collect();
    <Validators as OnOffenceHandler<_, _, _>>::on_offence(&details, &parts, session);
}

/// An offence in the current session.
pub fn offend(who: AccountId, percent: u32) {
    offend_in(Session::current_index(), &[(who, percent)]);
}

/// The validators of the sessions to come.
pub fn validators() -> Vec<AccountId> {
    crate::Validators::<Test>::get().into_inner()
}

/// Those of the current session that may not author.
pub fn disabled() -> Vec<AccountId> {
    let validators = Session::validators();
    Session::disabled_validators().into_iter().map(|index| validators[index as usize]).collect()
}

/// Those who stand, best first.
pub fn ranking() -> Vec<AccountId> {
    crate::Ranking::<Test>::iter_values().collect()
}

/// This pallet's events since they were last asked for.
pub fn events() -> Vec<Event<Test>> {
    let records = System::read_events_no_consensus().map(|record| record.event).collect::<Vec<_>>();
    System::reset_events();
    let ours = records.into_iter().filter_map(|event| match event {
        RuntimeEvent::Validators(event) => Some(event),
        _ => None,
    });
    ours.collect()
}

/// Why which modules were chilled, by the events since they were last asked for.
pub fn chilled() -> Vec<(ModuleId, ChillReason)> {
    let chilled = events().into_iter().filter_map(|event| match event {
        Event::Chilled { module, reason, .. } => Some((module, reason)),
        _ => None,
    });
    chilled.collect()
}
