//! Rows times vectors on one core.

use std::{hint::black_box, time::Instant};

use ensemble_compute::{
    inference::{Inputs, Rows, Vector},
    Machine,
};
use ensemble_compute_study::{
    report::{Bar, Report},
    world::Random,
};
use ensemble_tensor::Kind;
use multiversion::multiversion;
use ndarray::{Array1, Array2};

/// A matrix larger than a cache.
const ROWS: usize = 16_384;
const COLS: usize = 8_192;
/// Least part of the core's read bandwidth.
const OF_BANDWIDTH: f64 = 0.60;
/// Least speed over that of ndarray's `dot` in f32.
const OVER_NDARRAY: f64 = 5.0;
/// Positions of a prompt that are computed at once.
const BATCH: usize = 32;
/// Times that everything is measured, in turn; the best counts, because other programs only ever take time.
const TIMES: usize = 9;
/// Kinds and whether they have bars.
const KINDS: [(Kind, bool); 3] = [(Kind::Q8_0, true), (Kind::Q4_0, false), (Kind::Q4_1, true)];

pub fn measure(report: &mut Report) {
    let mut random = Random::new(1);
    let vectors: Vec<_> = (0..BATCH).map(|_| vector(&mut random)).collect();
    let matrices = KINDS.map(|(kind, _)| matrix(kind, &mut random));
    let (float, by) = (Array2::from_elem((ROWS, COLS), 0.5f32), Array1::from_elem(COLS, 0.25f32));

    let (mut bandwidth, mut dot, mut alone, mut plain) = (0.0f64, 0.0f64, [0.0f64; 3], [0.0f64; 3]);
    for time in 1..=TIMES {
        eprintln!("rows times a vector, {time} of {TIMES}");
        let bytes = matrices[0].len() as f64;
        bandwidth = bandwidth.max(bytes / seconds(|| add(&matrices[0])));
        dot = dot.max(work(1) / seconds(|| float.dot(&by)));
        for (place, (kind, _)) in KINDS.into_iter().enumerate() {
            let speed = |machine| work(1) / products(kind, &matrices[place], &vectors[..1], machine);
            alone[place] = alone[place].max(speed(Machine::ONE_CORE));
            if time == TIMES {
                plain[place] = speed(Machine::PORTABLE);
            }
        }
    }
    report.figure("read bandwidth of one core", bandwidth / 1e9, "GB/s", Bar::None);
    report.figure("ndarray f32 dot, one core", dot / 1e9, "GMAC/s", Bar::None);
    for (place, (kind, barred)) in KINDS.into_iter().enumerate() {
        let bar = |bar| if barred { Bar::Least(bar) } else { Bar::None };
        let name = format!("{kind} rows, {ROWS} x {COLS}, one core");
        let read = alone[place] * matrices[place].len() as f64 / work(1);
        report.figure(&name, alone[place] / 1e9, "GMAC/s", Bar::None);
        report.figure(&format!("{name}, of read bandwidth"), read / bandwidth, "of 1", bar(OF_BANDWIDTH));
        report.figure(&format!("{name}, over ndarray f32 dot"), alone[place] / dot, "times", bar(OVER_NDARRAY));
        report.figure(&format!("{name}, without vector instructions"), plain[place] / 1e9, "GMAC/s", Bar::None);
        let batch = work(BATCH) / products(kind, &matrices[place], &vectors, Machine::ONE_CORE);
        report.figure(&format!("{name}, {BATCH} vectors at once"), batch / 1e9, "GMAC/s", Bar::None);
    }
}

/// Products of elements.
fn work(vectors: usize) -> f64 {
    (ROWS * COLS * vectors) as f64
}

fn products(kind: Kind, data: &[u8], vectors: &[Vector], machine: Machine) -> f64 {
    let rows = Rows::new(kind, COLS, data).unwrap();
    let mut outputs = vec![Vec::with_capacity(ROWS); vectors.len()];
    seconds(|| rows.products(&Inputs::new(vectors).unwrap(), machine, &mut outputs).unwrap())
}

fn seconds<T>(work: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    black_box(work());
    start.elapsed().as_secs_f64()
}

/// Reads all bytes.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2", "aarch64+neon"))]
fn add(bytes: &[u8]) -> u64 {
    bytes.as_chunks().0.iter().fold(0u64, |sum, number| sum.wrapping_add(u64::from_le_bytes(*number)))
}

fn vector(random: &mut Random) -> Vector {
    #[allow(clippy::cast_possible_truncation, reason = "casts from floats saturate")]
    let numbers: Vec<_> = random.normal(1, COLS).iter().map(|number| (number * 2f32.powi(24)) as i64).collect();
    Vector::from_exact(&numbers, -24)
}

/// Any quants, with scales near one.
fn matrix(kind: Kind, random: &mut Random) -> Vec<u8> {
    let block = kind.group_len() as usize;
    let mut data = vec![0; ROWS * COLS / kind.group_cols() as usize * block];
    let noise = random.order(1 << 16);
    for (place, byte) in data.iter_mut().enumerate() {
        *byte = noise[place % noise.len()].to_le_bytes()[0];
    }
    for block in data.chunks_exact_mut(block) {
        block[1] = 0x3c;
        if kind == Kind::Q4_1 {
            block[3] = 0x3c;
        }
    }
    data
}
