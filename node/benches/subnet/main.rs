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
//! Nothing must read more of the state because there are more entries: reads are counted ([`MORE_READS`]).
//!
//! Each read takes longer all the same. An entry among N is at the end of a path in the trie that is log16 N nodes longer
//! than the path to its map, and the more nodes there are, the fewer of them are in the processor's caches. So the reading
//! of single entries is timed as well, natively, before each block and on the state that it is built on. What does nothing
//! but read would take as many times as long with the most entries as that does, and nothing may take more. Working out the root has no such bar: it goes down the
//! trie for what is written, and not through reads that are counted. The weight that the runtime charges must not depend
//! on the number of entries at all.
//!
//! Numbers on the command line are measured instead of 100, 10,000 and 1,000,000, the smallest first.

mod block;
mod calls;
mod chain;
mod report;

use std::{process::ExitCode, time::Duration};

use frame_support::weights::Weight;

use crate::{
    block::{Block, Cost, Wasm},
    calls::{Kind, Target},
    chain::{Chain, Overlay, State},
    report::Report,
};

/// Entries in storage unless the command line names others.
const SIZES: [u32; 3] = [100, 10_000, 1_000_000];
/// Blocks with a call of each kind, on each chain.
const BLOCKS: u32 = 80;
/// Blocks that begin an epoch, and that do not, on each chain.
const BEGINNINGS: u32 = 100;
/// Single entries that are read before each block.
const READS: u32 = 8;
/// How many times as much may be read with the most entries as with the fewest: with a hundred, two things that are
/// needed are now and then the same.
const MORE_READS: f64 = 1.05;

/// What something took, by chain.
#[derive(Clone)]
struct Costs {
    /// Microseconds.
    times: Vec<Vec<f64>>,
    /// Entries whose values were read from the state.
    reads: Vec<Vec<f64>>,
}

impl Costs {
    fn none(chains: &[Chain]) -> Self {
        let none = || vec![Vec::new(); chains.len()];
        Self { times: none(), reads: none() }
    }

    /// Adds what was taken on a chain.
    fn add(&mut self, chain: usize, cost: Cost) {
        self.times[chain].push(micros(cost.time));
        self.reads[chain].push(cost.reads as f64);
    }
}

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
    let genesis = chain::genesis();
    let populated = |size: &u32| Chain::populated(genesis.clone(), *size, &folder.path().join(size.to_string()));
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
    let mut flatness = Flatness { report: &mut report, sizes: &sizes, reading: ratio(&readings) };
    calls.iter().for_each(|(kind, measured)| flatness.of_calls(*kind, measured));
    blocks.iter().for_each(|(name, costs)| flatness.of(name, costs));
    growth(&mut report, "root", &sizes, &medians(&roots), None);
    growth(&mut report, "read", &sizes, &readings, None);
    report.exit_code()
}

/// Times the reading of some entries of a chain, in microseconds.
fn read_some(chain: &Chain, state: &State, round: u32, readings: &mut Vec<f64>) {
    let entries = (0..READS).map(|number| chain::random(("read", round, number)) % chain.size());
    readings.extend(entries.map(|entry| micros(Chain::read(state, entry))));
}

/// What calls of a kind take. Notes what single reads took at that time, for each chain.
fn measure(wasm: &Wasm, chains: &[Chain], kind: Kind, readings: &mut [Vec<f64>]) -> Measured {
    let (none, roots) = (Costs::none(chains), vec![Vec::new(); chains.len()]);
    let mut measured = Measured { calls: none.clone(), finishing: none, roots, weights: Vec::new() };
    for round in 0..BLOCKS {
        for (index, chain) in chains.iter().enumerate() {
            let state = chain.state();
            let sign = || calls::signed(kind, draw(kind, round, chain.size()), chain.head());
            let call = chain::with_state(&state, &mut Overlay::default(), sign);
            read_some(chain, &state, round, &mut readings[index]);
            let mut block = Block::begin(wasm, &state, chain.head(), kind.block());
            measured.calls.add(index, block.apply(&call));
            let events = block.events();
            assert!(events.iter().any(|event| kind.happened(event)), "the call did its work");
            for weight in calls::weights(&events) {
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
    let random = |number: u32, which: &str| chain::random((kind.name(), round, number, which)) % size;
    let drawn = (0u32..).map(|number| Target { entry: random(number, "entry"), other: random(number, "other") });
    let mut fitting = drawn.filter(|target| target.entry != target.other && kind.concerns(target.entry));
    fitting.next().expect("numbers do not end")
}

/// Says whether things are flat.
struct Flatness<'a> {
    report: &'a mut Report,
    sizes: &'a [u32],
    /// How many times as long a single read takes with the most entries as with the fewest.
    reading: f64,
}

impl Flatness<'_> {
    fn of_calls(&mut self, kind: Kind, measured: &Measured) {
        let name = kind.name();
        self.of(name, &measured.calls);
        if kind.is_finished_later() {
            self.of(&format!("{name}.finish"), &measured.finishing);
        }
        let weights: Vec<f64> = measured.weights.iter().map(|weight| weight.ref_time() as f64 / 1e6).collect();
        for weight in &weights {
            self.report.figure(format!("subnet.{name}.weight"), *weight, "µs", None);
        }
        self.report.figure(format!("subnet.{name}.weights"), weights.len() as f64, "different weights", Some(1.0));
    }

    /// It reads as much whatever the number of entries, and takes no more times as long than a read does.
    fn of(&mut self, name: &str, costs: &Costs) {
        let (times, reads) = (medians(&costs.times), means(&costs.reads));
        growth(self.report, name, self.sizes, &times, Some(self.reading));
        let per_call = reads.last().copied().unwrap_or_default();
        self.report.figure(format!("subnet.{name}.reads"), per_call, "entries read with the most entries", None);
        let more = ratio(&reads);
        self.report.figure(format!("subnet.{name}.more"), more, "times the reads with the fewest", Some(MORE_READS));
    }
}

/// Prints how long something takes, and how many times as long with the most entries, at most `bar`.
fn growth(report: &mut Report, name: &str, sizes: &[u32], times: &[f64], bar: Option<f64>) {
    for (size, time) in sizes.iter().zip(times) {
        report.figure(format!("subnet.{name}.{size}"), *time, "µs", None);
    }
    report.figure(format!("subnet.{name}.growth"), ratio(times), "times the time with the fewest entries", bar);
}

/// The last to the first.
fn ratio(of: &[f64]) -> f64 {
    of[of.len() - 1] / of[0]
}

fn means(of: &[Vec<f64>]) -> Vec<f64> {
    of.iter().map(|numbers| numbers.iter().sum::<f64>() / numbers.len() as f64).collect()
}

fn medians(of: &[Vec<f64>]) -> Vec<f64> {
    of.iter().cloned().map(median).collect()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}
