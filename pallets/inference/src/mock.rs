//! A runtime with the real balances and assets, and votes that a test decides.

#![expect(clippy::cast_possible_truncation, reason = "tests count in small numbers")]

use std::collections::BTreeMap;

use codec::Encode;
use ensemble_core::{
    attester::{AttesterId, AttesterSignature},
    exchange::{Audience, Contributions, Won},
    inference::{closing_bytes, consent_bytes, Closing, Consent, Evidence, Payment, Peer, RangeIndex},
    tasks::{Descriptor, Phases},
    votes::{Failure, Matter, Sort, Turn, VoteEnd, VoteOutcome, VoteSpec, VoteVoid, Voters},
    AssetId, ModelId, SessionId, TaskId,
};
use ensemble_tensor::TensorId;
use frame_support::{
    assert_ok, derive_impl, parameter_types,
    traits::{
        fungible::InspectHold, fungibles, Authorize, ConstU32, ConstU64, EnsureOriginWithArg, Hooks, Imbalance,
        OnUnbalanced,
    },
    weights::Weight,
    PalletId,
};
use sp_core::{sr25519, Pair, H256};
use sp_io::TestExternalities;
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::{
    traits::Dispatchable,
    transaction_validity::{TransactionSource, TransactionValidityError, ValidTransaction},
    BuildStorage, DispatchError, DispatchResult, Permill,
};

use crate::{
    dispute, fixture, Balance, CreditOf, Event, HoldReason, Lengths, Pallet, Parameters, Question, Rates, SessionOf,
    Slashes, Split, State, WeightInfo, WorkerOf,
};

pub type AccountId = u64;
pub type BlockNumber = u64;
pub type TxExtension = frame_system::AuthorizeCall<Test>;
pub type Extrinsic = sp_runtime::testing::TestXt<RuntimeCall, TxExtension>;
type Block = sp_runtime::generic::Block<sp_runtime::generic::Header<u64, sp_runtime::traits::BlakeTwo256>, Extrinsic>;

pub const REGISTRANT: AccountId = 1;
pub const REQUESTER: AccountId = 2;
pub const GATEWAY: AccountId = 3;
pub const STRANGER: AccountId = 4;
/// Has the existential deposit and nothing else.
pub const POOR: AccountId = 5;
/// Accounts that become workers.
pub const WORKERS: [AccountId; 8] = [11, 12, 13, 14, 15, 16, 17, 18];

/// The public task that the model of tests has won.
pub const TASK: TaskId = 7;
/// A restricted task that the same bundle has won.
pub const RESTRICTED: TaskId = 8;

pub const ENDOWMENT: Balance = 10_000_000;
pub const EXISTENTIAL: Balance = 10;
pub const BOND: Balance = 100_000;
pub const DEPOSIT: Balance = 1_000;
pub const DISPUTE: Balance = 5_000;
/// The deposit for the first session.
pub const RECORD: Balance = 20;
pub const ASSIGN_DELAY: BlockNumber = 4;
pub const LENGTHS: Lengths<BlockNumber> =
    Lengths { answer: 20, votes: Phases { commit: 3, reveal: 3, attest: 3 }, window: 10, leave: 60 };
pub const CONSENT_LENGTH: BlockNumber = 50;
pub const MAX_SESSIONS: u32 = 6;
pub const SETTLE_PER_CALL: u32 = 2;
pub const VOTE_FEE: Balance = 5;
pub const ATTEST_FEE: Balance = 7;
pub const CLOSE_PRIORITY: u64 = 1 << 40;
/// Most votes at one time.
pub const MAX_VOTES: u32 = 12;

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
    pub type Inference = crate::Pallet<Test>;
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
        Ok(RuntimeOrigin::signed(REQUESTER))
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
    pub const ModelDeposit: Balance = DEPOSIT;
    pub const SessionDeposit: Balance = RECORD;
    pub static MaxSessionBytes: u64 = 1 << 30;
    pub const MinBond: Balance = BOND;
    pub const BondCap: Balance = 10 * BOND;
    pub const DisputeDeposit: Balance = DISPUTE;
    pub const VoteFee: Balance = VOTE_FEE;
    pub const AttestFee: Balance = ATTEST_FEE;
    pub const ProductsPerShare: u128 = 100;
    pub const MinShares: Balance = 10;
    pub static MaxShares: Balance = 1_000_000_000;
    pub const InferencePalletId: PalletId = PalletId(*b"py/infer");
    pub const DefaultLengths: Lengths<BlockNumber> = LENGTHS;
    pub const DefaultParameters: Parameters = Parameters {
        // The least bond covers the prices of some sessions of the model of tests.
        rates: Rates { position: 10, billion: 10_000_000 },
        split: Split {
            gateway: Permill::from_percent(10),
            credits: Permill::from_percent(20),
            burnt: Permill::from_percent(5),
        },
        slashes: Slashes {
            outvoted: Permill::from_percent(10),
            wrong: Permill::from_percent(50),
            challenger: Permill::from_percent(40),
        },
        owners: Permill::from_percent(50),
    };
    /// The randomness of all blocks so far. What makes one draw differ from another.
    pub static Entropy: H256 = H256::zero();
    /// What was slashed and burnt so far.
    pub static BurntSoFar: Balance = 0;
    /// The votes that run, by task.
    pub static OpenVotes: BTreeMap<TaskId, VoteSpec<BlockNumber>> = BTreeMap::new();
    /// The number of the next consent.
    pub static NextConsent: u32 = 0;
    /// The task of the next vote.
    pub static NextVote: TaskId = 100;
    /// What won both tasks, if not the bundle of the fixture.
    pub static Winner: Option<TensorId> = None;
    /// Whether no vote can begin although there is room.
    pub static RefuseVotes: bool = false;
    /// What keys may do in votes.
    pub static Turns: BTreeMap<AttesterId, Turn> = BTreeMap::new();
    /// What off-chain workers submitted in votes.
    pub static Casts: Vec<Cast> = Vec::new();
    /// Whether what they submit is accepted.
    pub static AcceptVotes: bool = true;
}

/// Burns what is slashed and keeps the sum.
pub struct Burn;
impl OnUnbalanced<CreditOf<Test>> for Burn {
    fn on_nonzero_unbalanced(credit: CreditOf<Test>) {
        BurntSoFar::mutate(|sum| *sum += credit.peek());
    }
}

/// The two tasks of tests.
pub struct Tasks;
impl Contributions<AccountId> for Tasks {
    fn won(task: TaskId) -> Option<Won> {
        let audience = match task {
            TASK => Audience::Public,
            RESTRICTED => Audience::Restricted { exchanged: true },
            _ => return None,
        };
        let content = Winner::get().unwrap_or_else(|| fixture::Model::tiny().bundle.id());
        Some(Won { content, audience })
    }

    fn owns_shares(_: TaskId, _: &AccountId) -> bool {
        false
    }

    fn attests(_: TaskId, _: TensorId, _: &AttesterId) -> bool {
        false
    }
}

pub struct Votes;

impl ensemble_core::votes::Votes<BlockNumber> for Votes {
    fn open(vote: VoteSpec<BlockNumber>) -> Result<TaskId, DispatchError> {
        assert!(Self::room(vote.matter.sort()) > 0, "the caller asks for room first");
        let task = NextVote::get();
        // The last one of a session fails, so that what was stored before must go.
        frame_support::storage::unhashed::put(&task.encode(), &1u8);
        if RefuseVotes::get() && matches!(vote.matter, Matter::Trace { range: 1.., .. }) {
            return Err(DispatchError::Other("no votes"));
        }
        NextVote::set(task + 1);
        OpenVotes::mutate(|votes| votes.insert(task, vote));
        Ok(task)
    }

    fn room(sort: Sort) -> u32 {
        assert_eq!(sort, Sort::Trace);
        MAX_VOTES - OpenVotes::get().len() as u32
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn fill_for_benchmark() {}
}

impl ensemble_core::votes::Voting for Votes {
    fn turn(_: TaskId, voter: &AttesterId) -> Option<Turn> {
        Turns::get().get(voter).copied()
    }

    fn commit(task: TaskId, voter: &AttesterId, content: TensorId, salt: &[u8; 32]) -> bool {
        cast(Cast::Commitment { task, voter: voter.clone(), content, salt: *salt })
    }

    fn reveal(task: TaskId, voter: &AttesterId, descriptor: Descriptor, salt: [u8; 32]) -> bool {
        cast(Cast::Opening { task, voter: voter.clone(), descriptor, salt })
    }
}

/// What an off-chain worker submits in a vote.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Cast {
    Commitment { task: TaskId, voter: AttesterId, content: TensorId, salt: [u8; 32] },
    Opening { task: TaskId, voter: AttesterId, descriptor: Descriptor, salt: [u8; 32] },
}

fn cast(cast: Cast) -> bool {
    Casts::mutate(|casts| casts.push(cast));
    AcceptVotes::get()
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

impl crate::Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Shares = Assets;
    type Contributions = Tasks;
    type Votes = Votes;
    type Slashed = Burn;
    type Entropy = Entropy;
    type ParametersOrigin = frame_system::EnsureRoot<AccountId>;
    type DefaultParameters = DefaultParameters;
    type DefaultLengths = DefaultLengths;
    type PalletId = InferencePalletId;
    type MaxModels = ConstU32<2>;
    type MaxWorkers = ConstU32<40>;
    type MaxSessions = ConstU32<MAX_SESSIONS>;
    type SessionDeposit = SessionDeposit;
    type MaxSessionBytes = MaxSessionBytes;
    type MaxPositions = ConstU32<1_000>;
    type AssignDelay = ConstU64<ASSIGN_DELAY>;
    type ConsentLength = ConstU64<CONSENT_LENGTH>;
    type SettlePerCall = ConstU32<SETTLE_PER_CALL>;
    type ModelDeposit = ModelDeposit;
    type MinBond = MinBond;
    type BondCap = BondCap;
    type DisputeDeposit = DisputeDeposit;
    type VoteFee = VoteFee;
    type AttestFee = AttestFee;
    type ProductsPerShare = ProductsPerShare;
    type MinShares = MinShares;
    type MaxShares = MaxShares;
    type ClosePriority = ConstU64<CLOSE_PRIORITY>;
    type WeightInfo = ();
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = Tasks;
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper<AccountId> for Tasks {
    fn win(task: TaskId, descriptor: Descriptor) {
        assert_eq!(task, TASK);
        Winner::set(Some(descriptor.id()));
    }
}

/// What a step weighs in tests.
pub const STEP: u64 = 10;

fn weight(time: u64) -> Weight {
    Weight::from_parts(time, 0)
}

macro_rules! constant_weights {
    ($($name:ident),*) => { $(fn $name() -> Weight { weight(STEP) })* };
}

macro_rules! growing_weights {
    ($($name:ident),*) => { $(fn $name(n: u32) -> Weight { weight(STEP + u64::from(n)) })* };
}

impl WeightInfo for () {
    constant_weights!(
        retire_model,
        join,
        leave,
        withdraw,
        bond_extra,
        announce,
        open,
        close,
        authorize_close,
        lock,
        unlock,
        set_parameters,
        time_out,
        end_session,
        postpone_votes,
        settle_worker,
        finish,
        vote_left,
        vote_ended
    );
    growing_weights!(
        register_model,
        dispute_row,
        dispute_trace,
        dispute_signature,
        dispute_norm,
        dispute_outputs,
        dispute_prompt,
        authorize_dispute,
        assign,
        open_votes
    );

    fn agenda_look() -> Weight {
        weight(1)
    }
}

/// Everybody who has money.
pub fn everybody() -> impl Iterator<Item = AccountId> {
    [REGISTRANT, REQUESTER, GATEWAY, STRANGER].into_iter().chain(WORKERS)
}

pub fn new_chain() -> TestExternalities {
    let mut balances = vec![(POOR, EXISTENTIAL)];
    balances.extend(everybody().map(|who| (who, ENDOWMENT)));
    let config = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig { balances, ..Default::default() },
        ..Default::default()
    };
    Entropy::set(H256::zero());
    BurntSoFar::set(0);
    MaxShares::set(1_000_000_000);
    MaxSessionBytes::set(1 << 30);
    OpenVotes::set(BTreeMap::new());
    Winner::set(None);
    NextConsent::set(0);
    NextVote::set(100);
    RefuseVotes::set(false);
    Turns::set(BTreeMap::new());
    Casts::set(Vec::new());
    AcceptVotes::set(true);
    let mut ext = TestExternalities::new(config.build_storage().unwrap());
    ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
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

/// Runs a test on a chain with a model, a gateway and so many other workers.
pub fn with_workers(workers: usize, test: impl FnOnce(ModelId)) {
    on_chain(|| {
        let model = register();
        join(GATEWAY, model, BOND);
        WORKERS[..workers].iter().for_each(|who| join(*who, model, BOND));
        test(model);
    });
}

pub fn check_state() {
    Pallet::<Test>::do_try_state().expect("the state is consistent");
    #[cfg(feature = "try-runtime")]
    <Inference as Hooks<BlockNumber>>::try_state(System::block_number()).expect("the hook says the same");
}

/// Ends the block with `idle` to spare, and begins the next one. Returns what was used.
pub fn next_block_with(idle: u64) -> u64 {
    check_state();
    let now = System::block_number();
    let used = <Inference as Hooks<BlockNumber>>::on_idle(now, weight(idle));
    assert!(used.all_lte(weight(idle)), "on_idle used more than it was given");
    check_state();
    System::set_block_number(now + 1);
    Entropy::mutate(|entropy| *entropy = H256(sp_io::hashing::blake2_256(&(*entropy, now).encode())));
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

pub fn pair(who: AccountId) -> sr25519::Pair {
    let mut seed = [9; 32];
    seed[..8].copy_from_slice(&who.to_le_bytes());
    sr25519::Pair::from_seed(&seed)
}

pub fn key(who: AccountId) -> AttesterId {
    pair(who).public().into()
}

/// Shows that `owner` has the key of `of`, if `of` signs it.
pub fn proof(of: AccountId, owner: AccountId) -> AttesterSignature {
    pair(of).sign(&[b"POP_".to_vec(), owner.encode()].concat()).into()
}

/// The peer id of a key that is all zeros but for its last bytes.
pub fn peer(who: AccountId) -> Peer {
    Peer::truncate_from([&[0, 36, 8, 1, 18, 32], &[0; 24][..], &who.to_le_bytes()].concat())
}

pub fn signed(who: AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

/// Registers the model of tests.
pub fn register() -> ModelId {
    let model = fixture::Model::tiny();
    assert_ok!(Inference::register_model(signed(REGISTRANT), TASK, model.manifest(), model.config()));
    crate::NextModelId::<Test>::get() - 1
}

pub fn try_join(who: AccountId, model: ModelId, bond: Balance) -> DispatchResult {
    Inference::join(signed(who), model, peer(who), key(who), proof(who, who), bond)
}

pub fn join(who: AccountId, model: ModelId, bond: Balance) {
    assert_ok!(try_join(who, model, bond));
}

/// What most tests ask for: three workers in three replicas, the prompt of the fixture, four tokens at most.
pub fn question() -> Question {
    let world = fixture::World::honest();
    Question {
        prompt: world.prompt_hash(),
        prompt_tokens: world.prompt_tokens(),
        max_tokens: 4,
        workers: 3,
        replicas: 3,
    }
}

/// What `signer` signs when it agrees to a session of the first model.
pub fn consent(
    signer: AccountId,
    requester: AccountId,
    question: &Question,
    payment: Payment,
    number: u32,
    until: BlockNumber,
) -> Consent<BlockNumber> {
    let bytes = consent_bytes(&System::block_hash(0), &requester, 0, question, payment, number, &until);
    Consent { number, until, signature: pair(signer).sign(&bytes).into() }
}

/// Opens a session of the first model through a gateway that agrees to it once more.
pub fn try_open_through(
    gateway: AccountId,
    requester: AccountId,
    question: Question,
    payment: Payment,
) -> DispatchResult {
    let number = NextConsent::mutate(|next| core::mem::replace(next, *next + 1));
    let consent = consent(gateway, requester, &question, payment, number, System::block_number() + 1);
    Inference::open(signed(requester), 0, gateway, question, payment, Some(consent))
}

pub fn try_open(question: Question, payment: Payment) -> DispatchResult {
    try_open_through(GATEWAY, REQUESTER, question, payment)
}

/// Opens a session and gives its number.
pub fn open(question: Question) -> SessionId {
    assert_ok!(try_open(question, Payment::Tune));
    crate::NextSessionId::<Test>::get() - 1
}

pub fn session(id: SessionId) -> SessionOf<Test> {
    crate::Sessions::<Test>::get(id).unwrap()
}

pub fn worker(who: AccountId) -> WorkerOf<Test> {
    crate::Workers::<Test>::get(who).unwrap()
}

/// The accounts of a session's workers in the order of their places.
pub fn team(id: SessionId) -> Vec<AccountId> {
    session(id).state.team().iter().map(|party| party.account).collect()
}

/// Ends blocks until the workers of a session are drawn.
pub fn run_to_assigned(id: SessionId) -> Vec<AccountId> {
    while matches!(session(id).state, State::Open) {
        next_block();
    }
    team(id)
}

fn close_call(id: SessionId, closing: Closing, signer: AccountId) -> RuntimeCall {
    let signature = pair(signer).sign(&closing_bytes(&System::block_hash(0), id, &closing)).into();
    crate::Call::<Test>::close { session: id, closing, signature }.into()
}

fn authorize(call: &RuntimeCall) -> Result<ValidTransaction, TransactionValidityError> {
    call.authorize(TransactionSource::External).unwrap().map(|(valid, _)| valid)
}

/// Dispatches a call without asking whether it may come in.
fn dispatch(call: RuntimeCall) -> DispatchResult {
    call.dispatch(frame_system::RawOrigin::Authorized.into()).map(drop).map_err(|failed| failed.error)
}

/// Lets a closing in as the transaction extension does.
pub fn authorize_close(
    id: SessionId,
    closing: Closing,
    signer: AccountId,
) -> Result<ValidTransaction, TransactionValidityError> {
    authorize(&close_call(id, closing, signer))
}

pub fn try_close(id: SessionId, closing: Closing) -> DispatchResult {
    dispatch(close_call(id, closing, GATEWAY))
}

pub fn close(id: SessionId, closing: Closing) {
    assert!(authorize_close(id, closing, GATEWAY).is_ok());
    assert_ok!(try_close(id, closing));
}

/// What the gateway says of the fixture's answer.
pub fn closing() -> Closing {
    fixture::World::honest().closing()
}

fn dispute_call(id: SessionId, evidence: &Evidence, signer: AccountId, of: AccountId) -> RuntimeCall {
    let bytes = dispute::signed_bytes(&System::block_hash(0), id, evidence, &key(of));
    let signature = pair(signer).sign(&bytes).into();
    let (evidence, key) = (evidence.clone(), key(of));
    crate::Call::<Test>::dispute_as_worker { session: id, evidence, key, signature }.into()
}

/// Lets a dispute in that `signer` signs with its key in the name of `of`.
pub fn authorize_dispute(
    id: SessionId,
    evidence: &Evidence,
    signer: AccountId,
    of: AccountId,
) -> Result<ValidTransaction, TransactionValidityError> {
    authorize(&dispute_call(id, evidence, signer, of))
}

pub fn dispute_as_worker(id: SessionId, evidence: &Evidence, who: AccountId) -> DispatchResult {
    dispatch(dispute_call(id, evidence, who, who))
}

pub fn dispute(id: SessionId, evidence: &Evidence, who: AccountId) -> DispatchResult {
    Inference::dispute(signed(who), id, evidence.clone())
}

/// How a worker votes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Vote {
    /// For what is right.
    Right,
    /// For another content.
    Other(u8),
    /// Not at all.
    Silent,
}

/// Ends the vote on a range: what each worker reveals decides it as the pallet of tasks does.
pub fn end_vote(task: TaskId, right: TensorId, how: impl Fn(AccountId, RangeIndex) -> Vote) {
    let vote = OpenVotes::mutate(|votes| votes.remove(&task)).unwrap();
    let (Matter::Trace { session: id, range }, Voters::Named(voters)) = (vote.matter, vote.voters) else {
        panic!("a vote on something else");
    };
    let parties = session(id).state.team().to_vec();
    let account = |voter: &AttesterId| parties.iter().find(|party| party.key == *voter).unwrap().account;
    let content = |vote: Vote| match vote {
        Vote::Right => Some(right),
        Vote::Other(number) => Some(TensorId([number; 32])),
        Vote::Silent => None,
    };
    let said: Vec<_> = voters.iter().map(|voter| (voter, content(how(account(voter), range)))).collect();
    let count = |content: TensorId| said.iter().filter(|(_, said)| *said == Some(content)).count();
    let winner = said.iter().filter_map(|(_, said)| *said).find(|content| count(*content) * 2 > voters.len());
    for (voter, said) in &said {
        let failure = match (said, winner) {
            (None, _) => Some(Failure::Absent),
            (Some(content), Some(winner)) if *content != winner => Some(Failure::Outvoted { content: *content }),
            (Some(_), _) => None,
        };
        Inference::left(vote.matter, voter, failure);
    }
    let end = winner.map_or(VoteEnd::Void(VoteVoid::NoMajority), VoteEnd::Settled);
    Inference::ended(vote.matter, end);
}

/// The votes that run on a session, by range.
pub fn votes_on(id: SessionId) -> Vec<(RangeIndex, TaskId)> {
    let votes = OpenVotes::get().into_iter();
    let mut found: Vec<_> = votes
        .filter_map(|(task, vote)| match vote.matter {
            Matter::Trace { session, range } if session == id => Some((range, task)),
            _ => None,
        })
        .collect();
    found.sort_unstable();
    found
}

/// Ends all votes on a session. The right content of a range is what `right` says.
pub fn end_votes_on(
    id: SessionId,
    right: impl Fn(RangeIndex) -> TensorId,
    how: impl Fn(AccountId, RangeIndex) -> Vote,
) {
    for (range, task) in votes_on(id) {
        end_vote(task, right(range), &how);
    }
}

/// Brings a session from its opening to the votes, with what `world` did.
pub fn run_to_votes(question: Question, world: &fixture::World) -> SessionId {
    let id = open(question);
    run_to_assigned(id);
    close(id, world.closing());
    next_block();
    id
}

/// Brings a session from its opening to its window, with what `world` did and all workers voted for.
pub fn run_to_window(question: Question, world: &fixture::World) -> SessionId {
    let id = run_to_votes(question, world);
    let ranges = question.workers;
    end_votes_on(id, |range| world.trace(range, ranges).id(), |_, _| Vote::Right);
    id
}

/// Ends blocks until a session is over and settled.
pub fn run_to_end(id: SessionId) {
    while crate::Sessions::<Test>::contains_key(id) {
        next_block();
    }
}

pub fn held(reason: HoldReason, who: AccountId) -> Balance {
    Balances::balance_on_hold(&reason.into(), &who)
}

pub fn free(who: AccountId) -> Balance {
    Balances::free_balance(who)
}

/// All that an account owns.
pub fn wealth(who: AccountId) -> Balance {
    <Balances as frame_support::traits::fungible::Inspect<AccountId>>::total_balance(&who)
}

pub fn shares(class: AssetId, who: AccountId) -> Balance {
    <Assets as fungibles::Inspect<AccountId>>::balance(class, &who)
}

/// Creates the shares of the contribution, and gives some to an account.
pub fn give_shares(who: AccountId, amount: Balance) {
    use fungibles::{Create, Inspect, Mutate};
    let class = AssetId::Shares(TASK);
    if !<Assets as Inspect<AccountId>>::asset_exists(class) {
        assert_ok!(<Assets as Create<AccountId>>::create(class, Inference::account_id(), true, 10));
    }
    assert_ok!(<Assets as Mutate<AccountId>>::mint_into(class, &who, amount));
}

/// This pallet's events of all blocks so far.
pub fn events() -> Vec<Event<Test>> {
    let records = System::events().into_iter();
    records
        .filter_map(|record| match record.event {
            RuntimeEvent::Inference(event) => Some(event),
            _ => None,
        })
        .collect()
}

pub fn last_event() -> Event<Test> {
    events().pop().unwrap()
}
