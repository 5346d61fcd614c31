//! How reliability moves.

use proptest::prelude::*;
use sp_runtime::Permill;

use crate::{
    reliability::{fallen, merit, moved},
    Tally,
};

fn parts(parts: u32) -> Permill {
    Permill::from_parts(parts)
}

#[test]
fn by_hand() {
    let half = Permill::from_percent(50);
    assert_eq!(moved(half, Tally { judged: 0, agreed: 0 }), half);
    assert_eq!(moved(half, Tally { judged: 4, agreed: 4 }), Permill::from_percent(55));
    assert_eq!(moved(half, Tally { judged: 4, agreed: 0 }), Permill::from_percent(45));
    assert_eq!(moved(half, Tally { judged: 4, agreed: 3 }), parts(525_000));
    assert_eq!(moved(parts(999_999), Tally { judged: 1, agreed: 1 }), Permill::one());
    assert_eq!(moved(parts(1), Tally { judged: 1, agreed: 0 }), Permill::zero());
    assert_eq!(fallen(half), parts(375_000));
    assert_eq!(fallen(parts(1)), Permill::zero());
    assert_eq!(merit(half, 3, 4), parts(375_000));
    assert_eq!(merit(half, 4, 3), half);
    assert_eq!(merit(Permill::one(), 1, 3), parts(333_333));
    assert_eq!(merit(Permill::one(), 0, 0), Permill::zero());
    assert_eq!(merit(Permill::one(), u32::MAX, u32::MAX), Permill::one());
}

#[test]
fn tallies_forget_the_old() {
    let [bad, good] = [Tally { judged: 20, agreed: 0 }, Tally { judged: 20, agreed: 20 }];
    assert_eq!(bad.join(good, 20), Tally { judged: 20, agreed: 10 });
    assert_eq!(bad.join(good, 20).join(good, 20), Tally { judged: 20, agreed: 15 });
    assert_eq!(bad.join(good, 40), Tally { judged: 40, agreed: 20 });
    assert_eq!(Tally::default().part(), None);
}

fn tally() -> impl Strategy<Value = Tally> {
    (0u32..2_000, 0u32..=100)
        .prop_map(|(judged, percent)| Tally { judged, agreed: (u64::from(judged) * u64::from(percent) / 100) as u32 })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// It comes nearer, by a tenth and less than a part more, and never goes past.
    #[test]
    fn moves_towards_what_agreed(from in 0u32..=1_000_000, tally in tally()) {
        let after = moved(parts(from), tally).deconstruct();
        let to = tally.part().map_or(from, |part| part.deconstruct());
        let way = from.abs_diff(to);
        prop_assert!(after >= from.min(to) && after <= from.max(to));
        prop_assert_eq!(after.abs_diff(from), way.div_ceil(10));
        prop_assert_eq!(after.abs_diff(to), way - way.div_ceil(10));
    }

    /// Whatever happens, it stays from zero to one, and whoever always agrees gets to one.
    #[test]
    fn stays_a_part(from in 0u32..=1_000_000, lives in prop::collection::vec((tally(), any::<bool>()), 0..100)) {
        let mut reliability = parts(from);
        for (tally, missed) in lives {
            reliability = moved(reliability, tally);
            reliability = if missed { fallen(reliability) } else { reliability };
            prop_assert!(reliability <= Permill::one());
        }
        for _ in 0..200 {
            reliability = moved(reliability, Tally { judged: 1, agreed: 1 });
        }
        prop_assert_eq!(reliability, Permill::one());
    }

    #[test]
    fn a_merit_is_at_most_the_reliability(reliability in 0u32..=1_000_000, scored: u32, load: u32) {
        let earned = merit(parts(reliability), scored, load);
        prop_assert!(earned <= parts(reliability));
        prop_assert_eq!(earned == parts(reliability), reliability == 0 || (scored > 0 && scored >= load)
            || u64::from(reliability) * u64::from(scored) / u64::from(scored.max(load).max(1)) == u64::from(reliability));
    }

    #[test]
    fn joined_tallies_are_sound(older in tally(), newer in tally(), most in 1u32..1_000) {
        let joined = older.join(newer, most);
        prop_assert!(joined.agreed <= joined.judged);
        if older.judged <= most {
            prop_assert!(joined.judged <= most.max(older.judged));
        }
    }
}
