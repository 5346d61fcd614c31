//! What aggregation needs beside its input.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use ensemble_compute::{
    aggregation::{aggregate, Member, Rule, Settings, Shape},
    Machine,
};
use ensemble_compute_study::world::{hand_in, Random, World};
use ndarray::Array2;
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// A round of twelve, and the most bytes that it needs beside its input, by rule and machine.
fn used(rows: usize, cols: usize, anchors: u32, check: impl Fn(usize, usize, &str)) {
    const COUNT: u8 = 12;
    let world = World::clustered(rows, cols, 1);
    let mut random = Random::new(2);
    let tables: Vec<Array2<i16>> =
        (0..COUNT).map(|_| hand_in(world.contribution(&mut random).view(), &mut random)).collect();
    let members: Vec<_> = (0..)
        .zip(&tables)
        .map(|(id, table)| Member { id: [id; 32], rank: 0, weight: 1, table: table.view() })
        .collect();
    let size = |number: usize| u32::try_from(number).unwrap();
    let shape = Shape { rows: size(rows), cols: size(cols), anchors };
    for rule in Rule::ALL {
        for machine in [Machine::ONE_CORE, Machine { threads: 2, vector: true }] {
            let settings = Settings { shape, rule, tolerated: 300_000 };
            let before = ALLOCATOR.current_usage();
            ALLOCATOR.reset_peak_usage();
            let outcome = aggregate(&settings, &members, machine).unwrap();
            let used = ALLOCATOR.peak_usage() - before;
            drop(outcome);
            check(usize::from(COUNT), used, &format!("{rule:?}, {machine:?}"));
        }
    }
}

/// One test, so that nothing else allocates meanwhile.
#[test]
fn memory_is_as_documented() {
    used(2048, 64, 512, |count, used, how| {
        let input = count * 2048 * 64 * 2;
        assert!(input + used < 3 * input, "{how}: {used} bytes beside {input}");
    });
    // All rows are anchors, and rotations are as large as tables.
    used(256, 128, 256, |count, used, how| {
        let (table, rotation) = (256 * 128 * 2, 4 * 128 * 128);
        let (each, threads, result) = (table + table + rotation, 2 * 20 * 128 * 128, 4 * table);
        assert!(used < count * each + threads + result, "{how}: {used} bytes");
    });
}
