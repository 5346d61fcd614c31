//! Orthogonal Procrustes, against a singular value decomposition in binary64.

use ensemble_compute::{
    aggregation::{
        procrustes::{procrustes, BITS},
        Error,
    },
    Machine,
};
use ensemble_compute_study::world::{hand_in, quantised, Random, World};
use nalgebra::DMatrix;
use ndarray::{array, s, Array2, ArrayView2};
use proptest::prelude::*;

/// How far a number of the rotation may be from the library's.
const TOLERANCE: f64 = 1e-5;

fn wide(table: ArrayView2<'_, i16>) -> DMatrix<f64> {
    DMatrix::from_fn(table.nrows(), table.ncols(), |row, col| f64::from(table[[row, col]]))
}

fn from_fixed(rotation: ArrayView2<'_, i32>) -> DMatrix<f64> {
    let one = f64::from(1u32 << BITS);
    DMatrix::from_fn(rotation.nrows(), rotation.ncols(), |row, col| f64::from(rotation[[row, col]]) / one)
}

/// `U V^T` of the singular value decomposition of `A^T B`, and the largest singular value over the smallest.
fn by_decomposition(from: ArrayView2<'_, i16>, to: ArrayView2<'_, i16>) -> (DMatrix<f64>, f64) {
    let svd = (wide(from).transpose() * wide(to)).svd(true, true);
    let condition = svd.singular_values.max() / svd.singular_values.min();
    (svd.u.unwrap() * svd.v_t.unwrap(), condition)
}

fn farthest(left: &DMatrix<f64>, right: &DMatrix<f64>) -> f64 {
    (left - right).abs().max()
}

/// Tables of two contributors to a world. Half as long as rows should be, because those of few columns scatter beyond
/// what may be.
fn pair(rows: usize, cols: usize, seed: u64) -> (Array2<i16>, Array2<i16>) {
    let world = World::clustered(rows, cols, seed);
    let mut random = Random::new(seed);
    let mut one = || {
        let table = world.contribution(&mut random) * 0.5;
        hand_in(table.view(), &mut random)
    };
    (one(), one())
}

#[test]
fn a_large_rotation_is_that_of_the_decomposition() {
    let (from, to) = pair(1024, 256, 5);
    let found = procrustes(from.view(), to.view(), Machine::ONE_CORE).unwrap().unwrap();
    let (expected, condition) = by_decomposition(from.view(), to.view());
    let error = farthest(&from_fixed(found.view()), &expected);
    assert!(error < TOLERANCE, "{error} at a condition of {condition}");
}

#[test]
fn ill_conditioned_anchors_are_told_from_others() {
    let (from, _) = pair(200, 8, 9);
    let scaled = |by: f32| {
        let mut table = from.mapv(f32::from);
        table.slice_mut(s![.., 7]).mapv_inplace(|number| (number * by).round());
        quantised((table / 32_768.0).view())
    };
    let determined = |table: &Array2<i16>| procrustes(table.view(), table.view(), Machine::ONE_CORE).unwrap().is_some();
    assert!(determined(&scaled(0.1)));
    assert!(determined(&scaled(0.03)));
    assert!(!determined(&scaled(0.002)));
    assert!(!determined(&scaled(0.0)));
    assert!(!determined(&Array2::zeros((200, 8))));
    // Two directions that are one.
    let mut doubled = from.clone();
    let copy = doubled.column(0).to_owned();
    doubled.column_mut(1).assign(&copy);
    assert!(!determined(&doubled));
}

#[test]
fn hostile_anchors_are_refused_or_answered() {
    let long = Array2::from_elem((4, 4), i16::MIN);
    assert_eq!(procrustes(long.view(), long.view(), Machine::ONE_CORE), Err(Error::Mismatch));
    assert_eq!(procrustes(long.slice(s![..3, ..]), long.view(), Machine::ONE_CORE), Err(Error::Mismatch));
    let ends = array![[i16::MIN, 0], [0, i16::MAX], [i16::MIN, 0], [0, i16::MIN]];
    let other = array![[i16::MAX, 0], [0, i16::MAX], [i16::MAX, 0], [0, i16::MIN]];
    let found = procrustes(ends.view(), other.view(), Machine::ONE_CORE).unwrap().unwrap();
    let expected = DMatrix::from_row_slice(2, 2, &[-1.0, 0.0, 0.0, 1.0]);
    assert!(farthest(&from_fixed(found.view()), &expected) < TOLERANCE);
    let narrow = pair(40, 8, 1).0;
    let other = pair(40, 7, 1).0;
    let rotation = procrustes(narrow.view(), narrow.view(), Machine::ONE_CORE).unwrap().unwrap();
    assert_eq!(rotation.apply(other.view(), Machine::ONE_CORE), Err(Error::Mismatch));
}

#[test]
fn anchors_in_one_direction_give_the_same_sums() {
    // Sums of products of such columns do not fit 32 bits: they are made of short chunks.
    let rows = 600;
    let table = Array2::from_shape_fn((rows, 3), |(row, col)| match col {
        0 => 32_767,
        _ => i16::try_from((row * 7919 * (col + 3)) % 9001).unwrap() - 4500,
    });
    let found = procrustes(table.view(), table.view(), Machine::ONE_CORE).unwrap().unwrap();
    assert!(farthest(&from_fixed(found.view()), &DMatrix::identity(3, 3)) < TOLERANCE);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rotations_are_those_of_the_decomposition(cols in 1usize..24, more in 0usize..80, seed in any::<u32>()) {
        let (from, to) = pair(3 * cols + more, cols, seed.into());
        let (expected, condition) = by_decomposition(from.view(), to.view());
        match procrustes(from.view(), to.view(), Machine::ONE_CORE).unwrap() {
            Some(found) => {
                // The error grows with the condition; 1e-5 is for anchors as they should be.
                let bound = TOLERANCE.max(condition * 1e-7);
                prop_assert!(farthest(&from_fixed(found.view()), &expected) < bound, "condition {condition}");
            },
            None => prop_assert!(condition > 1_000.0, "refused at a condition of {condition}"),
        }
    }

    #[test]
    fn what_was_turned_is_turned_back(cols in 2usize..16, seed in any::<u32>()) {
        let (from, _) = pair(10 * cols, cols, seed.into());
        let mut random = Random::new(seed.into());
        let turned = hand_in(from.mapv(|number| f32::from(number) / 32_768.0).view(), &mut random);
        let rotation = procrustes(turned.view(), from.view(), Machine::ONE_CORE).unwrap().unwrap();
        let back = rotation.apply(turned.view(), Machine::ONE_CORE).unwrap();
        let farthest = back.iter().zip(&from).map(|(back, from)| (i32::from(*back) - i32::from(*from)).abs()).max();
        prop_assert!(farthest.unwrap() <= 8, "{farthest:?}");
    }
}
