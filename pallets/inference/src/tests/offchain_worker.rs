//! The off-chain worker, with a keystore, a pool, and a node of which the test says what it has and knows.
//!
//! Sessions are put into the storage as they are to be, and not taken there by calls: what the worker does depends on
//! nothing else.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use codec::Decode;
use ensemble_compute::inference::{Architecture, Llama};
use ensemble_core::{
    attester::AttesterSignature,
    inference::{
        closing_bytes, Closing, Evidence, GlueEvidence, Party, Payment, RangeIndex, RangeVote, SessionId,
        MAX_CONTESTED_BYTES,
    },
    tasks::{Descriptor, KEPT_PREFIX},
    votes::Turn,
    AttesterId, TaskId,
};
use ensemble_host::{
    CameAs, Check, CheckStatus, FetchError, InferenceAccess, InferenceAccessExt, Pinning, TensorAccess,
    TensorAccessExt, TensorStatus, TraceStatus,
};
use ensemble_tensor::{Header, Kind, RowProof, TensorId};
use frame_support::traits::Hooks;
use parking_lot::{Mutex, RwLock};
use sp_application_crypto::RuntimeAppPublic;
use sp_core::{
    offchain::{
        testing::{OffchainState, PoolState, TestOffchainExt, TestTransactionPoolExt},
        OffchainDbExt, OffchainWorkerExt, StorageKind, TransactionPoolExt,
    },
    H256,
};
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::offchain::storage_lock::{StorageLock, Time};

use crate::{
    dispute, mock::*, offchain_worker::LOCK_KEY, Call, CurrentParameters, FalseKeys, Faults, KeyOwners, Model, Models,
    Note, Notes, Question, Range, Ranges, Session, SessionOf, Sessions, State, Worker, Workers,
};

/// What every node draws as salt.
const SEED: [u8; 32] = [5; 32];
const MODEL: TensorId = TensorId([1; 32]);
const CONTESTED: TensorId = TensorId([2; 32]);
const RANGES: u32 = 3;

/// A node of which the test says what it has and knows.
#[derive(Default)]
struct TestNode {
    held: Mutex<HashSet<TensorId>>,
    failed: Mutex<HashSet<TensorId>>,
    pinned: Mutex<HashSet<TensorId>>,
    asked: Mutex<Vec<TensorId>>,
    traces: Mutex<BTreeMap<(SessionId, RangeIndex), TraceStatus>>,
    closings: Mutex<HashMap<SessionId, Closing>>,
    verdicts: Mutex<HashMap<SessionId, CheckStatus>>,
    checked: Mutex<Vec<Check>>,
    forgotten: Mutex<Vec<SessionId>>,
}

impl TensorAccess for TestNode {
    fn status(&self, id: TensorId) -> TensorStatus {
        if self.failed.lock().contains(&id) {
            return TensorStatus::Failed(FetchError::NotFound);
        }
        let header = Header::new(Kind::I32, 1, 1).unwrap();
        match self.held.lock().contains(&id) {
            true => TensorStatus::Held { header, bytes: 4, restricted: false },
            false => TensorStatus::Absent,
        }
    }

    fn fetch(&self, id: TensorId, _: u64) {
        self.asked.lock().push(id);
    }

    fn read(&self, _: TensorId, _: u32) -> Option<Vec<u8>> {
        None
    }

    fn pin(&self, id: TensorId) -> Pinning {
        if !self.held.lock().contains(&id) {
            return Pinning::Refused;
        }
        match self.pinned.lock().insert(id) {
            true => Pinning::Begun,
            false => Pinning::Known,
        }
    }

    fn unpin(&self, id: TensorId) {
        self.pinned.lock().remove(&id);
    }

    fn restrict(&self, _: TensorId, _: TaskId) -> bool {
        panic!("models and traces are public");
    }

    fn came_as(&self, _: TensorId) -> Option<Vec<CameAs>> {
        panic!("models and traces are public");
    }

    fn reopen(&self, _: TensorId, _: u64, _: Vec<CameAs>) {
        panic!("models and traces are public");
    }
}

impl InferenceAccess for TestNode {
    fn trace(&self, session: SessionId, range: RangeIndex, of: Closing) -> TraceStatus {
        assert_eq!(of, closing());
        self.traces.lock().get(&(session, range)).cloned().unwrap_or(TraceStatus::Absent)
    }

    fn closing(&self, session: SessionId) -> Option<Closing> {
        self.closings.lock().get(&session).copied()
    }

    fn check(&self, check: Check) -> CheckStatus {
        let status = self.verdicts.lock().get(&check.session).cloned();
        self.checked.lock().push(check);
        status.unwrap_or(CheckStatus::Pending)
    }

    fn forget(&self, session: SessionId) {
        self.forgotten.lock().push(session);
    }
}

impl TestNode {
    fn take_asked(&self) -> Vec<TensorId> {
        let mut asked = std::mem::take(&mut *self.asked.lock());
        asked.sort();
        asked.dedup();
        asked
    }

    fn take_checked(&self) -> Vec<SessionId> {
        self.checked.lock().drain(..).map(|check| check.session).collect()
    }

    fn pinned(&self) -> Vec<TensorId> {
        let mut pinned: Vec<_> = self.pinned.lock().iter().copied().collect();
        pinned.sort();
        pinned
    }

    /// Has the node hold the model and all contents of a session.
    fn hold_all(&self) {
        self.held.lock().extend(contents());
        self.held.lock().insert(MODEL);
    }
}

type Pool = Arc<RwLock<PoolState>>;

/// Runs a test around a node with so many keys, each of them a worker's: of the account with its number, from 100 on.
fn on_node(keys: usize, test: impl FnOnce(&TestNode, &Pool, &[AttesterId], &Arc<RwLock<OffchainState>>)) {
    let node = Arc::new(TestNode::default());
    let (offchain, state) = TestOffchainExt::new();
    state.write().seed = SEED;
    let (pool, pool_state) = TestTransactionPoolExt::new();
    let mut ext = new_chain();
    ext.register_extension(OffchainDbExt::new(offchain.clone()));
    ext.register_extension(OffchainWorkerExt::new(offchain));
    ext.register_extension(TransactionPoolExt::new(pool));
    ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    ext.register_extension(TensorAccessExt(node.clone()));
    ext.register_extension(InferenceAccessExt(node.clone()));
    ext.execute_with(|| {
        System::set_block_number(1);
        Models::<Test>::insert(0, model());
        let keys: Vec<_> = (0..keys).map(|_| AttesterId::generate_pair(None)).collect();
        (100..).zip(&keys).for_each(|(account, key)| put_worker(account, key));
        test(&node, &pool_state, &keys, &state);
    });
}

fn model() -> Model<AccountId> {
    let llama = Llama {
        layers: 1,
        width: 32,
        heads: 2,
        kv_heads: 1,
        head_width: 16,
        hidden: 32,
        vocabulary: 32,
        positions: 64,
        epsilon: 1,
        rope_interleaved: true,
        tied: true,
    };
    Model {
        registrant: 1,
        deposit: 0,
        task: 0,
        content: MODEL,
        architecture: Architecture::Llama(llama),
        members: [0; 32],
        count: 1,
        sessions: 0,
    }
}

fn put_worker(account: AccountId, key: &AttesterId) {
    let bond = <Test as crate::Config>::MinBond::get();
    let peer = vec![1].try_into().unwrap();
    let worker = Worker {
        model: 0,
        key: key.clone(),
        peer,
        bond,
        pledged: 0,
        consents: Default::default(),
        sessions: 0,
        place: None,
        leaves_at: None,
    };
    Workers::<Test>::insert(account, worker);
    KeyOwners::<Test>::insert(key, account);
}

fn party(account: AccountId, key: &AttesterId) -> Party<AccountId> {
    Party { account, key: key.clone(), peer: vec![1].try_into().unwrap() }
}

/// Somebody whose key is on another node.
fn stranger(account: AccountId) -> Party<AccountId> {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&account.to_le_bytes());
    party(account, &AttesterId::from(sp_core::sr25519::Public::from_raw(key)))
}

fn descriptor(rows: u32, cols: u32, mark: u8) -> Descriptor {
    Descriptor { header: Header::new(Kind::I32, rows, cols).unwrap(), root: [mark; 32] }
}

/// What the gateway says: three positions over five stages.
fn closing() -> Closing {
    Closing { tokens: descriptor(4, 1, 10), trace: descriptor(3, 80, 11), contested: Some(CONTESTED) }
}

fn trace(range: RangeIndex) -> Descriptor {
    descriptor(3, 80, 20 + range as u8)
}

/// What is fetched to check a session.
fn contents() -> Vec<TensorId> {
    let won = (0..RANGES).map(|range| trace(range).id());
    let mut all: Vec<_> = [closing().tokens.id(), closing().trace.id(), CONTESTED].into_iter().chain(won).collect();
    all.sort();
    all
}

/// A session of three workers, of which two serve each range.
fn session(gateway: Party<AccountId>, state: State<AccountId, BlockNumber>) -> SessionOf<Test> {
    let parameters = CurrentParameters::<Test>::get();
    Session {
        requester: 1,
        model: 0,
        gateway,
        question: Question { prompt: H256([7; 32]), prompt_tokens: 2, max_tokens: 4, workers: RANGES, replicas: 2 },
        payment: Payment::Tune,
        rates: parameters.rates,
        split: parameters.split,
        price: 0,
        fee: 0,
        deposit: 0,
        held: 0,
        purse: 0,
        due: None,
        state,
    }
}

fn team(first: Party<AccountId>) -> crate::Team<AccountId> {
    vec![first, stranger(51), stranger(52)].try_into().unwrap()
}

fn ranges(vote: impl Fn(RangeIndex) -> RangeVote) -> Ranges {
    let range = |range| Range { vote: vote(range), backers: 0b11, outvoted: 0, agreed: true, is_wrong: false };
    (0..RANGES).map(range).collect::<Vec<_>>().try_into().unwrap()
}

fn voting(first: Party<AccountId>) -> State<AccountId, BlockNumber> {
    State::Voting { team: team(first), closing: closing(), ranges: ranges(|range| RangeVote::Open(40 + range)) }
}

fn disputable(first: Party<AccountId>) -> State<AccountId, BlockNumber> {
    let ranges = ranges(|range| RangeVote::Won(trace(range).id()));
    let (faults, false_keys) = (Faults::default(), FalseKeys::default());
    let (team, notes) = (team(first), Notes::default());
    State::Disputable { team, closing: closing(), ranges, faults, false_keys, notes, until: 1000 }
}

fn put(id: SessionId, session: SessionOf<Test>) {
    Sessions::<Test>::insert(id, session);
}

fn turns(keys: &[AttesterId], turn: Turn) {
    Turns::set(keys.iter().map(|key| (key.clone(), turn)).collect());
}

fn work() {
    <Inference as Hooks<BlockNumber>>::offchain_worker(System::block_number());
}

/// The next block, without what happens in it.
fn next_worked_block() {
    System::set_block_number(System::block_number() + 1);
    work();
}

/// What was submitted since the last time.
fn take_submitted(pool: &Pool) -> Vec<RuntimeCall> {
    let transactions = std::mem::take(&mut pool.write().transactions);
    transactions.into_iter().map(|bytes| Extrinsic::decode(&mut &bytes[..]).unwrap().function).collect()
}

fn proof(index: u32) -> RowProof {
    RowProof { header: closing().trace.header, index, leaf: Vec::new(), siblings: Vec::new() }
}

fn against(range: RangeIndex) -> Evidence {
    Evidence::Input { range, stage: 1, trace: proof(2), gateway: proof(2) }
}

fn against_gateway() -> Evidence {
    Evidence::Glue(GlueEvidence::Carry { stage: 1, trace: proof(2) })
}

fn short() -> Evidence {
    let signature = AttesterSignature::from(sp_core::sr25519::Signature::default());
    Evidence::Short { position: 4, signature }
}

fn genesis() -> H256 {
    System::block_hash(0)
}

#[test]
fn the_model_is_held_as_long_as_a_key_serves_it() {
    on_node(1, |node, _, keys, _| {
        work();
        assert_eq!((node.take_asked(), node.pinned()), (vec![MODEL], vec![]));
        node.held.lock().insert(MODEL);
        next_worked_block();
        assert_eq!((node.take_asked(), node.pinned()), (vec![], vec![MODEL]));
        KeyOwners::<Test>::remove(&keys[0]);
        for _ in 0..32 {
            next_worked_block();
        }
        assert_eq!(node.pinned(), [MODEL]);
        next_worked_block();
        assert_eq!(node.pinned(), []);
    });
    on_node(0, |node, _, _, _| {
        work();
        assert_eq!(node.take_asked(), [], "a node without keys serves nothing");
    });
}

#[test]
fn a_model_that_others_pinned_is_theirs_to_let_go() {
    on_node(1, |node, _, keys, _| {
        node.held.lock().insert(MODEL);
        node.pinned.lock().insert(MODEL);
        work();
        KeyOwners::<Test>::remove(&keys[0]);
        for _ in 0..70 {
            next_worked_block();
        }
        assert_eq!(node.pinned(), [MODEL]);
    });
    on_node(1, |node, _, keys, _| {
        node.held.lock().insert(MODEL);
        work();
        // It won the task.
        sp_io::offchain::local_storage_set(StorageKind::PERSISTENT, &[KEPT_PREFIX, &MODEL.0].concat(), &[1]);
        KeyOwners::<Test>::remove(&keys[0]);
        for _ in 0..70 {
            next_worked_block();
        }
        assert_eq!(node.pinned(), [MODEL]);
    });
}

#[test]
fn a_failed_fetch_is_tried_again_now_and_then() {
    on_node(1, |node, _, _, _| {
        node.failed.lock().insert(MODEL);
        let mut tried = Vec::new();
        for _ in 0..10 {
            next_worked_block();
            if !node.take_asked().is_empty() {
                tried.push(System::block_number());
            }
        }
        assert_eq!(tried, [4, 8]);
    });
}

#[test]
fn the_gateway_closes_when_it_has_the_answer_and_again_until_it_is_in() {
    on_node(1, |node, pool, keys, _| {
        let assigned = State::Assigned { team: team(stranger(50)), until: 100 };
        put(3, session(party(100, &keys[0]), assigned));
        work();
        assert_eq!(take_submitted(pool), []);
        node.closings.lock().insert(3, closing());
        next_worked_block();
        // Each signature is another, as some of it is drawn.
        let assert_closed = || {
            let submitted = take_submitted(pool);
            let [RuntimeCall::Inference(Call::close { session: 3, closing: said, signature })] = &submitted[..] else {
                panic!("the session is closed: {submitted:?}");
            };
            assert_eq!(*said, closing());
            assert!(keys[0].verify(&closing_bytes(&genesis(), 3, said), signature));
        };
        assert_closed();

        next_worked_block();
        assert_eq!(take_submitted(pool), []);
        next_worked_block();
        assert_closed();
        put(
            3,
            session(party(100, &keys[0]), State::Closed { team: team(stranger(50)), closing: closing(), until: 100 }),
        );
        for _ in 0..5 {
            next_worked_block();
        }
        assert_eq!(take_submitted(pool), []);
    });
}

#[test]
fn an_answer_that_broke_off_is_closed_and_so_is_what_it_became() {
    on_node(1, |node, pool, keys, _| {
        put(3, session(party(100, &keys[0]), State::Assigned { team: team(stranger(50)), until: 100 }));
        // Of the five positions that were paid for the prompt's two; what the node says last counts.
        let broken = Closing { tokens: descriptor(3, 1, 10), trace: descriptor(2, 80, 11), contested: None };
        for said in [broken, closing()] {
            node.closings.lock().insert(3, said);
            next_worked_block();
            let submitted = take_submitted(pool);
            let [RuntimeCall::Inference(Call::close { session: 3, closing, .. })] = &submitted[..] else {
                panic!("the session is closed: {submitted:?}");
            };
            assert_eq!(*closing, said);
            next_worked_block();
        }
    });
}

#[test]
fn what_others_answer_is_theirs_to_close() {
    on_node(1, |node, pool, keys, _| {
        node.closings.lock().insert(3, closing());
        put(3, session(stranger(50), State::Assigned { team: team(party(100, &keys[0])), until: 100 }));
        work();
        assert_eq!(take_submitted(pool), []);
    });
}

#[test]
fn what_was_served_is_committed_to_and_revealed_also_after_a_restart() {
    on_node(1, |node, _, keys, state| {
        put(3, session(stranger(50), voting(party(100, &keys[0]))));
        turns(keys, Turn::Commit);
        work();
        assert_eq!(Casts::get(), [], "the node has no traces");
        // The first worker serves its own range and the last one.
        for range in 0..RANGES {
            node.traces.lock().insert((3, range), TraceStatus::Ready(trace(range)));
        }
        next_worked_block();
        let voter = || keys[0].clone();
        let commitment =
            |range| Cast::Commitment { task: 40 + range, voter: voter(), content: trace(range).id(), salt: SEED };
        assert_eq!(Casts::get(), [commitment(0), commitment(2)]);

        // Nothing is in memory any more, and another salt would be drawn.
        node.traces.lock().clear();
        state.write().seed = [6; 32];
        turns(keys, Turn::Wait);
        next_worked_block();
        turns(keys, Turn::Reveal);
        next_worked_block();
        let opening = |range| Cast::Opening { task: 40 + range, voter: voter(), descriptor: trace(range), salt: SEED };
        assert_eq!(Casts::get()[2..], [opening(0), opening(2)]);
        turns(keys, Turn::Over);
        for _ in 0..5 {
            next_worked_block();
        }
        assert_eq!(Casts::get().len(), 4);
    });
}

#[test]
fn a_vote_that_does_not_get_in_is_sent_again() {
    on_node(1, |node, _, keys, _| {
        put(3, session(stranger(50), voting(party(100, &keys[0]))));
        node.traces.lock().insert((3, 0), TraceStatus::Ready(trace(0)));
        turns(keys, Turn::Commit);
        work();
        next_worked_block();
        assert_eq!(Casts::get().len(), 1);
        next_worked_block();
        assert_eq!((Casts::get().len(), &Casts::get()[0]), (2, &Casts::get()[1]));
        AcceptVotes::set(false);
        for sent in [2, 3, 4] {
            next_worked_block();
            assert_eq!(Casts::get().len(), sent);
        }
    });
}

#[test]
fn who_was_fed_otherwise_abstains() {
    on_node(1, |node, _, keys, _| {
        put(3, session(stranger(50), voting(party(100, &keys[0]))));
        node.traces.lock().insert((3, 0), TraceStatus::Differs);
        turns(keys, Turn::Commit);
        work();
        // For good.
        node.traces.lock().insert((3, 0), TraceStatus::Ready(trace(0)));
        next_worked_block();
        assert_eq!(Casts::get(), []);
    });
}

#[test]
fn a_trace_that_comes_too_late_is_not_voted_for() {
    on_node(1, |node, _, keys, _| {
        put(3, session(stranger(50), voting(party(100, &keys[0]))));
        node.traces.lock().insert((3, 0), TraceStatus::Waiting);
        turns(keys, Turn::Commit);
        work();
        turns(keys, Turn::Over);
        next_worked_block();
        node.traces.lock().insert((3, 0), TraceStatus::Ready(trace(0)));
        turns(keys, Turn::Reveal);
        next_worked_block();
        assert_eq!(Casts::get(), []);
    });
}

#[test]
fn a_salt_that_another_worker_committed_with_stays() {
    on_node(1, |node, _, keys, state| {
        put(3, session(stranger(50), voting(party(100, &keys[0]))));
        node.traces.lock().insert((3, 0), TraceStatus::Ready(trace(0)));
        turns(keys, Turn::Commit);
        work();
        state.write().seed = [6; 32];
        for _ in 0..4 {
            next_worked_block();
        }
        let salts: HashSet<_> = Casts::get()
            .into_iter()
            .map(|cast| match cast {
                Cast::Commitment { salt, .. } | Cast::Opening { salt, .. } => salt,
            })
            .collect();
        assert_eq!(salts, HashSet::from([SEED]));
    });
}

#[test]
fn a_session_is_fetched_checked_and_left_alone_if_it_is_right() {
    on_node(1, |node, pool, _, _| {
        put(3, session(stranger(50), disputable(stranger(53))));
        work();
        assert_eq!(node.take_asked(), [MODEL], "without the model nothing else is fetched");
        node.held.lock().insert(MODEL);
        next_worked_block();
        assert_eq!((node.take_asked(), node.take_checked()), (contents(), vec![]));
        node.hold_all();
        next_worked_block();
        let check = node.checked.lock()[0].clone();
        assert_eq!((check.session, check.model, check.closing), (3, MODEL, closing()));
        assert_eq!((check.prompt, check.prompt_tokens), ([7; 32], 2));
        assert_eq!(check.won, (0..RANGES).map(|range| Some(trace(range).id())).collect::<Vec<_>>());
        assert_eq!(check.backers, [0b11; 3]);
        assert!(contents().iter().all(|content| node.pinned().contains(content)));
        node.verdicts.lock().insert(3, CheckStatus::Right);
        next_worked_block();
        node.take_checked();
        for _ in 0..40 {
            next_worked_block();
        }
        assert_eq!((node.take_checked(), take_submitted(pool)), (vec![], vec![]));
        assert_eq!(node.pinned(), [MODEL], "what was fetched is let go");
    });
}

/// The evidence that was submitted since the last time.
fn take_evidence(pool: &Pool) -> Vec<Evidence> {
    let submitted = take_submitted(pool).into_iter();
    let evidence = |call| match call {
        RuntimeCall::Inference(Call::dispute_as_worker { session: 3, evidence, .. }) => evidence,
        other => panic!("it is disputed: {other:?}"),
    };
    submitted.map(evidence).collect()
}

fn change_window(change: impl FnOnce(&mut Ranges, &mut Faults, &mut FalseKeys)) {
    Sessions::<Test>::mutate(3, |session| {
        let State::Disputable { ranges, faults, false_keys, .. } = &mut session.as_mut().unwrap().state else {
            panic!()
        };
        change(ranges, faults, false_keys);
    });
}

#[test]
fn evidence_is_submitted_with_the_worker_s_key() {
    on_node(1, |node, pool, keys, _| {
        put(3, session(stranger(50), disputable(stranger(53))));
        node.hold_all();
        node.verdicts.lock().insert(3, CheckStatus::Wrong(vec![against(1), against_gateway()]));
        work();
        let submitted = take_submitted(pool);
        assert_eq!(submitted.len(), 2);
        for (call, expected) in submitted.iter().zip([against(1), against_gateway()]) {
            let RuntimeCall::Inference(Call::dispute_as_worker { session: 3, evidence, key, signature }) = call else {
                panic!("it is disputed: {call:?}");
            };
            assert_eq!((evidence, key), (&expected, &keys[0]));
            assert!(key.verify(&dispute::signed_bytes(&genesis(), 3, evidence, key), signature));
        }
    });
}

#[test]
fn evidence_is_submitted_until_the_chain_knows_it() {
    on_node(1, |node, pool, _, _| {
        put(3, session(stranger(50), disputable(stranger(53))));
        node.hold_all();
        node.verdicts.lock().insert(3, CheckStatus::Wrong(vec![against(1), against_gateway()]));
        work();
        assert_eq!(take_evidence(pool), [against(1), against_gateway()]);
        // The pool may have dropped it, but that takes time.
        next_worked_block();
        assert_eq!(take_evidence(pool), []);
        next_worked_block();
        assert_eq!(take_evidence(pool), [against(1), against_gateway()]);
        change_window(|ranges, _, _| ranges[1].is_wrong = true);
        next_worked_block();
        next_worked_block();
        assert_eq!(take_evidence(pool), [against_gateway()]);
        change_window(|_, faults, _| faults.gateway = true);
        for _ in 0..5 {
            next_worked_block();
        }
        assert_eq!(take_evidence(pool), []);
        node.take_checked();
        next_worked_block();
        assert!(node.take_checked().is_empty(), "nothing is left to do");
    });
}

#[test]
fn whose_evidence_was_false_disputes_no_more() {
    on_node(1, |node, pool, keys, _| {
        put(3, session(stranger(50), disputable(stranger(53))));
        node.hold_all();
        node.verdicts.lock().insert(3, CheckStatus::Wrong(vec![against(1)]));
        work();
        assert_eq!(take_evidence(pool), [against(1)]);
        change_window(|_, _, false_keys| false_keys.try_push(keys[0].clone()).unwrap());
        for _ in 0..5 {
            next_worked_block();
        }
        assert_eq!(take_evidence(pool), []);
    });
}

#[test]
fn what_the_chain_knows_is_not_disputed_again() {
    on_node(1, |node, pool, _, _| {
        let mut known = session(stranger(50), disputable(stranger(53)));
        let State::Disputable { ranges, faults, .. } = &mut known.state else { panic!() };
        ranges[1].is_wrong = true;
        ranges[0].backers = 0b111;
        faults.signers = 0b10;
        put(3, known);
        node.hold_all();
        let signature = |place| Evidence::Signature {
            range: 0,
            place,
            signed: [0; 32],
            signature: AttesterSignature::from(sp_core::sr25519::Signature::default()),
            trace: proof(0),
        };
        let found = vec![against(1), against_gateway(), short(), signature(1), signature(2), against(0)];
        node.verdicts.lock().insert(3, CheckStatus::Wrong(found));
        work();
        let submitted: Vec<_> = take_submitted(pool)
            .into_iter()
            .map(|call| match call {
                RuntimeCall::Inference(Call::dispute_as_worker { evidence, .. }) => evidence,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(submitted, [against_gateway(), short(), signature(2), against(0)]);
    });
}

#[test]
fn a_gateway_that_was_found_is_not_disputed_again() {
    on_node(1, |node, pool, _, _| {
        let mut known = session(stranger(50), disputable(stranger(53)));
        let State::Disputable { faults, .. } = &mut known.state else { panic!() };
        faults.gateway = true;
        put(3, known);
        node.hold_all();
        node.verdicts.lock().insert(3, CheckStatus::Wrong(vec![short(), against_gateway()]));
        work();
        assert_eq!(take_submitted(pool), []);
    });
}

#[test]
fn a_signature_waits_until_something_noted_needs_it() {
    on_node(1, |node, pool, _, _| {
        put(3, session(stranger(50), disputable(stranger(53))));
        node.hold_all();
        let trace = proof(0);
        let note = Note { position: trace.index, ranges: 0b1, challenger: 1, is_excused: false };
        // Of a worker that did not vote for what won.
        let evidence = Evidence::Signature {
            range: 0,
            place: 2,
            signed: [0; 32],
            signature: AttesterSignature::from(sp_core::sr25519::Signature::default()),
            trace,
        };
        node.verdicts.lock().insert(3, CheckStatus::Wrong(vec![evidence]));
        work();
        assert!(take_submitted(pool).is_empty());
        Sessions::<Test>::mutate(3, |session| {
            let State::Disputable { notes, .. } = &mut session.as_mut().unwrap().state else { panic!() };
            notes.notes.try_push(note).unwrap();
        });
        next_worked_block();
        assert_eq!(take_submitted(pool).len(), 1);
    });
}

#[test]
fn nobody_without_a_bond_disputes() {
    on_node(1, |node, pool, _, _| {
        put(3, session(stranger(50), disputable(stranger(53))));
        node.hold_all();
        Workers::<Test>::mutate(100, |worker| worker.as_mut().unwrap().bond = 0);
        node.verdicts.lock().insert(3, CheckStatus::Wrong(vec![against(1)]));
        work();
        assert_eq!((node.take_checked(), take_submitted(pool)), (vec![], vec![]));
    });
}

#[test]
fn what_cannot_be_judged_goes_last_and_may_be_judged_later() {
    on_node(1, |node, pool, _, _| {
        for id in 0..4 {
            put(id, session(stranger(50), disputable(stranger(53))));
        }
        node.hold_all();
        node.verdicts.lock().extend((0..3).map(|id| (id, CheckStatus::Unable("memory".into()))));
        work();
        assert_eq!(node.take_checked(), [0, 1, 2, 3]);
        put(7, session(stranger(50), disputable(stranger(53))));
        next_worked_block();
        assert_eq!(node.take_checked(), [3, 7, 0, 1]);
        node.verdicts.lock().extend([(3, CheckStatus::Right), (7, CheckStatus::Right)]);
        node.verdicts.lock().extend((0..3).map(|id| (id, CheckStatus::Right)));
        next_worked_block();
        next_worked_block();
        node.take_checked();
        next_worked_block();
        assert!(node.take_checked().is_empty() && take_submitted(pool).is_empty());
    });
}

#[test]
fn a_check_does_without_contested_outputs_that_nobody_has() {
    on_node(1, |node, _, _, _| {
        put(3, session(stranger(50), disputable(stranger(53))));
        node.hold_all();
        node.held.lock().remove(&CONTESTED);
        work();
        assert!(node.take_checked().is_empty());
        node.failed.lock().insert(CONTESTED);
        next_worked_block();
        assert_eq!(node.take_checked(), [3]);
        // But not without a trace.
        node.failed.lock().insert(trace(1).id());
        next_worked_block();
        assert!(node.take_checked().is_empty());
    });
}

#[test]
fn own_sessions_come_first_and_only_so_many_at_one_time() {
    on_node(1, |node, _, keys, _| {
        for id in 0..6 {
            put(id, session(stranger(50), disputable(stranger(53))));
        }
        put(9, session(stranger(50), disputable(party(100, &keys[0]))));
        node.hold_all();
        work();
        assert_eq!(node.take_checked(), [9, 0, 1, 2]);
        // What was begun goes on before others.
        Sessions::<Test>::remove(1);
        put(1, session(stranger(50), disputable(stranger(53))));
        node.verdicts.lock().extend([(9, CheckStatus::Right), (0, CheckStatus::Right)]);
        next_worked_block();
        assert_eq!(node.take_checked(), [9, 0, 1, 2]);
        next_worked_block();
        assert_eq!(node.take_checked(), [1, 2, 3, 4]);
    });
}

/// Has a session name tokens that nobody has.
fn put_without_tokens(id: SessionId) -> TensorId {
    let mut missing = session(stranger(50), disputable(stranger(53)));
    let State::Disputable { closing, .. } = &mut missing.state else { panic!() };
    closing.tokens = descriptor(4, 1, 100 + u8::try_from(id).unwrap());
    let tokens = closing.tokens.id();
    put(id, missing);
    tokens
}

#[test]
fn what_never_comes_keeps_no_other_session_from_being_checked() {
    on_node(1, |node, _, keys, _| {
        let missing: Vec<_> = (0..5).map(put_without_tokens).collect();
        node.hold_all();
        work();
        assert!(node.take_checked().is_empty());
        let asked = node.take_asked();
        assert!(missing.iter().all(|tokens| asked.contains(tokens)));
        put(7, session(stranger(50), disputable(stranger(53))));
        put(8, session(stranger(50), disputable(party(100, &keys[0]))));
        next_worked_block();
        assert_eq!(node.take_checked(), [8, 7]);
    });
}

#[test]
fn what_never_comes_does_not_hide_what_the_node_knows_of_its_own_sessions() {
    on_node(1, |node, pool, keys, _| {
        put_without_tokens(2);
        let tokens = put_without_tokens(3);
        Sessions::<Test>::mutate(3, |session| session.as_mut().unwrap().gateway = party(100, &keys[0]));
        node.hold_all();
        node.verdicts.lock().extend([2, 3].map(|id| (id, CheckStatus::Wrong(vec![short()]))));
        work();
        assert_eq!(node.take_checked(), [3]);
        assert_eq!(take_evidence(pool), [short()]);
        // What else is wrong is found when they come.
        change_window(|_, faults, _| faults.gateway = true);
        next_worked_block();
        next_worked_block();
        node.held.lock().insert(tokens);
        node.verdicts.lock().insert(3, CheckStatus::Wrong(vec![short(), against(1)]));
        next_worked_block();
        assert_eq!(take_evidence(pool), [against(1)]);
    });
}

#[test]
fn what_does_not_come_in_time_makes_way() {
    on_node(1, |node, _, _, _| {
        // Room for the contents of one session, whose contested outputs are the most of it.
        MaxSessionBytes::set(u64::from(MAX_CONTESTED_BYTES) / 4 + 1_000);
        let missing: Vec<_> = (0..2).map(put_without_tokens).collect();
        node.hold_all();
        let mut asked = Vec::new();
        for _ in 0..4 {
            next_worked_block();
            asked.push([0, 1].map(|id| node.asked.lock().contains(&missing[id])));
            node.take_asked();
        }
        // A quarter of a window for each.
        assert_eq!(asked[..2], [[true, false], [true, false]]);
        assert_eq!(asked[2..], [[false, true], [false, true]]);
    });
}

#[test]
fn what_cannot_be_judged_makes_way() {
    on_node(1, |node, _, _, _| {
        MaxSessionBytes::set(u64::from(MAX_CONTESTED_BYTES) / 4 + 1_000);
        put(0, session(stranger(50), disputable(stranger(53))));
        let missing = put_without_tokens(1);
        node.hold_all();
        node.verdicts.lock().insert(0, CheckStatus::Unable("a token".into()));
        work();
        assert!(!node.take_asked().contains(&missing));
        next_worked_block();
        assert!(node.take_asked().contains(&missing));
    });
}

#[test]
fn sessions_that_are_disputed_take_no_place_of_others() {
    on_node(1, |node, _, _, _| {
        for id in 0..5 {
            put(id, session(stranger(50), disputable(stranger(53))));
        }
        node.hold_all();
        node.verdicts.lock().extend((0..4).map(|id| (id, CheckStatus::Wrong(vec![against(1)]))));
        work();
        assert_eq!(node.take_checked(), [0, 1, 2, 3]);
        next_worked_block();
        assert_eq!(node.take_checked(), [0, 1, 2, 3, 4]);
    });
}

#[test]
fn a_session_is_forgotten_when_it_has_long_been_over() {
    on_node(1, |node, _, keys, _| {
        put(3, session(party(100, &keys[0]), State::Open));
        work();
        Sessions::<Test>::remove(3);
        for _ in 0..32 {
            next_worked_block();
        }
        assert!(node.forgotten.lock().is_empty());
        next_worked_block();
        next_worked_block();
        assert_eq!(*node.forgotten.lock(), [3]);
    });
}

#[test]
fn a_session_that_comes_back_with_another_fork_is_not_forgotten() {
    on_node(1, |node, _, keys, _| {
        put(3, session(party(100, &keys[0]), State::Open));
        work();
        Sessions::<Test>::remove(3);
        for _ in 0..20 {
            next_worked_block();
        }
        put(3, session(party(100, &keys[0]), State::Open));
        next_worked_block();
        Sessions::<Test>::remove(3);
        for _ in 0..20 {
            next_worked_block();
        }
        assert!(node.forgotten.lock().is_empty());
    });
}

#[test]
fn a_node_without_keys_reads_no_sessions() {
    let proof_of = |keys: usize| {
        let mut ext = new_chain();
        let node = Arc::new(TestNode::default());
        let (offchain, _) = TestOffchainExt::new();
        ext.register_extension(OffchainDbExt::new(offchain.clone()));
        ext.register_extension(OffchainWorkerExt::new(offchain));
        ext.register_extension(TensorAccessExt(node.clone()));
        ext.register_extension(InferenceAccessExt(node));
        ext.execute_with(|| {
            put(3, session(stranger(50), disputable(stranger(53))));
            (0..keys).for_each(|_| {
                AttesterId::generate_pair(None);
            });
        });
        ext.commit_all().unwrap();
        let (_, proof) = ext.execute_and_prove(|| Inference::run_offchain_worker(5));
        proof.into_nodes().len()
    };
    assert_eq!(proof_of(0), 0);
    assert!(proof_of(1) > 0);
}

#[test]
fn never_runs_twice_for_one_block_nor_twice_at_a_time() {
    on_node(1, |node, _, _, _| {
        work();
        assert_eq!(node.take_asked(), [MODEL]);
        work();
        assert_eq!(node.take_asked(), []);
        System::set_block_number(2);
        let mut lock = StorageLock::<Time>::new(LOCK_KEY);
        {
            let _running = lock.try_lock().unwrap();
            work();
            assert_eq!(node.take_asked(), []);
        }
        work();
        assert_eq!(node.take_asked(), [MODEL]);
    });
}

#[test]
fn garbage_in_the_local_storage_does_not_stop_it() {
    on_node(1, |node, _, _, _| {
        for key in [&b"ensemble/inference/journal"[..], b"ensemble/inference/last-block", b"ensemble/inference/lock"] {
            sp_io::offchain::local_storage_set(StorageKind::PERSISTENT, key, &[0xff]);
        }
        work();
        assert_eq!(node.take_asked(), [MODEL]);
    });
}
