//! Means and medians.

use ensemble_compute::{
    aggregation::{
        combine::{mean, median_weights, trimmed_mean},
        distance::Distances,
        Error,
    },
    Machine,
};
use ndarray::{array, Array2, ArrayView2};
use proptest::{collection::vec, prelude::*};

fn column(values: &[i16]) -> Vec<Array2<i16>> {
    values.iter().map(|value| array![[*value]]).collect()
}

fn views(arrays: &[Array2<i16>]) -> Vec<ArrayView2<'_, i16>> {
    arrays.iter().map(|array| array.view()).collect()
}

#[test]
fn ties_are_rounded_up() {
    let arrays = column(&[1, 2]);
    assert_eq!(mean(&views(&arrays), &[1, 1]), Ok(array![[2]]));
    let arrays = column(&[-1, -2]);
    assert_eq!(mean(&views(&arrays), &[1, 1]), Ok(array![[-1]]));
    assert_eq!(mean(&views(&arrays), &[1, 2]), Ok(array![[-2]]));
}

#[test]
fn what_does_not_fit_is_refused() {
    let arrays = [array![[1i16]], array![[1i16, 2]]];
    assert_eq!(mean(&views(&arrays), &[1, 1]), Err(Error::Mismatch));
    assert_eq!(mean(&views(&arrays[..1]), &[1, 1]), Err(Error::Mismatch));
    assert_eq!(mean::<i16>(&[], &[]), Err(Error::Mismatch));
    let many = column(&[1; 129]);
    assert_eq!(mean(&views(&many[1..]), &[1 << 20; 128]), Ok(array![[1]]));
    assert_eq!(mean(&views(&many), &[1; 129]), Err(Error::Mismatch));
    assert_eq!(mean(&views(&many[1..]), &[(1 << 20) + 1; 128]), Err(Error::Mismatch));
}

proptest! {
    #[test]
    fn trimming_withstands_what_it_trims(
        honest in vec(-1000i16..1000, 6..10),
        cheats in vec(any::<i16>(), 0..5),
    ) {
        let arrays = column(&[&honest[..], &cheats].concat());
        let weights = vec![7; arrays.len()];
        let found = trimmed_mean(&views(&arrays), &weights, 7 * cheats.len() as u64).unwrap()[[0, 0]];
        let (least, most) = (honest.iter().min().unwrap(), honest.iter().max().unwrap());
        prop_assert!((least..=most).contains(&&found));
    }

    #[test]
    fn trimming_nothing_is_the_mean(values in vec(any::<(i16, u16)>(), 1..12)) {
        let arrays = column(&values.iter().map(|(value, _)| *value).collect::<Vec<_>>());
        let weights: Vec<_> = values.iter().map(|(_, weight)| u64::from(*weight) + 1).collect();
        let (views, exact) = (views(&arrays), values.iter().map(|(v, w)| f64::from(*v) * (f64::from(*w) + 1.0)).sum::<f64>());
        let found = mean(&views, &weights).unwrap();
        prop_assert_eq!(&trimmed_mean(&views, &weights, 0).unwrap(), &found);
        let exact = exact / weights.iter().sum::<u64>() as f64;
        prop_assert!((f64::from(found[[0, 0]]) - exact).abs() <= 0.5 + 1e-9);
    }

    #[test]
    fn splitting_oneself_changes_no_mean(values in vec(any::<i16>(), 2..8)) {
        let once = column(&values);
        let twice = column(&[&values[..], &values[..1]].concat());
        let mut weights = vec![6; values.len()];
        let whole = [mean(&views(&once), &weights), trimmed_mean(&views(&once), &weights, 5)];
        weights[0] = 2;
        weights.push(4);
        prop_assert_eq!(whole, [mean(&views(&twice), &weights), trimmed_mean(&views(&twice), &weights, 5)]);
    }

    #[test]
    fn the_median_is_where_distances_sum_least(points in vec((-1000i64..1000, -1000i64..1000), 3..9)) {
        let product = |i: usize, j: usize| {
            let (a, b) = (points[i], points[j]);
            u128::try_from((a.0 + 2000) * (b.0 + 2000) + (a.1 + 2000) * (b.1 + 2000)).unwrap()
        };
        let distances = Distances::from_products(points.len(), Machine::PORTABLE, product);
        let weights = median_weights(&distances, &vec![1; points.len()]);
        let total = weights.iter().sum::<u64>() as f64;
        let of = |pick: fn(&(i64, i64)) -> i64| {
            points.iter().zip(&weights).map(|(point, weight)| pick(point) as f64 * *weight as f64).sum::<f64>() / total
        };
        let found = (of(|point| point.0), of(|point| point.1));
        let sum = |x: f64, y: f64| points.iter().map(|p| (p.0 as f64 - x).hypot(p.1 as f64 - y)).sum::<f64>();
        let here = sum(found.0, found.1);
        // The steps are few, so near is enough: no step in any direction gains more than a little.
        let mean = (points.iter().map(|p| p.0).sum::<i64>() as f64, points.iter().map(|p| p.1).sum::<i64>() as f64);
        let count = points.len() as f64;
        prop_assert!(here <= sum(mean.0 / count, mean.1 / count) * 1.0001 + 1.0);
        for (x, y) in [(50.0, 0.0), (-50.0, 0.0), (0.0, 50.0), (0.0, -50.0)] {
            prop_assert!(here <= sum(found.0 + x, found.1 + y) * 1.01 + 1.0);
        }
    }
}
