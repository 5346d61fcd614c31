//! A chain with a number of modules, stakes, miners and validators, in the database of a node.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use codec::Encode;
use ensemble_core::{
    modules::Role,
    scores::{Score, Sealed, ONE},
    ModuleId,
};
use ensemble_runtime::{
    opaque, AccountId, Balance, Hash, Header, Matching, Modules, Runtime, RuntimeCall, RuntimeOrigin, System, TUNE,
};
use frame_support::{traits::Hooks, weights::Weight};
use indicatif::{ProgressBar, ProgressStyle};
use pallet_matching::WeightInfo;
use pallet_modules::NewProfile;
use sc_chain_spec::{GenesisConfigBuilderRuntimeCaller, DEV_RUNTIME_PRESET};
use sc_client_api::{Backend, BlockImportOperation, NewBlockState, TrieCacheContext};
use sc_client_db::{BlocksPruning, DatabaseSettings, DatabaseSource, PruningMode};
use sp_core::{sr25519, Pair, H256};
use sp_io::hashing::blake2_256;
use sp_runtime::{
    traits::{BlakeTwo256, Dispatchable, Header as _},
    StateVersion, Storage,
};
use sp_state_machine::{Backend as _, Ext, OverlayedChanges};

use crate::block;

/// A node's database.
type Database = sc_client_db::Backend<opaque::Block>;
/// The state after a block.
pub type State = <Database as Backend<opaque::Block>>::State;
/// What was changed of a state.
pub type Overlay = OverlayedChanges<BlakeTwo256>;

/// What each account begins with: enough for any name, stakes and fees.
const ENDOWMENT: Balance = 1_000 * TUNE;
/// What each account stakes on its module.
const STAKE: Balance = 10 * TUNE;
/// Entries that are written at one time.
const CHUNK: u32 = 20_000;
/// Bytes of the trie that are kept in memory while entries are written.
const CACHE: usize = 512 * 1024 * 1024;
/// Words that module names begin with: some of well-known types and one of none.
const FAMILIES: [&str; 5] = ["llama", "whisper", "sdxl", "bge", "acme"];
/// Most miners of a validator: all of them together have more room than all miners together need.
const CAPACITY: u32 = 10;
/// Miners in the batch of scores that every validator has committed to.
const BATCH: u32 = 4;
/// Number of a block in the first part of the first epoch, in which scores are committed.
pub const COMMITTING: u32 = 1;
/// Number of a block in the last part of the first epoch, in which they are revealed.
pub const REVEALING: u32 = 12;
/// Number of the first block of the second epoch, which closes the first.
pub const CLOSING: u32 = 16;

/// A chain whose state has a number of entries.
///
/// An entry is an account, the module that it has registered, its stake there, and the part that the module plays
/// ([`part`]). All miners have been matched. All validators were drawn what to check, have committed to scores of the first
/// epoch, and every other one has revealed them. All that happened before the first block that is measured.
pub struct Chain {
    size: u32,
    head: Hash,
    database: Database,
}

impl Chain {
    /// Writes a chain with `size` entries.
    pub fn populated(genesis: Storage, size: u32, folder: &Path) -> Self {
        let head = populate(&open(folder, Some(CACHE)), genesis, size);
        Self { size, head, database: open(folder, None) }
    }

    /// Number of entries.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// The block after which there are the entries.
    pub fn head(&self) -> Hash {
        self.head
    }

    /// How long it takes to read the module of an entry from a state.
    pub fn read(state: &State, entry: u32) -> Duration {
        let key = pallet_modules::Modules::<Runtime>::hashed_key_for(entry);
        let start = Instant::now();
        let value = state.storage(&key);
        let time = start.elapsed();
        assert!(value.is_ok_and(|value| value.is_some()), "every entry has a module");
        time
    }

    /// The state with the entries.
    pub fn state(&self) -> State {
        self.database.state_at(self.head, TrieCacheContext::Untrusted).expect("the state was written")
    }
}

/// The state that the chains begin with: that of a dev network.
pub fn genesis() -> Storage {
    let runtime: GenesisConfigBuilderRuntimeCaller = GenesisConfigBuilderRuntimeCaller::new(block::code());
    runtime.get_storage_for_named_preset(Some(&DEV_RUNTIME_PRESET.into())).expect("the preset builds a state")
}

fn open(folder: &Path, cache: Option<usize>) -> Database {
    let settings = DatabaseSettings {
        trie_cache_maximum_size: cache,
        state_pruning: Some(PruningMode::ArchiveAll),
        source: DatabaseSource::ParityDb { path: folder.to_owned() },
        blocks_pruning: BlocksPruning::KeepAll,
        pruning_filters: Vec::new(),
        metrics_registry: None,
    };
    Database::new(settings, 100).expect("the database can be opened")
}

fn populate(database: &Database, genesis: Storage, size: u32) -> Hash {
    eprintln!("writing {size} modules");
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len}, {eta} left").expect("it is valid");
    let progress = ProgressBar::new(size.into()).with_style(style);
    let mut head = write_genesis(database, genesis);
    for first in (0..size).step_by(CHUNK as usize) {
        let end = size.min(first.saturating_add(CHUNK));
        head = write_block(database, &head, || {
            (first..end).for_each(write_entry);
            match_all();
        });
        head = write_block(database, &head, || (first..end).for_each(write_scores));
        progress.set_position(end.into());
    }
    progress.finish_and_clear();
    head.hash()
}

fn write_genesis(database: &Database, genesis: Storage) -> Header {
    let mut operation = database.begin_operation().expect("the database can be written");
    let root = operation.set_genesis_state(genesis, true, StateVersion::V1).expect("the genesis can be written");
    write_header(database, operation, header(0, H256::zero(), root))
}

/// Writes a block that changes the state as `change` does.
fn write_block(database: &Database, parent: &Header, change: impl FnOnce()) -> Header {
    let mut operation = database.begin_operation().expect("the database can be written");
    database.begin_state_operation(&mut operation, parent.hash()).expect("the parent was written");
    let state = database.state_at(parent.hash(), TrieCacheContext::Trusted).expect("the state was written");
    let mut overlay = Overlay::default();
    with_state(&state, &mut overlay, change);
    let changes = overlay.drain_storage_changes(&state, StateVersion::V1).expect("the trie is whole");
    operation.update_db_storage(changes.transaction).expect("the state can be written");
    operation
        .update_storage(changes.main_storage_changes, changes.child_storage_changes)
        .expect("the state can be written");
    write_header(database, operation, header(parent.number + 1, parent.hash(), changes.transaction_storage_root))
}

fn write_header(
    database: &Database,
    mut operation: <Database as Backend<opaque::Block>>::BlockImportOperation,
    header: Header,
) -> Header {
    operation
        .set_block_data(header.clone(), Some(Vec::new()), None, None, NewBlockState::Best, true)
        .expect("the block can be written");
    database.commit_operation(operation).expect("the block can be written");
    header
}

fn header(number: u32, parent: Hash, state_root: Hash) -> Header {
    Header::new(number, H256::zero(), state_root, parent, Default::default())
}

/// Runs native code on a state.
pub fn with_state<R>(state: &State, overlay: &mut Overlay, run: impl FnOnce() -> R) -> R {
    sp_externalities::set_and_run_with_externalities(&mut Ext::new(overlay, state, None), run)
}

fn write_entry(entry: u32) {
    let who = AccountId::from(pair(entry).public());
    let endow = pallet_balances::Call::force_set_balance { who: who.clone().into(), new_free: ENDOWMENT };
    dispatch(RuntimeOrigin::root(), RuntimeCall::Balances(endow));
    assert_eq!(pallet_modules::NextModuleId::<Runtime>::get(), entry, "modules have the numbers of their owners");
    dispatch(RuntimeOrigin::signed(who.clone()), register(&name(entry), entry));
    dispatch(RuntimeOrigin::signed(who.clone()), stake(entry));
    let role = part(entry);
    if role != Role::Idle {
        dispatch(RuntimeOrigin::signed(who), set_role(entry, role));
    }
}

/// The part that an entry's module plays: one of five is a validator, one of ten has none, all others are miners.
pub fn part(entry: u32) -> Role {
    if is_validator(entry) {
        let family = FAMILIES[entry as usize / FAMILIES.len() % (FAMILIES.len() - 1)];
        let model_type = Modules::type_of_name(family.as_bytes()).expect("it is a name");
        let types = vec![model_type].try_into().expect("one type is not too many");
        return Role::Validator { types, capacity: CAPACITY };
    }
    match is_idle(entry) {
        true => Role::Idle,
        false => Role::Miner,
    }
}

/// Whether an entry's module is a validator.
pub fn is_validator(entry: u32) -> bool {
    entry % 5 == 4
}

/// Whether an entry's module has no part.
pub fn is_idle(entry: u32) -> bool {
    entry.is_multiple_of(10)
}

/// Whether an entry's module is a validator that has revealed its scores.
pub fn has_revealed(entry: u32) -> bool {
    is_validator(entry) && entry % 10 == 9
}

/// Gives all miners validators, as blocks that have the time do.
fn match_all() {
    let nothing_to_do = <Runtime as pallet_matching::Config>::WeightInfo::idle();
    while Matching::on_idle(0, Weight::MAX) != nothing_to_do {}
}

/// Has a validator drawn what it checks, and commit to its scores, and reveal them if it is one of those that do.
fn write_scores(entry: u32) {
    if !is_validator(entry) {
        return;
    }
    let who = AccountId::from(pair(entry).public());
    System::set_block_number(COMMITTING);
    let draw = pallet_scores::Call::draw { validator: entry };
    dispatch(RuntimeOrigin::signed(who.clone()), RuntimeCall::Scores(draw));
    dispatch(RuntimeOrigin::signed(who.clone()), commit(entry, 0));
    System::set_block_number(REVEALING);
    if has_revealed(entry) {
        dispatch(RuntimeOrigin::signed(who), reveal(entry));
    }
    System::set_block_number(0);
}

/// What a validator has found of some of its miners in the first epoch.
fn sealed(entry: u32, batch: u32) -> Sealed {
    let mut miners = Matching::miners_of(entry, 0, BATCH);
    miners.sort_unstable();
    let score = |miner| Score {
        score: random(("score", miner)) % ONE,
        quality: ONE,
        availability: ONE,
        latency: random(("latency", miner)) % 1_000,
    };
    let scores = miners.into_iter().map(|miner| (miner, score(miner))).collect();
    Sealed { epoch: 0, validator: entry, batch, scores, salt: blake2_256(&("salt", entry).encode()) }
}

/// Commits to the scores of a validator. Reads whom it is matched with.
pub fn commit(entry: u32, batch: u32) -> RuntimeCall {
    let hash = pallet_scores::Pallet::<Runtime>::seal(&sealed(entry, batch));
    RuntimeCall::Scores(pallet_scores::Call::commit { validator: entry, batch, hash })
}

/// Reveals the scores that a validator has committed to. Reads whom it is matched with.
pub fn reveal(entry: u32) -> RuntimeCall {
    let Sealed { validator, batch, scores, salt, .. } = sealed(entry, 0);
    let scores = scores.try_into().expect("a batch has room for them");
    RuntimeCall::Scores(pallet_scores::Call::reveal { validator, batch, scores, salt })
}

/// Has a module play a part.
pub fn set_role(module: ModuleId, role: Role) -> RuntimeCall {
    RuntimeCall::Modules(pallet_modules::Call::set_role { module, role })
}

fn dispatch(origin: RuntimeOrigin, call: RuntimeCall) {
    call.dispatch(origin).expect("the call succeeds");
}

/// The key pair of an account.
pub fn pair(entry: u32) -> sr25519::Pair {
    sr25519::Pair::from_seed(&blake2_256(&("subnet", entry).encode()))
}

/// The name of a module.
pub fn name(entry: u32) -> String {
    let family = FAMILIES[entry as usize % FAMILIES.len()];
    format!("{family}-{:x}-{entry}", random(("name", entry)))
}

/// Registers a module.
pub fn register(name: &str, entry: u32) -> RuntimeCall {
    let profile = profile("https://example.org", entry);
    RuntimeCall::Modules(pallet_modules::Call::register { name: name.into(), profile, max_price: Balance::MAX })
}

/// Stakes on a module.
pub fn stake(module: ModuleId) -> RuntimeCall {
    RuntimeCall::Stake(pallet_stake::Call::stake { module, amount: STAKE })
}

/// What the owner of a module says of it.
pub fn profile(host: &str, entry: u32) -> NewProfile {
    NewProfile {
        endpoint: format!("{host}/models/{entry}").into(),
        metadata: H256(blake2_256(&("metadata", entry).encode())),
        description: format!("Model {entry}, served by its owner.").into(),
        implementation: Some(H256(blake2_256(&("implementation", entry).encode()))),
    }
}

/// A number that looks random and is always the same.
pub fn random(seed: impl Encode) -> u32 {
    let [a, b, c, d, ..] = blake2_256(&seed.encode());
    u32::from_le_bytes([a, b, c, d])
}
