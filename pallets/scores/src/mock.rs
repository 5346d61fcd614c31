//! A runtime with a tiny registry, and a net of miners and validators that a test can change.

#![expect(clippy::cast_possible_truncation, reason = "tests count in small numbers")]

use std::collections::BTreeMap;

use ensemble_core::{
    emission::{Earnings, Side},
    epochs::{EpochIndex, EpochPhase, Epochs},
    market::OnScored,
    matching::{Assignment, FlagReason, Matching},
    modules::{Modules, Role, UNKNOWN},
    scores::{Score, Sealed},
    stake::Stake,
    ModelType, ModuleId,
};
use frame_support::{
    assert_ok, derive_impl, parameter_types,
    traits::{ConstU32, Hooks, Randomness},
    weights::Weight,
    BoundedVec,
};
use sp_core::H256;
use sp_io::TestExternalities;
use sp_runtime::{BuildStorage, DispatchResult, Perbill, Permill};

use crate::{Balance, Event, Pallet, Record, Results, Seed, Verdict, Work};

pub type AccountId = u64;
pub type BlockNumber = u64;
type Block = frame_system::mocking::MockBlock<Test>;

pub const CHAT: ModelType = 1;
pub const VISION: ModelType = 2;

/// Validators of chat.
pub const ANN: ModuleId = 1;
pub const BEN: ModuleId = 2;
pub const CAT: ModuleId = 3;
/// Judges vision as well.
pub const DAN: ModuleId = 4;
pub const VALIDATORS: [ModuleId; 4] = [ANN, BEN, CAT, DAN];

/// Miners of chat. Nobody is matched at first.
pub const MINERS: [ModuleId; 6] = [11, 12, 13, 14, 15, 16];
/// A miner of vision.
pub const PAINTER: ModuleId = 17;

pub const STAKE: Balance = 900;
pub const DEPOSIT: Balance = 100;
pub const MAX_BATCHES: u32 = 3;
pub const MAX_SCORES: u32 = 8;
pub const MAX_RATINGS: u32 = 8;
pub const CHECKS: u32 = 2;
pub const MIN_JUDGED: u32 = 10;
pub const JUDGEMENTS_KEPT: u32 = 20;
pub const KEPT_EPOCHS: EpochIndex = 3;
pub const MAX_STEPS: u32 = 40;

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
    pub type Scores = crate::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
}

/// What matching knows of a validator.
#[derive(Clone, Debug)]
pub struct Validator {
    pub types: Vec<ModelType>,
    pub active_since: Option<EpochIndex>,
    /// Since when it has miners, if it has any.
    pub loaded_since: EpochIndex,
    pub reliability: Permill,
}

/// What matching knows of a miner.
#[derive(Clone, Debug)]
pub struct Miner {
    pub model_type: ModelType,
    pub validators: Vec<ModuleId>,
    pub is_active: bool,
    pub changed: Option<EpochIndex>,
    pub truth: Option<Permill>,
}

/// All miners and validators.
#[derive(Clone, Debug, Default)]
pub struct Network {
    pub validators: BTreeMap<ModuleId, Validator>,
    pub miners: BTreeMap<ModuleId, Miner>,
}

parameter_types! {
    pub const Tolerance: Permill = Permill::from_percent(10);
    pub const LeastAgreement: Permill = Permill::from_percent(70);
    pub static Net: Network = Network::default();
    /// The registry.
    pub static Owners: BTreeMap<ModuleId, AccountId> = BTreeMap::new();
    /// Stake, where it is not [`STAKE`].
    pub static Stakes: BTreeMap<ModuleId, Balance> = BTreeMap::new();
    /// What was flagged so far, and why.
    pub static Flags: Vec<(ModuleId, FlagReason)> = Vec::new();
    /// Who gets nothing of an epoch that is over.
    pub static Forfeited: Vec<(EpochIndex, ModuleId)> = Vec::new();
    /// What is earned by in the current epoch.
    pub static Earners: BTreeMap<ModuleId, Permill> = BTreeMap::new();
    pub static Judges: BTreeMap<ModuleId, Permill> = BTreeMap::new();
    /// The scores that were told to whoever hears of them.
    pub static Told: Vec<(ModuleId, EpochIndex, Permill)> = Vec::new();
    pub static Clock: (EpochIndex, EpochPhase) = (0, EpochPhase::Commit);
    pub static Luck: u8 = 0;
}

pub struct Registry;
impl Modules<AccountId> for Registry {
    fn owner(module: ModuleId) -> Option<AccountId> {
        Owners::get().get(&module).copied()
    }

    fn deposit(module: ModuleId) -> u128 {
        Self::owner(module).map_or(0, |_| DEPOSIT)
    }

    fn role(module: ModuleId) -> Option<(ModelType, Role)> {
        Self::owner(module).map(|_| (UNKNOWN, Role::Idle))
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn register_for_benchmark(owner: &AccountId) -> Result<ModuleId, sp_runtime::DispatchError> {
        let module = Owners::get().keys().max().map_or(0, |last| last + 1);
        Owners::mutate(|owners| owners.insert(module, *owner));
        Ok(module)
    }
}

pub struct Staked;
impl Stake<AccountId, Balance> for Staked {
    fn staked(module: ModuleId) -> Balance {
        Self::steady(module) * 2
    }

    fn steady(module: ModuleId) -> Balance {
        Stakes::get().get(&module).copied().unwrap_or(STAKE)
    }

    fn staked_by(_: &AccountId, _: ModuleId) -> Balance {
        0
    }

    fn slash(_: ModuleId, _: Perbill) -> Balance {
        0
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn stake_for_benchmark(_: &AccountId, module: ModuleId, amount: Balance) -> DispatchResult {
        Stakes::mutate(|stakes| stakes.insert(module, amount));
        Ok(())
    }
}

impl Network {
    fn miners_like(&self, is_like: impl Fn(&Miner) -> bool) -> Vec<ModuleId> {
        let like = self.miners.iter().filter(|(_, miner)| miner.is_active && is_like(miner));
        like.map(|(module, _)| *module).collect()
    }
}

fn pick(from: Vec<ModuleId>, random: u64) -> Option<ModuleId> {
    (!from.is_empty()).then(|| from[random as usize % from.len()])
}

impl Matching for Net {
    fn assignment(validator: ModuleId, miner: ModuleId) -> Assignment {
        match Net::get().miners.get(&miner) {
            Some(miner) if miner.validators.contains(&validator) => Assignment::Matched,
            Some(miner) if miner.changed == Some(Clock::get().0) => Assignment::Changed,
            _ => Assignment::Foreign,
        }
    }

    fn types(validator: ModuleId) -> Option<Vec<ModelType>> {
        let net = Net::get();
        let validator = net.validators.get(&validator)?;
        validator.active_since.map(|_| validator.types.clone())
    }

    fn load(validator: ModuleId) -> u32 {
        Net::get().miners.values().filter(|miner| miner.validators.contains(&validator)).count() as u32
    }

    fn serving_since(validator: ModuleId) -> Option<EpochIndex> {
        let known = Net::get().validators.get(&validator)?.clone();
        let since = known.active_since.map(|since| since.max(known.loaded_since));
        since.filter(|_| Net::load(validator) > 0)
    }

    fn miner_type(miner: ModuleId) -> Option<ModelType> {
        Net::get().miners.get(&miner).filter(|miner| miner.is_active).map(|miner| miner.model_type)
    }

    fn pick_miner(model_type: ModelType, random: u64) -> Option<ModuleId> {
        pick(Net::get().miners_like(|miner| miner.model_type == model_type), random)
    }

    fn truth_of(miner: ModuleId) -> Option<Permill> {
        Net::get().miners.get(&miner).filter(|miner| miner.is_active)?.truth
    }

    fn pick_truth(model_type: ModelType, random: u64) -> Option<ModuleId> {
        pick(Net::get().miners_like(|miner| miner.model_type == model_type && miner.truth.is_some()), random)
    }

    fn reliability(validator: ModuleId) -> Permill {
        Net::get().validators.get(&validator).map_or(Permill::zero(), |validator| validator.reliability)
    }

    fn set_reliability(validator: ModuleId, reliability: Permill) {
        change_validator(validator, |validator| validator.reliability = reliability);
    }

    fn flag(module: ModuleId, reason: FlagReason) {
        Flags::mutate(|flags| flags.push((module, reason)));
        Earners::mutate(|merits| merits.remove(&module));
        Judges::mutate(|merits| merits.remove(&module));
        leave(module);
    }

    fn switch_off(validator: ModuleId) {
        leave(validator);
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn match_for_benchmark(extra: u32) -> Result<(ModuleId, Vec<ModuleId>), sp_runtime::DispatchError> {
        let owner = frame_benchmarking::account("owner", 0, 0);
        let validator = Registry::register_for_benchmark(&owner)?;
        join(validator, owner, &[CHAT]);
        let mut miners = Vec::new();
        for _ in 0..=extra {
            let miner = Registry::register_for_benchmark(&owner)?;
            serve(miner, owner, CHAT);
            assign(miner, &[validator]);
            miners.push(miner);
        }
        Ok((validator, miners))
    }
}

impl Earnings for Net {
    fn set_merit(module: ModuleId, side: Side, merit: Permill) {
        match side {
            Side::Miner => Earners::mutate(|merits| merits.insert(module, merit)),
            Side::Validator => Judges::mutate(|merits| merits.insert(module, merit)),
        };
    }

    fn forfeit_closed(epoch: EpochIndex, module: ModuleId) {
        assert!(epoch < Clock::get().0, "epoch {epoch} is not over");
        Forfeited::mutate(|forfeited| forfeited.push((epoch, module)));
    }

    fn forfeit(_: ModuleId) {
        unreachable!("scores leaves that to matching")
    }
}

impl OnScored for Told {
    fn on_scored(miner: ModuleId, epoch: EpochIndex, score: Permill) {
        assert!(epoch < Clock::get().0, "epoch {epoch} is not over");
        Told::mutate(|told| told.push((miner, epoch, score)));
    }
}

impl Epochs for Clock {
    fn current() -> EpochIndex {
        Clock::get().0
    }

    fn phase() -> EpochPhase {
        Clock::get().1
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn move_to_for_benchmark(epoch: EpochIndex, phase: EpochPhase) {
        Clock::set((epoch, phase));
    }
}

/// Randomness that a test can set, and that another block changes.
impl Randomness<H256, BlockNumber> for Luck {
    fn random(subject: &[u8]) -> (H256, BlockNumber) {
        use codec::Encode;
        let block = System::block_number();
        (H256(sp_io::hashing::blake2_256(&(subject, Luck::get(), block).encode())), block)
    }
}

impl crate::Config for Test {
    type Modules = Registry;
    type Stake = Staked;
    type Matching = Net;
    type Earnings = Net;
    type OnScored = Told;
    type Epochs = Clock;
    type Randomness = Luck;
    type MaxBatches = ConstU32<MAX_BATCHES>;
    type MaxScores = ConstU32<MAX_SCORES>;
    type MaxRatings = ConstU32<MAX_RATINGS>;
    type ChecksPerEpoch = ConstU32<CHECKS>;
    type Tolerance = Tolerance;
    type LeastAgreement = LeastAgreement;
    type MinJudged = ConstU32<MIN_JUDGED>;
    type JudgementsKept = ConstU32<JUDGEMENTS_KEPT>;
    type KeptEpochs = ConstU32<KEPT_EPOCHS>;
    type MaxSteps = ConstU32<MAX_STEPS>;
    type WeightInfo = ();
}

/// What a step weighs in tests, without what it takes to look for it.
pub const STEP: u64 = 10;

fn weight(time: u64) -> Weight {
    Weight::from_parts(time, 0)
}

impl crate::WeightInfo for () {
    fn commit() -> Weight {
        weight(STEP)
    }
    fn reveal(n: u32) -> Weight {
        weight(STEP + u64::from(n))
    }
    fn draw() -> Weight {
        weight(STEP)
    }
    fn report_silent() -> Weight {
        weight(STEP)
    }
    fn on_initialize() -> Weight {
        weight(1)
    }
    fn on_idle() -> Weight {
        weight(1)
    }
    fn look() -> Weight {
        weight(1)
    }
    fn turn() -> Weight {
        weight(1)
    }
    fn draw_next() -> Weight {
        weight(STEP)
    }
    fn settle_miner(r: u32) -> Weight {
        weight(STEP + u64::from(r))
    }
    fn settle_validator() -> Weight {
        weight(STEP)
    }
    fn forget_miner() -> Weight {
        weight(STEP)
    }
    fn forget_validator() -> Weight {
        weight(STEP)
    }
}

pub fn owner_of(module: ModuleId) -> AccountId {
    u64::from(module) + 100
}

/// Registers a validator.
pub fn join(module: ModuleId, owner: AccountId, types: &[ModelType]) {
    Owners::mutate(|owners| owners.insert(module, owner));
    let active_since = Some(Clock::get().0);
    let reliability = Permill::from_percent(50);
    let validator = Validator { types: types.to_vec(), active_since, loaded_since: 0, reliability };
    Net::mutate(|net| net.validators.insert(module, validator));
}

/// Registers a miner.
pub fn serve(module: ModuleId, owner: AccountId, model_type: ModelType) {
    Owners::mutate(|owners| owners.insert(module, owner));
    let miner = Miner { model_type, validators: Vec::new(), is_active: true, changed: None, truth: None };
    Net::mutate(|net| net.miners.insert(module, miner));
}

pub fn change_miner(module: ModuleId, change: impl FnOnce(&mut Miner)) {
    Net::mutate(|net| change(net.miners.get_mut(&module).unwrap()));
}

pub fn change_validator(module: ModuleId, change: impl FnOnce(&mut Validator)) {
    Net::mutate(|net| change(net.validators.get_mut(&module).unwrap()));
}

/// Gives a miner these validators, as if it always had them.
pub fn assign(miner: ModuleId, validators: &[ModuleId]) {
    change_miner(miner, |miner| miner.validators = validators.to_vec());
}

/// Gives a miner these validators in this epoch.
pub fn reassign(miner: ModuleId, validators: &[ModuleId]) {
    for validator in validators.iter().filter(|validator| Net::load(**validator) == 0) {
        change_validator(*validator, |validator| validator.loaded_since = Clock::get().0);
    }
    assign(miner, validators);
    change_miner(miner, |miner| miner.changed = Some(Clock::get().0));
}

pub fn set_truth(miner: ModuleId, percent: u32) {
    change_miner(miner, |miner| miner.truth = Some(Permill::from_percent(percent)));
}

/// A miner or validator takes part no more.
pub fn leave(module: ModuleId) {
    let now = Clock::get().0;
    Net::mutate(|net| {
        if let Some(validator) = net.validators.get_mut(&module) {
            validator.active_since = None;
            for miner in net.miners.values_mut().filter(|miner| miner.validators.contains(&module)) {
                miner.validators.retain(|validator| *validator != module);
                miner.changed = Some(now);
            }
        }
        if let Some(miner) = net.miners.get_mut(&module) {
            (miner.is_active, miner.changed) = (false, Some(now));
            miner.validators.clear();
        }
    });
}

/// The registry removes a module.
pub fn remove(module: ModuleId) {
    leave(module);
    Owners::mutate(|owners| owners.remove(&module));
}

/// A chain with validators and miners that are not matched.
pub fn new_chain() -> TestExternalities {
    Net::set(Network::default());
    Owners::set(BTreeMap::new());
    Stakes::set(BTreeMap::new());
    Flags::set(Vec::new());
    Forfeited::set(Vec::new());
    Earners::set(BTreeMap::new());
    Judges::set(BTreeMap::new());
    Told::set(Vec::new());
    Clock::set((0, EpochPhase::Commit));
    Luck::set(0);
    for validator in [ANN, BEN, CAT] {
        join(validator, owner_of(validator), &[CHAT]);
    }
    join(DAN, owner_of(DAN), &[CHAT, VISION]);
    for miner in MINERS {
        serve(miner, owner_of(miner), CHAT);
    }
    serve(PAINTER, owner_of(PAINTER), VISION);
    let mut ext = TestExternalities::new(frame_system::GenesisConfig::<Test>::default().build_storage().unwrap());
    ext.execute_with(|| next_block(Weight::MAX));
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
    assert_eq!(<Scores as Hooks<BlockNumber>>::try_state(System::block_number()), Ok(()));
    let flagged: Vec<_> = Flags::get().into_iter().map(|(module, _)| module).collect();
    for (miner, verdict) in Results::<Test>::iter_prefix(Clock::get().0) {
        let is_scored = verdict.ratings.iter().any(|rating| !rating.check);
        let merit = is_scored.then(|| Permill::from_parts(verdict.score().score));
        assert!(flagged.contains(&miner) || Earners::get().get(&miner).copied() == merit, "merit of {miner}");
    }
}

/// Checks the state and makes a block that has so much weight left.
pub fn next_block(idle: Weight) -> Weight {
    check_state();
    System::set_block_number(System::block_number() + 1);
    Scores::on_initialize(System::block_number());
    let used = Scores::on_idle(System::block_number(), idle);
    assert!(used.all_lte(idle));
    check_state();
    used
}

/// Moves the clock, without a block.
pub fn set_clock(epoch: EpochIndex, phase: EpochPhase) {
    if epoch != Clock::get().0 {
        Earners::set(BTreeMap::new());
        Judges::set(BTreeMap::new());
    }
    Clock::set((epoch, phase));
}

/// Goes to a part of an epoch, with one block that has room for everything.
pub fn enter(epoch: EpochIndex, phase: EpochPhase) {
    set_clock(epoch, phase);
    next_block(Weight::MAX);
}

pub fn to_reveal() {
    enter(Clock::get().0, EpochPhase::Reveal);
}

/// The epoch is over and settled.
pub fn to_next_epoch() {
    enter(Clock::get().0 + 1, EpochPhase::Commit);
}

/// A score in percent.
pub fn score(percent: u32) -> Score {
    let part = percent * 10_000;
    Score { score: part, quality: part, availability: part, latency: percent }
}

pub fn scores(of: &[(ModuleId, u32)]) -> Vec<(ModuleId, Score)> {
    of.iter().map(|(miner, percent)| (*miner, score(*percent))).collect()
}

pub fn salt(validator: ModuleId) -> [u8; 32] {
    [validator as u8; 32]
}

pub fn sealed(validator: ModuleId, batch: u32, of: &[(ModuleId, u32)]) -> Sealed {
    Sealed { epoch: Clock::get().0, validator, batch, scores: scores(of), salt: salt(validator) }
}

/// Commits to a batch. A validator that was not drawn is drawn nothing to check.
pub fn commit(validator: ModuleId, batch: u32, of: &[(ModuleId, u32)]) -> DispatchResult {
    let can_draw = Clock::get().1 == EpochPhase::Commit && Net::types(validator).is_some();
    if can_draw && Scores::duties_of(validator).unwrap().checks.is_none() {
        must_check(validator, &[]);
    }
    let hash = Scores::seal(&sealed(validator, batch, of));
    Scores::commit(RuntimeOrigin::signed(owner_of(validator)), validator, batch, hash)
}

pub fn reveal(validator: ModuleId, batch: u32, of: &[(ModuleId, u32)]) -> DispatchResult {
    let scores = BoundedVec::truncate_from(scores(of));
    Scores::reveal(RuntimeOrigin::signed(owner_of(validator)), validator, batch, scores, salt(validator))
}

pub fn draw(validator: ModuleId) -> DispatchResult {
    Scores::draw(RuntimeOrigin::signed(owner_of(validator)), validator)
}

pub fn report_silent(validator: ModuleId) -> DispatchResult {
    Scores::report_silent(RuntimeOrigin::signed(1_000), validator)
}

/// All commit and reveal a batch in this epoch.
pub fn judge(all: &[(ModuleId, &[(ModuleId, u32)])]) {
    for (validator, of) in all {
        assert_ok!(commit(*validator, 0, of));
    }
    to_reveal();
    for (validator, of) in all {
        assert_ok!(reveal(*validator, 0, of));
    }
}

/// The same score of every miner of chat, in percent.
pub fn of_all(percent: u32) -> Vec<(ModuleId, u32)> {
    MINERS.map(|miner| (miner, percent)).into()
}

/// Gives every miner of chat three validators, as if it always had them.
pub fn assign_all_to_three() {
    for miner in MINERS {
        assign(miner, &[ANN, BEN, CAT]);
    }
}

/// The three commit and reveal in this epoch, and one of them lies about every miner.
pub fn judge_while_ben_lies() {
    let (truth, lies) = (of_all(90), of_all(20));
    judge(&[(ANN, &truth), (BEN, &lies), (CAT, &truth)]);
}

/// What a validator was drawn to check in this epoch; none if it was not drawn.
pub fn drawn(validator: ModuleId) -> Option<Vec<ModuleId>> {
    Scores::duties_of(validator).unwrap().checks
}

/// What a validator was drawn to check in this epoch.
pub fn checks_of(validator: ModuleId) -> Vec<ModuleId> {
    drawn(validator).unwrap()
}

/// Has a validator drawn exactly these to check in this epoch.
pub fn must_check(validator: ModuleId, miners: &[ModuleId]) {
    let epoch = Clock::get().0;
    let checks = miners.iter().map(|miner| crate::Check { miner: *miner, done: false });
    let checks = crate::ChecksOf::truncate_from(checks.collect());
    if !crate::Works::<Test>::contains_key(epoch, validator) {
        return Scores::begin_work(epoch, validator, checks);
    }
    crate::Works::<Test>::mutate(epoch, validator, |work| work.as_mut().unwrap().checks = checks);
}

pub fn work(epoch: EpochIndex, validator: ModuleId) -> Work<Test> {
    crate::Works::<Test>::get(epoch, validator).unwrap()
}

pub fn result(miner: ModuleId) -> Verdict<Test> {
    Results::<Test>::get(Clock::get().0, miner).unwrap()
}

pub fn record(validator: ModuleId) -> Record {
    crate::Records::<Test>::get(validator)
}

pub fn seed() -> Option<(EpochIndex, H256)> {
    Seed::<Test>::get()
}

pub fn reliability(validator: ModuleId) -> Permill {
    Net::reliability(validator)
}

pub fn set_reliability(validator: ModuleId, percent: u32) {
    Net::set_reliability(validator, Permill::from_percent(percent));
}

/// This pallet's events of all blocks so far.
pub fn events() -> Vec<Event<Test>> {
    let records = System::events().into_iter();
    records
        .filter_map(|record| match record.event {
            RuntimeEvent::Scores(event) => Some(event),
            _ => None,
        })
        .collect()
}

pub fn last_event() -> Event<Test> {
    events().pop().unwrap()
}
