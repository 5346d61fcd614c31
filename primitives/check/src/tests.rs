//! Sessions in which one thing or nothing is wrong.

use codec::Encode;
use ensemble_compute::{
    inference::{glue, product, Stage, Vector},
    Machine,
};
use ensemble_core::inference::{Evidence, GlueEvidence, MatrixRow};
use ensemble_tensor::merkle;

use super::{
    check, prompt_hash,
    sample::{table_of_tokens, Lie, Play, Tiny, LLAMA},
    Claims, Unable, Verdict,
};

const PROMPT: [u32; 5] = [3, 1, 4, 1, 59];
const POSITIONS: u32 = 9;

fn play<'a>(model: &'a Tiny, ranges: u32, lies: &'a [(u32, u32, Lie)]) -> Play<'a> {
    Play { model, prompt: &PROMPT, positions: POSITIONS, ranges, lies, publishes: true }
}

fn verdict(model: &Tiny, claims: &Claims) -> Result<Verdict, Unable> {
    check(model, claims, Machine::ONE_CORE, || true)
}

/// The evidence that a lie leads to.
fn found(model: &Tiny, ranges: u32, lies: &[(u32, u32, Lie)]) -> (Vec<Evidence>, Claims) {
    let claims = play(model, ranges, lies).run();
    match verdict(model, &claims) {
        Ok(Verdict::Wrong(found)) => (found, claims),
        other => panic!("a lie was not found: {other:?}"),
    }
}

/// The one thing that was found.
fn one(found: Vec<Evidence>) -> Evidence {
    let [one]: [_; 1] = found.try_into().unwrap();
    one
}

fn glue_of(found: Vec<Evidence>) -> GlueEvidence {
    match one(found) {
        Evidence::Glue(glue) => glue,
        other => panic!("{other:?} is not about the gateway"),
    }
}

/// Whether a row is the model's, and of the member.
fn is_of_model(model: &Tiny, name: &str, matrix: &MatrixRow) {
    matrix.row.verify(&matrix.member.id).unwrap();
    let leaf = merkle::leaf_hash(&(name.as_bytes(), matrix.member.id).encode());
    let count = u32::try_from(model.members.len()).unwrap();
    let root = merkle::root_of_path(leaf, matrix.member.index, count, &matrix.member.siblings);
    assert_eq!(root, Some(model.root()));
}

#[test]
fn an_honest_session_is_right_for_any_number_of_workers() {
    let model = Tiny::default();
    for ranges in [1, 2, 3, 5, 32] {
        let claims = play(&model, ranges, &[]).run();
        assert_eq!(verdict(&model, &claims), Ok(Verdict::Right));
    }
}

#[test]
fn a_prompt_longer_than_a_batch_is_right() {
    let model = Tiny::default();
    let prompt: Vec<u32> = (0..40).map(|place| place * 7 % LLAMA.vocabulary).collect();
    let claims = Play { prompt: &prompt, positions: 42, ..play(&model, 2, &[]) }.run();
    assert_eq!(verdict(&model, &claims), Ok(Verdict::Right));
}

#[test]
fn a_wrong_row_is_shown_in_every_stage() {
    let model = Tiny::default();
    let ranges = 3;
    for stage in 0..LLAMA.stages() {
        // The head is computed from the last position of the prompt on.
        for position in [4, 7] {
            for range in 0..ranges {
                let output = 19;
                let lies = [(position, stage, Lie::Output { range, output })];
                let (found, claims) = found(&model, ranges, &lies);
                let Evidence::Row { range: of, stage: at, output: place, trace, input, chunk, matrix } = one(found)
                else {
                    panic!("a row is wrong");
                };
                assert_eq!((of, at, place, trace.index), (range, stage, output as u32, position));
                let header = claims.won[range as usize].as_ref().unwrap().header();
                assert_eq!(trace.header, *header);
                // As the chain does it.
                let entry = &trace.leaf[stage as usize * 64..][..64];
                let input = Vector::decode(&input).unwrap();
                assert_eq!(entry[..32], input.hash());
                let kind = LLAMA.stage(stage).unwrap();
                let bounds = |range: u32| {
                    LLAMA
                        .matrices(kind)
                        .iter()
                        .map(|matrix| (matrix.rows * (range + 1) / ranges - matrix.rows * range / ranges) as usize)
                        .sum::<usize>()
                };
                let leaf = merkle::leaf_hash(
                    &chunk.outputs.iter().flat_map(|output| output.to_le_bytes()).collect::<Vec<_>>(),
                );
                let count = u32::try_from(bounds(range).div_ceil(32)).unwrap();
                let root = merkle::root_of_path(leaf, chunk.index, count, &chunk.siblings).unwrap();
                assert_eq!(entry[32..], root);
                let given = chunk.outputs[output % 32];
                let right = product(matrix.row.header.kind(), &matrix.row.leaf, &input).unwrap();
                assert_eq!(given, right + 1);
                let (name, row) = row_of(kind, range, ranges, output as u32);
                assert_eq!(matrix.row.index, row);
                is_of_model(&model, &name, &matrix);
            }
        }
    }
}

/// The matrix and the row of an output, counted one by one.
fn row_of(stage: Stage, range: u32, ranges: u32, output: u32) -> (String, u32) {
    let rows = LLAMA.matrices(stage).into_iter().flat_map(|matrix| {
        let (from, to) = (matrix.rows * range / ranges, matrix.rows * (range + 1) / ranges);
        (from..to).map(move |row| (matrix.name.clone(), row))
    });
    rows.collect::<Vec<_>>().swap_remove(output as usize)
}

#[test]
fn a_range_that_lies_again_and_again_is_shown_once() {
    let model = Tiny::default();
    let lie = |position, stage, output| (position, stage, Lie::Output { range: 1, output });
    let (found, _) = found(&model, 3, &[lie(6, 2, 0), lie(6, 3, 5), lie(7, 0, 1)]);
    assert!(matches!(one(found), Evidence::Row { stage: 2, output: 0, .. }));
}

#[test]
fn each_range_that_lies_is_shown() {
    let model = Tiny::default();
    let lies = [(6, 2, Lie::Output { range: 1, output: 3 }), (7, 5, Lie::Output { range: 0, output: 2 })];
    let (found, _) = found(&model, 3, &lies);
    let ranges: Vec<_> = found
        .iter()
        .map(|evidence| match evidence {
            Evidence::Row { range, .. } => *range,
            other => panic!("{other:?} is no row"),
        })
        .collect();
    assert_eq!(ranges, [1, 0]);
}

#[test]
fn wrong_outputs_that_are_withheld_cannot_be_shown() {
    let model = Tiny::default();
    let lies = [(6, 2, Lie::Output { range: 1, output: 3 })];
    let claims = Play { publishes: false, ..play(&model, 3, &lies) }.run();
    assert_eq!(verdict(&model, &claims), Err(Unable::Withheld { range: 1, position: 6, stage: 2 }));
}

#[test]
fn published_outputs_of_another_root_show_nothing() {
    let model = Tiny::default();
    let lies = [(6, 2, Lie::Output { range: 1, output: 3 })];
    let mut claims = play(&model, 3, &lies).run();
    claims.contested[0].outputs[0] += 1;
    assert_eq!(verdict(&model, &claims), Err(Unable::Withheld { range: 1, position: 6, stage: 2 }));
}

#[test]
fn a_range_that_says_it_was_given_something_else_is_shown() {
    let model = Tiny::default();
    let (found, _) = found(&model, 3, &[(6, 5, Lie::Given { range: 2 })]);
    let Evidence::Input { range, stage, trace, gateway } = one(found) else { panic!("an input differs") };
    assert_eq!((range, stage, trace.index, gateway.index), (2, 5, 6, 6));
    assert_ne!(trace.leaf[5 * 64..][..32], gateway.leaf[5 * 64..][..32]);
}

#[test]
fn a_false_norm_is_shown() {
    let model = Tiny::default();
    for (stage, name) in
        [(0, "blk.0.attn_norm.weight"), (6, "blk.1.ffn_norm.weight"), (LLAMA.head(), "output_norm.weight")]
    {
        let (found, _) = found(&model, 3, &[(7, stage, Lie::Input)]);
        let GlueEvidence::Norm { stage: at, trace, state, weights } = glue_of(found) else { panic!("a norm") };
        assert_eq!((at, trace.index), (stage, 7));
        is_of_model(&model, name, &weights);
        let (numbers, _) = weights.row.leaf.as_chunks();
        let numbers: Vec<_> = numbers.iter().map(|number| i32::from_le_bytes(*number)).collect();
        let right = glue::norm(&state, &numbers, LLAMA.epsilon).hash();
        let entry = &trace.leaf[stage as usize * 64..][..64];
        assert_eq!(entry[32..], ensemble_compute::inference::hashes::state(&state));
        assert_ne!(entry[..32], right);
    }
}

#[test]
fn a_false_activation_is_shown() {
    let model = Tiny::default();
    let (found, _) = found(&model, 3, &[(7, 7, Lie::Input)]);
    let GlueEvidence::Activation { stage, trace, input, outputs } = glue_of(found) else { panic!("an activation") };
    assert_eq!((stage, trace.index, outputs.len()), (7, 7, 3));
    let roots = outputs.iter().map(|outputs| (outputs, &outputs.trace.leaf[6 * 64 + 32..][..32]));
    for (outputs, root) in roots {
        assert_eq!(root, ensemble_compute::inference::hashes::outputs(&outputs.outputs));
    }
    assert_eq!(trace.leaf[6 * 64..][..32], Vector::decode(&input).unwrap().hash());
}

#[test]
fn a_false_state_is_shown() {
    let model = Tiny::default();
    for stage in [4, 2, 6, LLAMA.head()] {
        let (found, _) = found(&model, 2, &[(5, stage, Lie::State)]);
        let GlueEvidence::Sum { stage: at, trace, state, input, outputs } = glue_of(found) else { panic!("a sum") };
        assert_eq!((at, trace.index, outputs.len()), (stage, 5, 2));
        let before = &trace.leaf[(stage as usize - 1) * 64..][..64];
        assert_eq!(before[..32], Vector::decode(&input).unwrap().hash());
        assert_eq!(before[32..], ensemble_compute::inference::hashes::state(&state));
    }
    for stage in [1, 3, 5, 7] {
        let (found, _) = found(&model, 2, &[(5, stage, Lie::State)]);
        let GlueEvidence::Carry { stage: at, trace } = glue_of(found) else { panic!("it is carried") };
        assert_eq!((at, trace.index), (stage, 5));
    }
    let (found, claims) = found(&model, 2, &[(5, 0, Lie::State)]);
    let GlueEvidence::Embedding { trace, token, embedding } = glue_of(found) else { panic!("an embedding") };
    assert_eq!((trace.index, token.index), (5, 5));
    assert_eq!(Some(embedding.row.index), claims.token(5));
    is_of_model(&model, "token_embd.weight", &embedding);
}

#[test]
fn false_attention_is_found_and_cannot_be_shown() {
    let model = Tiny::default();
    let claims = play(&model, 3, &[(6, 5, Lie::Input)]).run();
    assert_eq!(verdict(&model, &claims), Err(Unable::Attention { position: 6, stage: 5 }));
}

#[test]
fn a_false_token_is_shown() {
    let model = Tiny::default();
    for position in [4, 6, 8] {
        let (found, claims) = found(&model, 3, &[(position, LLAMA.head(), Lie::Token)]);
        let GlueEvidence::Token { token, trace, taken, better, place } = glue_of(found) else { panic!("a token") };
        assert_eq!((token.index, trace.index), (position + 1, position));
        assert_eq!((taken.1.index, better.1.index), (position, position));
        let said = claims.token(position + 1).unwrap();
        let first = |range: u32| LLAMA.vocabulary * range / 3;
        let in_chunk = said - first(taken.0) - taken.2.index * 32;
        let (less, more) = (taken.2.outputs[in_chunk as usize], better.2.outputs[place as usize]);
        let picked = first(better.0) + better.2.index * 32 + place;
        assert!(more > less || more == less && picked < said);
    }
}

#[test]
fn a_false_prompt_is_shown() {
    let model = Tiny::default();
    let mut claims = play(&model, 3, &[]).run();
    claims.prompt[0] ^= 1;
    let Ok(Verdict::Wrong(found)) = verdict(&model, &claims) else { panic!("the prompt is false") };
    let GlueEvidence::Prompt { tokens } = glue_of(found) else { panic!("the prompt is false") };
    assert_eq!(tokens[..5], PROMPT);
    assert_eq!(tokens.len(), POSITIONS as usize + 1);
}

#[test]
fn what_comes_after_a_published_lie_is_judged_by_itself() {
    let model = Tiny::default();
    let lies = [(5, 2, Lie::Output { range: 0, output: 1 }), (7, 0, Lie::Input)];
    let (found, _) = found(&model, 3, &lies);
    let [Evidence::Row { range: 0, .. }, Evidence::Glue(GlueEvidence::Norm { stage: 0, .. })] = &found[..] else {
        panic!("both are wrong: {found:?}");
    };
}

#[test]
fn a_token_that_the_model_does_not_have_is_shown() {
    let model = Tiny::default();
    for strange in [LLAMA.vocabulary, u32::MAX] {
        let mut claims = play(&model, 3, &[]).run();
        let mut tokens: Vec<_> = (0..=POSITIONS).map(|position| claims.token(position).unwrap()).collect();
        tokens[7] = strange;
        claims.tokens = table_of_tokens(&tokens);
        let Ok(Verdict::Wrong(found)) = verdict(&model, &claims) else { panic!("a token is wrong") };
        let GlueEvidence::Token { token, trace, taken, better, .. } = glue_of(found) else {
            panic!("a token is wrong")
        };
        assert_eq!((token.index, &token.leaf[..]), (7, &strange.to_le_bytes()[..]));
        // The chain takes nothing beside it.
        assert_eq!(trace.index, 6);
        let rows = [&trace, &taken.1, &better.1];
        assert!(rows.iter().all(|row| row.leaf.is_empty() && row.siblings.is_empty()));
        assert!([&taken.2, &better.2].iter().all(|chunk| chunk.outputs.is_empty() && chunk.siblings.is_empty()));
    }
}

#[test]
fn a_prompt_of_other_than_tokens_is_its_askers_business() {
    let model = Tiny::default();
    let mut claims = play(&model, 3, &[]).run();
    let mut tokens: Vec<_> = (0..=POSITIONS).map(|position| claims.token(position).unwrap()).collect();
    tokens[2] = LLAMA.vocabulary;
    claims.tokens = table_of_tokens(&tokens);
    claims.prompt = prompt_hash(&tokens[..5]);
    assert_eq!(verdict(&model, &claims), Err(Unable::Token(LLAMA.vocabulary)));
}

#[test]
fn tables_of_other_shapes_are_refused() {
    let model = Tiny::default();
    let short = |claims: &mut Claims| claims.tokens = table_of_tokens(&PROMPT);
    let no_workers = |claims: &mut Claims| claims.won.clear();
    let no_prompt = |claims: &mut Claims| claims.prompt_tokens = 0;
    let no_answer = |claims: &mut Claims| claims.prompt_tokens = POSITIONS + 1;
    let wide = |claims: &mut Claims| claims.won[1] = Some(table_of_tokens(&[0; POSITIONS as usize]));
    for spoil in [short, no_workers, no_prompt, no_answer, wide] {
        let mut claims = play(&model, 3, &[]).run();
        spoil(&mut claims);
        assert_eq!(verdict(&model, &claims), Err(Unable::Shape));
    }
}

#[test]
fn a_range_without_a_trace_is_not_judged() {
    let model = Tiny::default();
    let mut claims = play(&model, 3, &[(6, 2, Lie::Output { range: 0, output: 3 })]).run();
    claims.won[1] = None;
    let Ok(Verdict::Wrong(found)) = verdict(&model, &claims) else { panic!("another range is wrong") };
    assert!(matches!(one(found), Evidence::Row { range: 0, .. }));
    // A sum cannot be shown without all outputs.
    let mut claims = play(&model, 3, &[(6, 4, Lie::State)]).run();
    claims.won[1] = None;
    assert_eq!(verdict(&model, &claims), Err(Unable::Void { position: 6, stage: 4 }));
}

#[test]
fn a_false_token_beside_a_range_without_a_trace_hides_nothing() {
    let model = Tiny::default();
    let head = LLAMA.head();
    let first = |range: u32| LLAMA.vocabulary * range / 3;
    for void in 0..3 {
        let lies = [(5, head, Lie::Token), (7, 2, Lie::Output { range: (void + 1) % 3, output: 3 })];
        let mut claims = play(&model, 3, &lies).run();
        claims.won[void as usize] = None;
        let Ok(Verdict::Wrong(found)) = verdict(&model, &claims) else { panic!("a row is wrong") };
        let taken = claims.token(6).unwrap();
        let is_void = (first(void)..first(void + 1)).contains(&taken);
        match &found[..] {
            [Evidence::Glue(GlueEvidence::Token { better, .. }), Evidence::Row { .. }] => {
                assert!(!is_void && better.0 != void);
            },
            [Evidence::Row { .. }] => assert!(is_void),
            other => panic!("{other:?}"),
        }
        // Nothing else is wrong, and nobody says that it is right.
        let mut claims = play(&model, 3, &lies[..1]).run();
        claims.won = vec![None, None, None];
        assert_eq!(verdict(&model, &claims), Err(Unable::Void { position: 5, stage: head }));
    }
    // Of a session without a lie nothing is said, whatever has no trace.
    let mut claims = play(&model, 3, &[]).run();
    claims.won = vec![None, None, None];
    assert_eq!(verdict(&model, &claims), Ok(Verdict::Right));
}

#[test]
fn a_row_is_proved_as_the_tensor_does_it() {
    let numbers: Vec<u32> = (0..7).collect();
    let table = table_of_tokens(&numbers);
    for row in 0..7 {
        let proof = table.prove(row).unwrap();
        assert_eq!(proof, ensemble_tensor::Tensor::new(*table.header(), table.data()).unwrap().prove(row).unwrap());
        assert_eq!(Some(merkle::leaf_hash(&proof.leaf)), table.row_hash(row));
    }
    table.prove(7).unwrap_err();
}

#[test]
fn it_ends_when_nobody_asks_any_more() {
    let model = Tiny::default();
    let claims = play(&model, 3, &[]).run();
    assert_eq!(check(&model, &claims, Machine::ONE_CORE, || false), Err(Unable::GivenUp));
}
