//! Whether the calls of the subnet take the same time however many modules, stakers, miners and validators there are.
//!
//! There is a chain for each number of entries: so many modules, each with an owner of its own who has staked on it, and
//! most of them matched as miners and validators, made by the calls themselves ([`chain`]). On the state of each, blocks
//! are built as a node builds them, in the wasm runtime ([`block`]), of one kind of call at a time ([`calls`]), on entries
//! drawn anew for every block. The chains take turns, so that whatever else the machine does is shared by all.
//!
//! What is timed is all of `BlockBuilder_apply_extrinsic`: decoding, signature, fee, call and events, with what it
//! reads. The state is in the database of a node. The node's cache of it is switched off: each read goes down the trie
//! to the database, as in a node that has just started, so that the figures are the slow end and not an accident of
//! what was cached. Miners are matched and parted when the block is finished, in the time that calls leave; that is
//! timed by itself, and so is what a block does before its first call when it closes an epoch and when it does not. What
//! is changed goes into the trie at the end of the block; that time is given for each call too.
//!
//! # What is flat
//!
//! An entry among N is at the end of a path in the trie that is log16 N nodes longer than the path to its map: 1.7 for
//! 100 entries, 5 for a million. With the nodes above the map, the leaf and the value, some 4.5, a call that did
//! nothing but read would take (4.5 + 5) / (4.5 + 1.7) = 1.5 times as long with a million entries as with a hundred.
//! Whatever grows faster than the depth of the trie exceeds that. Working out the root has no such bar: calls share the
//! more of their paths the fewer entries there are. The weight that the runtime charges must not depend on the number
//! of entries at all.
//!
//! Numbers on the command line are measured instead of 100, 10,000 and 1,000,000, the smallest first.

mod block;
mod calls;
mod chain;
mod report;

use std::{collections::BTreeSet, process::ExitCode, time::Duration};

use frame_support::weights::Weight;

use crate::{
    block::{Block, Wasm},
    calls::{Kind, Target},
    chain::{Chain, Overlay},
    report::Report,
};

/// Entries in storage unless the command line names others.
const SIZES: [u32; 3] = [100, 10_000, 1_000_000];
/// Blocks that begin an epoch, and that do not, on each chain.
const BEGINNINGS: u32 = 100;
/// How much longer a call may take with the most entries than with the fewest.
const FLAT: f64 = 1.5;

/// What was measured of one kind of call. All times are microseconds for each call, by chain.
struct Measured {
    /// The calls themselves.
    times: Vec<Vec<f64>>,
    /// What the runtime did to finish the block.
    finishing: Vec<Vec<f64>>,
    /// Working out the root.
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
    let mut roots = vec![Vec::new(); chains.len()];
    for kind in Kind::ALL {
        eprintln!("measuring {}", kind.name());
        let measured = measure(&wasm, &chains, kind);
        describe(&mut report, &sizes, kind, &measured);
        roots.iter_mut().zip(measured.roots).for_each(|(all, some)| all.extend(some));
    }
    for (name, number) in [("close_epoch", chain::CLOSING), ("begin_block", chain::CLOSING - 1)] {
        eprintln!("measuring {name}");
        flatness(&mut report, name, &sizes, &beginnings(&wasm, &chains, number));
    }
    for (size, times) in sizes.iter().zip(roots) {
        report.figure(format!("subnet.root.{size}"), median(times), "µs for each call of a block", None);
    }
    report.exit_code()
}

fn measure(wasm: &Wasm, chains: &[Chain], kind: Kind) -> Measured {
    let none = vec![Vec::new(); chains.len()];
    let mut measured = Measured { times: none.clone(), finishing: none.clone(), roots: none, weights: Vec::new() };
    for round in 0..kind.blocks() {
        for (index, chain) in chains.iter().enumerate() {
            let state = chain.state();
            let targets = draw(kind, round, chain.size());
            let sign = || calls::signed(kind, &targets, chain.head());
            let signed = chain::with_state(&state, &mut Overlay::default(), sign);
            let mut block = Block::begin(wasm, &state, chain.head(), kind.block());
            measured.times[index].extend(signed.iter().map(|call| micros(block.apply(call))));
            let events = block.events();
            let happened = events.iter().filter(|event| kind.happened(event)).count();
            assert_eq!(happened, kind.calls(), "all calls did their work");
            for weight in calls::weights(&events) {
                if !measured.weights.contains(&weight) {
                    measured.weights.push(weight);
                }
            }
            let finish = block.finish();
            assert!(kind.is_complete(&block.events()), "what was left to do was done");
            measured.finishing[index].push(micros(finish.runtime) / kind.calls() as f64);
            measured.roots[index].push(micros(finish.root) / kind.calls() as f64);
        }
    }
    measured
}

/// How long blocks with a number take to begin, in microseconds, by chain.
fn beginnings(wasm: &Wasm, chains: &[Chain], number: u32) -> Vec<Vec<f64>> {
    let mut times = vec![Vec::new(); chains.len()];
    for _ in 0..BEGINNINGS {
        for (chain, times) in chains.iter().zip(&mut times) {
            let state = chain.state();
            times.push(micros(Block::begin(wasm, &state, chain.head(), number).beginning()));
        }
    }
    times
}

/// As many targets as a block has calls. No two have the same first entry.
fn draw(kind: Kind, round: u32, size: u32) -> Vec<Target> {
    let enough = (0..size).filter(|entry| kind.concerns(*entry)).take(kind.calls()).count();
    assert_eq!(enough, kind.calls(), "a chain needs more than {size} entries");
    let mut drawn = BTreeSet::new();
    let mut targets = Vec::new();
    for number in 0u32.. {
        let random = |which: &str| chain::random((kind.name(), round, number, which)) % size;
        let target = Target { entry: random("entry"), other: random("other") };
        if target.entry != target.other && kind.concerns(target.entry) && drawn.insert(target.entry) {
            targets.push(target);
        }
        if targets.len() == kind.calls() {
            break;
        }
    }
    targets
}

fn describe(report: &mut Report, sizes: &[u32], kind: Kind, measured: &Measured) {
    let name = kind.name();
    flatness(report, name, sizes, &measured.times);
    if kind.is_finished_later() {
        flatness(report, &format!("{name}.finish"), sizes, &measured.finishing);
    }
    let weights: Vec<f64> = measured.weights.iter().map(|weight| weight.ref_time() as f64 / 1e6).collect();
    for weight in &weights {
        report.figure(format!("subnet.{name}.weight"), *weight, "µs", None);
    }
    report.figure(format!("subnet.{name}.weights"), weights.len() as f64, "different weights", Some(1.0));
}

fn flatness(report: &mut Report, name: &str, sizes: &[u32], times: &[Vec<f64>]) {
    let medians: Vec<f64> = times.iter().cloned().map(median).collect();
    for (size, time) in sizes.iter().zip(&medians) {
        report.figure(format!("subnet.{name}.{size}"), *time, "µs", None);
    }
    if let (Some(few), Some(many)) = (medians.first(), medians.last()) {
        report.figure(format!("subnet.{name}.flat"), many / few, "times the time with the fewest entries", Some(FLAT));
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}
