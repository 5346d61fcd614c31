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

/// Products of a head below which it is not worth waking another thread.
const WORTH_A_THREAD: usize = 1 << 21;

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
        let parts = |all, at: usize| part(all, at, self.head_width);
        for (at, (key_lane, value_lane)) in self.lanes.iter_mut().enumerate() {
            key_lane.push(&Head::turned(parts(keys, at), exponent, turn));
            value_lane.push(&Head::plain(parts(values, at), exponent));
        }
    }

    /// The input of a layer's second stage for a position that sees the first `visible` ones: for each head of
    /// `queries`, the products of an input with this exponent, the mean of the values, each weighted by the softmax of
    /// its key's product with the query, all heads one after the other. `turn` is the rotation of the position.
    pub fn attend(&self, queries: &[i64], exponent: i32, turn: &Turn<'_>, visible: usize, machine: Machine) -> Vector {
        let group = self.heads / self.lanes.len().max(1);
        let mut means: Vec<(Vec<i64>, i32)> = (0..self.heads).map(|_| (Vec::new(), 0)).collect();
        let worth = visible.saturating_mul(self.head_width).saturating_mul(self.heads) >= WORTH_A_THREAD;
        let machine = if worth { machine } else { Machine { threads: 1, ..machine } };
        parallel::for_each(machine, &mut means, |at, mean| {
            let query = Head::turned(part(queries, at, self.head_width), exponent, turn);
            let Some((keys, values)) = self.lanes.get(at / group.max(1)) else { return };
            *mean = mix::mean(&query, keys, values, visible);
        });
        join(&means, self.head_width)
    }
}

/// The numbers of one head, as far as there are any.
fn part(all: &[i64], head: usize, width: usize) -> &[i64] {
    let from = head.saturating_mul(width).min(all.len());
    let to = from.saturating_add(width).min(all.len());
    all.get(from..to).unwrap_or_default()
}

/// One vector of all heads, in the units of the largest: each head's numbers are rounded down to them.
fn join(means: &[(Vec<i64>, i32)], width: usize) -> Vector {
    let unit = means.iter().map(|(_, unit)| *unit).max().unwrap_or_default();
    let mut all = Vec::with_capacity(means.len().saturating_mul(width));
    for (mean, own) in means {
        let shift = unit.saturating_sub(*own).clamp(0, signed(i64::BITS) - 1).unsigned_abs();
        all.extend(mean.iter().map(|number| number.wrapping_shr(shift)));
    }
    Vector::from_exact(&all, unit)
}
