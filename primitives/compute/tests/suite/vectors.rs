//! The test vectors of `docs/numerics.md`, which were computed without this crate.

use ensemble_compute_wasm::{Answer, Job};
use serde::Deserialize;

use crate::common::MACHINES;

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

/// A call of a kernel and what has to come of it.
#[derive(Deserialize)]
pub struct Vector {
    pub name: String,
    pub job: Job,
    pub answer: Answer,
}

pub fn all() -> Vec<Vector> {
    let file: Vectors = serde_json::from_str(include_str!("../vectors.json")).expect("the vectors are well formed");
    file.vectors
}

#[test]
fn kernels_give_what_is_written_down() {
    for Vector { name, job, answer } in all() {
        for machine in MACHINES {
            assert_eq!(job.run(machine), answer, "{name}, {machine:?}");
        }
    }
}

#[test]
fn every_kernel_has_a_vector() {
    let all = all();
    let has = |kernel: fn(&Job) -> bool| assert!(all.iter().any(|vector| kernel(&vector.job)));
    has(|job| matches!(job, Job::Procrustes { .. }));
    has(|job| matches!(job, Job::Turn { .. }));
    has(|job| matches!(job, Job::Carry { .. }));
    has(|job| matches!(job, Job::Mean { .. }));
    has(|job| matches!(job, Job::MeanCarried { .. }));
    has(|job| matches!(job, Job::TrimmedMean { .. }));
    has(|job| matches!(job, Job::Median { .. }));
    has(|job| matches!(job, Job::Scores { .. }));
    has(|job| matches!(job, Job::Select { .. }));
    has(|job| matches!(job, Job::Influence { .. }));
    has(|job| matches!(job, Job::Nearest { .. }));
    has(|job| matches!(job, Job::Aggregate { .. }));
    has(|job| matches!(job, Job::AlignedMean { .. }));
}
