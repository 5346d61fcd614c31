//! Whatever numbers come, nothing panics.

use ensemble_compute::{
    inference::{
        glue::{self, Cache, Turn},
        Llama, Next, Run, Vector,
    },
    Machine,
};
use ensemble_compute_wasm::small::Small;
use ensemble_tensor::Kind;
use proptest::{collection::vec, prelude::*};

/// Any number, and often one at the edge of what there is.
fn numbers() -> impl Strategy<Value = i64> {
    prop_oneof![
        any::<i64>(),
        Just(i64::MIN),
        Just(i64::MAX),
        Just(0),
        Just(-1),
        (0..64_u32, any::<i64>()).prop_map(|(shift, number)| number >> shift),
    ]
}

fn tables() -> impl Strategy<Value = i32> {
    prop_oneof![any::<i32>(), Just(i32::MIN), Just(i32::MAX), Just(0), Just(1 << 30)]
}

fn exponents() -> impl Strategy<Value = i32> {
    prop_oneof![any::<i32>(), -300..300_i32, Just(i32::MIN), Just(i32::MAX)]
}

/// A vector is what [`Vector`] reads again.
fn is_a_vector(vector: &Vector) -> bool {
    Vector::decode(&vector.encode()).as_ref() == Ok(vector)
}

proptest! {
    #[test]
    fn norms_take_anything(
        state in vec(numbers(), 0..70),
        weights in vec(tables(), 0..70),
        epsilon in prop_oneof![any::<u64>(), Just(0), Just(u64::MAX)],
    ) {
        let normed = glue::norm(&state, &weights, epsilon);
        prop_assert_eq!(normed.len(), state.len().min(weights.len()));
        prop_assert!(is_a_vector(&normed));
    }

    #[test]
    fn sums_take_anything(state in vec(numbers(), 0..9), outputs in vec(numbers(), 0..9), exponent in exponents()) {
        prop_assert_eq!(glue::add(&state, &outputs, exponent).len(), state.len().min(outputs.len()));
    }

    #[test]
    fn activations_take_anything(gate in vec(numbers(), 0..70), up in vec(numbers(), 0..70), exponent in exponents()) {
        let activated = glue::activate(&gate, &up, exponent);
        prop_assert_eq!(activated.len(), gate.len().min(up.len()));
        prop_assert!(is_a_vector(&activated));
    }

    #[test]
    fn rows_are_any_bytes(kind in prop::sample::select(&Kind::ALL[..]), row in vec(any::<u8>(), 0..200)) {
        let elements = glue::embed(kind, &row);
        prop_assert!(elements.is_empty() || elements.len() == row.len() / kind.group_len() as usize * 32);
    }

    #[test]
    fn the_token_taken_is_the_first_of_the_largest(logits in vec(prop_oneof![numbers(), -3..3_i64], 0..50)) {
        let taken = glue::pick(&logits).map(|token| token as usize);
        let largest = logits.iter().max();
        prop_assert_eq!(taken, logits.iter().position(|logit| Some(logit) == largest));
    }

    #[test]
    fn attention_takes_anything(
        positions in vec((vec(numbers(), 0..40), vec(tables(), 0..12), exponents()), 1..8),
        interleaved in any::<bool>(),
        visible in 0..20_usize,
    ) {
        let llama = Llama { heads: 4, kv_heads: 2, head_width: 4, ..Small::default().llama() };
        let mut cache = Cache::new(&llama);
        for (outputs, turn, exponent) in &positions {
            let turn = Turn::new(turn, interleaved);
            let (queries, rest) = outputs.split_at(outputs.len().min(16));
            let (keys, values) = rest.split_at(rest.len().min(8));
            cache.push(keys, values, *exponent, &turn);
            let mixed = cache.attend(queries, *exponent, &turn, visible, Machine::ONE_CORE);
            prop_assert!(is_a_vector(&mixed));
        }
        prop_assert_eq!(cache.positions(), positions.len());
    }

    #[test]
    fn sequences_take_any_outputs(
        number in numbers(),
        others in vec(numbers(), 1..20),
        tokens in vec(0..80_u32, 1..5),
    ) {
        let shape = Small::default();
        let (llama, model) = (shape.llama(), shape.model());
        let mut run = Run::new(&llama, &model, true, Machine::ONE_CORE).unwrap();
        let mut call = run.begin(&tokens, true).unwrap();
        loop {
            let len = llama.outputs(llama.stage(call.stage).unwrap()) as usize;
            let output: Vec<i64> = others.iter().copied().chain([number]).cycle().take(len).collect();
            prop_assert!(call.inputs.iter().all(is_a_vector));
            match run.supply(&vec![output; call.inputs.len()]).unwrap() {
                Next::Call(next) => call = next,
                Next::Token(token) => {
                    prop_assert!(token < llama.vocabulary);
                    break;
                },
                Next::Stored => prop_assert!(false, "a token was asked for"),
            }
        }
    }
}
