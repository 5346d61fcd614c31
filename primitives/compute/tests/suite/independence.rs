//! One result, whoever computes it and in whatever order members come.

use ensemble_compute::{
    aggregation::{table, Outcome, Rule},
    Machine,
};
use ensemble_compute_study::world::{hand_in, Random, World};
use ensemble_tensor::{Tensor, TensorId};
use proptest::prelude::*;

use crate::common::{run, settings, small, Entry, MACHINES};

fn id(outcome: &Outcome) -> TensorId {
    let (header, data) = table::to_tensor(outcome.table.view()).unwrap();
    Tensor::new(header, &data).unwrap().id().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn order_threads_and_instructions_change_nothing(count in 1u8..12, seed in any::<u32>(), weighed in any::<bool>()) {
        let (world, mut entries) = small(count, seed.into());
        if weighed {
            for entry in &mut entries {
                entry.weight = 1 + u128::from(entry.id) * 1_000_000_007;
            }
        }
        let order = Random::new(seed.into()).order(entries.len());
        let mixed: Vec<_> = order.iter().map(|place| entries[*place].clone()).collect();
        for rule in Rule::ALL {
            let settings = settings(&world, rule);
            let first = run(&settings, &entries, Machine::PORTABLE);
            for machine in MACHINES {
                prop_assert_eq!(&run(&settings, &entries, machine), &first);
                let other = run(&settings, &mixed, machine);
                prop_assert_eq!(id(&other), id(&first));
                for (place, original) in order.iter().enumerate() {
                    prop_assert_eq!(other.reports[place], first.reports[*original]);
                    prop_assert_eq!(&other.rotations[place], &first.rotations[*original]);
                }
            }
        }
    }
}

#[test]
fn only_proportions_of_weights_count() {
    let (world, entries) = small(6, 4);
    let scaled = |by: u128| {
        let mut entries = entries.clone();
        for entry in &mut entries {
            entry.weight = (1 + u128::from(entry.id)) * by;
        }
        run(&settings(&world, Rule::MultiKrum), &entries, Machine::ONE_CORE)
    };
    assert_eq!(scaled(1), scaled(1 << 100));
    assert_eq!(scaled(1), scaled(1 << 20));
}

#[test]
fn rows_longer_than_vector_registers_change_nothing() {
    let world = World::clustered(320, 75, 8);
    let mut random = Random::new(9);
    let entries: Vec<_> = (0..4)
        .map(|id| Entry { id, rank: 0, weight: 1, table: hand_in(world.contribution(&mut random).view(), &mut random) })
        .collect();
    let settings = settings(&world, Rule::MultiKrum);
    let first = run(&settings, &entries, Machine::PORTABLE);
    for machine in MACHINES {
        assert_eq!(run(&settings, &entries, machine), first, "{machine:?}");
    }
}
