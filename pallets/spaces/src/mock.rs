//! A runtime with the real balances, and votes that a test decides.

#![expect(clippy::cast_possible_truncation, reason = "tests count in small numbers")]

use std::{cell::RefCell, collections::BTreeMap};

use codec::Encode;
use ensemble_core::{
    spaces::{
        Activity, Admission, Basis, Contributors, Finding, MatrixSpec, Member, Rejection, Report, RoundIndex, Rule,
        SpaceSpec, Spaces as _, REPORT, STATE,
    },
    tasks::{Descriptor, Phases},
    votes::{Matter, Sort, Turn, VoteEnd, VoteOutcome, VoteSpec, VoteVoid, Voting},
    AttesterId, SpaceId, TaskId,
};
use ensemble_tensor::{Bundle, Header, Tensor, TensorId};
use frame_support::{
    assert_ok, derive_impl, parameter_types,
    traits::{fungible::InspectHold, Authorize, ConstU32, ConstU64, Hooks},
    weights::Weight,
};
use sp_core::offchain::StorageKind;
use sp_io::TestExternalities;
use sp_runtime::{
    traits::Dispatchable,
    transaction_validity::{TransactionSource, TransactionValidityError, ValidTransaction},
    BuildStorage, DispatchError, DispatchResult, Permill,
};

use crate::{Balance, Event, HoldReason, Manifest, Pallet, ReportBytes, SpaceOf, WeightInfo};

pub type AccountId = u64;
pub type BlockNumber = u64;
type Block = sp_runtime::generic::Block<sp_runtime::generic::Header<u64, sp_runtime::traits::BlakeTwo256>, Extrinsic>;

pub const OWNER: AccountId = 1;
pub const OTHER: AccountId = 2;
/// Has the existential deposit and nothing else.
pub const POOR: AccountId = 3;

pub const ENDOWMENT: Balance = 1_000_000;
pub const EXISTENTIAL: Balance = 10;
/// Held for a space whose state has a mebibyte at most: 90 and 10.
pub const DEPOSIT: Balance = 100;
pub const MAX_SPACES: u32 = 5;
pub const MAX_MEMBERS: u32 = 6;
pub const MAX_RUNNING: u32 = 2;
pub const MAX_REJECTIONS: u32 = 3;
pub const KEPT_ROUNDS: RoundIndex = 4;
pub const CADENCE: BlockNumber = 10;
pub const PHASES: Phases<BlockNumber> = Phases { commit: 3, reveal: 2, attest: 2 };

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
    pub type Spaces = crate::Pallet<Test>;
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
    pub const SpaceDeposit: Balance = DEPOSIT - 10;
    pub const StateDepositPerMib: Balance = 10;
    pub static MaxResultBytes: u64 = 20_000;
    pub static MaxRoundBytes: u64 = 50_000;
    pub const DefaultPhases: Phases<BlockNumber> = PHASES;
    pub static MaxRoundWork: u64 = 2_000_000;
    /// What a round costs. Nothing, so that most tests need not count it.
    pub static RoundFee: Balance = 0;
    pub static WorkFee: Balance = 0;
    /// The votes that began so far; the task of each is its place.
    pub static Votes: Vec<VoteSpec<BlockNumber>> = Vec::new();
    /// Whether no vote can begin.
    pub static RefuseVotes: bool = false;
}

impl ensemble_core::votes::Votes<BlockNumber> for Votes {
    fn open(vote: VoteSpec<BlockNumber>) -> Result<TaskId, DispatchError> {
        // What is stored before it fails must go.
        frame_support::storage::unhashed::put(b"vote", &vote.matter);
        if RefuseVotes::get() {
            return Err(DispatchError::Other("no votes"));
        }
        Votes::mutate(|votes| votes.push(vote));
        Ok(Votes::get().len() as TaskId - 1)
    }

    fn room(sort: Sort) -> u32 {
        assert_eq!(sort, Sort::Round);
        MAX_RUNNING.saturating_sub(rounds_running())
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn fill_for_benchmark() {}
}

/// What a validator cast.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Cast {
    Commitment { task: TaskId, voter: AttesterId, content: TensorId, salt: [u8; 32] },
    Opening { task: TaskId, voter: AttesterId, descriptor: Descriptor, salt: [u8; 32] },
}

parameter_types! {
    /// Whose turn it is, in whatever vote.
    pub static Turns: BTreeMap<AttesterId, Turn> = BTreeMap::new();
    /// What was cast so far.
    pub static Casts: Vec<Cast> = Vec::new();
    /// Whether the pool takes votes.
    pub static AcceptVotes: bool = true;
}

thread_local! {
    static INTERRUPTION: RefCell<Option<Box<dyn FnOnce()>>> = RefCell::default();
}

/// Has something happen while the next worker looks whose turn it is.
pub fn interrupt(act: impl FnOnce() + 'static) {
    INTERRUPTION.set(Some(Box::new(act)));
}

impl Voting for Votes {
    fn turn(_: TaskId, voter: &AttesterId) -> Option<Turn> {
        if let Some(act) = INTERRUPTION.take() {
            act();
        }
        Turns::get().get(voter).copied()
    }

    fn commit(task: TaskId, voter: &AttesterId, content: TensorId, salt: &[u8; 32]) -> bool {
        let journal = sp_io::offchain::local_storage_get(StorageKind::PERSISTENT, b"ensemble/spaces/journal").unwrap();
        let is_stored = journal.windows(salt.len()).any(|part| part == salt);
        assert!(is_stored, "whoever is killed now can still reveal");
        let cast = Cast::Commitment { task, voter: voter.clone(), content, salt: *salt };
        Casts::mutate(|casts| casts.push(cast));
        AcceptVotes::get()
    }

    fn reveal(task: TaskId, voter: &AttesterId, descriptor: Descriptor, salt: [u8; 32]) -> bool {
        Casts::mutate(|casts| casts.push(Cast::Opening { task, voter: voter.clone(), descriptor, salt }));
        AcceptVotes::get()
    }
}

pub type TxExtension = frame_system::AuthorizeCall<Test>;
pub type Extrinsic = sp_runtime::testing::TestXt<RuntimeCall, TxExtension>;

impl<LocalCall> frame_system::offchain::CreateTransactionBase<LocalCall> for Test
where
    RuntimeCall: From<LocalCall>,
{
    type RuntimeCall = RuntimeCall;
    type Extrinsic = Extrinsic;
}

impl<LocalCall> frame_system::offchain::CreateTransaction<LocalCall> for Test
where
    RuntimeCall: From<LocalCall>,
{
    type Extension = TxExtension;

    fn create_transaction(call: RuntimeCall, extension: TxExtension) -> Extrinsic {
        Extrinsic::new_transaction(call, extension)
    }
}

impl<LocalCall> frame_system::offchain::CreateAuthorizedTransaction<LocalCall> for Test
where
    RuntimeCall: From<LocalCall>,
{
    fn create_extension() -> TxExtension {
        TxExtension::new()
    }
}

impl crate::Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Fees = ();
    type Votes = Votes;
    type MaxSpaces = ConstU32<MAX_SPACES>;
    type MaxMembers = ConstU32<MAX_MEMBERS>;
    type MaxResultBytes = MaxResultBytes;
    type MaxRoundBytes = MaxRoundBytes;
    type MaxRoundWork = MaxRoundWork;
    type DefaultPhases = DefaultPhases;
    type MinCadence = ConstU64<2>;
    type MaxCadence = ConstU64<1_000>;
    type MaxRejections = ConstU32<MAX_REJECTIONS>;
    type KeptRounds = ConstU32<KEPT_ROUNDS>;
    type SpaceDeposit = SpaceDeposit;
    type StateDepositPerMib = StateDepositPerMib;
    type RoundFee = RoundFee;
    type WorkFee = WorkFee;
    type ReportPriority = ConstU64<77>;
    type WeightInfo = ();
}

/// What a step weighs in tests.
pub const STEP: u64 = 10;

fn weight(time: u64) -> Weight {
    Weight::from_parts(time, 0)
}

impl WeightInfo for () {
    fn create() -> Weight {
        weight(STEP)
    }
    fn retire() -> Weight {
        weight(STEP)
    }
    fn suspend() -> Weight {
        weight(STEP)
    }
    fn readmit() -> Weight {
        weight(STEP)
    }
    fn submit_report(n: u32) -> Weight {
        weight(STEP + u64::from(n))
    }
    fn authorize_submit_report() -> Weight {
        weight(STEP)
    }
    fn accepts() -> Weight {
        weight(2)
    }
    fn admit() -> Weight {
        weight(3)
    }
    fn end_round() -> Weight {
        weight(4)
    }
    fn agenda_look() -> Weight {
        weight(1)
    }
    fn open_round() -> Weight {
        weight(STEP)
    }
    fn closing_look() -> Weight {
        weight(1)
    }
    fn forget_round() -> Weight {
        weight(STEP)
    }
    fn close_space() -> Weight {
        weight(STEP)
    }
}

pub fn new_chain() -> TestExternalities {
    let mut balances = vec![(POOR, EXISTENTIAL)];
    balances.extend([OWNER, OTHER].map(|who| (who, ENDOWMENT)));
    let config = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig { balances, ..Default::default() },
        ..Default::default()
    };
    MaxResultBytes::set(20_000);
    MaxRoundBytes::set(50_000);
    MaxRoundWork::set(2_000_000);
    RoundFee::set(0);
    WorkFee::set(0);
    Votes::set(Vec::new());
    RefuseVotes::set(false);
    Turns::set(BTreeMap::new());
    Casts::set(Vec::new());
    AcceptVotes::set(true);
    let mut ext = TestExternalities::new(config.build_storage().unwrap());
    ext.execute_with(|| System::set_block_number(1));
    ext
}

/// Runs a test and checks the state after it.
pub fn on_chain(test: impl FnOnce()) {
    new_chain().execute_with(|| {
        test();
        check_state();
    });
}

pub fn check_state() {
    Pallet::<Test>::do_try_state().expect("the state is consistent");
    #[cfg(feature = "try-runtime")]
    <Spaces as Hooks<BlockNumber>>::try_state(System::block_number()).expect("the hook says the same");
}

/// Ends the block with `idle` to spare, and begins the next one. Returns what was used.
pub fn next_block_with(idle: u64) -> u64 {
    check_state();
    let now = System::block_number();
    let used = <Spaces as Hooks<BlockNumber>>::on_idle(now, weight(idle));
    assert!(used.all_lte(weight(idle)), "on_idle used more than it was given");
    check_state();
    System::set_block_number(now + 1);
    used.ref_time()
}

pub fn next_block() {
    next_block_with(u64::MAX);
}

/// Ends blocks until `block` is the one being made.
pub fn run_to(block: BlockNumber) {
    while System::block_number() < block {
        next_block();
    }
}

pub fn spec() -> SpaceSpec<BlockNumber> {
    SpaceSpec {
        rows: 16,
        cols: 4,
        anchors: 8,
        vocabulary: None,
        matrices: Default::default(),
        rule: Rule::MultiKrum,
        tolerated: Permill::from_percent(33),
        contributors: Contributors::Anyone,
        capacity: 4,
        quorum: 2,
        least_weight: 1,
        most_weight: 100,
        cadence: CADENCE,
    }
}

pub fn matrix(name: &str, rows: u32, cols: u32, basis: Basis) -> MatrixSpec {
    MatrixSpec { name: name.as_bytes().to_vec().try_into().unwrap(), rows, cols, basis }
}

pub fn create(spec: SpaceSpec<BlockNumber>) -> DispatchResult {
    Spaces::create(RuntimeOrigin::signed(OWNER), spec)
}

/// Creates a space and gives its number.
pub fn new_space(spec: SpaceSpec<BlockNumber>) -> SpaceId {
    assert_ok!(create(spec));
    crate::NextSpaceId::<Test>::get() - 1
}

/// The content that wins a task in tests. Ids are not in the order of tasks.
pub fn content(task: TaskId) -> TensorId {
    TensorId([!(task as u8).wrapping_mul(37); 32])
}

pub fn admit_with(space: SpaceId, task: TaskId, weight: u128) -> Event<Test> {
    Spaces::admit(space, Admission { task, content: content(task), weight });
    last_event()
}

/// Admits what won these tasks.
pub fn admit(space: SpaceId, tasks: impl IntoIterator<Item = TaskId>) {
    for task in tasks {
        let event = admit_with(space, task, 1);
        assert!(matches!(event, Event::MemberAdmitted { .. }), "{event:?}");
    }
}

pub fn suspend(space: SpaceId, task: TaskId) -> DispatchResult {
    Spaces::suspend(RuntimeOrigin::signed(OWNER), space, task)
}

pub fn readmit(space: SpaceId, task: TaskId) -> DispatchResult {
    Spaces::readmit(RuntimeOrigin::signed(OWNER), space, task)
}

pub fn retire(space: SpaceId) -> DispatchResult {
    Spaces::retire(RuntimeOrigin::signed(OWNER), space)
}

pub fn space(id: SpaceId) -> SpaceOf<Test> {
    crate::Spaces::<Test>::get(id).unwrap()
}

pub fn activity(id: SpaceId) -> Activity<BlockNumber> {
    space(id).activity
}

/// The number of rounds that run.
pub fn rounds_running() -> u32 {
    let running = |space: &SpaceOf<Test>| matches!(space.activity, Activity::Running { .. });
    crate::Spaces::<Test>::iter_values().filter(running).count() as u32
}

/// The round of a space that runs.
pub fn running(id: SpaceId) -> RoundIndex {
    let Activity::Running { round, .. } = activity(id) else { panic!("no round runs") };
    round
}

pub fn member(id: SpaceId, task: TaskId) -> Member {
    Spaces::members_of(id).into_iter().find(|member| member.task == task).unwrap()
}

pub fn tasks_of(id: SpaceId) -> Vec<TaskId> {
    Spaces::members_of(id).iter().map(|member| member.task).collect()
}

/// The tasks of those that take part in a round, in the order of the roster.
pub fn entrants(id: SpaceId, round: RoundIndex) -> Vec<TaskId> {
    crate::Rosters::<Test>::get(id, round).unwrap().iter().map(|entrant| entrant.task).collect()
}

pub const ACCEPTED: Finding = Finding { rejection: None, distance: 5 };
pub const DUPLICATE: Finding = Finding { rejection: Some(Rejection::Duplicate), distance: 0 };
pub const OUTVOTED: Finding = Finding { rejection: Some(Rejection::Outvoted), distance: 500 };

/// What a round results in: a bundle with a table that is known by its number, and a report.
#[derive(Clone, Debug)]
pub struct RoundResult {
    pub manifest: Vec<u8>,
    pub report: Vec<u8>,
}

impl RoundResult {
    pub fn new(state: u8, report: Vec<u8>) -> Self {
        let named = Tensor::new(Header::bytes(report.len() as u64).unwrap(), &report).unwrap().id().unwrap();
        let manifest = Bundle::encode([(STATE, TensorId([state; 32])), (REPORT, named)]).unwrap();
        Self { manifest, report }
    }

    /// With these findings, in the order of the roster.
    pub fn of(findings: &[Finding]) -> Self {
        Self::new(1, Report::truncate_from(findings.to_vec()).encode())
    }

    pub fn id(&self) -> TensorId {
        Tensor::new(Bundle::header(&self.manifest).unwrap(), &self.manifest).unwrap().id().unwrap()
    }

    fn call(&self, space: SpaceId, round: RoundIndex) -> RuntimeCall {
        let manifest = Manifest::try_from(self.manifest.clone()).unwrap();
        let report = ReportBytes::try_from(self.report.clone()).unwrap();
        crate::Call::<Test>::submit_report { space, round, manifest, report }.into()
    }

    /// Lets the report in as the transaction extension does.
    pub fn authorize(&self, space: SpaceId, round: RoundIndex) -> Result<ValidTransaction, TransactionValidityError> {
        self.call(space, round).authorize(TransactionSource::External).unwrap().map(|(valid, _)| valid)
    }

    /// Submits the report without asking whether it may come in.
    pub fn dispatch(&self, space: SpaceId, round: RoundIndex) -> DispatchResult {
        let origin = frame_system::RawOrigin::Authorized.into();
        self.call(space, round).dispatch(origin).map(drop).map_err(|failed| failed.error)
    }

    pub fn submit(&self, space: SpaceId, round: RoundIndex) {
        assert!(self.authorize(space, round).is_ok());
        assert_ok!(self.dispatch(space, round));
    }
}

/// What the vote on a round of a space is on.
pub fn matter(space: SpaceId, round: RoundIndex) -> Matter {
    Matter::Round { space, round }
}

pub fn end(space: SpaceId, end: VoteEnd) -> RoundIndex {
    let round = running(space);
    Spaces::ended(matter(space, round), end);
    round
}

pub fn void(space: SpaceId) -> RoundIndex {
    end(space, VoteEnd::Void(VoteVoid::NoMajority))
}

pub fn settle(space: SpaceId, result: &RoundResult) -> RoundIndex {
    end(space, VoteEnd::Settled(result.id()))
}

/// Ends blocks until a round of the space runs.
pub fn run_to_round(space: SpaceId) {
    while !matches!(activity(space), Activity::Running { .. }) {
        next_block();
    }
}

/// Has a round run, settle, and report what `finding` says of the members by their tasks.
pub fn whole_round(space: SpaceId, finding: impl Fn(TaskId) -> Finding) -> RoundIndex {
    run_to_round(space);
    let findings: Vec<_> = entrants(space, running(space)).into_iter().map(finding).collect();
    let result = RoundResult::of(&findings);
    let round = settle(space, &result);
    result.submit(space, round);
    round
}

pub fn held(who: AccountId) -> Balance {
    Balances::balance_on_hold(&HoldReason::SpaceDeposit.into(), &who)
}

pub fn free(who: AccountId) -> Balance {
    Balances::free_balance(who)
}

/// This pallet's events of all blocks so far.
pub fn events() -> Vec<Event<Test>> {
    let records = System::events().into_iter();
    records
        .filter_map(|record| match record.event {
            RuntimeEvent::Spaces(event) => Some(event),
            _ => None,
        })
        .collect()
}

pub fn last_event() -> Event<Test> {
    events().pop().unwrap()
}
