//! The same answer and the same trace, however the work is cut.

use ensemble_compute::{
    inference::{
        glue::{Cache, Turn},
        Llama,
    },
    Machine,
};
use ensemble_compute_wasm::{
    glue::{Glue, Made},
    small::Small,
};
use proptest::prelude::*;

fn sequence(
    shape: Small,
    prompt: &[u32],
    batch: u32,
    ranges: u32,
    machine: Machine,
) -> (Vec<u32>, [u8; 32], Vec<[u8; 32]>) {
    match (Glue::Sequence { shape, prompt: prompt.to_vec(), batch, answer: 4, ranges }).run(machine) {
        Made::Sequence { answer, gateway, workers } => (answer, gateway, workers),
        other => panic!("a sequence is made, not {other:?}"),
    }
}

fn shapes() -> impl Strategy<Value = Small> {
    let heads = prop_oneof![Just((4, 4, 16)), Just((4, 2, 16)), Just((2, 1, 32)), Just((16, 8, 2))];
    let widths = (1..4_u32, 1..4_u32);
    (any::<u64>(), 1..4_u32, heads, widths, 8..70_u32, any::<(bool, bool)>()).prop_map(
        |(seed, layers, (heads, kv_heads, head_width), (width, hidden), vocabulary, (interleaved, tied))| Small {
            seed,
            layers,
            width: 32 * width,
            heads,
            kv_heads,
            head_width,
            hidden: 32 * hidden,
            vocabulary,
            positions: 20,
            interleaved,
            tied,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_cut_changes_nothing(
        shape in shapes(),
        prompt in prop::collection::vec(0..8_u32, 1..12),
        batch in 1..13_u32,
        threads in 1..5_usize,
        vector in any::<bool>(),
        ranges in 1..5_u32,
    ) {
        let machine = Machine { threads, vector };
        let (answer, gateway, workers) = sequence(shape, &prompt, 1, 1, Machine::PORTABLE);
        let (cut_answer, cut_gateway, cut_workers) = sequence(shape, &prompt, batch, ranges, machine);
        prop_assert_eq!(answer, cut_answer);
        prop_assert_eq!(gateway, cut_gateway);
        // A range's trace is that of its own rows, so it is compared with another machine's.
        let (_, _, plain_workers) = sequence(shape, &prompt, 1, ranges, Machine::PORTABLE);
        prop_assert_eq!(&plain_workers, &cut_workers);
        if ranges == 1 {
            prop_assert_eq!(workers, cut_workers);
        }
    }
}

#[test]
fn another_token_or_weight_gives_another_trace() {
    let shape = Small::default();
    let (_, gateway, workers) = sequence(shape, &[1, 2, 3], 3, 1, Machine::ONE_CORE);
    let (_, other_gateway, other_workers) = sequence(shape, &[1, 2, 4], 3, 1, Machine::ONE_CORE);
    assert_ne!((gateway, &workers), (other_gateway, &other_workers));
    let shape = Small { seed: 3, ..shape };
    let (_, other_gateway, other_workers) = sequence(shape, &[1, 2, 3], 3, 1, Machine::ONE_CORE);
    assert_ne!((gateway, &workers), (other_gateway, &other_workers));
}

#[test]
fn a_long_sequence_is_the_same_on_any_number_of_threads() {
    let llama = Llama { heads: 6, kv_heads: 2, head_width: 128, ..Small::default().llama() };
    let mut state = 7_u64;
    let mut random = |count: usize| -> Vec<i64> {
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.cast_signed() >> 20
        };
        (0..count).map(next).collect()
    };
    let row: Vec<i32> = random(128).into_iter().map(|number| i32::try_from(number >> 14).unwrap()).collect();
    let turn = Turn::new(&row, true);
    let mut cache = Cache::new(&llama);
    for _ in 0..700 {
        let (keys, values) = (random(256), random(256));
        cache.push(&keys, &values, -20, &turn);
    }
    let queries = random(768);
    let attend = |machine| cache.attend(&queries, -20, &turn, 700, machine);
    let alone = attend(Machine::ONE_CORE);
    assert!(alone.mantissas().iter().any(|mantissa| *mantissa != 0));
    for threads in [2, 3, 4, 6, 50] {
        assert_eq!(attend(Machine { threads, vector: true }), alone, "{threads}");
    }
}
