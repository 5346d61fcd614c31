use std::collections::{BTreeMap, BTreeSet};

use ensemble_core::ModelId;
use sp_core::H256;

use crate::mock::*;

fn draw(seed: u32, model: ModelId, wanted: u32) -> Option<Vec<AccountId>> {
    Entropy::set(H256::from_low_u64_be(seed.into()));
    Inference::draw(seed, model, &GATEWAY, wanted)
}

#[test]
fn nobody_is_drawn_twice_and_the_gateway_never() {
    with_workers(6, |model| {
        for seed in 0..200 {
            let drawn = draw(seed, model, 5).unwrap();
            let distinct: BTreeSet<_> = drawn.iter().collect();
            assert_eq!((drawn.len(), distinct.len()), (5, 5));
            assert!(!drawn.contains(&GATEWAY));
        }
    });
}

#[test]
fn all_are_drawn_where_all_are_needed() {
    with_workers(8, |model| {
        for seed in 0..100 {
            let mut drawn = draw(seed, model, 8).unwrap();
            drawn.sort_unstable();
            assert_eq!(drawn, WORKERS);
        }
        assert_eq!(draw(0, model, 9), None);
    });
}

#[test]
fn the_last_is_found_behind_heavy_ones() {
    on_chain(|| {
        let model = register();
        join(GATEWAY, model, 10 * BOND);
        WORKERS[..7].iter().for_each(|who| join(*who, model, 10 * BOND));
        join(WORKERS[7], model, BOND);
        for seed in 0..100 {
            assert_eq!(draw(seed, model, 8).map(|drawn| drawn.len()), Some(8));
        }
    });
}

#[test]
fn who_has_bonded_more_is_drawn_more_often() {
    on_chain(|| {
        let model = register();
        join(GATEWAY, model, BOND);
        WORKERS[..4].iter().for_each(|who| join(*who, model, BOND));
        join(WORKERS[4], model, 4 * BOND);
        let mut times = BTreeMap::<AccountId, u32>::new();
        for seed in 0..4_000 {
            *times.entry(draw(seed, model, 1).unwrap()[0]).or_default() += 1;
        }
        // Half of all weight: 2000 times, with a deviation of 32.
        assert!((1_840..2_160).contains(&times[&WORKERS[4]]), "{times:?}");
        // An eighth each: 500, with a deviation of 21.
        assert!(WORKERS[..4].iter().all(|who| (390..610).contains(&times[who])), "{times:?}");
    });
}

#[test]
fn a_draw_depends_on_what_nobody_knew_when_the_session_opened() {
    with_workers(8, |model| {
        let draws: BTreeSet<_> = (0..50)
            .map(|seed| {
                Entropy::set(H256::from_low_u64_be(seed));
                Inference::draw(0, model, &GATEWAY, 3).unwrap()
            })
            .collect();
        assert!(draws.len() > 40);
    });
}
