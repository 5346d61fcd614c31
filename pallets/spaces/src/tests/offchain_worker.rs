//! The off-chain worker, with a keystore, a pool, a store and the arithmetic of a node around it.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use codec::Decode;
use ensemble_core::{
    combination::{Combination, CombinationStatus},
    tasks::{Descriptor, KEPT_PREFIX},
    votes::Turn,
    AttesterId, SpaceId, TaskId,
};
use ensemble_host::{
    AggregationAccess, AggregationAccessExt, FetchError, Pinning, TensorAccess, TensorAccessExt, TensorStatus,
};
use ensemble_tensor::{Bundle, Header, Kind, TensorId};
use frame_support::{assert_ok, traits::Hooks};
use parking_lot::{Mutex, RwLock};
use sp_application_crypto::RuntimeAppPublic;
use sp_core::offchain::{
    testing::{OffchainState, PoolState, TestOffchainExt, TestTransactionPoolExt},
    OffchainDbExt, OffchainWorkerExt, StorageKind, TransactionPoolExt,
};
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::offchain::storage_lock::{StorageLock, Time};

use crate::{mock::*, offchain_worker::LOCK_KEY, Call};

/// What every node draws as salt.
const SEED: [u8; 32] = [5; 32];

/// 16 rows of 4 columns of 2 bytes.
const LEN: u64 = 128;

/// A store and arithmetic of which the test says what they have.
#[derive(Default)]
struct TestNode {
    held: Mutex<HashMap<TensorId, Vec<u8>>>,
    failed: Mutex<HashSet<TensorId>>,
    pinned: Mutex<HashSet<TensorId>>,
    asked: Mutex<Vec<TensorId>>,
    combined: Mutex<Vec<Combination>>,
    status: Mutex<Option<CombinationStatus>>,
}

impl TensorAccess for TestNode {
    fn status(&self, id: TensorId) -> TensorStatus {
        if self.failed.lock().contains(&id) {
            return TensorStatus::Failed(FetchError::NotFound);
        }
        let header = Header::new(Kind::I16, 16, 4).unwrap();
        let held = self.held.lock().get(&id).map(|_| TensorStatus::Held { header, bytes: LEN, restricted: false });
        held.unwrap_or(TensorStatus::Absent)
    }

    fn fetch(&self, id: TensorId, max_bytes: u64) {
        let is_member = (1..5).any(|task| content(task) == id);
        assert_eq!(max_bytes, if is_member { LEN } else { spec().result().max_bytes() });
        self.asked.lock().push(id);
    }

    fn read(&self, id: TensorId, max_bytes: u32) -> Option<Vec<u8>> {
        self.held.lock().get(&id).filter(|data| data.len() <= max_bytes as usize).cloned()
    }

    fn pin(&self, id: TensorId) -> Pinning {
        if !self.held.lock().contains_key(&id) {
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
        panic!("what a space takes is public");
    }

    fn came_as(&self, _: TensorId) -> Option<Vec<ensemble_host::CameAs>> {
        panic!("what a space takes is public")
    }

    fn reopen(&self, _: TensorId, _: u64, _: Vec<ensemble_host::CameAs>) {
        panic!("what a space takes is public")
    }
}

impl AggregationAccess for TestNode {
    fn combine(&self, combination: Combination) -> CombinationStatus {
        self.combined.lock().push(combination);
        self.status.lock().unwrap_or(CombinationStatus::Running)
    }
}

impl TestNode {
    fn hold(&self, tasks: impl IntoIterator<Item = TaskId>) {
        self.held.lock().extend(tasks.into_iter().map(|task| (content(task), Vec::new())));
    }

    fn take_asked(&self) -> Vec<TensorId> {
        std::mem::take(&mut self.asked.lock())
    }

    /// Has the node come to a result, which it then holds.
    fn results_in(&self, result: &RoundResult) -> Descriptor {
        let header = Bundle::header(&result.manifest).unwrap();
        let tensor = ensemble_tensor::Tensor::new(header, &result.manifest).unwrap();
        let descriptor = Descriptor { header, root: tensor.outline().unwrap().root() };
        assert_eq!(descriptor.id(), result.id());
        self.receive(result);
        *self.status.lock() = Some(CombinationStatus::Done { result: descriptor });
        descriptor
    }

    /// Has the node hold a bundle.
    fn receive(&self, result: &RoundResult) {
        let report = Bundle::parse(&result.manifest).unwrap().get(ensemble_core::spaces::REPORT).unwrap();
        self.held.lock().extend([(result.id(), result.manifest.clone()), (report, result.report.clone())]);
    }

    fn pinned(&self) -> Vec<TensorId> {
        let mut pinned: Vec<_> = self.pinned.lock().iter().copied().collect();
        pinned.sort();
        pinned
    }
}

type Pool = Arc<RwLock<PoolState>>;

thread_local! {
    static OFFCHAIN: RefCell<Arc<RwLock<OffchainState>>> = RefCell::default();
}

/// Says what is drawn as salt from now on.
fn draw(seed: [u8; 32]) {
    OFFCHAIN.with_borrow(|state| state.write().seed = seed);
}

/// Runs a test around a node with so many keys.
fn on_node(keys: usize, test: impl FnOnce(&TestNode, &Pool, &[AttesterId])) {
    let node = Arc::new(TestNode::default());
    let (offchain, state) = TestOffchainExt::new();
    OFFCHAIN.set(state);
    draw(SEED);
    let (pool, pool_state) = TestTransactionPoolExt::new();
    let mut ext = new_chain();
    ext.register_extension(OffchainDbExt::new(offchain.clone()));
    ext.register_extension(OffchainWorkerExt::new(offchain));
    ext.register_extension(TransactionPoolExt::new(pool));
    ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    ext.register_extension(TensorAccessExt(node.clone()));
    ext.register_extension(AggregationAccessExt(node.clone()));
    ext.execute_with(|| {
        let keys: Vec<_> = (0..keys).map(|_| AttesterId::generate_pair(None)).collect();
        test(&node, &pool_state, &keys);
        check_state();
    });
}

/// A space of which a round runs with the members 1 and 2, in the block after the round began.
fn round_of_two() -> SpaceId {
    let space = new_space(spec());
    admit(space, [1, 2]);
    run_to(3);
    assert_eq!(entrants(space, running(space)).len(), 2);
    space
}

fn turns(keys: &[AttesterId], turn: Turn) {
    Turns::set(keys.iter().map(|key| (key.clone(), turn)).collect());
}

fn work() {
    <Spaces as Hooks<BlockNumber>>::offchain_worker(System::block_number());
}

fn next_worked_block() {
    next_block();
    work();
}

fn result() -> RoundResult {
    RoundResult::of(&[ACCEPTED, ACCEPTED])
}

fn both() -> Vec<TensorId> {
    let mut both = vec![content(1), content(2)];
    both.sort();
    both
}

fn kept(id: TensorId) {
    let key = [KEPT_PREFIX, &id.0].concat();
    sp_io::offchain::local_storage_set(StorageKind::PERSISTENT, &key, &[1]);
}

#[test]
fn a_round_is_fetched_combined_committed_to_and_revealed() {
    on_node(1, |node, _, keys| {
        round_of_two();
        turns(keys, Turn::Commit);
        work();
        assert_eq!(node.take_asked(), both());
        assert_eq!(node.combined.lock().len(), 0, "nothing is begun with a part of it");
        node.hold([1]);
        next_worked_block();
        assert_eq!((node.take_asked(), node.pinned()), (vec![content(2)], vec![content(1)]));
        node.hold([2]);
        next_worked_block();
        let asked = node.combined.lock().pop().unwrap();
        assert_eq!(asked.entrants.iter().map(|entrant| entrant.content).collect::<Vec<_>>(), both());
        assert_eq!((asked.rows, asked.cols, asked.anchors), (16, 4, 8));
        assert_eq!((node.pinned(), Casts::get()), (both(), vec![]));

        let descriptor = node.results_in(&result());
        next_worked_block();
        let (voter, content) = (keys[0].clone(), descriptor.id());
        assert_eq!(Casts::get(), [Cast::Commitment { task: 0, voter: voter.clone(), content, salt: SEED }]);
        assert!(node.pinned().contains(&content));

        turns(keys, Turn::Wait);
        next_worked_block();
        turns(keys, Turn::Reveal);
        next_worked_block();
        let opening = Cast::Opening { task: 0, voter, descriptor, salt: SEED };
        assert_eq!(Casts::get()[1..], [opening]);
        turns(keys, Turn::Over);
        next_worked_block();
        assert_eq!(Casts::get().len(), 2);
    });
}

#[test]
fn after_a_restart_it_reveals_what_it_committed_to() {
    on_node(1, |node, _, keys| {
        round_of_two();
        turns(keys, Turn::Commit);
        node.hold([1, 2]);
        let descriptor = node.results_in(&result());
        work();
        assert_eq!(Casts::get().len(), 1);
        // Nothing is in memory any more, and no result would come out.
        *node.status.lock() = Some(CombinationStatus::Failed);
        turns(keys, Turn::Reveal);
        next_worked_block();
        let opening = Cast::Opening { task: 0, voter: keys[0].clone(), descriptor, salt: SEED };
        assert_eq!(Casts::get()[1..], [opening]);
    });
}

#[test]
fn a_salt_that_another_worker_committed_with_stays() {
    on_node(1, |node, _, keys| {
        round_of_two();
        turns(keys, Turn::Commit);
        node.hold([1, 2]);
        node.results_in(&result());
        // The first worker is so slow that its lock runs out after it has read its journal.
        interrupt(|| {
            let now = System::block_number();
            sp_io::offchain::local_storage_clear(StorageKind::PERSISTENT, LOCK_KEY);
            System::set_block_number(now + 1);
            draw([6; 32]);
            work();
            draw(SEED);
            System::set_block_number(now);
        });
        work();
        turns(keys, Turn::Reveal);
        System::set_block_number(System::block_number() + 1);
        next_worked_block();
        let salt = |cast| match cast {
            Cast::Commitment { salt, .. } | Cast::Opening { salt, .. } => salt,
        };
        assert_eq!(Casts::get().into_iter().map(salt).collect::<Vec<_>>(), [[6; 32]; 3]);
    });
}

#[test]
fn every_key_of_the_node_votes() {
    on_node(3, |node, _, keys| {
        round_of_two();
        turns(&keys[..2], Turn::Commit);
        node.hold([1, 2]);
        node.results_in(&result());
        work();
        let voters: Vec<_> = Casts::get()
            .into_iter()
            .map(|cast| match cast {
                Cast::Commitment { voter, .. } | Cast::Opening { voter, .. } => voter,
            })
            .collect();
        assert_eq!(BTreeSet::from_iter(voters), keys[..2].iter().cloned().collect());
    });
}

#[test]
fn a_vote_that_does_not_get_in_is_sent_again() {
    on_node(1, |node, _, keys| {
        round_of_two();
        turns(keys, Turn::Commit);
        node.hold([1, 2]);
        node.results_in(&result());
        work();
        next_worked_block();
        assert_eq!(Casts::get().len(), 1);
        next_worked_block();
        let casts = Casts::get();
        assert_eq!((casts.len(), &casts[0]), (2, &casts[1]), "the same as before");
        // What the pool does not take is sent again at once.
        AcceptVotes::set(false);
        for sent in [2, 3, 4, 5] {
            next_worked_block();
            assert_eq!(Casts::get().len(), sent);
        }
    });
}

#[test]
fn it_leaves_alone_what_its_keys_may_not_vote_on() {
    on_node(1, |node, _, _| {
        round_of_two();
        work();
        assert_eq!((node.take_asked(), node.combined.lock().len()), (vec![], 0));
    });
    on_node(0, |node, _, _| {
        round_of_two();
        work();
        assert_eq!((node.take_asked(), node.combined.lock().len()), (vec![], 0));
    });
}

#[test]
fn a_round_that_cannot_be_computed_is_skipped() {
    on_node(1, |node, _, keys| {
        round_of_two();
        turns(keys, Turn::Commit);
        node.hold([1, 2]);
        *node.status.lock() = Some(CombinationStatus::Failed);
        work();
        node.results_in(&result());
        for _ in 0..5 {
            next_worked_block();
        }
        assert_eq!((node.combined.lock().len(), Casts::get()), (1, vec![]));
    });
}

#[test]
fn rounds_of_retired_spaces_are_left_alone() {
    on_node(1, |node, _, keys| {
        let space = round_of_two();
        turns(keys, Turn::Commit);
        node.hold([1, 2]);
        node.results_in(&result());
        assert_ok!(retire(space));
        work();
        assert_eq!((node.combined.lock().len(), Casts::get()), (0, vec![]));
    });
}

#[test]
fn a_round_whose_commitments_are_over_is_skipped() {
    for late in [Turn::Over, Turn::Wait, Turn::Reveal] {
        on_node(1, |node, _, keys| {
            round_of_two();
            turns(keys, Turn::Commit);
            node.hold([1]);
            work();
            node.take_asked();
            turns(keys, late);
            next_worked_block();
            assert_eq!(node.take_asked(), [], "what comes too late is not fetched");
            node.hold([2]);
            next_worked_block();
            assert_eq!((node.take_asked(), node.combined.lock().len(), Casts::get()), (vec![], 0, vec![]));
        });
    }
}

#[test]
fn a_failed_fetch_is_tried_again_now_and_then() {
    on_node(1, |node, _, keys| {
        round_of_two();
        turns(keys, Turn::Commit);
        node.failed.lock().extend(both());
        let mut tried = Vec::new();
        for block in 3..13 {
            run_to(block);
            work();
            if !node.take_asked().is_empty() {
                tried.push(block);
            }
        }
        assert_eq!(tried, [4, 8, 12]);
    });
}

#[test]
fn on_another_fork_the_same_round_is_computed_anew() {
    on_node(1, |node, _, keys| {
        let space = round_of_two();
        turns(keys, Turn::Commit);
        node.hold([1, 2, 3]);
        node.results_in(&result());
        work();
        let round = running(space);
        crate::Rosters::<Test>::mutate(space, round, |roster| roster.as_mut().unwrap()[0].content = content(3));
        let other = node.results_in(&RoundResult::new(9, vec![0]));
        System::set_block_number(System::block_number() + 1);
        work();
        let (voter, content) = (keys[0].clone(), other.id());
        assert_eq!(Casts::get()[1..], [Cast::Commitment { task: 0, voter, content, salt: SEED }]);
        // The state is not one that a chain comes to.
        crate::Rosters::<Test>::mutate(space, round, |roster| {
            let roster = roster.as_mut().unwrap();
            roster[0].content = both()[0];
        });
    });
}

#[test]
fn what_a_round_took_is_let_go_when_it_has_long_been_over() {
    on_node(1, |node, _, keys| {
        let space = round_of_two();
        turns(keys, Turn::Commit);
        node.hold([1, 2]);
        work();
        assert_eq!(node.pinned(), both());
        kept(content(1));
        let lost = node.results_in(&result()).id();
        next_worked_block();
        assert!(node.pinned().contains(&lost));
        Turns::set(BTreeMap::new());
        void(space);
        for _ in 0..31 {
            next_worked_block();
        }
        assert!(node.pinned().contains(&content(2)));
        for _ in 0..40 {
            next_worked_block();
        }
        // What won a task stays.
        assert_eq!(node.pinned(), [content(1)]);
    });
}

#[test]
fn what_others_pinned_is_theirs_to_let_go() {
    on_node(1, |node, _, keys| {
        let space = round_of_two();
        turns(keys, Turn::Commit);
        node.hold([1, 2]);
        node.pinned.lock().insert(content(1));
        work();
        // The node pins what it makes.
        let made = node.results_in(&result()).id();
        node.pinned.lock().insert(made);
        next_worked_block();
        assert_eq!(node.pinned().len(), 3);
        Turns::set(BTreeMap::new());
        void(space);
        for _ in 0..80 {
            next_worked_block();
        }
        assert_eq!(node.pinned(), [content(1)]);
    });
}

#[test]
fn a_state_that_is_not_here_is_fetched() {
    on_node(1, |node, _, _| {
        let space = round_of_two();
        settle(space, &result());
        work();
        assert_eq!((node.take_asked(), node.pinned()), (vec![result().id()], vec![]));
        node.receive(&result());
        next_worked_block();
        assert_eq!((node.take_asked(), node.pinned()), (vec![], vec![result().id()]));
    });
}

#[test]
fn a_state_stays_pinned_until_another_takes_its_place() {
    on_node(1, |node, _, _| {
        let space = round_of_two();
        node.receive(&result());
        settle(space, &result());
        work();
        assert_eq!(node.pinned(), [result().id()]);
        // The worker of tasks lets go what it attested.
        node.unpin(result().id());
        for _ in 0..50 {
            next_worked_block();
        }
        assert_eq!(node.pinned(), [result().id()]);
        admit(space, [3]);
        next_worked_block();
        next_worked_block();
        let next = RoundResult::new(2, vec![0]);
        node.receive(&next);
        settle(space, &next);
        for _ in 0..33 {
            next_worked_block();
        }
        assert_eq!(node.pinned(), [next.id()]);
    });
}

/// The report that was submitted since the last time.
fn take_submitted(pool: &Pool) -> Vec<RuntimeCall> {
    let transactions = std::mem::take(&mut pool.write().transactions);
    transactions.into_iter().map(|bytes| Extrinsic::decode(&mut &bytes[..]).unwrap().function).collect()
}

#[test]
fn whoever_has_the_bundle_submits_the_report() {
    on_node(0, |node, pool, _| {
        let space = round_of_two();
        let round = settle(space, &result());
        work();
        assert_eq!(take_submitted(pool), [], "it is not here");
        node.receive(&result());
        for _ in 0..4 {
            next_worked_block();
        }
        assert_eq!(take_submitted(pool), []);
        next_worked_block();
        let submitted = take_submitted(pool);
        let [RuntimeCall::Spaces(Call::submit_report { space: of, round: reported, manifest, report })] =
            &submitted[..]
        else {
            panic!("a report is submitted");
        };
        assert_eq!((*of, *reported), (space, round));
        let sent = RoundResult { manifest: manifest.to_vec(), report: report.to_vec() };
        sent.submit(space, round);
        for _ in 0..10 {
            next_worked_block();
        }
        assert_eq!(take_submitted(pool), [], "the chain has read it");
    });
}

#[test]
fn what_is_no_report_is_not_submitted() {
    on_node(0, |node, pool, _| {
        let space = round_of_two();
        let odd = RoundResult::of(&[ACCEPTED]);
        node.receive(&odd);
        settle(space, &odd);
        work();
        assert_eq!(take_submitted(pool), []);
    });
}

#[test]
fn never_runs_twice_for_one_block_nor_twice_at_a_time() {
    on_node(1, |node, _, keys| {
        round_of_two();
        turns(keys, Turn::Commit);
        work();
        work();
        assert_eq!(node.take_asked().len(), 2);
        next_block();
        let mut lock = StorageLock::<Time>::new(LOCK_KEY);
        {
            let _running = lock.try_lock().unwrap();
            work();
            assert_eq!(node.take_asked(), []);
        }
        work();
        assert_eq!(node.take_asked().len(), 2);
    });
}

#[test]
fn garbage_in_the_local_storage_does_not_stop_it() {
    on_node(1, |node, _, keys| {
        round_of_two();
        turns(keys, Turn::Commit);
        for key in [&b"ensemble/spaces/journal"[..], b"ensemble/spaces/last-block", b"ensemble/spaces/lock"] {
            sp_io::offchain::local_storage_set(StorageKind::PERSISTENT, key, &[0xff]);
        }
        work();
        assert_eq!(node.take_asked().len(), 2);
        assert_ok!(retire(0));
    });
}
