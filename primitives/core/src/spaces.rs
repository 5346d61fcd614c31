//! Spaces: one coherent state out of contributions from people who share no basis.
//!
//! A space collects tables that share their rows (a row is the same token for everybody) but not their basis. In a
//! round of aggregation the session's validators compute one table from those of all members that count. What they
//! compute is a bundle of which the chain knows the id: [`STATE`], [`REPORT`] and the matrices that the space asks for.

use alloc::vec::Vec;

use codec::{Codec, Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use ensemble_tensor::{Header, Kind, TensorId};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::{BoundedVec, DispatchResult, Permill, Weight};

use crate::{combination, tasks::Content, votes::VoteEnd, TaskId};

/// Number of a space, counted up from 0 and never used twice.
pub type SpaceId = u32;

/// Number of a round of a space, counted up from 0.
pub type RoundIndex = u32;

/// Most members of a space, whatever the chain's parameter says: as many as the kernels combine.
pub const MAX_MEMBERS: u32 = 128;

/// Most rows of a table: as many as the kernels combine.
pub const MAX_ROWS: u32 = 1 << 20;

/// Most columns of a table, and most rows and columns of a matrix: alignment takes time in the cube of them.
pub const MAX_COLS: u32 = 1024;

/// Most matrices beside a table.
pub const MAX_MATRICES: u32 = 8;

/// Most bytes of the name of a matrix.
pub const MAX_NAME_BYTES: u32 = 63;

/// Most bytes of the SCALE encoding of a [`Report`]: its length in 2 and each [`Finding`] in at most 10.
pub const MAX_REPORT_BYTES: u32 = 2 + 10 * MAX_MEMBERS;

/// Most bytes of the manifest of a bundle with a table, a report and all matrices: their number in 1, and for each the
/// length of the name in 1, the name, and the id in 32.
pub const MAX_MANIFEST_BYTES: u32 = 1 + (2 + MAX_MATRICES) * (1 + MAX_NAME_BYTES + 32);

/// Name of the table in a bundle, a member's as well as a round's. It is of kind `i16`.
pub const STATE: &str = "state";

/// Name of the report in a round's bundle: the SCALE encoding of a [`Report`], of kind `bytes`.
pub const REPORT: &str = "report";

/// How the tables of a space are combined once they have a common basis.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Rule {
    /// The weighted mean of those that are nearest to the others.
    MultiKrum,
    /// The table with the least weighted sum of distances to all.
    GeometricMedian,
    /// In each place the weighted mean without the largest and the smallest.
    TrimmedMean,
}

/// Which sides of a matrix are in a member's basis.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Basis {
    /// Rows: with the member's rotation `R` it is carried over as `R^T W`.
    Rows,
    /// Columns: `W R`.
    Cols,
    /// Both: `R^T W R`.
    Both,
}

/// A matrix that comes with each table of a space: of kind `i16` in contributions, of kind `i32` in results, where a
/// rotation may gather in one number what was spread over all.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct MatrixSpec {
    /// Its name in bundles.
    pub name: BoundedVec<u8, ConstU32<MAX_NAME_BYTES>>,
    /// Number of rows.
    pub rows: u32,
    /// Number of columns.
    pub cols: u32,
    /// What changes with the basis.
    pub basis: Basis,
}

impl MatrixSpec {
    /// Whether there can be such a matrix beside tables with so many columns.
    pub fn fits(&self, table_cols: u32) -> bool {
        let sides: &[u32] = match self.basis {
            Basis::Rows => &[self.rows],
            Basis::Cols => &[self.cols],
            Basis::Both => &[self.rows, self.cols],
        };
        let is_small = self.rows <= MAX_COLS && self.cols <= MAX_COLS;
        sides.iter().all(|side| *side == table_cols) && is_small && Header::new(Kind::I32, self.rows, self.cols).is_ok()
    }
}

/// Who may create tasks that name a space, and so have what wins them admitted.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Contributors {
    /// Everybody. Whoever wins tasks of its own making fills the space, or has most of its weight, for little.
    Anyone,
    /// The space's owner, who says in each task who may take part and what is put up.
    Owner,
}

/// What a space is. Never changes.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct SpaceSpec<BlockNumber> {
    /// Number of rows of a table: one for each token.
    pub rows: u32,
    /// Number of columns of a table.
    pub cols: u32,
    /// Number of rows, from the first on, by which tables are aligned; at least as many as columns.
    pub anchors: u32,
    /// Which token each row stands for: `bytes`, one token a line.
    pub vocabulary: Option<TensorId>,
    /// The matrices that come with each table. Without any, a contribution is the table itself.
    pub matrices: BoundedVec<MatrixSpec, ConstU32<MAX_MATRICES>>,
    /// How tables are combined.
    pub rule: Rule,
    /// The part of all members, by weight, that may cheat; less than half.
    pub tolerated: Permill,
    /// Who may create tasks that name it.
    pub contributors: Contributors,
    /// Most members.
    pub capacity: u32,
    /// Fewest members that must count for a round.
    pub quorum: u32,
    /// Least weight of a member, at least 1: what its task was won with.
    pub least_weight: u128,
    /// Most weight of a member. One that has more counts as much; 1 makes all members equal.
    pub most_weight: u128,
    /// Fewest blocks from the beginning of a round to the beginning of the next.
    pub cadence: BlockNumber,
}

impl<BlockNumber> SpaceSpec<BlockNumber> {
    /// Whether there are tables of this shape, and they can be combined.
    pub fn has_tables(&self) -> bool {
        let is_small = self.rows <= MAX_ROWS && self.cols <= MAX_COLS;
        is_small && Header::new(Kind::I16, self.rows, self.cols).is_ok()
    }

    /// What a contribution is.
    pub fn contribution(&self) -> Content {
        if self.matrices.is_empty() {
            return Content::Tensor { kind: Kind::I16, rows: self.rows, cols: self.cols };
        }
        Content::Bundle { max_bytes: self.numbers().saturating_add(MAX_MANIFEST_BYTES.into()) }
    }

    /// What a round results in.
    pub fn result(&self) -> Content {
        let others = u64::from(MAX_MANIFEST_BYTES).saturating_add(MAX_REPORT_BYTES.into());
        Content::Bundle { max_bytes: self.numbers_with(Kind::I32).saturating_add(others) }
    }

    /// Whether a task that asks for this content may name the space. What is in a bundle is seen in the round.
    pub fn admits(&self, content: &Content) -> bool {
        match (*content, self.contribution()) {
            (Content::Bundle { max_bytes }, Content::Bundle { max_bytes: most }) => {
                (self.numbers()..=most).contains(&max_bytes)
            },
            (asked, needed) => asked == needed,
        }
    }

    /// What a round takes when the space has as many members as it takes, in products of two numbers: see
    /// [`combination::work`].
    pub fn work(&self) -> u64 {
        combination::work(self.capacity, self.rows, self.cols, self.anchors, &self.matrices)
    }

    /// Bytes of a table and all matrices of a contribution; 0 for a shape that nothing can have.
    pub fn numbers(&self) -> u64 {
        self.numbers_with(Kind::I16)
    }

    /// Bytes of a table and all matrices, if these are of such a kind.
    fn numbers_with(&self, kind: Kind) -> u64 {
        let bytes = |kind, rows, cols| Header::new(kind, rows, cols).map_or(0, |header| header.data_len());
        let matrices = self.matrices.iter().map(|matrix| bytes(kind, matrix.rows, matrix.cols));
        matrices.fold(bytes(Kind::I16, self.rows, self.cols), u64::saturating_add)
    }
}

/// Why a member's content is left out of a round. All validators find the same, from the content alone.
///
/// What cannot be had is no reason: that may be so for one validator and not for another, which then skips the round.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Rejection {
    /// It has no table, or not all matrices, of the space's kind and shape.
    WrongShape,
    /// Its table is nothing but zeros.
    AllZero,
    /// Too many of its numbers are as large as can be.
    Saturated,
    /// Its anchors do not span all dimensions, so that no rotation can be told from them.
    IllConditioned,
    /// A member that was admitted earlier has the same table.
    Duplicate,
    /// The rule left it out: it is too far from the others.
    Outvoted,
    /// A row of its table is longer than a row of unit length with noise can be.
    RowTooLong,
}

/// What a round found of a member.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Finding {
    /// Why it was left out, if it was.
    pub rejection: Option<Rejection>,
    /// How far it is from the result, in the unit of docs/numerics.md; 0 where that cannot be said.
    pub distance: u64,
}

/// What a round found of all members that took part, in the order of their contents' ids.
pub type Report = BoundedVec<Finding, ConstU32<MAX_MEMBERS>>;

/// How a member stands.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Standing {
    /// It takes part in rounds.
    Counting {
        /// The number of reports, the last one after the other, that rejected it.
        rejections: u32,
    },
    /// It does not take part until it is readmitted.
    Suspended {
        /// The round whose report rejected it once too often; the next round, if the space's owner suspended it.
        since: RoundIndex,
    },
}

impl Standing {
    /// How a member begins, and begins anew.
    pub const FRESH: Self = Self::Counting { rejections: 0 };

    /// Whether it takes part in rounds.
    pub fn counts(&self) -> bool {
        matches!(self, Self::Counting { .. })
    }
}

/// A contribution in a space.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Member {
    /// The task that it won.
    pub task: TaskId,
    /// Its place in the order in which the space admitted members. The task's number is not that: an old task may be
    /// won late.
    pub admitted: u32,
    /// What it is.
    pub content: TensorId,
    /// How much it counts.
    pub weight: u128,
    /// Whether it counts.
    pub standing: Standing,
    /// The last round of which there is a report that names it, and what that found.
    pub last: Option<(RoundIndex, Finding)>,
}

/// A member as it stood when a round began.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Entrant {
    /// What it is.
    pub content: TensorId,
    /// The task that it won.
    pub task: TaskId,
    /// Its place in the order in which the space admitted members: of several with one table, the first stays.
    pub admitted: u32,
    /// How much it counts.
    pub weight: u128,
}

/// A contribution that a task was won with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Admission {
    /// The task.
    pub task: TaskId,
    /// What won it.
    pub content: TensorId,
    /// The weight of those who revealed it.
    pub weight: u128,
}

/// Who takes contributions: what the pallet of tasks asks.
pub trait Spaces<AccountId> {
    /// Whether `creator` may create a task that asks for this content and names the space.
    ///
    /// # Errors
    ///
    /// If there is no such space, it is retired, its contributions are something else, or somebody else's to ask for.
    fn accepts(space: SpaceId, creator: &AccountId, content: &Content) -> DispatchResult;

    /// What [`Self::accepts`] takes.
    fn accepts_weight() -> Weight;

    /// Takes what won a task that names the space, or refuses it; an event says which. The cost depends on neither the
    /// number of spaces nor of members.
    fn admit(space: SpaceId, admission: Admission);

    /// What [`Self::admit`] takes.
    fn admit_weight() -> Weight;
}

/// What a space has settled on.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Settled<BlockNumber> {
    /// The round.
    pub round: RoundIndex,
    /// The bundle.
    pub content: TensorId,
    /// The block.
    pub at: BlockNumber,
    /// Whether the chain has read its report.
    pub reported: bool,
}

/// A round that is over.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct PastRound<BlockNumber> {
    /// The vote.
    pub task: TaskId,
    /// The number of members that took part.
    pub entrants: u32,
    /// Block in which it began.
    pub began: BlockNumber,
    /// Block in which it ended.
    pub ended: BlockNumber,
    /// How it ended.
    pub end: VoteEnd,
}

/// What a space is about to do.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Activity<BlockNumber> {
    /// Nothing: nothing has changed since its last round began, or too few members count.
    Resting,
    /// A round begins in this block or, if there is no room for it, a later one.
    Due(BlockNumber),
    /// A round runs.
    Running {
        /// Its number.
        round: RoundIndex,
        /// The vote.
        task: TaskId,
        /// Block in which it began.
        began: BlockNumber,
        /// The number of members that take part.
        entrants: u32,
        /// Whether the space was retired meanwhile.
        is_last: bool,
    },
    /// It is retired, and its records are being removed.
    Closing,
}

/// What an outsider may know of a space.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct SpaceView<AccountId, Balance, BlockNumber> {
    /// Its number.
    pub id: SpaceId,
    /// Who created it.
    pub owner: AccountId,
    /// What is held from its owner, in planck.
    pub deposit: Balance,
    /// What it is.
    pub spec: SpaceSpec<BlockNumber>,
    /// The number of members.
    pub members: u32,
    /// The number of members that count.
    pub counting: u32,
    /// What it is about to do.
    pub activity: Activity<BlockNumber>,
    /// What it has settled on.
    pub state: Option<Settled<BlockNumber>>,
}

/// What went into a round that runs, or whose report the chain has not read yet.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct RoundView {
    /// Its number.
    pub round: RoundIndex,
    /// The members that take part, in the order of their contents' ids.
    pub entrants: Vec<Entrant>,
    /// What it resulted in, if it is over.
    pub result: Option<TensorId>,
}

sp_api::decl_runtime_apis! {
    /// What the chain says of spaces.
    pub trait SpacesApi<AccountId: Codec, Balance: Codec, BlockNumber: Codec> {
        /// One space.
        fn space(id: SpaceId) -> Option<SpaceView<AccountId, Balance, BlockNumber>>;
        /// Spaces in the order of their numbers, from `first` on, at most `limit` (and 100).
        fn spaces(first: SpaceId, limit: u32) -> Vec<SpaceView<AccountId, Balance, BlockNumber>>;
        /// The members of a space in the order of their tasks.
        fn members(id: SpaceId) -> Vec<Member>;
        /// What went into the rounds of a space that run, or whose reports the chain has not read; oldest first.
        fn rounds(id: SpaceId) -> Vec<RoundView>;
        /// The rounds of a space that are over, as far as they are kept, from `first` on, at most `limit` (and 100).
        fn history(id: SpaceId, first: RoundIndex, limit: u32) -> Vec<(RoundIndex, PastRound<BlockNumber>)>;
        /// What a space has settled on.
        fn state(id: SpaceId) -> Option<Settled<BlockNumber>>;
    }
}
