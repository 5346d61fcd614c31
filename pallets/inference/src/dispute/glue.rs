//! What a gateway does between stages: whether inputs, states and tokens follow from what came before.
//!
//! Attention cannot be disputed: the input of an Output stage depends on the keys and values of all positions before it.

use alloc::vec::Vec;

use codec::Encode;
use ensemble_compute::inference::{glue, hashes, ranges, Norm, Stage, Vector};
use ensemble_core::inference::{Chunk, GlueEvidence, MatrixRow, Outputs, RangeIndex};
use ensemble_tensor::{merkle, RowProof};

use super::case::{entry, fits_chunk, numbers, root_of_chunk, token, Case};

/// An output of the Head: its range, the row of that range's trace, and its chunk.
type Logit = (RangeIndex, RowProof, Chunk);

pub(super) fn admits(case: &Case, evidence: &GlueEvidence) -> bool {
    match evidence {
        GlueEvidence::Prompt { tokens } => {
            u32::try_from(tokens.len()).is_ok_and(|count| count == case.closing.tokens.header.rows())
        },
        GlueEvidence::Embedding { trace, token: at, embedding } => {
            let shape = case.llama.embedding();
            let row = token(at).unwrap_or(u32::MAX);
            case.fits_trace(trace)
                && case.fits_tokens(at)
                && at.index == trace.index
                && case.fits_matrix(embedding, shape.rows, shape.cols, row)
        },
        GlueEvidence::Norm { stage, trace, state, weights } => {
            case.stage(*stage, trace.index).and_then(norm_before).is_some()
                && case.fits_trace(trace)
                && is_state(case, state)
                && case.fits_norm(weights)
        },
        GlueEvidence::Carry { stage, trace } => {
            let stage = case.stage(*stage, trace.index);
            matches!(stage, Some(Stage::Output(_) | Stage::Down(_))) && case.fits_trace(trace)
        },
        GlueEvidence::Sum { stage, trace, state, input, outputs } => {
            let before = stage_before_sum(case, *stage, trace);
            before.is_some_and(|(_, before)| admits_outputs(case, before, trace, input, outputs))
                && is_state(case, state)
        },
        GlueEvidence::Activation { stage, trace, input, outputs } => {
            let before = stage_before_activation(case, *stage, trace);
            before.is_some_and(|(_, before)| admits_outputs(case, before, trace, input, outputs))
        },
        GlueEvidence::Token { token: next, trace, taken, better, place } => {
            admits_token(case, next, trace, taken, better, *place)
        },
    }
}

pub(super) fn shows(case: &Case, evidence: &GlueEvidence) -> Option<bool> {
    match evidence {
        GlueEvidence::Prompt { tokens } => shows_prompt(case, tokens),
        GlueEvidence::Embedding { trace, token, embedding } => shows_embedding(case, trace, token, embedding),
        GlueEvidence::Norm { stage, trace, state, weights } => shows_norm(case, *stage, trace, state, weights),
        GlueEvidence::Carry { stage, trace } => {
            let (before, after) = (entry(trace, stage.checked_sub(1)?)?, entry(trace, *stage)?);
            Some(before.other != after.other && case.is_gateways(trace))
        },
        GlueEvidence::Sum { stage, trace, state, input, outputs } => {
            shows_sum(case, *stage, trace, state, input, outputs)
        },
        GlueEvidence::Activation { stage, trace, input, outputs } => {
            shows_activation(case, *stage, trace, input, outputs)
        },
        GlueEvidence::Token { token, trace, taken, better, place } => {
            shows_token(case, token, trace, taken, better, *place)
        },
    }
}

fn is_state(case: &Case, state: &[i64]) -> bool {
    u32::try_from(state.len()).is_ok_and(|len| len == case.llama.width)
}

/// The norm through which a stage's input comes from the state, if it does.
fn norm_before(stage: Stage) -> Option<Norm> {
    match stage {
        Stage::Attention(layer) => Some(Norm::Attention(layer)),
        Stage::Gate(layer) => Some(Norm::Feed(layer)),
        Stage::Head => Some(Norm::Output),
        Stage::Output(_) | Stage::Down(_) => None,
    }
}

/// The stage whose outputs are added to the state before this one, and its number.
fn stage_before_sum(case: &Case, stage: u32, trace: &RowProof) -> Option<(u32, Stage)> {
    case.stage(stage, trace.index)?;
    let number = stage.checked_sub(1)?;
    let before = case.llama.stage(number)?;
    matches!(before, Stage::Output(_) | Stage::Down(_)).then_some((number, before))
}

/// The stage whose outputs are activated for this one, and its number.
fn stage_before_activation(case: &Case, stage: u32, trace: &RowProof) -> Option<(u32, Stage)> {
    let Some(Stage::Down(_)) = case.stage(stage, trace.index) else { return None };
    let number = stage.checked_sub(1)?;
    Some((number, case.llama.stage(number)?))
}

/// Whether these are an input of a stage and the outputs of all ranges as far as sizes go.
fn admits_outputs(case: &Case, stage: Stage, trace: &RowProof, input: &[u8], outputs: &[Outputs]) -> bool {
    let width = usize::try_from(case.llama.inputs(stage)).unwrap_or(usize::MAX);
    let fits = |(range, part): (RangeIndex, &Outputs)| {
        case.stands(range)
            && case.fits_trace(&part.trace)
            && part.trace.index == trace.index
            && part.outputs.len() == case.outputs(stage, range)
    };
    case.fits_trace(trace)
        && input.len() == width.saturating_mul(2).saturating_add(4)
        && u32::try_from(outputs.len()).is_ok_and(|count| count == case.ranges())
        && (0..).zip(outputs).all(fits)
}

/// All outputs of a stage and the exponent of its input, if they are what won and what the gateway gave.
fn outputs_of(
    case: &Case,
    (number, stage): (u32, Stage),
    trace: &RowProof,
    input: &[u8],
    outputs: &[Outputs],
) -> Option<(Vec<i64>, i32)> {
    let given = merkle::leaf_hash(input);
    let holds = |(range, part): (RangeIndex, &Outputs)| {
        let said = entry(&part.trace, number);
        let is_said = said.is_some_and(|said| said.input == given && said.other == hashes::outputs(&part.outputs));
        is_said && case.is_of_range(range, &part.trace)
    };
    let all_hold = case.is_gateways(trace) && entry(trace, number)?.input == given && (0..).zip(outputs).all(holds);
    if !all_hold {
        return None;
    }
    let parts: Vec<&[i64]> = outputs.iter().map(|part| part.outputs.as_slice()).collect();
    let all = ranges::join(&case.llama, stage, &parts)?;
    Some((all, Vector::decode(input).ok()?.exponent()))
}

fn shows_prompt(case: &Case, tokens: &[u32]) -> Option<bool> {
    let root = merkle::root(tokens.iter().map(|token| merkle::leaf_hash(&token.to_le_bytes())));
    let prompt = tokens.get(..usize::try_from(case.question.prompt_tokens).ok()?)?;
    let differs = sp_io::hashing::blake2_256(&prompt.encode()) != case.question.prompt.0;
    Some(differs && root == Some(case.closing.tokens.root))
}

fn shows_embedding(case: &Case, trace: &RowProof, token: &RowProof, embedding: &MatrixRow) -> Option<bool> {
    let holds =
        case.is_gateways(trace) && case.is_token(token) && case.is_of_model(embedding, &case.llama.embedding().name);
    let state = glue::embed(embedding.row.header.kind(), &embedding.row.leaf);
    Some(holds && is_state(case, &state) && hashes::state(&state) != entry(trace, 0)?.other)
}

fn shows_norm(case: &Case, stage: u32, trace: &RowProof, state: &[i64], weights: &MatrixRow) -> Option<bool> {
    let norm = case.stage(stage, trace.index).and_then(norm_before)?;
    let said = entry(trace, stage)?;
    let holds =
        case.is_gateways(trace) && hashes::state(state) == said.other && case.is_of_model(weights, &norm.name());
    let right = glue::norm(state, &numbers(&weights.row), case.llama.epsilon);
    Some(holds && right.hash() != said.input)
}

fn shows_sum(
    case: &Case,
    stage: u32,
    trace: &RowProof,
    state: &[i64],
    input: &[u8],
    outputs: &[Outputs],
) -> Option<bool> {
    let before = stage_before_sum(case, stage, trace)?;
    if entry(trace, before.0)?.other != hashes::state(state) {
        return None;
    }
    let (outputs, exponent) = outputs_of(case, before, trace, input, outputs)?;
    let right = glue::add(state, &outputs, exponent);
    Some(hashes::state(&right) != entry(trace, stage)?.other)
}

fn shows_activation(case: &Case, stage: u32, trace: &RowProof, input: &[u8], outputs: &[Outputs]) -> Option<bool> {
    let before = stage_before_activation(case, stage, trace)?;
    let (outputs, exponent) = outputs_of(case, before, trace, input, outputs)?;
    let (gate, up) = outputs.split_at_checked(usize::try_from(case.llama.hidden).ok()?)?;
    Some(glue::activate(gate, up, exponent).hash() != entry(trace, stage)?.input)
}

/// Where a token's output is in the Head's outputs of a range: its chunk, and its place there.
fn place_of(case: &Case, range: RangeIndex, token: u32) -> Option<(u32, usize)> {
    let rows = ranges::rows(case.llama.vocabulary, range, case.ranges());
    let output = token.checked_sub(rows.start).filter(|_| token < rows.end)?;
    let chunk = u32::try_from(hashes::CHUNK).ok()?;
    Some((output.checked_div(chunk)?, usize::try_from(output.checked_rem(chunk)?).ok()?))
}

/// The token whose output is at a place in a chunk of a range.
fn token_at(case: &Case, range: RangeIndex, chunk: &Chunk, place: u32) -> Option<u32> {
    let start = ranges::rows(case.llama.vocabulary, range, case.ranges()).start;
    let before = chunk.index.checked_mul(u32::try_from(hashes::CHUNK).ok()?)?;
    start.checked_add(before)?.checked_add(place)
}

/// Whether this is a row in name alone.
fn has_nothing(row: &RowProof) -> bool {
    row.leaf.is_empty() && row.siblings.is_empty()
}

fn admits_token(case: &Case, next: &RowProof, trace: &RowProof, taken: &Logit, better: &Logit, place: u32) -> bool {
    let is_answer = next.index >= case.question.prompt_tokens;
    let Some(value) = token(next).filter(|_| is_answer && case.fits_tokens(next)) else { return false };
    if value >= case.llama.vocabulary {
        // Nothing else is looked at, so nothing else may be there.
        let is_empty =
            |(_, row, chunk): &Logit| has_nothing(row) && chunk.outputs.is_empty() && chunk.siblings.is_empty();
        return has_nothing(trace) && is_empty(taken) && is_empty(better);
    }
    let fits = |(range, row, chunk): &Logit| {
        case.stands(*range)
            && case.fits_trace(row)
            && row.index == trace.index
            && fits_chunk(chunk, case.outputs(Stage::Head, *range))
    };
    let is_taken = place_of(case, taken.0, value).is_some_and(|(chunk, _)| chunk == taken.2.index);
    case.fits_trace(trace)
        && trace.index.checked_add(1) == Some(next.index)
        && fits(taken)
        && fits(better)
        && is_taken
        && usize::try_from(place).is_ok_and(|place| place < better.2.outputs.len())
}

fn shows_token(
    case: &Case,
    next: &RowProof,
    trace: &RowProof,
    taken: &Logit,
    better: &Logit,
    place: u32,
) -> Option<bool> {
    if !case.is_token(next) {
        return None;
    }
    let value = token(next)?;
    if value >= case.llama.vocabulary {
        return Some(true);
    }
    let head = case.llama.head();
    let given = entry(trace, head)?.input;
    let holds = |(range, row, chunk): &Logit| {
        let said = entry(row, head);
        let root = root_of_chunk(chunk, case.outputs(Stage::Head, *range));
        said.is_some_and(|said| said.input == given && Some(said.other) == root) && case.is_of_range(*range, row)
    };
    if !(case.is_gateways(trace) && holds(taken) && holds(better)) {
        return None;
    }
    let (_, at) = place_of(case, taken.0, value)?;
    let of_taken = *taken.2.outputs.get(at)?;
    let of_better = *better.2.outputs.get(usize::try_from(place).ok()?)?;
    let goes_before = token_at(case, better.0, &better.2, place)? < value;
    Some(of_better > of_taken || of_better == of_taken && goes_before)
}
