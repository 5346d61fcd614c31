//! What is simulated is what the study says.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{env, fs};

use ensemble_compute_study::{
    measure::Neighbourhoods,
    world::{hand_in, widened, Random, World, NOISE},
};
use ndarray::Array2;

fn world() -> World {
    World::clustered(400, 32, 5)
}

#[test]
fn a_table_keeps_its_own_neighbourhoods_in_any_basis() {
    let world = world();
    let truth = Neighbourhoods::of(&world);
    let own = truth.kept(&world, world.truth.view());
    assert_eq!((own.nearest, own.ten), (1.0, 1.0));
    let turned = widened(hand_in(world.truth.view(), &mut Random::new(1)).view());
    let kept = truth.kept(&world, turned.view());
    assert!(kept.nearest > 0.99 && kept.ten > 0.99, "{kept:?}");
    let noise = truth.kept(&world, Random::new(2).normal(400, 32).view());
    assert!(noise.nearest < 0.05 && noise.ten < 0.1, "{noise:?}");
}

#[test]
fn contributions_are_the_truth_with_noise() {
    let world = world();
    for row in world.truth.rows() {
        assert!((row.dot(&row) - 1.0).abs() < 1e-5);
    }
    let noise = world.contribution(&mut Random::new(3)) - &world.truth;
    let ratio = noise.std(0.0) / world.truth.std(0.0);
    assert!((ratio - NOISE).abs() < 0.01, "{ratio}");
    assert!(noise.mean().unwrap().abs() < 0.002);
}

#[test]
fn rotations_are_orthogonal() {
    let rotation = Random::new(4).rotation(24);
    let farthest =
        (rotation.t().dot(&rotation) - Array2::<f32>::eye(24)).iter().fold(0.0f32, |far, x| far.max(x.abs()));
    assert!(farthest < 1e-5, "{farthest}");
}

#[test]
fn files_that_hold_no_table_are_refused() {
    let path = env::temp_dir().join(format!("ensemble-study-{}", std::process::id()));
    let header = r#"{"a":{"dtype":"F16","shape":[8,2],"data_offsets":[0,32]}}"#;
    let file = |header: &str, data: usize| {
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0x3c; data]].concat()
    };
    let read = |bytes: &[u8], rows| {
        fs::write(&path, bytes).unwrap();
        World::words(&path, rows).map(|world| (world.truth.dim(), world.anchors)).ok()
    };
    assert_eq!(read(&file(header, 32), 8), Some(((8, 2), 2)));
    assert_eq!(read(&file(header, 32), 9), None);
    assert_eq!(read(&file(header, 30), 8), None);
    assert_eq!(read(&file("{}", 32), 8), None);
    assert_eq!(read(&file(header, 32)[..20], 8), None);
    assert_eq!(read(&[], 8), None);
    fs::remove_file(&path).unwrap();
}
