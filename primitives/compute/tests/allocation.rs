//! What aggregation needs beside its input.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use ensemble_compute::{aggregate, Machine, Member, Rule, Settings, Shape};
use ensemble_compute_study::world::{hand_in, Random, World};
use ndarray::Array2;
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// One test, so that nothing else allocates meanwhile.
#[test]
fn input_and_all_else_stay_below_three_times_the_input() {
    let (rows, cols, count) = (2048, 64, 12u8);
    let world = World::clustered(rows, cols, 1);
    let mut random = Random::new(2);
    let tables: Vec<Array2<i16>> =
        (0..count).map(|_| hand_in(world.contribution(&mut random).view(), &mut random)).collect();
    let members: Vec<_> =
        (0..).zip(&tables).map(|(id, table)| Member { id: [id; 32], weight: 1, table: table.view() }).collect();
    let input = usize::from(count) * rows * cols * 2;
    for rule in Rule::ALL {
        for machine in [Machine::ONE_CORE, Machine { threads: 2, vector: true }] {
            let settings = Settings { shape: Shape { rows: 2048, cols: 64, anchors: 512 }, rule, tolerated: 300_000 };
            let before = ALLOCATOR.current_usage();
            ALLOCATOR.reset_peak_usage();
            let outcome = aggregate(&settings, &members, machine).unwrap();
            let used = ALLOCATOR.peak_usage() - before;
            drop(outcome);
            assert!(input + used < 3 * input, "{rule:?}, {machine:?}: {used} bytes beside {input}");
        }
    }
}
