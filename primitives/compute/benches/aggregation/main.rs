//! Time and memory of aggregation on one core, beside a plain implementation of the same rules with ndarray in f32.
//!
//! Run by `scripts/bench aggregation`; takes about a minute. Prints one JSON object per figure.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]

mod float;

use std::{process::ExitCode, time::Instant};

use ensemble_compute::{
    aggregation::{aggregate, nearest::Index, Member, Rule, Settings, Shape},
    Machine,
};
use ensemble_compute_study::{
    report::{Bar, Report},
    world::{hand_in, widened, Random, World},
};
use ndarray::Array2;
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const TABLES: u8 = 16;
const ROWS: usize = 4096;
const COLS: usize = 256;
const TOLERATED: u32 = 250_000;
/// Most seconds for one round.
const SECONDS: f64 = 10.0;
/// Most memory, input included, in multiples of the input.
const MEMORY: f64 = 3.0;

fn main() -> ExitCode {
    let world = World::clustered(ROWS, COLS, 1);
    let mut random = Random::new(2);
    let tables: Vec<_> = (0..TABLES).map(|_| hand_in(world.contribution(&mut random).view(), &mut random)).collect();
    let floats: Vec<_> = tables.iter().map(|table| widened(table.view())).collect();
    let mut report = Report::default();
    for rule in Rule::ALL {
        measure(rule, &world, &tables, &floats, &mut report);
    }
    look_up(&tables[0], &mut report);
    report.exit_code()
}

fn measure(rule: Rule, world: &World, tables: &[Array2<i16>], floats: &[Array2<f32>], report: &mut Report) {
    let members: Vec<_> =
        (0..).zip(tables).map(|(id, table)| Member { id: [id; 32], rank: 0, weight: 1, table: table.view() }).collect();
    let size = |number: usize| u32::try_from(number).unwrap();
    let shape = Shape { rows: size(ROWS), cols: size(COLS), anchors: size(world.anchors) };
    let settings = Settings { shape, rule, tolerated: TOLERATED };

    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let (seconds, outcome) = best(|| aggregate(&settings, &members, Machine::ONE_CORE).unwrap());
    let used = (ALLOCATOR.peak_usage() - before) as f64;
    let input = (tables.len() * ROWS * COLS * 2) as f64;

    let start = Instant::now();
    assert_eq!(aggregate(&settings, &members, Machine::PORTABLE).unwrap(), outcome);
    let portable = start.elapsed().as_secs_f64();

    let (in_floats, plain) = best(|| float::aggregate(rule, floats, world.anchors, f64::from(TOLERATED) / 1e6));
    let difference = (&widened(outcome.table.view()) - &plain).mapv(f32::abs).mean().unwrap();

    let name = format!("{TABLES} tables of {ROWS} x {COLS}, {rule:?}");
    report.figure(&format!("{name}, one core"), seconds, "s", Bar::Most(SECONDS));
    report.figure(&format!("{name}, memory over input"), (input + used) / input, "times", Bar::Most(MEMORY));
    report.figure(&format!("{name}, one core without runtime choice of instructions"), portable, "s", Bar::None);
    report.figure(&format!("{name}, ndarray in f32, one core"), in_floats, "s", Bar::None);
    report.figure(&format!("{name}, time over that of ndarray in f32"), seconds / in_floats, "times", Bar::None);
    report.figure(&format!("{name}, mean difference from f32"), difference.into(), "of 1", Bar::None);
}

/// The shortest of three times in seconds, and what was computed: other programs on the machine only ever add to it.
fn best<T>(work: impl Fn() -> T) -> (f64, T) {
    let once = || {
        let start = Instant::now();
        let result = work();
        (start.elapsed().as_secs_f64(), result)
    };
    let mut best = once();
    for _ in 1..3 {
        best.0 = once().0.min(best.0);
    }
    best
}

/// The nearest ten of a row.
fn look_up(table: &Array2<i16>, report: &mut Report) {
    const TIMES: usize = 100;
    let index = Index::new(table.clone(), Machine::ONE_CORE).unwrap();
    let start = Instant::now();
    for row in 0..TIMES {
        let vector = table.row(row).to_vec();
        assert_eq!(index.nearest(&vector, 10, Machine::ONE_CORE).unwrap()[0].row as usize, row);
    }
    let each = start.elapsed().as_secs_f64() / TIMES as f64;
    report.figure(&format!("ten nearest of {ROWS} rows"), each * 1e3, "ms", Bar::None);
}
