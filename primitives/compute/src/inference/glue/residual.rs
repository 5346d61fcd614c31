//! The residual: 64-bit numbers in units of 2^-24.

use alloc::vec::Vec;

use ensemble_tensor::{blocks::Block, Kind};

use super::{
    fixed::{exponent as sum, scale},
    PRODUCT_EXPONENT, STATE_EXPONENT,
};

/// The elements of a row of blocks in units of 2^-24, exactly. What is no valid row gives none.
pub fn embed(kind: Kind, row: &[u8]) -> Vec<i64> {
    let len = kind.group_len() as usize;
    let blocks: Option<Vec<[i64; 32]>> =
        row.chunks(len).map(|block| Block::read(kind, block).map(|block| block.units())).collect();
    blocks.unwrap_or_default().concat()
}

/// Adds the products of an input with this exponent to the residual: each is rounded to units of 2^-24, a tie up, and
/// products and sums are limited to 64 bits.
pub fn add(state: &[i64], outputs: &[i64], exponent: i32) -> Vec<i64> {
    let by = sum(&[exponent, PRODUCT_EXPONENT, -STATE_EXPONENT]);
    state.iter().zip(outputs).map(|(state, output)| state.saturating_add(scale(*output, by))).collect()
}

/// The place of the largest number, of equal ones the first. Nothing if there are none.
pub fn pick(logits: &[i64]) -> Option<u32> {
    let mut best: Option<(u32, i64)> = None;
    for (token, logit) in (0..).zip(logits) {
        if best.is_none_or(|(_, most)| *logit > most) {
            best = Some((token, *logit));
        }
    }
    best.map(|(token, _)| token)
}
