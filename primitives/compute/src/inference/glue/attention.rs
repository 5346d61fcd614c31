//! Grouped attention (Ainslie and others, 2023) over a cache of keys and values, with rotary positions (Su and others,
//! 2021) and the softmax in integers.

mod head;
mod mix;

use alloc::vec::Vec;

use super::fixed::signed;
use crate::{
    inference::{Llama, Vector},
    parallel, Machine,
};

pub use head::Turn;
use head::{Head, Lane};
use mix::Mixer;

/// Products of queries and keys below which another thread takes longer to wake than it saves.
const WORTH_A_THREAD: usize = 1 << 19;

/// The keys and values of one layer, for all positions so far.
#[derive(Clone, Debug)]
pub struct Cache {
    heads: usize,
    head_width: usize,
    /// Keys and values of each key-value head.
    lanes: Vec<(Lane, Lane)>,
}

impl Cache {
    /// An empty cache for a layer of this model.
    pub fn new(llama: &Llama) -> Self {
        let head_width = llama.head_width as usize;
        let lane = || (Lane::new(head_width), Lane::new(head_width));
        Self { heads: llama.heads as usize, head_width, lanes: (0..llama.kv_heads).map(|_| lane()).collect() }
    }

    /// Positions there are keys and values of.
    pub fn positions(&self) -> usize {
        self.lanes.first().map_or(0, |(keys, _)| keys.len())
    }

    /// Takes the keys and values of the next position: all heads one after the other, products of an input with this
    /// exponent. `turn` is the rotation of the position. What is missing of them is taken for zeros.
    pub fn push(&mut self, keys: &[i64], values: &[i64], exponent: i32, turn: &Turn<'_>) {
        let parts = |all, at: usize| of_head(all, at, self.head_width);
        for (at, (key_lane, value_lane)) in self.lanes.iter_mut().enumerate() {
            key_lane.push(&Head::turned(parts(keys, at), exponent, turn));
            value_lane.push(&Head::plain(parts(values, at), exponent));
        }
    }

    /// The input of a layer's second stage for a position that sees the first `visible` ones: for each head of
    /// `queries`, the products of an input with this exponent, the mean of the values, each weighted by the softmax of
    /// its key's product with the query, all heads one after the other. `turn` is the rotation of the position.
    pub fn attend(&self, queries: &[i64], exponent: i32, turn: &Turn<'_>, visible: usize, machine: Machine) -> Vector {
        let worth = visible.saturating_mul(self.head_width).saturating_mul(self.heads) >= WORTH_A_THREAD;
        let each = if worth { self.heads.div_ceil(machine.threads.max(1)) } else { self.heads }.max(1);
        let first = (0..self.heads).step_by(each);
        let mut parts: Vec<Part> = first.map(|first| Part { first, ..Part::default() }).collect();
        parallel::at_once(&mut parts, |part| {
            for head in part.first..part.first.saturating_add(each).min(self.heads) {
                let query = Head::turned(of_head(queries, head, self.head_width), exponent, turn);
                let group = self.heads / self.lanes.len().max(1);
                let Some((keys, values)) = self.lanes.get(head / group.max(1)) else { return };
                part.units.push(part.mixer.mean(&query, keys, values, visible, &mut part.means));
            }
        });
        join(&parts, self.head_width)
    }
}

/// Neighbouring heads that one thread computes.
#[derive(Default)]
struct Part {
    /// The first of them.
    first: usize,
    mixer: Mixer,
    /// The mean of each head, one after the other.
    means: Vec<i64>,
    /// What each counts in.
    units: Vec<i32>,
}

/// The numbers of one head, as far as there are any.
fn of_head(all: &[i64], head: usize, width: usize) -> &[i64] {
    let from = head.saturating_mul(width).min(all.len());
    let to = from.saturating_add(width).min(all.len());
    all.get(from..to).unwrap_or_default()
}

/// One vector of all heads, in the units of the largest: each head's numbers are rounded down to them.
fn join(parts: &[Part], width: usize) -> Vector {
    let unit = parts.iter().flat_map(|part| &part.units).copied().max().unwrap_or_default();
    let mut all = Vec::with_capacity(parts.iter().map(|part| part.means.len()).sum());
    for part in parts {
        for (mean, own) in part.means.chunks(width.max(1)).zip(&part.units) {
            let shift = unit.saturating_sub(*own).clamp(0, signed(i64::BITS) - 1).unsigned_abs();
            all.extend(mean.iter().map(|number| number.wrapping_shr(shift)));
        }
    }
    Vector::from_exact(&all, unit)
}
