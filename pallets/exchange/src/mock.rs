//! A runtime with tasks of which the test says what won them.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ensemble_core::{
    exchange::{Audience, Contributions, Exchange as _, Won},
    market::Sales,
    AttesterId, TaskId,
};
use ensemble_host::{Pinning, TensorAccess, TensorAccessExt, TensorStatus};
use ensemble_tensor::TensorId;
use frame_support::{derive_impl, parameter_types, traits::ConstU32, traits::ConstU64};
use parking_lot::Mutex;
use sp_core::offchain::{testing::TestOffchainExt, OffchainDbExt, OffchainWorkerExt};
use sp_io::TestExternalities;
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::BuildStorage;

use crate::{Event, Pallet, Parameters, Rule};

pub type AccountId = u64;
pub type BlockNumber = u64;
type Block = frame_system::mocking::MockBlock<Test>;

pub const ALICE: AccountId = 11;
pub const BOB: AccountId = 12;
pub const EVE: AccountId = 13;

pub const RECENT: u32 = 32;
pub const LIFETIME: BlockNumber = 1_000;
pub const SETTLING: BlockNumber = 10;
pub const MAX_GRANTS: u32 = 16;

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
    pub type Exchange = crate::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
}

/// What tasks and the market would know.
#[derive(Default)]
pub struct World {
    pub won: BTreeMap<TaskId, Won>,
    pub owners: BTreeSet<(TaskId, AccountId)>,
    pub panels: BTreeMap<TaskId, (TensorId, Vec<AttesterId>)>,
    pub accesses: BTreeMap<(TaskId, AccountId), BlockNumber>,
    pub sold: BTreeSet<TaskId>,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

/// Reads or changes what tasks and the market know.
pub fn world<R>(change: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with(|world| change(&mut world.borrow_mut()))
}

/// Tasks as the test has them.
pub struct Tasks;
impl Contributions<AccountId> for Tasks {
    fn won(task: TaskId) -> Option<Won> {
        world(|world| world.won.get(&task).copied())
    }

    fn owns_shares(task: TaskId, account: &AccountId) -> bool {
        world(|world| world.owners.contains(&(task, *account)))
    }

    fn attests(task: TaskId, content: TensorId, attester: &AttesterId) -> bool {
        world(|world| world.panels.get(&task).is_some_and(|(led, keys)| *led == content && keys.contains(attester)))
    }
}

/// The market as the test has it.
pub struct Market;
impl Sales<AccountId, BlockNumber> for Market {
    fn access(task: TaskId, account: &AccountId) -> Option<BlockNumber> {
        world(|world| world.accesses.get(&(task, *account)).copied())
    }

    fn is_sold(task: TaskId) -> bool {
        world(|world| world.sold.contains(&task))
    }
}

parameter_types! {
    pub const DefaultParameters: Parameters<BlockNumber> =
        Parameters { rule: Rule::LeastHanded, number: 2, recent: RECENT, lifetime: LIFETIME };
}

impl crate::Config for Test {
    type Contributions = Tasks;
    type Sales = Market;
    type ParametersOrigin = frame_system::EnsureRoot<AccountId>;
    type DefaultParameters = DefaultParameters;
    type MaxRecent = ConstU32<RECENT>;
    type MaxPerVictory = ConstU32<4>;
    type MaxGrants = ConstU32<MAX_GRANTS>;
    type MaxVictories = ConstU32<{ 2 * RECENT }>;
    type SettlingTime = ConstU64<SETTLING>;
    type WeightInfo = ();
}

impl crate::WeightInfo for () {
    fn set_parameters() -> frame_support::weights::Weight {
        frame_support::weights::Weight::from_parts(10_000, 0)
    }

    fn clear() -> frame_support::weights::Weight {
        frame_support::weights::Weight::from_parts(20_000, 0)
    }
}

/// What a worker asked of the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asked {
    Restrict(TensorId, TaskId),
    Fetch(TensorId),
}

/// A tensor store of which the test says what it has.
#[derive(Default)]
pub struct TestStore {
    tensors: Mutex<BTreeMap<TensorId, TensorStatus>>,
    asked: Mutex<Vec<Asked>>,
}

impl TestStore {
    pub fn set(&self, id: TensorId, status: TensorStatus) {
        self.tensors.lock().insert(id, status);
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

    fn fetch(&self, id: TensorId, _: u64) {
        self.asked.lock().push(Asked::Fetch(id));
    }

    fn read(&self, _: TensorId, _: u32) -> Option<Vec<u8>> {
        None
    }

    fn pin(&self, _: TensorId) -> Pinning {
        panic!("the worker of the exchange pins nothing")
    }

    fn unpin(&self, _: TensorId) {
        panic!("the worker of the exchange unpins nothing")
    }

    fn restrict(&self, id: TensorId, task: TaskId) -> bool {
        self.asked.lock().push(Asked::Restrict(id, task));
        true
    }

    fn came_as(&self, _: TensorId) -> Option<Vec<ensemble_host::CameAs>> {
        panic!("the worker of the exchange reopens nothing")
    }

    fn reopen(&self, _: TensorId, _: u64, _: Vec<ensemble_host::CameAs>) {
        panic!("the worker of the exchange reopens nothing")
    }
}

thread_local! {
    static STORE: RefCell<Arc<TestStore>> = RefCell::default();
}

/// The store of the running test.
pub fn store() -> Arc<TestStore> {
    STORE.with(|store| store.borrow().clone())
}

pub fn new_test_ext() -> TestExternalities {
    let storage = RuntimeGenesisConfig::default().build_storage().unwrap();
    let mut ext = TestExternalities::new(storage);
    let (offchain, _) = TestOffchainExt::new();
    let store = Arc::new(TestStore::default());
    ext.register_extension(OffchainDbExt::new(offchain.clone()));
    ext.register_extension(OffchainWorkerExt::new(offchain));
    ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    ext.register_extension(TensorAccessExt(store.clone()));
    STORE.with(|current| *current.borrow_mut() = store);
    world(|world| *world = World::default());
    ext.execute_with(|| System::set_block_number(1));
    ext
}

/// Runs a test and checks the state after it.
pub fn execute(test: impl FnOnce()) {
    new_test_ext().execute_with(|| {
        test();
        check_state();
    });
}

pub fn check_state() {
    Pallet::<Test>::do_try_state().expect("the state is consistent");
    #[cfg(feature = "try-runtime")]
    <Exchange as frame_support::traits::Hooks<BlockNumber>>::try_state(System::block_number())
        .expect("the hook says the same");
}

pub const EXCHANGED: Audience = Audience::Restricted { exchanged: true };
pub const CLOSED: Audience = Audience::Restricted { exchanged: false };

/// What wins task `task`.
pub fn content(task: TaskId) -> TensorId {
    TensorId(sp_io::hashing::blake2_256(&task.to_le_bytes()))
}

/// Settles a task that these accounts won, and that nobody created another one beside.
pub fn settle(task: TaskId, winners: &[AccountId], audience: Audience) {
    settle_by(u64::from(task) + 1_000_000, task, winners, audience);
}

/// Settles a task of `creator` that these accounts won.
pub fn settle_by(creator: AccountId, task: TaskId, winners: &[AccountId], audience: Audience) {
    world(|world| world.won.insert(task, Won { content: content(task), audience }));
    for winner in winners {
        Exchange::on_winner(task, winner, audience);
    }
    Exchange::on_contribution(task, &creator, audience);
}

/// What an account has grants of.
pub fn granted(who: AccountId) -> Vec<TaskId> {
    Exchange::received(&who).into_iter().map(|received| received.task).collect()
}

/// This pallet's events so far.
pub fn events() -> Vec<Event<Test>> {
    let records = System::events().into_iter();
    records
        .filter_map(|record| match record.event {
            RuntimeEvent::Exchange(event) => Some(event),
            _ => None,
        })
        .collect()
}
