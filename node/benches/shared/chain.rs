//! A chain whose state has a number of entries, in the database of a node.

use std::{
    ops::Range,
    path::Path,
    time::{Duration, Instant},
};

use ensemble_runtime::{opaque, Hash, Header, RuntimeCall, RuntimeOrigin};
use indicatif::{ProgressBar, ProgressStyle};
use sc_chain_spec::{GenesisConfigBuilderRuntimeCaller, DEV_RUNTIME_PRESET};
use sc_client_api::{Backend, BlockImportOperation, NewBlockState, TrieCacheContext};
use sc_client_db::{BlocksPruning, DatabaseSettings, DatabaseSource, PruningMode};
use sp_core::H256;
use sp_runtime::{
    traits::{BlakeTwo256, Dispatchable, Header as _},
    StateVersion, Storage,
};
use sp_state_machine::{Backend as _, Ext, OverlayedChanges};

use super::block;

/// A node's database.
type Database = sc_client_db::Backend<opaque::Block>;
/// The state after a block.
pub type State = <Database as Backend<opaque::Block>>::State;
/// What was changed of a state.
pub type Overlay = OverlayedChanges<BlakeTwo256>;
/// Writes entries.
pub type Step = fn(Range<u32>);

/// Entries that are written at one time.
const CHUNK: u32 = 20_000;
/// Bytes of the trie that are kept in memory while entries are written.
const CACHE: usize = 512 * 1024 * 1024;

/// A chain whose state has a number of entries. All that happened before the first block that is measured.
pub struct Chain {
    size: u32,
    head: Hash,
    database: Database,
}

impl Chain {
    /// Writes a chain with `size` entries, each by all `steps`.
    pub fn populated(genesis: Storage, size: u32, folder: &Path, steps: &[Step]) -> Self {
        let head = populate(&open(folder, Some(CACHE)), genesis, size, steps);
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

    /// The state with the entries.
    pub fn state(&self) -> State {
        self.database.state_at(self.head, TrieCacheContext::Untrusted).expect("the state was written")
    }
}

/// How long it takes to read the module with this number from a state.
pub fn read(state: &State, module: u32) -> Duration {
    let key = pallet_modules::Modules::<ensemble_runtime::Runtime>::hashed_key_for(module);
    let start = Instant::now();
    let value = state.storage(&key);
    let time = start.elapsed();
    assert!(value.is_ok_and(|value| value.is_some()), "every entry has a module");
    time
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

fn populate(database: &Database, genesis: Storage, size: u32, steps: &[Step]) -> Hash {
    eprintln!("writing {size} entries");
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len}, {eta} left").expect("it is valid");
    let progress = ProgressBar::new(size.into()).with_style(style);
    let mut head = write_genesis(database, genesis);
    for first in (0..size).step_by(CHUNK as usize) {
        let end = size.min(first.saturating_add(CHUNK));
        for step in steps {
            head = write_block(database, &head, || step(first..end));
        }
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

/// Has an account do something.
pub fn dispatch(origin: RuntimeOrigin, call: RuntimeCall) {
    call.dispatch(origin).expect("the call succeeds");
}
