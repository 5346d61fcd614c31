//! What the off-chain worker asks its node to compute in a round of aggregation, and how far that is.

use codec::{Decode, Encode};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::{BoundedVec, Permill};

use crate::{
    spaces::{Entrant, MatrixSpec, Rule, SpaceSpec, MAX_MATRICES, MAX_MEMBERS},
    tasks::Descriptor,
};

/// Most bytes of tables and matrices that a node combines at one time. It takes about three times as much memory; 3.5 GiB
/// at most, if all rows are anchors.
pub const MAX_INPUT_BYTES: u64 = 1 << 30;

/// All that the result of a round depends on. Whoever has the contents computes the same bundle from it.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct Combination {
    /// Number of rows of a table.
    pub rows: u32,
    /// Number of columns of a table.
    pub cols: u32,
    /// Number of rows, from the first on, by which tables are aligned.
    pub anchors: u32,
    /// The matrices that come with each table.
    pub matrices: BoundedVec<MatrixSpec, ConstU32<MAX_MATRICES>>,
    /// How tables are combined.
    pub rule: Rule,
    /// The part of all members, by weight, that may cheat.
    pub tolerated: Permill,
    /// The members that take part, in the order of their contents' ids.
    pub entrants: BoundedVec<Entrant, ConstU32<MAX_MEMBERS>>,
}

impl Combination {
    /// What a round of a space combines; nothing if there are more members than any space may have.
    pub fn of<BlockNumber>(spec: &SpaceSpec<BlockNumber>, entrants: &[Entrant]) -> Option<Self> {
        Some(Self {
            rows: spec.rows,
            cols: spec.cols,
            anchors: spec.anchors,
            matrices: spec.matrices.clone(),
            rule: spec.rule,
            tolerated: spec.tolerated,
            entrants: entrants.to_vec().try_into().ok()?,
        })
    }
}

/// How far a combination is.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub enum CombinationStatus {
    /// It is not begun: not all contents are held yet, or others come first. The worker has contents fetched, and asks
    /// again.
    Waiting,
    /// It is to be computed next, or is being computed.
    Running,
    /// The node holds the result.
    Done {
        /// The bundle's header and root. The store keeps it for some minutes; whoever needs it longer pins it.
        result: Descriptor,
    },
    /// It cannot be computed. The node's log says why. Asking again changes nothing for some minutes.
    Failed,
}
