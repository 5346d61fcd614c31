//! Matrices carried into the common basis.

use ensemble_compute::{
    aggregation::{
        carry::{carry, combine_carried, Side},
        procrustes::{procrustes, Rotation, BITS},
        Error, Rule,
    },
    Machine,
};
use ensemble_compute_study::world::Random;
use ndarray::{array, s, Array2, ArrayView2};
use proptest::prelude::*;

use crate::common::{settings, small};

fn rotation(seed: u64) -> Rotation {
    let (world, entries) = small(2, seed);
    // Half as long as rows should be, because those of few columns scatter beyond what may be.
    let anchors = |place: usize| entries[place].table.slice(s![..world.anchors, ..]).mapv(|number| number / 2);
    procrustes(anchors(0).view(), anchors(1).view(), Machine::ONE_CORE).unwrap().unwrap()
}

fn random(rows: usize, cols: usize, seed: u64) -> Array2<i16> {
    #[allow(clippy::cast_possible_truncation, reason = "casts from floats saturate")]
    Random::new(seed).normal(rows, cols).mapv(|number| (number * 12_000.0) as i16)
}

fn float(matrix: ArrayView2<'_, i32>) -> Array2<f64> {
    matrix.mapv(f64::from)
}

fn farthest(left: &Array2<f64>, right: &Array2<f64>) -> f64 {
    (left - right).iter().fold(0.0, |largest, number| largest.max(number.abs()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn carried_matrices_are_the_products(seed in any::<u32>(), other in 1usize..30) {
        let rotation = rotation(seed.into());
        let turn = float(rotation.view()) / f64::from(1u32 << BITS);
        let machine = Machine::ONE_CORE;
        let square = random(12, 12, seed.into());
        let wide = square.mapv(f64::from);
        let both = carry(square.view(), Side::Both, &rotation, machine).unwrap();
        prop_assert!(farthest(&float(both.view()), &turn.t().dot(&wide).dot(&turn)) < 3.0);
        let tall = random(12, other, seed.into());
        let rows = carry(tall.view(), Side::Rows, &rotation, machine).unwrap();
        prop_assert!(farthest(&float(rows.view()), &turn.t().dot(&tall.mapv(f64::from))) < 0.51);
        let flat = random(other, 12, seed.into());
        let cols = carry(flat.view(), Side::Cols, &rotation, machine).unwrap();
        prop_assert!(farthest(&float(cols.view()), &flat.mapv(f64::from).dot(&turn)) < 0.51);
        prop_assert_eq!(carry(flat.view(), Side::Cols, &rotation, Machine::PORTABLE).unwrap(), cols);
    }
}

#[test]
fn matrices_of_another_dimension_are_refused() {
    let (rotation, machine) = (rotation(1), Machine::ONE_CORE);
    let refused =
        |rows, cols, side| carry(random(rows, cols, 1).view(), side, &rotation, machine) == Err(Error::Mismatch);
    assert!(refused(11, 12, Side::Both) && refused(12, 11, Side::Both));
    assert!(refused(11, 12, Side::Rows) && refused(12, 11, Side::Cols));
    assert!(!refused(12, 11, Side::Rows) && !refused(11, 12, Side::Cols));
    assert!(refused(12, 1025, Side::Rows));
}

#[test]
fn carried_matrices_are_trimmed_under_every_rule() {
    let (world, _) = small(1, 1);
    let matrices = [array![[10, 20]], array![[30, 40]], array![[i32::MAX, i32::MIN]]];
    let views: Vec<_> = matrices.iter().map(|matrix| matrix.view()).collect();
    for rule in Rule::ALL {
        let settings = settings(&world, rule);
        assert_eq!(combine_carried(&settings, &views, &[5, 5, 0]), Ok(array![[20, 30]]), "{rule:?}");
        assert_eq!(combine_carried(&settings, &views, &[5, 5, 5]), Ok(array![[30, 20]]), "{rule:?}");
        assert_eq!(combine_carried(&settings, &views, &[5, 5]), Err(Error::Mismatch));
        assert_eq!(combine_carried(&settings, &[], &[]), Err(Error::Mismatch));
    }
}
