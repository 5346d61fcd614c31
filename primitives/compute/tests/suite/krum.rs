//! Scores, selection and influence on points in a plane.

use ensemble_compute::{
    aggregation::{
        distance::Distances,
        krum::{influence, scores, select, Slack},
    },
    Machine,
};

const THIRD: u32 = 333_333;

fn between(points: &[(u64, u64)]) -> Distances {
    let product = |i: usize, j: usize| u128::from(points[i].0 * points[j].0 + points[i].1 * points[j].1);
    Distances::from_products(points.len(), Machine::PORTABLE, product)
}

fn selected(points: &[(u64, u64)], weights: &[u64]) -> Vec<bool> {
    select(&between(points), weights, THIRD, Slack::TABLES)
}

#[test]
fn a_score_is_the_mean_distance_to_the_nearest() {
    let distances = between(&[(0, 0), (0, 3), (0, 10), (0, 100)]);
    // Three of four are honest: besides oneself, the nearest two.
    assert_eq!(scores(&distances, &[1; 4], 1, 0), [54, 29, 74, 8754]);
    assert_eq!(scores(&distances, &[1; 4], 1, 60), [80, 60, 80, 8754]);
    // By weight: the first one needs 5 besides its own 2, four fifths of which are the second's.
    assert_eq!(scores(&distances, &[2, 4, 2, 2], 3, 0), [27, 22, 59, 8885]);
    // Who has all the honest weight needs nobody.
    assert_eq!(scores(&distances, &[9, 1, 1, 1], 3, 0)[0], 0);
}

#[test]
fn those_far_away_are_not_selected() {
    let points = [(0, 0), (4, 0), (0, 4), (4, 4), (2, 2), (900, 900), (0, 900)];
    assert_eq!(selected(&points, &[1; 7]), [true, true, true, true, true, false, false]);
    // Nor if they are near each other.
    let points = [(0, 0), (4, 0), (0, 4), (4, 4), (2, 2), (900, 900), (901, 900)];
    assert_eq!(selected(&points, &[1; 7]), [true, true, true, true, true, false, false]);
}

#[test]
fn nobody_is_left_out_for_nothing() {
    // The corners of a cube, as far as a plane has them.
    let points = [(0, 10), (10, 0), (20, 10), (10, 20)];
    assert_eq!(selected(&points, &[1; 4]), [true; 4]);
    assert_eq!(influence(&between(&points), &[1; 4], THIRD, &[true; 4]).len(), 4);
}

#[test]
fn a_crowd_in_one_place_has_the_weight_of_one() {
    let points = [(0, 0), (100, 0), (0, 100), (100, 100), (50, 50), (50, 50), (50, 50)];
    let distances = between(&points);
    let parts = influence(&distances, &[1 << 19; 7], THIRD, &[true; 7]);
    assert_eq!(parts[..4], [parts[0]; 4]);
    let crowd: u64 = parts[4..].iter().sum();
    assert!(crowd.abs_diff(parts[0]) <= 3, "{parts:?}");
    // A heavy one shares with a light one: together at most what the heavy one had.
    let parts = influence(&distances, &[4, 4, 4, 4, 4, 1, 1], THIRD, &[true; 7]);
    assert!(parts[4..].iter().sum::<u64>() <= parts[0], "{parts:?}");
    // Who is not selected shares with nobody.
    let parts = influence(&distances, &[1; 7], THIRD, &[true, true, true, true, true, false, false]);
    assert_eq!(parts, [parts[0], parts[0], parts[0], parts[0], parts[0], 0, 0]);
}

#[test]
fn the_usual_distance_is_that_of_the_honest() {
    let honest: Vec<_> = (0..9).map(|i| (1000 * i, 1000 * (i * i % 7))).collect();
    let largest = |points: &[(u64, u64)]| {
        let distances = between(points);
        (0..points.len()).flat_map(|i| distances.row(i).to_vec()).max().unwrap()
    };
    let usual = |cheats: &[(u64, u64)]| {
        let points = [&honest[..], cheats].concat();
        between(&points).usual(&vec![1; points.len()], 400_000)
    };
    let far: Vec<_> = (1..7).map(|i| (1_000_000 * i, 0)).collect();
    assert!(usual(&far) <= largest(&honest));
    assert!(usual(&[(2500, 2500); 6]) > 0);
}
