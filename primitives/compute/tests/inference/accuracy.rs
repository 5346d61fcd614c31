//! How near the integers are to the functions that they stand for, in 64-bit floating point.

#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "floating point")]

use ensemble_compute::{
    inference::{
        glue::{self, Cache, Turn},
        Llama, Vector,
    },
    Machine,
};
use ensemble_compute_wasm::small::Small;
use proptest::{collection::vec, prelude::*};

/// Half of the last place of the largest element, and a little for what comes before the last rounding.
const TOLERANCE: f64 = 0.51 / 16384.0;

fn values(vector: &Vector) -> Vec<f64> {
    vector.mantissas().iter().map(|mantissa| f64::from(*mantissa) * f64::from(vector.exponent()).exp2()).collect()
}

/// The largest difference, relative to the largest element.
fn difference(found: &[f64], exact: &[f64]) -> f64 {
    assert_eq!(found.len(), exact.len());
    let largest = exact.iter().fold(0.0_f64, |most, number| most.max(number.abs()));
    let apart = found.iter().zip(exact).fold(0.0_f64, |most, (found, exact)| most.max((found - exact).abs()));
    if largest == 0.0 {
        apart
    } else {
        apart / largest
    }
}

fn units(numbers: &[f64], exponent: i32) -> Vec<i64> {
    numbers.iter().map(|number| (number * f64::from(-exponent).exp2()).round() as i64).collect()
}

fn reals(len: usize, largest: f64) -> impl Strategy<Value = Vec<f64>> {
    vec(-largest..largest, len)
}

#[test]
fn exponentials_are_within_eleven_units() {
    let worst = (0..=400_000_u32)
        .map(|step| step * 10_737)
        .chain([0, 1, u32::MAX])
        .map(|x| {
            let exact = (-f64::from(x) / 24_f64.exp2()).exp() * 30_f64.exp2();
            (f64::from(glue::exponential(x)) - exact).abs()
        })
        .fold(0.0, f64::max);
    assert!(worst <= 11.0, "{worst}");
    assert_eq!(glue::exponential(0), 1 << 30);
}

#[test]
fn sigmoids_are_within_twelve_units() {
    let worst = (-200_000..=200_000_i32)
        .map(|step| step * 5_003)
        .chain([0, 1, -1, i32::MAX, i32::MIN])
        .map(|x| {
            let exact = 30_f64.exp2() / (1.0 + (-f64::from(x) / 24_f64.exp2()).exp());
            (f64::from(glue::sigmoid(x)) - exact).abs()
        })
        .fold(0.0, f64::max);
    assert!(worst <= 12.0, "{worst}");
    assert_eq!(glue::sigmoid(0), 1 << 29);
}

proptest! {
    #[test]
    fn norms_are_near(
        (state, weights) in (1..100_usize).prop_flat_map(|len| (reals(len, 300.0), reals(len, 8.0))),
        outlier in prop_oneof![Just(1.0), Just(300.0), Just(0.01)],
    ) {
        let mut state = state;
        state[0] *= outlier;
        let (fixed, weights) = (units(&state, -24), units(&weights, -20));
        let weights: Vec<i32> = weights.iter().map(|weight| *weight as i32).collect();
        let state: Vec<f64> = fixed.iter().map(|number| *number as f64 / 24_f64.exp2()).collect();
        let mean = state.iter().map(|number| number * number).sum::<f64>() / state.len() as f64;
        let root = (mean + 10_995_116.0 / 40_f64.exp2()).sqrt();
        let exact: Vec<f64> =
            state.iter().zip(&weights).map(|(number, weight)| number / root * f64::from(*weight) / 20_f64.exp2()).collect();
        let found = values(&glue::norm(&fixed, &weights, 10_995_116));
        prop_assert!(difference(&found, &exact) < TOLERANCE);
    }

    #[test]
    fn activations_are_near(
        (gate_reals, up_reals) in (1..100_usize).prop_flat_map(|len| (reals(len, 40.0), reals(len, 40.0))),
    ) {
        let (gate, up) = (units(&gate_reals, -36), units(&up_reals, -36));
        let exact: Vec<f64> = gate
            .iter()
            .zip(&up)
            .map(|(gate, up)| {
                let (gate, up) = (*gate as f64 / 36_f64.exp2(), *up as f64 / 36_f64.exp2());
                gate / (1.0 + (-gate).exp()) * up
            })
            .collect();
        let found = values(&glue::activate(&gate, &up, -12));
        let most = |numbers: &[f64]| numbers.iter().fold(0.0_f64, |most, number| most.max(number.abs()));
        let apart = found.iter().zip(&exact).fold(0.0_f64, |most, (found, exact)| most.max((found - exact).abs()));
        // The sigmoid is off by up to 12 units of 2^-30, of whatever it is multiplied by.
        let sigmoid = 12.0 / 30_f64.exp2() * (most(&gate_reals) * most(&up_reals));
        prop_assert!(apart < TOLERANCE * most(&exact) + sigmoid);
    }

    #[test]
    fn attention_is_near(
        positions in vec((reals(32, 4.0), 0.0..6.0_f64), 1..40),
        interleaved in any::<bool>(),
    ) {
        let llama = Llama { heads: 2, kv_heads: 1, head_width: 8, ..Small::default().llama() };
        let mut cache = Cache::new(&llama);
        let mut seen: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
        for (outputs, angle) in &positions {
            let angles: Vec<f64> = (0..4).map(|pair| angle * f64::from(pair)).collect();
            let turn: Vec<i32> = angles
                .iter()
                .map(|angle| angle.cos())
                .chain(angles.iter().map(|angle| angle.sin()))
                .map(|number| (number * 30_f64.exp2()).round() as i32)
                .collect();
            let turned = |head: &[f64]| {
                let mut turned = head.to_vec();
                for (pair, angle) in angles.iter().enumerate() {
                    let (left, right) = if interleaved { (2 * pair, 2 * pair + 1) } else { (pair, pair + 4) };
                    turned[left] = head[left] * angle.cos() - head[right] * angle.sin();
                    turned[right] = head[left] * angle.sin() + head[right] * angle.cos();
                }
                turned
            };
            seen.push((turned(&outputs[16..24]), outputs[24..].to_vec()));
            let exact: Vec<f64> = outputs[..16].chunks(8).flat_map(|query| mean(&turned(query), &seen)).collect();

            let (outputs, turn) = (units(outputs, -40), Turn::new(&turn, interleaved));
            cache.push(&outputs[16..24], &outputs[24..], -16, &turn);
            let found = cache.attend(&outputs[..16], -16, &turn, seen.len(), Machine::ONE_CORE);
            // Scores of up to 45 are off by up to a few times 2^-12, and so are the weights; values are up to 4.
            let apart = values(&found).iter().zip(&exact).fold(0.0_f64, |most, (a, b)| most.max((a - b).abs()));
            prop_assert!(apart < 0.004, "{apart}");
        }
    }
}

/// The mean of values by the softmax of the keys' products with the query.
fn mean(query: &[f64], seen: &[(Vec<f64>, Vec<f64>)]) -> Vec<f64> {
    let score = |key: &[f64]| query.iter().zip(key).map(|(x, y)| x * y).sum::<f64>() / 8_f64.sqrt();
    let scores: Vec<f64> = seen.iter().map(|(key, _)| score(key)).collect();
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = scores.iter().map(|score| (score - largest).exp()).collect();
    let total: f64 = weights.iter().sum();
    let element =
        |at: usize| seen.iter().zip(&weights).map(|((_, value), weight)| value[at] * weight).sum::<f64>() / total;
    (0..8).map(element).collect()
}
