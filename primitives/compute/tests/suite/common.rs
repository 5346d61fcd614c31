//! Rounds for tests.

use ensemble_compute::{
    aggregation::{aggregate, Member, Outcome, Rejection, Rule, Settings, Shape},
    Machine,
};
use ensemble_compute_study::world::{hand_in, Random, World};
use ndarray::Array2;

/// Every way to compute that this machine has.
pub const MACHINES: [Machine; 4] =
    [Machine::PORTABLE, Machine::ONE_CORE, Machine { threads: 2, vector: false }, Machine { threads: 3, vector: true }];

/// What a member of a test hands in, with a table of its own.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: u8,
    pub rank: u64,
    pub weight: u128,
    pub table: Array2<i16>,
}

impl Entry {
    pub fn member(&self) -> Member<'_> {
        Member { id: [self.id; 32], rank: self.rank, weight: self.weight, table: self.table.view() }
    }
}

/// A small world and members of the same weight who see it with noise.
pub fn small(count: u8, seed: u64) -> (World, Vec<Entry>) {
    let world = World::clustered(96, 12, seed);
    let mut random = Random::new(seed + 1);
    let entries = (0..count)
        .map(|id| {
            let table = world.contribution(&mut random);
            Entry { id, rank: 0, weight: 1, table: hand_in(table.view(), &mut random) }
        })
        .collect();
    (world, entries)
}

pub fn settings(world: &World, rule: Rule) -> Settings {
    let size = |number: usize| u32::try_from(number).unwrap();
    let (rows, cols) = world.truth.dim();
    let shape = Shape { rows: size(rows), cols: size(cols), anchors: size(world.anchors) };
    Settings { shape, rule, tolerated: 400_000 }
}

pub fn run(settings: &Settings, entries: &[Entry], machine: Machine) -> Outcome {
    let members: Vec<_> = entries.iter().map(Entry::member).collect();
    aggregate(settings, &members, machine).unwrap()
}

/// Why each member is rejected.
pub fn rejections(outcome: &Outcome) -> Vec<Option<Rejection>> {
    outcome.reports.iter().map(|report| report.rejection).collect()
}
