//! Votes: keys agree on what a computation results in. They commit to a result, reveal it, and a panel of validators
//! attests that it can be had.
//!
//! What a vote is on is its [`Matter`]. A pallet that has something to decide opens a vote ([`Votes`]), its off-chain
//! worker votes with the keys that it has ([`Voting`]), and the runtime tells it how the vote ended ([`VoteOutcome`]).

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use ensemble_tensor::TensorId;
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::{BoundedVec, DispatchError, Weight};

use crate::{
    inference::{RangeIndex, MAX_REPLICAS},
    spaces::RoundIndex,
    tasks::{Content, Descriptor, Phases},
    AttesterId, SessionId, SpaceId, TaskId,
};

/// What a vote is on.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Matter {
    /// What a round of a space results in: a bundle.
    Round {
        /// The space.
        space: SpaceId,
        /// The number of the round.
        round: RoundIndex,
    },
    /// What the workers of a range computed in a session: their trace, a tensor of kind `i32`.
    Trace {
        /// The session.
        session: SessionId,
        /// The range.
        range: RangeIndex,
    },
}

impl Matter {
    /// Of which sort it is.
    pub fn sort(&self) -> Sort {
        match self {
            Self::Round { .. } => Sort::Round,
            Self::Trace { .. } => Sort::Trace,
        }
    }
}

/// Sorts of matters. The votes on each have their own bound, so that none keeps the others out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sort {
    /// [`Matter::Round`].
    Round,
    /// [`Matter::Trace`].
    Trace,
}

/// Keys named one by one, none of them twice.
pub type NamedVoters = BoundedVec<AttesterId, ConstU32<MAX_REPLICAS>>;

/// Who votes. Each key counts 1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Voters {
    /// The validators of the session in which the vote begins.
    Session,
    /// These keys and no others, whether they are validators' or not.
    Named(NamedVoters),
}

/// A vote that is to begin.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VoteSpec<BlockNumber> {
    /// What it is on.
    pub matter: Matter,
    /// What a result is.
    pub content: Content,
    /// Lengths of its phases.
    pub phases: Phases<BlockNumber>,
    /// Who votes.
    pub voters: Voters,
}

/// Who holds votes: the pallet of tasks.
pub trait Votes<BlockNumber> {
    /// Begins a vote. A result needs more than half of all voters, not only of those that vote: nobody is paid to come,
    /// so that few may. It takes no bonds. Its end is told to [`VoteOutcome`] in later calls or steps.
    ///
    /// The caller sees to it that there is one vote on a matter at a time, and to the lengths of the phases. It takes
    /// time in proportion to the number of voters.
    ///
    /// # Errors
    ///
    /// If there is no room for one more of this sort, no such content can be, or nobody or somebody twice would vote.
    /// Nothing is stored then.
    fn open(vote: VoteSpec<BlockNumber>) -> Result<TaskId, DispatchError>;

    /// How many more votes on matters of this sort can begin now. It reads one value.
    fn room(sort: Sort) -> u32;

    /// Has the session as many validators as it can have.
    #[cfg(feature = "runtime-benchmarks")]
    fn fill_for_benchmark();
}

/// What a voter's node does: the pallet of tasks, for off-chain workers.
pub trait Voting {
    /// What a key may do in a vote in the next block; nothing if it may not vote, or the vote is over.
    fn turn(task: TaskId, voter: &AttesterId) -> Option<Turn>;

    /// Signs and submits a commitment to a result. Says whether that was accepted.
    fn commit(task: TaskId, voter: &AttesterId, content: TensorId, salt: &[u8; 32]) -> bool;

    /// Signs and submits what opens a commitment. Says whether that was accepted.
    fn reveal(task: TaskId, voter: &AttesterId, descriptor: Descriptor, salt: [u8; 32]) -> bool;
}

/// What a key may do in a vote.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Turn {
    /// Commit.
    Commit,
    /// It has committed, and reveals when that phase begins.
    Wait,
    /// Open its commitment.
    Reveal,
    /// Nothing more: it has revealed, or missed its turn.
    Over,
}

/// Who is told how votes end: the runtime, which passes it on to whose matter it is.
///
/// When the outcome of a vote is known, each voter leaves, in no order that means anything, in this block or later ones;
/// then the vote ends. Each is told once, in calls or steps that anybody may cause, so that nothing of it may fail.
pub trait VoteOutcome {
    /// A voter has left. `failure` is how it failed, if it did.
    ///
    /// Silence is told whatever the outcome. Nobody is outvoted where nothing won: whoever revealed then did not fail,
    /// though it may be the only one that is right, or wrong. So `None` says of a voter that it revealed, and, if
    /// [`VoteEnd::Settled`] follows, that it revealed what won.
    fn left(matter: Matter, voter: &AttesterId, failure: Option<Failure>);

    /// What [`Self::left`] takes, whatever the matter.
    fn left_weight() -> Weight;

    /// All voters have left, and the vote is over. Nothing happens if nobody waits for it.
    fn ended(matter: Matter, end: VoteEnd);

    /// What [`Self::ended`] takes, whatever the matter.
    fn ended_weight() -> Weight;
}

/// How a voter failed.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Failure {
    /// It did not commit.
    Absent,
    /// It committed and did not reveal.
    Silent,
    /// It revealed another result than the one that won.
    Outvoted {
        /// Its result.
        content: TensorId,
    },
}

/// How a vote ended.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum VoteEnd {
    /// This is the result.
    Settled(TensorId),
    /// There is no result.
    Void(VoteVoid),
}

/// Why a vote has no result.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum VoteVoid {
    /// No voter committed to a result.
    NobodyCame,
    /// Too few voters revealed a result.
    QuorumMissed,
    /// No result has a majority.
    NoMajority,
    /// There is nobody to attest the result.
    NoAttesters,
    /// Hardly any validator could have the result.
    Unavailable,
    /// Too few validators attested the result.
    Unattested,
}
