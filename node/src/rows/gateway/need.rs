//! What an answer takes of a node.

use codec::{Decode, Encode};
use ensemble_compute::inference::{Entry, Llama};
use ensemble_core::inference::{Position, MAX_CONTESTED_BYTES};

/// Bytes of the store that an answer takes beside its tensors' data: files' ends, and what the trees over them take.
const SPARE_ROOM: u64 = 1 << 20;
/// Bytes that a key and a value take, for each of their elements.
const CACHED: u64 = 4;

/// What an answer takes, at most.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, PartialEq)]
pub struct Need {
    /// Bytes of the store.
    pub room: u64,
    /// Bytes of memory.
    pub memory: u64,
}

impl Need {
    /// Of an answer with so many positions.
    pub fn of(llama: &Llama, positions: Position) -> Self {
        let positions = u64::from(positions);
        let trace = u64::from(llama.stages()).saturating_mul(Entry::LEN as u64).saturating_mul(positions);
        let tokens = positions.saturating_add(1).saturating_mul(4);
        // The tree over a tensor has less than twice as many hashes as rows.
        let trees = positions.saturating_mul(128);
        let cached = CACHED.saturating_mul(llama.layers.into()).saturating_mul(llama.key_width().into());
        Self {
            room: [trace, tokens, trees, MAX_CONTESTED_BYTES.into(), SPARE_ROOM]
                .into_iter()
                .fold(0, u64::saturating_add),
            memory: trace.saturating_add(cached.saturating_mul(positions)),
        }
    }

    /// What both take.
    pub fn and(self, other: Self) -> Self {
        Self { room: self.room.saturating_add(other.room), memory: self.memory.saturating_add(other.memory) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::tests::tiny::LLAMA;

    #[test]
    fn an_answer_takes_its_trace_and_what_it_remembers() {
        let (none, thousand) = (Need::of(&LLAMA, 0), Need::of(&LLAMA, 1000));
        // Nine stages; two layers with sixteen keys and values.
        assert_eq!((none.memory, thousand.memory), (0, 1000 * (9 * 64 + 2 * 16 * 4)));
        assert_eq!(thousand.room - none.room, 1000 * (9 * 64 + 4 + 128));
        assert_eq!(none.and(thousand).memory, thousand.memory);
        assert_eq!(Need::of(&LLAMA, u32::MAX).and(Need { room: u64::MAX, memory: 1 }).room, u64::MAX);
    }
}
