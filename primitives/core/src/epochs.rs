//! Epochs: the clock of scores and emission.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Number of an epoch, counted up from 0.
pub type EpochIndex = u32;

/// What validators may do in a part of an epoch.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum EpochPhase {
    /// Commit to scores.
    Commit,
    /// Reveal what they committed to.
    Reveal,
}

/// Who knows the time.
pub trait Epochs {
    /// The epoch that this block is in.
    fn current() -> EpochIndex;

    /// The part of the epoch that this block is in.
    fn phase() -> EpochPhase;

    /// Moves to the first block of a phase of an epoch.
    #[cfg(feature = "runtime-benchmarks")]
    fn move_to_for_benchmark(epoch: EpochIndex, phase: EpochPhase);
}
