//! A runtime with the real balances and assets.

use std::{cell::RefCell, collections::HashMap, sync::Arc};

use ensemble_core::{
    attester::{AttesterId, AttesterSignature},
    exchange::{Audience, Exchange},
    spaces::Admission,
    tasks::{Content, Descriptor, Phases, Terms, Weighting},
    votes::{Failure, Matter, VoteEnd, VoteOutcome, VoteSpec, Voters, Votes},
    AssetId, SessionId, SpaceId, TaskId,
};
use ensemble_host::{CameAs, FetchError, Pinning, TensorAccess, TensorAccessExt, TensorStatus};
use ensemble_tensor::{Header, Kind, TensorId};
use frame_support::{
    assert_ok, derive_impl, parameter_types,
    traits::{
        fungible::InspectHold, ConstU32, ConstU64, EnsureOriginWithArg, Hooks, Imbalance, OnUnbalanced, Randomness,
    },
    weights::Weight,
    PalletId,
};
use parking_lot::{Mutex, RwLock};
use sp_core::{
    offchain::{
        testing::{PoolState, TestOffchainExt, TestTransactionPoolExt},
        OffchainDbExt, OffchainWorkerExt, TransactionPoolExt,
    },
    H256,
};
use sp_io::TestExternalities;
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::{
    traits::{Dispatchable, Zero},
    BuildStorage, Permill,
};

use crate::{Access, Balance, CreditOf, Event, HoldReason, Outcome, Pallet, VoidReason};

pub type AccountId = u64;
pub type BlockNumber = u64;
pub type TxExtension = frame_system::AuthorizeCall<Test>;
pub type Extrinsic = sp_runtime::testing::TestXt<RuntimeCall, TxExtension>;
type Block = sp_runtime::generic::Block<sp_runtime::generic::Header<u64, sp_runtime::traits::BlakeTwo256>, Extrinsic>;

pub const CREATOR: AccountId = 1;
pub const ALICE: AccountId = 11;
pub const BOB: AccountId = 12;
pub const CHARLIE: AccountId = 13;
pub const DAVE: AccountId = 14;
pub const ACCOUNTS: [AccountId; 5] = [CREATOR, ALICE, BOB, CHARLIE, DAVE];

pub const ENDOWMENT: Balance = 1_000_000;
pub const EXISTENTIAL: Balance = 10;
pub const DEPOSIT: Balance = 100;
pub const BASE: Balance = 1_000;
pub const BOND: Balance = 500;
pub const MAX_PARTICIPANTS: u32 = 8;
pub const DRAW_DELAY: BlockNumber = 4;
pub const PANELS_PER_BLOCK: u32 = 2;
/// More than a tensor of the benchmarks has.
pub const MAX_CONTENT_BYTES: u64 = 16 << 20;
pub const SETTLE_PER_CALL: u32 = 2;
pub const MAX_ROUNDS: u32 = 2;
pub const MAX_TRACES: u32 = 3;
/// A space that takes what tasks ask for by default.
pub const SPACE: SpaceId = 7;
/// A session whose workers vote on traces.
pub const SESSION: SessionId = 5;
pub const VOTE_PHASES: Phases<BlockNumber> = Phases { commit: 5, reveal: 5, attest: 5 };
pub const SALT: [u8; 32] = [42; 32];

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
    pub type Assets = pallet_assets::Pallet<Test>;
    #[runtime::pallet_index(3)]
    pub type Tasks = crate::Pallet<Test>;
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

/// Lets anybody create assets, but not shares.
pub struct OnlyAssets;
impl EnsureOriginWithArg<RuntimeOrigin, AssetId> for OnlyAssets {
    type Success = AccountId;

    fn try_origin(origin: RuntimeOrigin, id: &AssetId) -> Result<AccountId, RuntimeOrigin> {
        match id {
            AssetId::Asset(_) => frame_system::ensure_signed(origin.clone()).map_err(|_| origin),
            AssetId::Shares(_) | AssetId::Rows(_) => Err(origin),
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn try_successful_origin(_: &AssetId) -> Result<RuntimeOrigin, ()> {
        Ok(RuntimeOrigin::signed(CREATOR))
    }
}

#[cfg(feature = "runtime-benchmarks")]
pub struct AssetIds;
#[cfg(feature = "runtime-benchmarks")]
impl pallet_assets::BenchmarkHelper<AssetId, ()> for AssetIds {
    fn create_asset_id_parameter(id: u32) -> AssetId {
        AssetId::Asset(id)
    }

    fn create_reserve_id_parameter(_: u32) {}
}

#[derive_impl(pallet_assets::config_preludes::TestDefaultConfig)]
impl pallet_assets::Config for Test {
    type Balance = Balance;
    type AssetId = AssetId;
    type AssetIdParameter = AssetId;
    type Currency = Balances;
    type CreateOrigin = OnlyAssets;
    type ForceOrigin = frame_system::EnsureRoot<AccountId>;
    type Freezer = ();
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = AssetIds;
}

parameter_types! {
    pub const ExistentialDeposit: Balance = EXISTENTIAL;
    pub const TaskDeposit: Balance = DEPOSIT;
    pub const MinBond: Balance = 50;
    pub const TasksPalletId: PalletId = PalletId(*b"py/tasks");
    /// What a task's attestations cost its creator. Nothing, so that most tests need not count it.
    pub static AttestFee: Balance = 0;
    /// What keeping a MiB costs; likewise.
    pub static RentPerMib: Balance = 0;
    /// What was slashed so far.
    pub static SlashedSoFar: Balance = 0;
    /// What makes one draw differ from another.
    pub static Seed: u8 = 0;
}

/// Burns what is slashed and keeps the sum.
pub struct Burn;
impl OnUnbalanced<CreditOf<Test>> for Burn {
    fn on_nonzero_unbalanced(credit: CreditOf<Test>) {
        SlashedSoFar::mutate(|sum| *sum += credit.peek());
    }
}

/// Randomness that a test can set.
pub struct SeededRandomness;
impl Randomness<H256, BlockNumber> for SeededRandomness {
    fn random(subject: &[u8]) -> (H256, BlockNumber) {
        let mut input = subject.to_vec();
        input.push(Seed::get());
        (H256(sp_io::hashing::blake2_256(&input)), System::block_number())
    }
}

/// What the exchange, the spaces and those were told who ask for votes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Told {
    Winner(TaskId, AccountId, Audience),
    Contribution(TaskId, AccountId, Audience),
    Admission(SpaceId, Admission),
    Left(Matter, AttesterId, Option<Failure>),
    Ended(Matter, VoteEnd),
}

parameter_types! {
    pub static ToldSoFar: Vec<Told> = Vec::new();
}

/// Others who remember what they were told.
pub struct Listening;
impl Exchange<AccountId> for Listening {
    fn on_winner(task: TaskId, winner: &AccountId, audience: Audience) {
        ToldSoFar::mutate(|told| told.push(Told::Winner(task, *winner, audience)));
    }

    fn on_contribution(task: TaskId, creator: &AccountId, audience: Audience) {
        ToldSoFar::mutate(|told| told.push(Told::Contribution(task, *creator, audience)));
    }
}

impl ensemble_core::spaces::Spaces<AccountId> for Listening {
    fn accepts(space: SpaceId, creator: &AccountId, content: &Content) -> sp_runtime::DispatchResult {
        frame_support::ensure!(space == SPACE, "no such space");
        frame_support::ensure!(*creator == CREATOR, "not from you");
        frame_support::ensure!(*content == NewTask::default().content, "not what it takes");
        Ok(())
    }

    fn accepts_weight() -> Weight {
        Weight::from_parts(7, 1)
    }

    fn admit(space: SpaceId, admission: Admission) {
        ToldSoFar::mutate(|told| told.push(Told::Admission(space, admission)));
    }

    fn admit_weight() -> Weight {
        Weight::from_parts(11, 1)
    }
}

impl VoteOutcome for Listening {
    fn left(matter: Matter, voter: &AttesterId, failure: Option<Failure>) {
        ToldSoFar::mutate(|told| told.push(Told::Left(matter, voter.clone(), failure)));
    }

    fn left_weight() -> Weight {
        Weight::from_parts(17, 1)
    }

    fn ended(matter: Matter, end: VoteEnd) {
        ToldSoFar::mutate(|told| told.push(Told::Ended(matter, end)));
    }

    fn ended_weight() -> Weight {
        Weight::from_parts(13, 1)
    }
}

impl crate::Config for Test {
    type Exchange = Listening;
    type Spaces = Listening;
    type Outcomes = Listening;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Shares = Assets;
    type Slashed = Burn;
    type Randomness = SeededRandomness;
    type PalletId = TasksPalletId;
    type MaxTasks = ConstU32<5>;
    type MaxRounds = ConstU32<MAX_ROUNDS>;
    type MaxTraces = ConstU32<MAX_TRACES>;
    type MaxParticipants = ConstU32<MAX_PARTICIPANTS>;
    type MaxAttesters = ConstU32<8>;
    type AttestersPerTask = ConstU32<3>;
    type DrawDelay = ConstU64<DRAW_DELAY>;
    type MaxPanelsPerBlock = ConstU32<PANELS_PER_BLOCK>;
    type SettlePerCall = ConstU32<SETTLE_PER_CALL>;
    type MinPhase = ConstU64<2>;
    type MaxPhase = ConstU64<100>;
    type MinBond = MinBond;
    type TaskDeposit = TaskDeposit;
    type MaxContentBytes = ConstU64<MAX_CONTENT_BYTES>;
    type RentPerMib = RentPerMib;
    type AttestFee = AttestFee;
    type AttestPriority = ConstU64<1_000>;
    type WeightInfo = ();
}

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

/// A tensor store of which the test says what it has.
#[derive(Default)]
pub struct TestStore {
    tensors: Mutex<HashMap<TensorId, TensorStatus>>,
    /// Contents that are served to those alone who are entitled to a task.
    kept_for: Mutex<HashMap<TensorId, TaskId>>,
    /// As what contents came that are restricted.
    came_as: Mutex<HashMap<TensorId, Vec<CameAs>>>,
    asked: Mutex<Vec<Asked>>,
}

/// What a worker asked of the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asked {
    Fetch(TensorId, u64),
    Pin(TensorId),
    Unpin(TensorId),
    Restrict(TensorId, TaskId),
    Reopen(TensorId, u64),
}

impl TestStore {
    pub fn set(&self, id: TensorId, status: TensorStatus) {
        self.tensors.lock().insert(id, status);
    }

    pub fn hold(&self, descriptor: &Descriptor) {
        self.hold_as(descriptor, false);
    }

    pub fn hold_as(&self, descriptor: &Descriptor, restricted: bool) {
        let Descriptor { header, .. } = *descriptor;
        self.set(descriptor.id(), TensorStatus::Held { header, bytes: header.data_len(), restricted });
    }

    /// From now on serves a content to those alone who are entitled to this task.
    pub fn keep_for(&self, id: TensorId, task: TaskId) {
        self.kept_for.lock().insert(id, task);
    }

    /// From now on holds a content as it came for these.
    pub fn hold_for(&self, descriptor: &Descriptor, came_as: &[CameAs]) {
        self.hold_as(descriptor, true);
        self.came_as.lock().insert(descriptor.id(), came_as.to_vec());
    }

    pub fn fail(&self, id: TensorId) {
        self.set(id, TensorStatus::Failed(FetchError::NotFound));
    }

    /// What was asked since the last time.
    pub fn take_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock())
    }
}

impl TensorAccess for TestStore {
    fn status(&self, id: TensorId) -> TensorStatus {
        self.tensors.lock().get(&id).cloned().unwrap_or(TensorStatus::Absent)
    }

    fn fetch(&self, id: TensorId, max_bytes: u64) {
        self.asked.lock().push(Asked::Fetch(id, max_bytes));
    }

    fn read(&self, _: TensorId, _: u32) -> Option<Vec<u8>> {
        None
    }

    fn pin(&self, id: TensorId) -> Pinning {
        self.asked.lock().push(Asked::Pin(id));
        match self.status(id) {
            TensorStatus::Held { .. } => Pinning::Begun,
            _ => Pinning::Refused,
        }
    }

    fn unpin(&self, id: TensorId) {
        self.asked.lock().push(Asked::Unpin(id));
    }

    fn restrict(&self, id: TensorId, task: TaskId) -> bool {
        self.asked.lock().push(Asked::Restrict(id, task));
        self.kept_for.lock().get(&id).is_none_or(|other| *other == task)
    }

    fn came_as(&self, id: TensorId) -> Option<Vec<CameAs>> {
        self.came_as.lock().get(&id).cloned()
    }

    fn reopen(&self, id: TensorId, max_bytes: u64, came_as: Vec<CameAs>) {
        assert_eq!(self.came_as(id), Some(came_as));
        self.asked.lock().push(Asked::Reopen(id, max_bytes));
    }
}

/// The node around an off-chain worker.
#[derive(Clone)]
pub struct Node {
    pub store: Arc<TestStore>,
    pub pool: Arc<RwLock<PoolState>>,
}

thread_local! {
    static NODE: RefCell<Option<Node>> = const { RefCell::new(None) };
}

/// The node of the running test.
pub fn node() -> Node {
    NODE.with(|node| node.borrow().clone()).expect("a test runs in externalities that ExtBuilder made")
}

pub struct ExtBuilder {
    attesters: u32,
}

impl Default for ExtBuilder {
    fn default() -> Self {
        Self { attesters: 3 }
    }
}

impl ExtBuilder {
    /// Number of validators with attester keys, all of them in the node's keystore.
    pub fn attesters(self, attesters: u32) -> Self {
        Self { attesters }
    }

    pub fn build(self) -> TestExternalities {
        let config = RuntimeGenesisConfig {
            balances: pallet_balances::GenesisConfig {
                balances: ACCOUNTS.map(|who| (who, ENDOWMENT)).to_vec(),
                ..Default::default()
            },
            ..Default::default()
        };
        let mut ext = TestExternalities::new(config.build_storage().unwrap());
        let (offchain, _) = TestOffchainExt::new();
        let (pool, pool_state) = TestTransactionPoolExt::new();
        let store = Arc::new(TestStore::default());
        ext.register_extension(OffchainDbExt::new(offchain.clone()));
        ext.register_extension(OffchainWorkerExt::new(offchain));
        ext.register_extension(TransactionPoolExt::new(pool));
        ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
        ext.register_extension(TensorAccessExt(store.clone()));
        NODE.with(|node| *node.borrow_mut() = Some(Node { store, pool: pool_state }));
        SlashedSoFar::set(0);
        Seed::set(0);
        AttestFee::set(0);
        RentPerMib::set(0);
        ToldSoFar::set(Vec::new());
        ext.execute_with(|| {
            System::set_block_number(1);
            set_attesters(self.attesters);
        });
        ext
    }

    /// Runs a test and checks the state after it.
    pub fn build_and_execute(self, test: impl FnOnce()) {
        self.build().execute_with(|| {
            test();
            check_state();
        });
    }
}

pub fn check_state() {
    Pallet::<Test>::do_try_state().expect("the state is consistent");
    #[cfg(feature = "try-runtime")]
    <Tasks as Hooks<BlockNumber>>::try_state(System::block_number()).expect("the hook says the same");
}

/// Begins a session with new attester keys.
pub fn set_attesters(count: u32) -> Vec<AttesterId> {
    use frame_support::traits::OneSessionHandler;
    use sp_application_crypto::RuntimeAppPublic;

    let keys: Vec<_> = (0..count).map(|_| AttesterId::generate_pair(None)).collect();
    let validators: Vec<_> = keys.iter().map(|key| (&CREATOR, key.clone())).collect();
    Tasks::on_new_session(true, validators.into_iter(), Vec::new().into_iter());
    keys
}

/// Ends the block with `weight` to spare, and begins the next one.
pub fn next_block_with(weight: Weight) -> Weight {
    let now = System::block_number();
    let used = <Tasks as Hooks<BlockNumber>>::on_idle(now, weight);
    assert!(used.all_lte(weight), "on_idle used more than it was given");
    check_state();
    begin_block(now + 1);
    used
}

/// Begins this block.
pub fn begin_block(block: BlockNumber) {
    System::set_block_number(block);
    let used = <Tasks as Hooks<BlockNumber>>::on_initialize(block);
    assert_eq!(used, <<Test as crate::Config>::WeightInfo as crate::WeightInfo>::on_initialize());
}

pub fn next_block() {
    next_block_with(Weight::MAX);
}

/// Ends blocks until `block` is the one being made.
pub fn run_to(block: BlockNumber) {
    while System::block_number() < block {
        next_block();
    }
}

/// A tensor with four rows of `i16`; one for each number.
pub fn tensor(number: u8) -> Descriptor {
    Descriptor { header: Header::new(Kind::I16, 4, 8).unwrap(), root: [number; 32] }
}

pub fn terms() -> Terms<Balance> {
    Terms {
        base: BASE,
        growth: Permill::from_percent(10),
        minority_share: Permill::from_percent(50),
        bond: BOND,
        minority_slash: Permill::from_percent(20),
    }
}

/// A task to be created, with sensible values for what the test does not care about.
pub struct NewTask {
    pub creator: AccountId,
    pub content: Content,
    pub access: crate::AccessOf<Test>,
    pub weighting: Weighting<Balance>,
    pub phases: Phases<BlockNumber>,
    pub quorum: u32,
    pub max_participants: u32,
    pub terms: Terms<Balance>,
    pub audience: Audience,
    pub space: Option<SpaceId>,
}

impl Default for NewTask {
    fn default() -> Self {
        Self {
            creator: CREATOR,
            content: Content::Tensor { kind: Kind::I16, rows: 4, cols: 8 },
            access: Access::Open,
            weighting: Weighting::Account,
            phases: Phases { commit: 5, reveal: 5, attest: 5 },
            quorum: 1,
            max_participants: 4,
            terms: terms(),
            audience: Audience::Public,
            space: None,
        }
    }
}

impl NewTask {
    pub fn create(self) -> sp_runtime::DispatchResult {
        let origin = RuntimeOrigin::signed(self.creator);
        self.call().dispatch(origin).map(drop).map_err(|refused| refused.error)
    }

    /// The call that creates it.
    pub fn call(self) -> RuntimeCall {
        let create = crate::Call::<Test>::create {
            content: self.content,
            access: self.access,
            weighting: self.weighting,
            phases: self.phases,
            quorum: self.quorum,
            max_participants: self.max_participants,
            terms: self.terms,
            audience: self.audience,
            space: self.space,
        };
        create.into()
    }

    /// Creates the task and gives its number.
    pub fn id(self) -> TaskId {
        let id = crate::NextTaskId::<Test>::get();
        assert_ok!(self.create());
        id
    }
}

pub fn committee(members: &[AccountId]) -> crate::AccessOf<Test> {
    Access::Committee(members.to_vec().try_into().unwrap())
}

pub fn task(id: TaskId) -> crate::TaskOf<Test> {
    crate::Tasks::<Test>::get(id).unwrap()
}

/// What an account asks for by a task.
pub fn order(id: TaskId) -> crate::OrderOf<Test> {
    task(id).order().expect("the task is no vote").clone()
}

pub fn commit(who: AccountId, id: TaskId, descriptor: &Descriptor, bond: Balance) -> sp_runtime::DispatchResult {
    let commitment = Tasks::commitment(&descriptor.id(), &who, id, &SALT);
    Tasks::commit(RuntimeOrigin::signed(who), id, commitment, bond)
}

pub fn reveal(who: AccountId, id: TaskId, descriptor: &Descriptor) -> sp_runtime::DispatchResult {
    Tasks::reveal(RuntimeOrigin::signed(who), id, *descriptor, SALT)
}

/// Commits and reveals for each of `parts`, and goes to the first block after the reveals.
pub fn contribute(id: TaskId, parts: &[(AccountId, u8)]) {
    for (who, number) in parts {
        assert_ok!(commit(*who, id, &tensor(*number), BOND));
    }
    run_to(task(id).commit_until + 1);
    for (who, number) in parts {
        assert_ok!(reveal(*who, id, &tensor(*number)));
    }
    run_to(task(id).reveal_until + 1);
}

/// The round of the space that a vote with this number is on.
pub fn round(id: TaskId) -> Matter {
    Matter::Round { space: SPACE, round: id }
}

/// The range of the session that a vote with this number is on.
pub fn trace(id: TaskId) -> Matter {
    Matter::Trace { session: SESSION, range: id }
}

/// Opens a vote on this.
pub fn open(matter: Matter, content: Content, voters: Voters) -> Result<TaskId, sp_runtime::DispatchError> {
    Tasks::open(VoteSpec { matter, content, phases: VOTE_PHASES, voters })
}

/// Opens the vote of the session's validators on the next round of the space; gives its number.
pub fn open_vote() -> Result<TaskId, sp_runtime::DispatchError> {
    open(round(crate::NextTaskId::<Test>::get()), NewTask::default().content, Voters::Session)
}

/// Opens the vote of these workers on the trace of the next range; gives its number.
pub fn open_trace(workers: &[AttesterId]) -> Result<TaskId, sp_runtime::DispatchError> {
    let voters = Voters::Named(workers.to_vec().try_into().unwrap());
    open(trace(crate::NextTaskId::<Test>::get()), NewTask::default().content, voters)
}

/// Keys of workers, in the node's keystore and in their order.
pub fn workers(count: u32) -> Vec<AttesterId> {
    use sp_application_crypto::RuntimeAppPublic;
    let mut keys: Vec<_> = (0..count).map(|_| AttesterId::generate_pair(None)).collect();
    keys.sort();
    keys
}

/// Those that may vote, in the order of their keys.
pub fn voters(id: TaskId) -> Vec<AttesterId> {
    let mut voters: Vec<_> = crate::Ballots::<Test>::iter_key_prefix(id).collect();
    voters.sort();
    voters
}

pub fn seal(task: TaskId, voter: &AttesterId, descriptor: &Descriptor) -> crate::Sealed {
    let commitment = Tasks::commitment(&descriptor.id(), voter, task, &SALT);
    crate::Sealed { task, voter: voter.clone(), commitment }
}

pub fn unseal(task: TaskId, voter: &AttesterId, descriptor: &Descriptor) -> crate::Opened {
    crate::Opened { task, voter: voter.clone(), descriptor: *descriptor, salt: SALT }
}

/// Signs with the key of a voter.
pub fn signed_by(voter: &AttesterId, bytes: &[u8]) -> AttesterSignature {
    use sp_application_crypto::RuntimeAppPublic;
    voter.sign(&bytes.to_vec()).unwrap()
}

/// The call with which a voter commits, signed.
pub fn commit_call(sealed: crate::Sealed) -> RuntimeCall {
    let signature = signed_by(&sealed.voter, &sealed.signed_bytes(&System::block_hash(0)));
    crate::Call::<Test>::commit_as_attester { sealed, signature }.into()
}

/// The call with which a voter reveals, signed.
pub fn reveal_call(opened: crate::Opened) -> RuntimeCall {
    let signature = signed_by(&opened.voter, &opened.signed_bytes(&System::block_hash(0)));
    crate::Call::<Test>::reveal_as_attester { opened, signature }.into()
}

/// Votes to the end of the reveals: each voter, in the order of their keys, for the tensor with its number, or not.
pub fn vote(id: TaskId, numbers: &[Option<u8>]) {
    let parts: Vec<_> = voters(id).into_iter().zip(numbers.iter().copied()).collect();
    let parts = || parts.iter().filter_map(|(voter, number)| Some((voter, tensor((*number)?))));
    for (voter, result) in parts() {
        assert_eq!(let_in(commit_call(seal(id, voter, &result))), Ok(()));
    }
    run_to(task(id).commit_until + 1);
    for (voter, result) in parts() {
        assert_eq!(let_in(reveal_call(unseal(id, voter, &result))), Ok(()));
    }
    run_to(task(id).reveal_until + 1);
}

/// The attesters drawn for a task.
pub fn drawn(id: TaskId) -> Vec<AttesterId> {
    crate::Attestations::<Test>::get(id).unwrap().seats.into_iter().map(|seat| seat.attester).collect()
}

pub fn sign(attestation: &crate::Attestation) -> AttesterSignature {
    use sp_application_crypto::RuntimeAppPublic;
    attestation.attester.sign(&attestation.signed_bytes(&System::block_hash(0))).unwrap()
}

/// Lets an attestation in as the transaction extension does, and dispatches it.
pub fn attest(attestation: crate::Attestation) -> Result<(), AttestError> {
    let signature = sign(&attestation);
    attest_signed(attestation, signature)
}

#[derive(Debug, PartialEq)]
pub enum AttestError {
    Refused(sp_runtime::transaction_validity::TransactionValidityError),
    Failed(sp_runtime::DispatchError),
}

pub fn attest_signed(attestation: crate::Attestation, signature: AttesterSignature) -> Result<(), AttestError> {
    let_in(crate::Call::<Test>::attest { attestation, signature }.into())
}

/// Lets a call of nobody in as the transaction extension does, and dispatches it.
pub fn let_in(call: RuntimeCall) -> Result<(), AttestError> {
    use frame_support::traits::Authorize;
    use sp_runtime::{traits::Dispatchable, transaction_validity::TransactionSource};

    call.authorize(TransactionSource::External).unwrap().map_err(AttestError::Refused)?;
    let origin = frame_system::RawOrigin::Authorized.into();
    call.dispatch(origin).map(drop).map_err(|failed| AttestError::Failed(failed.error))
}

/// Has all drawn attesters attest as far as they are needed, in the block in which the attest phase begins.
pub fn attest_all(id: TaskId) {
    // The reveals are closed at the end of the block after the last one.
    next_block();
    let content = crate::Attestations::<Test>::get(id).unwrap().content;
    for attester in drawn(id) {
        if crate::Attestations::<Test>::contains_key(id) {
            assert_eq!(attest(crate::Attestation { task: id, content, attester }), Ok(()));
        }
    }
}

pub fn free(who: AccountId) -> Balance {
    Balances::free_balance(who)
}

pub fn held(reason: HoldReason, who: AccountId) -> Balance {
    Balances::balance_on_hold(&reason.into(), &who)
}

pub fn shares(id: TaskId, who: AccountId) -> Balance {
    Assets::balance(AssetId::Shares(id), who)
}

/// This pallet's events of all blocks so far.
pub fn events() -> Vec<Event<Test>> {
    let records = System::events().into_iter();
    records
        .filter_map(|record| match record.event {
            RuntimeEvent::Tasks(event) => Some(event),
            _ => None,
        })
        .collect()
}

pub fn last_event() -> Event<Test> {
    events().pop().unwrap()
}

/// How a task was decided; checks that it was once.
pub fn outcome(id: TaskId) -> Outcome {
    let mut outcomes: Vec<_> = events()
        .into_iter()
        .filter_map(|event| match event {
            Event::TaskDecided { task, outcome } if task == id => Some(outcome),
            _ => None,
        })
        .collect();
    assert_eq!(outcomes.len(), 1, "a task has one outcome");
    outcomes.pop().unwrap()
}

pub fn void(id: TaskId) -> Option<VoidReason> {
    match outcome(id) {
        Outcome::Void(reason) => Some(reason),
        Outcome::Won(_) => None,
    }
}

/// Nothing is held from anybody, and what is missing was slashed.
pub fn assert_all_settled() {
    assert_eq!(crate::Tasks::<Test>::count(), 0);
    for who in ACCOUNTS {
        assert!(Balances::total_balance_on_hold(&who).is_zero(), "something is still held from {who}");
    }
    let endowed = ENDOWMENT * ACCOUNTS.len() as Balance;
    assert_eq!(Balances::total_issuance() + SlashedSoFar::get(), endowed);
}
