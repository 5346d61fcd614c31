//! The test vectors of `docs/numerics.md`, which were computed without this crate.

use ensemble_compute_wasm::{glue::Glue, Answer, Job};
use ensemble_tensor::Kind;
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
    let files = [
        include_str!("../vectors.json"),
        include_str!("../inference-vectors.json"),
        include_str!("../glue-vectors.json"),
    ];
    files
        .into_iter()
        .flat_map(|file| serde_json::from_str::<Vectors>(file).expect("the vectors are well formed").vectors)
        .collect()
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
    has(|job| matches!(job, Job::Vector { .. }));
    has(|job| matches!(job, Job::Decode { .. }));
    for wanted in [Kind::Q8_0, Kind::Q4_0, Kind::Q4_1, Kind::I16, Kind::I32] {
        let has = |job: &Job| matches!(job, Job::Products { kind, .. } if *kind == wanted);
        assert!(all.iter().any(|vector| has(&vector.job)), "{wanted}");
    }
    has(|job| matches!(job, Job::Glue(Glue::Embed { .. })));
    has(|job| matches!(job, Job::Glue(Glue::Norm { .. })));
    has(|job| matches!(job, Job::Glue(Glue::Add { .. })));
    has(|job| matches!(job, Job::Glue(Glue::Activate { .. })));
    has(|job| matches!(job, Job::Glue(Glue::Attend { .. })));
    has(|job| matches!(job, Job::Glue(Glue::Pick { .. })));
    has(|job| matches!(job, Job::Glue(Glue::Sequence { .. })));
}
