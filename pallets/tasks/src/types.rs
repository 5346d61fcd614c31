//! Records of the pallet, and the rules that follow from a record alone.

#![expect(clippy::cast_possible_truncation, reason = "codec's derive numbers variants with `as u8`")]

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use ensemble_core::{
    exchange::Audience,
    tasks::{Content, Descriptor, Phase, Phases, Terms, Weighting},
    votes::{Failure, Matter, Sort, VoteEnd, VoteVoid},
    AttesterId, SpaceId, TaskId,
};
use ensemble_tensor::TensorId;
use frame_support::{
    pallet_prelude::*,
    traits::fungible::{Credit, Inspect},
    BoundedVec, CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound,
};
use frame_system::pallet_prelude::BlockNumberFor;
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::traits::AtLeast32BitUnsigned;

use crate::{
    reward::{self, Dues, Standing},
    Config,
};

/// An amount: of the native token in planck, of shares in units, or a weight.
pub type Balance = u128;
/// Money taken from a bond, to be dealt with by [`Config::Slashed`].
pub type CreditOf<T> = Credit<<T as frame_system::Config>::AccountId, <T as Config>::Currency>;
/// A task of this runtime.
pub type TaskOf<T> = Task<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;
/// What an account of this runtime asks for.
pub type OrderOf<T> = Order<<T as frame_system::Config>::AccountId>;
/// The accounts of a committee.
pub type CommitteeOf<T> = BoundedVec<<T as frame_system::Config>::AccountId, <T as Config>::MaxParticipants>;
/// Who may take part in a task of this runtime.
pub type AccessOf<T> = Access<<T as frame_system::Config>::AccountId, <T as Config>::MaxParticipants>;
/// The attesters drawn for a task of this runtime.
pub type PanelOf<T> = Panel<<T as Config>::AttestersPerTask>;

/// The existential deposit.
pub(crate) fn existential_deposit<T: Config>() -> Balance {
    <T::Currency as Inspect<T::AccountId>>::minimum_balance()
}

/// Who may take part in a task.
#[derive(
    CloneNoBound,
    DebugNoBound,
    Decode,
    DecodeWithMemTracking,
    Encode,
    EqNoBound,
    MaxEncodedLen,
    PartialEqNoBound,
    TypeInfo,
)]
#[codec(mel_bound(AccountId: MaxEncodedLen))]
#[scale_info(skip_type_params(Max))]
pub enum Access<AccountId: Clone + core::fmt::Debug + Eq, Max: Get<u32>> {
    /// Everybody, in the order in which they commit.
    Open,
    /// These accounts and no other.
    Committee(BoundedVec<AccountId, Max>),
}

/// What the creator of a task asks for.
pub struct Request<T: Config> {
    /// The content.
    pub content: Content,
    /// Who may take part.
    pub access: AccessOf<T>,
    /// How words count.
    pub weighting: Weighting<Balance>,
    /// Lengths of the phases.
    pub phases: Phases<BlockNumberFor<T>>,
    /// Number of valid reveals needed.
    pub quorum: u32,
    /// Most participants.
    pub max_participants: u32,
    /// What the task pays and takes.
    pub terms: Terms<Balance>,
    /// Who may read what wins.
    pub audience: Audience,
    /// The space that is to admit what wins.
    pub space: Option<SpaceId>,
}

/// A task that is not settled.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Task<AccountId, BlockNumber> {
    /// What it is for, and what only tasks of that sort have.
    pub purpose: Purpose<AccountId>,
    /// What it asks for.
    pub content: Content,
    /// Number of valid reveals needed.
    pub quorum: u32,
    /// Most participants.
    pub max_participants: u32,
    /// Last block in which commitments are taken.
    pub commit_until: BlockNumber,
    /// Last block in which commitments are opened.
    pub reveal_until: BlockNumber,
    /// Length of the attest phase in blocks. It begins when the reveals are closed, so that validators have all of it
    /// however late a full chain comes round to closing them.
    pub attest_blocks: BlockNumber,
    /// Number of commitments.
    pub committed: u32,
    /// Weight of all commitments.
    pub committed_weight: Balance,
    /// Number of valid reveals.
    pub revealed: u32,
    /// Block from which on the next step is due, and key of this task in the agenda.
    pub due: BlockNumber,
    /// How far it has come.
    pub state: State<BlockNumber>,
}

/// What a task is for.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Purpose<AccountId> {
    /// An account asks for a contribution and pays for it. Accounts take part ([`Participation`]).
    Contribution(Order<AccountId>),
    /// Keys vote on this ([`Ballot`]). The task holds nothing, and pays nobody.
    Vote(Matter),
}

/// What an account asks for and pays.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Order<AccountId> {
    /// Who created and funded the task.
    pub creator: AccountId,
    /// Who may read what wins.
    pub audience: Audience,
    /// The space that is to admit what wins.
    pub space: Option<SpaceId>,
    /// How words count.
    pub weighting: Weighting<Balance>,
    /// What the task pays and takes.
    pub terms: Terms<Balance>,
    /// What the creator holds for the record itself, in planck.
    pub deposit: Balance,
    /// What the creator still holds for rewards, in planck.
    pub escrow: Balance,
    /// What the creator pays for keeping what wins, in planck; held until then.
    pub rent: Balance,
}

/// How far a task has come.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum State<BlockNumber> {
    /// Commitments or reveals are taken, as the block number says.
    ///
    /// So it stays until attesters are drawn.
    Open {
        /// The content with the most revealed weight so far; of two with the same weight, the first to reach it.
        leader: Option<Leader>,
    },
    /// Validators attest the leader.
    Attesting {
        /// The content.
        leader: Leader,
        /// Last block in which attestations are taken.
        until: BlockNumber,
    },
    /// The outcome is known; participants are being settled one by one.
    Settling {
        /// The outcome.
        outcome: Outcome,
        /// Number of participants that are not settled yet.
        unsettled: u32,
    },
}

/// A content and who stands behind it.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Leader {
    /// The content.
    pub content: TensorId,
    /// The content's header and Merkle root.
    pub descriptor: Descriptor,
    /// Weight of those who revealed it.
    pub weight: Balance,
    /// Number of those who revealed it.
    pub backers: u32,
}

/// How a task ended.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Outcome {
    /// This content won.
    Won(Leader),
    /// Nothing won.
    Void(VoidReason),
}

/// Why nothing won.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum VoidReason {
    /// Nobody committed.
    NobodyCame,
    /// There were fewer valid reveals than the quorum.
    QuorumMissed,
    /// No content has more than half of the committed weight.
    NoMajority,
    /// The chain has no attesters.
    NoAttesters,
    /// Less than a third of the drawn attesters could fetch and verify the leader in time.
    Unavailable {
        /// The leader.
        content: TensorId,
    },
    /// A third of the drawn attesters or more attested the leader in time, but less than the two thirds needed. It
    /// could be had: nobody can say whether its backers or the attesters failed.
    Unattested {
        /// The leader.
        content: TensorId,
    },
}

/// The part that an account takes in a task.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Participation {
    /// It committed.
    Committed {
        /// [`crate::Pallet::commitment`] of content, account, task and salt.
        commitment: H256,
        /// What it put up, in planck.
        bond: Balance,
    },
    /// It opened its commitment.
    Revealed {
        /// The content.
        content: TensorId,
        /// What it put up, in planck.
        bond: Balance,
    },
}

/// A voter's part in a vote.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Ballot {
    /// It may vote and has not committed.
    Awaited,
    /// It committed to [`crate::Pallet::commitment`] of content, its key, task and salt.
    Committed(H256),
    /// It opened its commitment: this is its result.
    Revealed(TensorId),
}

/// A voter's commitment.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub struct Sealed {
    /// The vote.
    pub task: TaskId,
    /// The voter's attester key.
    pub voter: AttesterId,
    /// [`crate::Pallet::commitment`] of content, key, task and salt.
    pub commitment: H256,
}

/// What opens a voter's commitment.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub struct Opened {
    /// The vote.
    pub task: TaskId,
    /// The voter's attester key.
    pub voter: AttesterId,
    /// The header and Merkle root of the result.
    pub descriptor: Descriptor,
    /// What it was committed with.
    pub salt: [u8; 32],
}

/// The number of votes that are open, by the sort of their matters.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct VoteCounts {
    /// On rounds of spaces.
    pub rounds: u32,
    /// On traces of ranges.
    pub traces: u32,
}

/// Support for one content of a task.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Tally {
    /// Weight of those who revealed it.
    pub weight: Balance,
    /// Number of those who revealed it.
    pub backers: u32,
}

/// The attesters drawn for a task.
#[derive(CloneNoBound, DebugNoBound, Decode, Encode, EqNoBound, MaxEncodedLen, PartialEqNoBound, TypeInfo)]
#[codec(mel_bound())]
#[scale_info(skip_type_params(Max))]
pub struct Panel<Max: Get<u32>> {
    /// The content to attest.
    pub content: TensorId,
    /// Who was drawn.
    pub seats: BoundedVec<Seat, Max>,
}

/// A drawn attester.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Seat {
    /// The session key.
    pub attester: AttesterId,
    /// Whether it has attested.
    pub attested: bool,
}

/// A drawn attester's word that it fetched, verified and keeps the leader of a task.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub struct Attestation {
    /// The task.
    pub task: TaskId,
    /// The content it has.
    pub content: TensorId,
    /// The session key it was drawn by.
    pub attester: AttesterId,
}

/// What won a task. Kept for ever.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Contribution<AccountId, BlockNumber> {
    /// Who created and funded the task.
    pub creator: AccountId,
    /// What won.
    pub content: TensorId,
    /// The header and Merkle root of what won.
    pub descriptor: Descriptor,
    /// Who may read it.
    pub audience: Audience,
    /// Number of winners.
    pub winners: u32,
    /// Weight of the winners.
    pub weight: Balance,
    /// Number of commitments.
    pub committed: u32,
    /// Weight of all commitments.
    pub committed_weight: Balance,
    /// Block in which the task was settled.
    pub settled_at: BlockNumber,
}

/// What an account was due and could not receive.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub enum Undeliverable {
    /// A reward, in planck.
    Reward,
    /// Shares.
    Shares,
    /// What was held from it, in planck.
    Held,
}

/// What the passing of time asks for in a task.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Count the reveals: void the task, or draw attesters for the leader, or come back when that may be done.
    CloseReveal,
    /// Void the task: the leader was not attested in time.
    CloseAttest,
    /// Settle one participant.
    Pay,
    /// Return what is left to the creator and remove the task.
    Finish,
    /// Remove the ballot of one voter, and tell if it failed.
    Dismiss,
    /// Remove the vote, and tell how it ended.
    Conclude,
}

impl<AccountId, BlockNumber: AtLeast32BitUnsigned + Copy> Task<AccountId, BlockNumber> {
    /// Where the task stands in block `now`.
    pub fn phase(&self, now: BlockNumber) -> Phase {
        match self.state {
            State::Open { .. } if now <= self.commit_until => Phase::Commit,
            State::Open { .. } => Phase::Reveal,
            State::Attesting { .. } => Phase::Attest,
            State::Settling { .. } => Phase::Settle,
        }
    }

    /// Last block in which validators attest: as planned before that phase begins; once it is over, the block from
    /// which participants are settled.
    pub fn attest_until(&self) -> BlockNumber {
        match self.state {
            State::Open { .. } => self.reveal_until.saturating_add(self.attest_blocks),
            State::Attesting { until, .. } => until,
            State::Settling { .. } => self.due,
        }
    }

    /// Whether commitments are opened in block `now`.
    pub fn takes_reveals(&self, now: BlockNumber) -> bool {
        self.phase(now) == Phase::Reveal && now <= self.reveal_until
    }

    /// The step that is due in block `now`.
    pub fn next_step(&self, now: BlockNumber) -> Option<Step> {
        match self.state {
            State::Open { .. } => (now >= self.due).then_some(Step::CloseReveal),
            State::Attesting { until, .. } => (now > until).then_some(Step::CloseAttest),
            State::Settling { unsettled, .. } => Some(match (&self.purpose, unsettled) {
                (Purpose::Contribution(_), 0) => Step::Finish,
                (Purpose::Contribution(_), _) => Step::Pay,
                (Purpose::Vote(_), 0) => Step::Conclude,
                (Purpose::Vote(_), _) => Step::Dismiss,
            }),
        }
    }

    /// What an account asks for and pays, if this is no vote.
    pub fn order(&self) -> Option<&Order<AccountId>> {
        match &self.purpose {
            Purpose::Contribution(order) => Some(order),
            Purpose::Vote(_) => None,
        }
    }

    /// Who may read what wins. What a vote results in, everybody may.
    pub fn audience(&self) -> Audience {
        self.order().map_or(Audience::Public, |order| order.audience)
    }

    /// The content with the most revealed weight, while one can still lead.
    pub fn leader(&self) -> Option<&Leader> {
        match &self.state {
            State::Open { leader } => leader.as_ref(),
            State::Attesting { leader, .. } | State::Settling { outcome: Outcome::Won(leader), .. } => Some(leader),
            State::Settling { outcome: Outcome::Void(_), .. } => None,
        }
    }

    /// The weight of which a content needs more than half: of all commitments; in a vote, of all voters, because few may
    /// come.
    fn electorate(&self) -> Balance {
        match self.purpose {
            Purpose::Contribution(_) => self.committed_weight,
            Purpose::Vote(_) => self.max_participants.into(),
        }
    }

    /// The content that the reveals agree on: more than half of the weight, and the quorum of participants.
    pub fn majority(&self) -> Result<Leader, VoidReason> {
        if self.committed == 0 {
            return Err(VoidReason::NobodyCame);
        }
        if self.revealed < self.quorum {
            return Err(VoidReason::QuorumMissed);
        }
        self.leader()
            .filter(|leader| leader.weight > self.electorate().saturating_sub(leader.weight))
            .cloned()
            .ok_or(VoidReason::NoMajority)
    }
}

impl<AccountId> Order<AccountId> {
    /// How much an account counts that put up `bond`.
    pub fn weight_of(&self, bond: Balance) -> Balance {
        match self.weighting {
            Weighting::Account => 1,
            Weighting::Bond { .. } => bond,
        }
    }

    /// What a participant receives and loses when a task to which `committed` accounts committed ends with `outcome`.
    pub fn dues(&self, committed: u32, outcome: &Outcome, participation: &Participation) -> Dues {
        let bond = participation.bond();
        let standing = match (participation, outcome) {
            (Participation::Committed { .. }, _) => Standing::Silent,
            (Participation::Revealed { .. }, Outcome::Won(leader)) if participation.backs(outcome) => {
                Standing::Winner { weight: self.weight_of(bond), of: leader.weight }
            },
            (Participation::Revealed { .. }, Outcome::Won(_)) => Standing::Minority,
            (Participation::Revealed { content, .. }, Outcome::Void(VoidReason::Unavailable { content: unserved }))
                if content == unserved =>
            {
                Standing::Unserved
            },
            (Participation::Revealed { .. }, Outcome::Void(_)) => Standing::Undecided,
        };
        reward::dues(&self.terms, committed, bond, standing)
    }
}

impl Outcome {
    /// How a vote ended, as others are told.
    pub fn vote_end(&self) -> VoteEnd {
        match self {
            Self::Won(leader) => VoteEnd::Settled(leader.content),
            Self::Void(reason) => VoteEnd::Void(match reason {
                VoidReason::NobodyCame => VoteVoid::NobodyCame,
                VoidReason::QuorumMissed => VoteVoid::QuorumMissed,
                VoidReason::NoMajority => VoteVoid::NoMajority,
                VoidReason::NoAttesters => VoteVoid::NoAttesters,
                VoidReason::Unavailable { .. } => VoteVoid::Unavailable,
                VoidReason::Unattested { .. } => VoteVoid::Unattested,
            }),
        }
    }
}

impl VoteCounts {
    /// Those of a sort.
    pub fn of(&self, sort: Sort) -> u32 {
        match sort {
            Sort::Round => self.rounds,
            Sort::Trace => self.traces,
        }
    }

    /// Those of a sort, to be changed.
    pub fn of_mut(&mut self, sort: Sort) -> &mut u32 {
        match sort {
            Sort::Round => &mut self.rounds,
            Sort::Trace => &mut self.traces,
        }
    }

    /// All of them.
    pub fn all(&self) -> u32 {
        self.rounds.saturating_add(self.traces)
    }
}

impl Participation {
    /// What the account put up, in planck.
    pub fn bond(&self) -> Balance {
        match *self {
            Self::Committed { bond, .. } | Self::Revealed { bond, .. } => bond,
        }
    }

    /// Whether the account revealed what won.
    pub fn backs(&self, outcome: &Outcome) -> bool {
        match (self, outcome) {
            (Self::Revealed { content, .. }, Outcome::Won(leader)) => *content == leader.content,
            _ => false,
        }
    }
}

impl Ballot {
    /// How the voter failed in a vote that ended with `outcome`, if it did. Where nothing won, nobody is outvoted.
    pub fn failure(&self, outcome: &Outcome) -> Option<Failure> {
        match (self, outcome) {
            (Self::Awaited, _) => Some(Failure::Absent),
            (Self::Committed(_), _) => Some(Failure::Silent),
            (Self::Revealed(content), Outcome::Won(leader)) if *content != leader.content => {
                Some(Failure::Outvoted { content: *content })
            },
            (Self::Revealed(_), _) => None,
        }
    }
}

impl Sealed {
    /// What sets these signatures apart from every other use of the key.
    pub const DOMAIN: &'static [u8; 22] = b"ensemble/vote-seals/v1";

    /// The bytes that the voter signs: domain, hash of the chain's first block, and this record.
    pub fn signed_bytes<Hash: Encode>(&self, genesis: &Hash) -> alloc::vec::Vec<u8> {
        (Self::DOMAIN, genesis, self).encode()
    }
}

impl Opened {
    /// What sets these signatures apart from every other use of the key.
    pub const DOMAIN: &'static [u8; 22] = b"ensemble/vote-opens/v1";

    /// The bytes that the voter signs: domain, hash of the chain's first block, and this record.
    pub fn signed_bytes<Hash: Encode>(&self, genesis: &Hash) -> alloc::vec::Vec<u8> {
        (Self::DOMAIN, genesis, self).encode()
    }
}

impl<Max: Get<u32>> Panel<Max> {
    /// Number of attestations given.
    pub fn given(&self) -> u32 {
        let given = self.seats.iter().filter(|seat| seat.attested).count();
        u32::try_from(given).unwrap_or(u32::MAX)
    }

    /// Number of attestations needed: two thirds of the drawn, rounded up.
    pub fn needed(&self) -> u32 {
        let drawn = u32::try_from(self.seats.len()).unwrap_or(u32::MAX);
        drawn.saturating_mul(2).div_ceil(3)
    }

    /// Whether so many attested that the content could be had: a third of the drawn.
    pub fn was_served(&self) -> bool {
        let drawn = u32::try_from(self.seats.len()).unwrap_or(u32::MAX);
        self.given().saturating_mul(3) >= drawn
    }

    /// The seat of a drawn attester.
    pub fn seat_mut(&mut self, attester: &AttesterId) -> Option<&mut Seat> {
        self.seats.iter_mut().find(|seat| seat.attester == *attester)
    }
}

impl Attestation {
    /// What sets these signatures apart from every other use of the key.
    pub const DOMAIN: &'static [u8; 18] = b"ensemble/attest/v1";

    /// The bytes that the attester signs: domain, hash of the chain's first block, and this record.
    pub fn signed_bytes<Hash: Encode>(&self, genesis: &Hash) -> alloc::vec::Vec<u8> {
        (Self::DOMAIN, genesis, self).encode()
    }
}
