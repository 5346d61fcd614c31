//! Blocks, built in the wasm runtime as a node builds them.

use std::{
    borrow::Cow,
    time::{Duration, Instant},
};

use codec::{Decode, Encode};
use ensemble_runtime::{
    Hash, Header, Runtime, RuntimeCall, System, UncheckedExtrinsic, MILLISECS_PER_BLOCK, WASM_BINARY,
};
use sc_executor::WasmExecutor;
use sp_consensus_babe::digests::{CompatibleDigestItem, PreDigest, SecondaryPlainPreDigest};
use sp_core::{
    traits::{CallContext, RuntimeCode, WrappedRuntimeCode},
    H256,
};
use sp_externalities::Extensions;
use sp_io::hashing::blake2_256;
use sp_runtime::{traits::Header as _, ApplyExtrinsicResult, Digest, DigestItem, StateVersion};
use sp_state_machine::{Backend as _, StateMachine};

use super::{
    chain::{self, Overlay, State},
    transaction::Record,
};

/// What the runtime may call: the functions that the node offers.
type HostFunctions = (
    sp_io::SubstrateHostFunctions,
    ensemble_host::tensors::HostFunctions,
    ensemble_host::aggregation::HostFunctions,
    ensemble_host::inference::HostFunctions,
);

/// Slot of the blocks; any but the first.
pub const SLOT: u64 = 1_000;

/// The wasm runtime and what runs it, set up as in the node: compiled, instances taken from a pool.
pub struct Wasm {
    executor: WasmExecutor<HostFunctions>,
    code: WrappedRuntimeCode<'static>,
    hash: Vec<u8>,
}

impl Wasm {
    pub fn new() -> Self {
        Self {
            executor: WasmExecutor::builder().build(),
            code: WrappedRuntimeCode(Cow::Borrowed(code())),
            hash: blake2_256(code()).to_vec(),
        }
    }
}

/// The runtime as the node has it.
pub fn code() -> &'static [u8] {
    WASM_BINARY.expect("the runtime is built for wasm; unset SKIP_WASM_BUILD")
}

/// What the runtime took to do something.
#[derive(Clone, Copy, Default)]
pub struct Cost {
    pub time: Duration,
    /// Entries whose values were read from the state; one that is read again is counted again, unless it was written in
    /// between. Whether there is an entry is not counted.
    pub reads: u64,
}

/// What finishing a block took.
pub struct Finish {
    /// What the runtime did: what it does in the time that calls leave included.
    pub runtime: Cost,
    /// Working out the root of the changed state.
    pub root: Duration,
}

/// Asks the runtime something on a state: one of its APIs, by name. Says what that took.
pub fn ask(wasm: &Wasm, state: &State, function: &str, arguments: &[u8]) -> (Vec<u8>, Cost) {
    Block { wasm, state, overlay: Overlay::default(), beginning: Cost::default() }.call(function, arguments)
}

/// A block in the making.
pub struct Block<'a> {
    wasm: &'a Wasm,
    state: &'a State,
    overlay: Overlay,
    beginning: Cost,
}

impl<'a> Block<'a> {
    /// Begins a block with this number on a state, with the time in it.
    pub fn begin(wasm: &'a Wasm, state: &'a State, parent: Hash, number: u32) -> Self {
        Self::begin_after(wasm, state, parent, number, || ())
    }

    /// As [`Self::begin`], after `change` has changed the state.
    pub fn begin_after(wasm: &'a Wasm, state: &'a State, parent: Hash, number: u32, change: impl FnOnce()) -> Self {
        let mut block = Self { wasm, state, overlay: Overlay::default(), beginning: Cost::default() };
        // As if the blocks before it had been made, the parent in place of the first.
        chain::with_state(state, &mut block.overlay, || {
            System::set_block_number(number.saturating_sub(1));
            frame_system::BlockHash::<Runtime>::insert(0, parent);
            change();
        });
        let slot = PreDigest::SecondaryPlain(SecondaryPlainPreDigest { authority_index: 0, slot: SLOT.into() });
        let digest = Digest { logs: vec![DigestItem::babe_pre_digest(slot)] };
        let header = Header::new(number, H256::zero(), H256::zero(), parent, digest);
        block.beginning = block.call("Core_initialize_block", &header.encode()).1;
        let time = pallet_timestamp::Call::set { now: SLOT * MILLISECS_PER_BLOCK };
        block.apply(&UncheckedExtrinsic::new_bare(RuntimeCall::Timestamp(time)));
        block
    }

    /// What the runtime took to begin it.
    pub fn beginning(&self) -> Cost {
        self.beginning
    }

    /// Applies a transaction, which must succeed. Says what the runtime took.
    pub fn apply(&mut self, transaction: &UncheckedExtrinsic) -> Cost {
        let (answer, cost) = self.call("BlockBuilder_apply_extrinsic", &transaction.encode());
        let outcome = ApplyExtrinsicResult::decode(&mut &answer[..]).expect("the runtime answers with an outcome");
        assert_eq!(outcome, Ok(Ok(())), "the transaction succeeds");
        cost
    }

    /// What has happened so far.
    pub fn events(&mut self) -> Vec<Record> {
        let read = || System::read_events_no_consensus().map(|record| *record).collect();
        chain::with_state(self.state, &mut self.overlay, read)
    }

    /// Finishes the block. Says what that took.
    ///
    /// The runtime has the root worked out; to tell the two apart, it is worked out once more.
    pub fn finish(&mut self) -> Finish {
        let (_, whole) = self.call("BlockBuilder_finalize_block", &[]);
        // Forgets the root that is known.
        self.overlay.set_storage(b":benchmark".to_vec(), Some(Vec::new()));
        let start = Instant::now();
        self.overlay.storage_root(self.state, StateVersion::V1);
        let root = start.elapsed();
        Finish { runtime: Cost { time: whole.time.saturating_sub(root), ..whole }, root }
    }

    fn call(&mut self, function: &str, arguments: &[u8]) -> (Vec<u8>, Cost) {
        let Wasm { executor, code, hash } = self.wasm;
        let code = RuntimeCode { code_fetcher: code, heap_pages: None, hash: hash.clone() };
        let (mut extensions, context) = (Extensions::new(), CallContext::Onchain { import: false });
        let overlay = &mut self.overlay;
        let mut machine =
            StateMachine::new(self.state, overlay, executor, function, arguments, &mut extensions, &code, context);
        // Begins the count anew.
        self.state.usage_info();
        let start = Instant::now();
        let answer = machine.execute();
        let time = start.elapsed();
        let reads = self.state.usage_info().reads.ops;
        (answer.unwrap_or_else(|error| panic!("the runtime fails in {function}: {error}")), Cost { time, reads })
    }
}
