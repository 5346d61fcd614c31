//! Tasks: what they ask for, how they are voted on, and what outsiders may read of them.

#![expect(clippy::multiple_bound_locations, reason = "the SDK's macro repeats the bounds of a runtime API")]

use alloc::vec::Vec;

use codec::{Codec, Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use ensemble_tensor::{Header, Kind, TensorId};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::Permill;

use crate::{exchange::Audience, votes::Matter, AttesterId, SpaceId};

/// Number of a task, counted up from 0 and never used twice.
pub type TaskId = u32;

/// In a node's local storage, followed by the id of a content: it won a task, and stays pinned whatever becomes of other
/// uses of it.
pub const KEPT_PREFIX: &[u8] = b"ensemble/tasks/kept/";

/// The content a task asks for.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Content {
    /// One tensor of exactly this kind and shape.
    Tensor {
        /// Element encoding; neither `Bytes` nor `Bundle`.
        kind: Kind,
        /// Number of rows, at least 1.
        rows: u32,
        /// Number of columns, at least 1.
        cols: u32,
    },
    /// Plain bytes, at least one and at most `max_len`.
    Bytes {
        /// Most bytes allowed.
        max_len: u32,
    },
    /// An ordered list of named tensors, whose encodings together have at most `max_bytes`.
    Bundle {
        /// Most bytes allowed for the manifest and all members together.
        max_bytes: u64,
    },
}

/// How much the word of a participant counts.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Weighting<Balance> {
    /// Each account counts 1.
    Account,
    /// An account counts as much as the bond it put up, in planck, up to `cap`.
    Bond {
        /// Largest bond that is accepted, in planck.
        cap: Balance,
    },
}

/// Lengths of a task's phases, in blocks. They follow each other from the block after creation on.
#[derive(
    Clone,
    Copy,
    Debug,
    Decode,
    DecodeWithMemTracking,
    Deserialize,
    Encode,
    Eq,
    MaxEncodedLen,
    PartialEq,
    Serialize,
    TypeInfo,
)]
pub struct Phases<BlockNumber> {
    /// Commitments are taken.
    pub commit: BlockNumber,
    /// Commitments are opened.
    pub reveal: BlockNumber,
    /// Validators fetch and verify the leading content.
    pub attest: BlockNumber,
}

/// What a task pays and takes.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Terms<Balance> {
    /// Reward per participant with a valid reveal, in planck, before growth.
    pub base: Balance,
    /// Growth of the reward per further participant, as a part of `base`.
    pub growth: Permill,
    /// Part of `base` that a revealed minority receives.
    pub minority_share: Permill,
    /// Smallest bond of a participant, in planck; the exact bond where weighting is by account.
    pub bond: Balance,
    /// Part of the bond that a revealed minority loses.
    pub minority_slash: Permill,
}

/// Where a task stands in a given block.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Phase {
    /// Commitments are taken.
    Commit,
    /// Commitments are opened.
    Reveal,
    /// Validators attest the leading content.
    Attest,
    /// The outcome is known; rewards and bonds are being paid.
    Settle,
}

/// A tensor's header and Merkle root: what its id is the hash of, so that a shape can be checked without the data.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Descriptor {
    /// Kind and shape.
    pub header: Header,
    /// Merkle root over the leaves.
    pub root: [u8; 32],
}

impl Descriptor {
    /// The id of the tensor described.
    pub fn id(&self) -> TensorId {
        self.header.id(&self.root)
    }
}

/// What a content must be for a participant's reveal to count.
impl Content {
    /// Whether this asks for something that can exist.
    pub fn is_valid(&self) -> bool {
        match *self {
            Self::Tensor { kind: Kind::Bytes | Kind::Bundle, .. } => false,
            Self::Tensor { kind, rows, cols } => Header::new(kind, rows, cols).is_ok(),
            Self::Bytes { max_len } => max_len > 0,
            Self::Bundle { max_bytes } => max_bytes > 0,
        }
    }

    /// Whether a tensor with this header answers the task. A bundle's members are checked by those who attest it.
    pub fn admits(&self, header: &Header) -> bool {
        match *self {
            Self::Tensor { kind, rows, cols } => {
                header.kind() == kind && header.rows() == rows && header.cols() == cols
            },
            Self::Bytes { max_len } => header.kind() == Kind::Bytes && header.data_len() <= u64::from(max_len),
            Self::Bundle { max_bytes } => header.kind() == Kind::Bundle && header.data_len() <= max_bytes,
        }
    }

    /// Most bytes, data without headers, that a node must hold for this content.
    pub fn max_bytes(&self) -> u64 {
        match *self {
            Self::Tensor { kind, rows, cols } => Header::new(kind, rows, cols).map_or(0, |header| header.data_len()),
            Self::Bytes { max_len } => u64::from(max_len),
            Self::Bundle { max_bytes } => max_bytes,
        }
    }
}

/// What an outsider may know of a task.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct TaskView<AccountId, Balance, BlockNumber> {
    /// Its number.
    pub id: TaskId,
    /// What it is for.
    pub purpose: PurposeView<AccountId, Balance>,
    /// What it asks for.
    pub content: Content,
    /// Number of valid reveals needed.
    pub quorum: u32,
    /// Most participants.
    pub max_participants: u32,
    /// Where it stands.
    pub phase: Phase,
    /// Last block in which commitments are taken.
    pub commit_until: BlockNumber,
    /// Last block in which commitments are opened.
    pub reveal_until: BlockNumber,
    /// Last block in which validators attest: as planned before that phase begins, the block of the decision after it.
    pub attest_until: BlockNumber,
    /// Number of commitments.
    pub committed: u32,
    /// Number of valid reveals.
    pub revealed: u32,
    /// The content with the most revealed weight so far.
    pub leader: Option<TensorId>,
    /// Attestations of the leader so far, and how many are needed; zero before the attest phase.
    pub attested: (u32, u32),
}

/// What an outsider may know of what a task is for.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub enum PurposeView<AccountId, Balance> {
    /// An account asks for a contribution and pays for it.
    Contribution {
        /// Who created and funded it.
        creator: AccountId,
        /// Who may read what wins.
        audience: Audience,
        /// The space that is to admit what wins.
        space: Option<SpaceId>,
        /// How words count.
        weighting: Weighting<Balance>,
        /// What it pays and takes.
        terms: Terms<Balance>,
        /// The accounts that may take part, if it is not open to all.
        committee: Option<Vec<AccountId>>,
    },
    /// Keys vote on what a computation results in.
    Vote {
        /// What it is on.
        matter: Matter,
        /// The attester keys that may vote and are not dismissed, in their order.
        voters: Vec<AttesterId>,
    },
}

/// What an account still has to do, or is owed, in a task.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct Obligation<Balance, BlockNumber> {
    /// The task.
    pub task: TaskId,
    /// What is due.
    pub duty: Duty,
    /// Last block for it.
    pub until: BlockNumber,
    /// The account's bond that is at stake, in planck.
    pub bond: Balance,
}

/// A thing to do in a task.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub enum Duty {
    /// The account is in the committee and has not committed.
    Commit,
    /// The account committed and has to reveal: now, or when the phase begins.
    Reveal,
    /// Nothing: the account revealed, or can no longer do so, and waits for the settlement.
    Wait,
}

sp_api::decl_runtime_apis! {
    /// What the chain says of tasks.
    pub trait TasksApi<AccountId: Codec, Balance: Codec, BlockNumber: Codec> {
        /// Tasks that are not settled, in the order of their numbers, from `first` on, at most `limit` (and 100).
        fn open_tasks(first: TaskId, limit: u32) -> Vec<TaskView<AccountId, Balance, BlockNumber>>;
        /// One task that is not settled.
        fn task(id: TaskId) -> Option<TaskView<AccountId, Balance, BlockNumber>>;
        /// What `account` still has to do in tasks, from task `first` on, at most `limit` (and 100).
        fn obligations(account: AccountId, first: TaskId, limit: u32) -> Vec<Obligation<Balance, BlockNumber>>;
    }
}
