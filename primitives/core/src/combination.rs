//! What the off-chain worker asks its node to compute in a round of aggregation, and how far that is.

use codec::{Decode, Encode};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::{BoundedVec, Permill};

use crate::{
    spaces::{Basis, Entrant, MatrixSpec, Rule, SpaceSpec, MAX_MATRICES, MAX_MEMBERS},
    tasks::Descriptor,
};

/// Most bytes of tables and matrices that a node combines at one time. It takes about three times as much memory; 3.5 GiB
/// at most, if all rows are anchors.
pub const MAX_INPUT_BYTES: u64 = 1 << 30;

/// Most work of a combination that a node begins, in products of two numbers: see [`work`].
pub const MAX_WORK: u64 = 2_500_000_000_000;

/// Rotations that each member gets whatever the reference: to its own basis, which shows whether it is determined, and to
/// the mean.
const ROTATIONS: u64 = 2;
/// Products of three matrices that a rotation takes at most: 28 steps of one and a half.
const ITERATIONS: u64 = 42;
/// What comparing two rows takes beside their products, for sorting what comes of it.
const SORTING: u64 = 32;

/// What it takes at most to combine the tables of so many members, in products of two numbers: if nothing ends early, and
/// each member is tried as the reference, because cheats saw to it that none before the last does.
///
/// - The anchors of any two members are multiplied with each other, and those of each with each reference and for each of
///   its [`ROTATIONS`], of [`ITERATIONS`].
/// - All tables are turned twice.
/// - Any two are compared three times: as wholes before and after the second turn, and row by row.
/// - Matrices are turned once for each of their sides that is in a member's basis.
pub fn work(members: u32, rows: u32, cols: u32, anchors: u32, matrices: &[MatrixSpec]) -> u64 {
    let product = |factors: &[u64]| factors.iter().fold(1, |product: u64, factor| product.saturating_mul(*factor));
    let [members, rows, cols, anchors] = [members, rows, cols, anchors].map(u64::from);
    let pairs = members.saturating_mul(members.saturating_add(1)).saturating_div(2);
    let rotations = members.saturating_mul(ROTATIONS.saturating_add(members));
    let crossed = pairs.saturating_add(rotations);
    let sides = |matrix: &MatrixSpec| {
        let [rows, cols] = [matrix.rows, matrix.cols].map(u64::from);
        let length = match matrix.basis {
            Basis::Rows => rows,
            Basis::Cols => cols,
            Basis::Both => rows.saturating_add(cols),
        };
        product(&[members, rows, cols, length])
    };
    let tables = [
        product(&[crossed, anchors, cols, cols]),
        product(&[rotations, ITERATIONS, cols, cols, cols]),
        product(&[2, members, rows, cols, cols]),
        product(&[pairs, rows, cols.saturating_mul(3).saturating_add(SORTING)]),
    ];
    tables.into_iter().chain(matrices.iter().map(sides)).fold(0, u64::saturating_add)
}

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

    /// What it takes to compute the result, in products of two numbers: see [`work`].
    pub fn work(&self) -> u64 {
        let members = u32::try_from(self.entrants.len()).unwrap_or(u32::MAX);
        work(members, self.rows, self.cols, self.anchors, &self.matrices)
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
