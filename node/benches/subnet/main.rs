//! Whether the calls of the subnet take the same time however many modules, stakers, miners and validators there are.
//!
//! There is a chain for each number of entries: so many modules, each with an owner of its own who has staked on it, and
//! most of them matched as miners and validators, made by the calls themselves ([`chain`]). On the state of each, blocks
//! are built as a node builds them, in the wasm runtime ([`block`]), with one call each ([`calls`]), on an entry drawn anew
//! for every block: a second call would find in memory what the first has read, and the more of it the fewer entries there
//! are. The chains take turns, so that whatever else the machine does is shared by all.
//!
//! What is timed is all of `BlockBuilder_apply_extrinsic`: decoding, signature, fee, call and events, with what it
//! reads. The state is in the database of a node. The node's cache of it is switched off: each read goes down the trie
//! to the database, as in a node that has just started, so that the figures are the slow end and not an accident of
//! what was cached. Miners are matched and parted when the block is finished, in the time that the call leaves; that is
//! timed by itself, and so is what a block does before its first call when it closes an epoch and when it does not. What
//! is changed goes into the trie at the end of the block; that time is given too.
//!
//! # What is flat
//!
//! Nothing must read more of the state because there are more entries: reads are counted.
//!
//! Each read takes longer all the same. An entry among N is at the end of a path in the trie that is log16 N nodes longer
//! than the path to its map, and the more nodes there are, the fewer of them are in the processor's caches. So the reading
//! of single entries is timed as well, natively, before each block and on the state that it is built on. What does nothing
//! but read would take as many times as long with the most entries as that does, and nothing may take more. Working out the root has no such bar: it goes down the
//! trie for what is written, and not through reads that are counted. The weight that the runtime charges must not depend
//! on the number of entries at all.
//!
//! Numbers on the command line are measured instead of 100, 10,000 and 1,000,000, the smallest first.

mod calls;
mod chain;
#[path = "../shared/mod.rs"]
mod shared;

use std::process::ExitCode;

use frame_support::weights::Weight;

use crate::{
    calls::{Kind, Target},
    shared::{
        block::{Block, Wasm},
        chain::{genesis, read, with_state, Chain, Overlay, State, Step},
        growth::{medians, micros, ratio, Costs, Flatness},
        random,
        report::Report,
        transaction::weights,
    },
};

/// Entries in storage unless the command line names others.
const SIZES: [u32; 3] = [100, 10_000, 1_000_000];
/// Blocks with a call of each kind, on each chain.
const BLOCKS: u32 = 80;
/// Blocks that begin an epoch, and that do not, on each chain.
const BEGINNINGS: u32 = 100;
/// Single entries that are read before each block.
const READS: u32 = 8;

/// What was measured of one kind of call.
struct Measured {
    /// The calls themselves.
    calls: Costs,
    /// What the runtime did to finish the block.
    finishing: Costs,
    /// Working out the root, in microseconds, by chain.
    roots: Vec<Vec<f64>>,
    /// All the different weights that were charged.
    weights: Vec<Weight>,
}

fn main() -> ExitCode {
    let named: Vec<u32> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if named.is_empty() { SIZES.to_vec() } else { named };
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let genesis = genesis();
    let steps: [Step; 2] = [chain::write_entries, chain::write_all_scores];
    let populated =
        |size: &u32| Chain::populated(genesis.clone(), *size, &folder.path().join(size.to_string()), &steps);
    let chains: Vec<Chain> = sizes.iter().map(populated).collect();
    let wasm = Wasm::new();
    let mut report = Report::default();
    let mut readings = vec![Vec::new(); chains.len()];
    let mut roots = readings.clone();
    let calls = Kind::ALL.map(|kind| {
        eprintln!("measuring {}", kind.name());
        let measured = measure(&wasm, &chains, kind, &mut readings);
        roots.iter_mut().zip(&measured.roots).for_each(|(all, some)| all.extend(some));
        (kind, measured)
    });
    let blocks = [("close_epoch", chain::CLOSING), ("begin_block", chain::CLOSING - 1)].map(|(name, number)| {
        eprintln!("measuring {name}");
        (name, beginnings(&wasm, &chains, number, &mut readings))
    });

    let readings = medians(&readings);
    let mut flatness = Flatness { report: &mut report, of: "subnet", sizes: &sizes, reading: ratio(&readings) };
    calls.iter().for_each(|(kind, measured)| say_how_flat(&mut flatness, *kind, measured));
    blocks.iter().for_each(|(name, costs)| flatness.of_costs(name, costs));
    flatness.growth("root", &medians(&roots), None);
    flatness.growth("read", &readings, None);
    report.exit_code()
}

/// Says whether calls of a kind are flat.
fn say_how_flat(flatness: &mut Flatness<'_>, kind: Kind, measured: &Measured) {
    let name = kind.name();
    flatness.of_costs(name, &measured.calls);
    if kind.is_finished_later() {
        flatness.of_costs(&format!("{name}.finish"), &measured.finishing);
    }
    flatness.of_weights(name, &measured.weights);
}

/// Times the reading of some entries of a chain, in microseconds.
fn read_some(chain: &Chain, state: &State, round: u32, readings: &mut Vec<f64>) {
    let entries = (0..READS).map(|number| random(("read", round, number)) % chain.size());
    readings.extend(entries.map(|entry| micros(read(state, entry))));
}

/// What calls of a kind take. Notes what single reads took at that time, for each chain.
fn measure(wasm: &Wasm, chains: &[Chain], kind: Kind, readings: &mut [Vec<f64>]) -> Measured {
    let (none, roots) = (Costs::none(chains), vec![Vec::new(); chains.len()]);
    let mut measured = Measured { calls: none.clone(), finishing: none, roots, weights: Vec::new() };
    for round in 0..BLOCKS {
        for (index, chain) in chains.iter().enumerate() {
            let state = chain.state();
            let sign = || calls::signed(kind, draw(kind, round, chain.size()), chain.head());
            let call = with_state(&state, &mut Overlay::default(), sign);
            read_some(chain, &state, round, &mut readings[index]);
            let mut block = Block::begin(wasm, &state, chain.head(), kind.block());
            measured.calls.add(index, block.apply(&call));
            let events = block.events();
            assert!(events.iter().any(|event| kind.happened(event)), "the call did its work");
            for weight in weights(&events) {
                if !measured.weights.contains(&weight) {
                    measured.weights.push(weight);
                }
            }
            let finish = block.finish();
            assert!(kind.is_complete(&block.events()), "what was left to do was done");
            measured.finishing.add(index, finish.runtime);
            measured.roots[index].push(micros(finish.root));
        }
    }
    measured
}

/// What blocks with a number take to begin. Notes what single reads took at that time, for each chain.
fn beginnings(wasm: &Wasm, chains: &[Chain], number: u32, readings: &mut [Vec<f64>]) -> Costs {
    let mut costs = Costs::none(chains);
    for round in 0..BEGINNINGS {
        for (index, chain) in chains.iter().enumerate() {
            let state = chain.state();
            read_some(chain, &state, round, &mut readings[index]);
            costs.add(index, Block::begin(wasm, &state, chain.head(), number).beginning());
        }
    }
    costs
}

/// What a call is about, drawn from the entries that it can be about.
fn draw(kind: Kind, round: u32, size: u32) -> Target {
    assert!((0..size).any(|entry| kind.concerns(entry)), "a chain needs more than {size} entries");
    let number = |number: u32, which: &str| random((kind.name(), round, number, which)) % size;
    let drawn = (0u32..).map(|at| Target { entry: number(at, "entry"), other: number(at, "other") });
    let mut fitting = drawn.filter(|target| target.entry != target.other && kind.concerns(target.entry));
    fitting.next().expect("numbers do not end")
}
