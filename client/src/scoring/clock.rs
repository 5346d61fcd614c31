//! Where an epoch stands in the next block, the first that a transaction which is sent now can be in.

use std::time::Duration;

use crate::chain::{types::ensemble_core::emission, BLOCK_SECONDS};

/// Blocks in the beginning of an epoch in which the chain draws checks for those who took part in the last one.
const DRAWING: u32 = 2;
/// Blocks that are left to send commitments after the measuring.
const ROOM: u32 = 2;

/// Where an epoch stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Clock {
    /// The next block.
    pub block: u32,
    /// The epoch.
    pub epoch: u32,
    /// Its first block.
    pub begins: u32,
    /// The first block in which scores are revealed.
    pub reveals: u32,
    /// The first block of the next epoch.
    pub ends: u32,
}

impl Clock {
    /// Where the epoch of a best block stands in the block after it.
    pub fn new(view: &emission::EpochView<u32>, best: u32) -> Self {
        let emission::EpochView { epoch, begins, reveals, ends, .. } = *view;
        let block = best.saturating_add(1);
        if block < ends {
            return Self { block, epoch, begins, reveals, ends };
        }
        let length = ends.saturating_sub(begins);
        let (reveals, later) = (reveals.saturating_add(length), ends.saturating_add(length));
        Self { block, epoch: epoch.saturating_add(1), begins: ends, reveals, ends: later }
    }

    /// Whether scores are committed to, and not revealed.
    pub fn is_commit(&self) -> bool {
        self.block < self.reveals
    }

    /// Whether the chain has drawn all whom it draws by itself.
    pub fn is_drawn(&self) -> bool {
        self.block >= self.begins.saturating_add(DRAWING)
    }

    /// How long may be measured before the rest of the commit phase is needed for sending.
    pub fn time_to_measure(&self) -> Duration {
        let blocks = self.reveals.saturating_sub(self.block).saturating_sub(ROOM);
        Duration::from_secs(u64::from(blocks) * BLOCK_SECONDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(best: u32) -> Clock {
        let phase = emission::EpochView {
            epoch: 4,
            phase: crate::chain::types::ensemble_core::epochs::EpochPhase::Commit,
            begins: 100,
            reveals: 110,
            ends: 116,
        };
        Clock::new(&phase, best)
    }

    #[test]
    fn phases_are_those_of_the_next_block() {
        assert_eq!((at(99).epoch, at(99).is_commit(), at(99).is_drawn()), (4, true, false));
        assert!(at(101).is_drawn());
        assert_eq!((at(108).is_commit(), at(109).is_commit()), (true, false));
        let next = Clock { block: 116, epoch: 5, begins: 116, reveals: 126, ends: 132 };
        assert_eq!(at(115), next, "the next block begins an epoch");
    }

    #[test]
    fn measuring_leaves_time_to_send() {
        assert_eq!(at(99).time_to_measure(), Duration::from_secs(24));
        assert_eq!(at(107).time_to_measure(), Duration::ZERO);
        assert_eq!(at(110).time_to_measure(), Duration::ZERO);
    }
}
