//! What is stored, and what parameters say.

#![expect(clippy::cast_possible_truncation, reason = "codec's derive numbers variants with `as u8`")]

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use ensemble_compute::inference::Architecture;
use ensemble_core::{
    inference::{
        Closing, Consent, Party, Payment, Position, Question, RangeIndex, RangeVote, MAX_MANIFEST_BYTES,
        MAX_SESSION_WORKERS,
    },
    tasks::Phases,
    AttesterId, ModelId, TaskId,
};
use ensemble_tensor::{Hash, TensorId};
use frame_support::traits::fungible;
use frame_system::pallet_prelude::BlockNumberFor;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::ConstU32;
use sp_runtime::{BoundedVec, Permill};

/// An amount of TUNE, in planck.
pub type Balance = u128;

/// Most consents of a gateway that were used and have not expired.
pub const MAX_CONSENTS: u32 = 32;
/// Most that is noted of a gateway in one session.
pub const MAX_NOTES: u32 = 8;
/// Most bytes of the `config` of a model.
pub const MAX_CONFIG_BYTES: u32 = 256;

/// The manifest of a model's bundle.
pub type Manifest = BoundedVec<u8, ConstU32<MAX_MANIFEST_BYTES>>;
/// The `config` of a model.
pub type ConfigBytes = BoundedVec<u8, ConstU32<MAX_CONFIG_BYTES>>;
/// Those who take part in a session, in the order of their places.
pub type Team<AccountId> = BoundedVec<Party<AccountId>, ConstU32<MAX_SESSION_WORKERS>>;
/// Keys whose disputes in a session were false, the latest ones, in their order.
pub type FalseKeys = BoundedVec<AttesterId, ConstU32<MAX_SESSION_WORKERS>>;
/// The ranges of a session, in their order.
pub type Ranges = BoundedVec<Range, ConstU32<MAX_SESSION_WORKERS>>;

/// A session of the runtime.
pub type SessionOf<T> = Session<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;
/// The state of a session of the runtime.
pub type StateOf<T> = State<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;
/// The notes of a session of the runtime.
pub type NotesOf<T> = Notes<<T as frame_system::Config>::AccountId>;
/// A team of the runtime.
pub type TeamOf<T> = Team<<T as frame_system::Config>::AccountId>;
/// A party of the runtime.
pub type PartyOf<T> = Party<<T as frame_system::Config>::AccountId>;
/// A worker of the runtime.
pub type WorkerOf<T> = Worker<BlockNumberFor<T>>;
/// What a gateway agrees with, of the runtime.
pub type ConsentOf<T> = Consent<BlockNumberFor<T>>;
/// What an account of the runtime has locked and earned.
pub type HoldingOf<T> = Holding<BlockNumberFor<T>>;
/// A model of the runtime.
pub type ModelOf<T> = Model<<T as frame_system::Config>::AccountId>;
/// Money that has left an account and has not come to another one.
pub type CreditOf<T> = fungible::Credit<<T as frame_system::Config>::AccountId, <T as crate::Config>::Currency>;

/// What sessions cost, and how what they cost is divided.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Parameters {
    /// What sessions cost.
    pub rates: Rates,
    /// How it is divided.
    pub split: Split,
    /// What is taken from bonds.
    pub slashes: Slashes,
    /// Part of the credits for those who own shares of the contribution; the rest is for those who own shares of rows.
    pub owners: Permill,
}

/// What one replica of everything costs.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Rates {
    /// For each position, in planck.
    pub position: Balance,
    /// For each thousand million products, in planck.
    pub billion: Balance,
}

/// How a price is divided. Workers get what these leave.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Split {
    /// Part of the gateway.
    pub gateway: Permill,
    /// Part that becomes credits of the model's shareholders.
    pub credits: Permill,
    /// Part that is burnt.
    pub burnt: Permill,
}

/// Parts of bonds.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Slashes {
    /// What a worker loses whose trace was outvoted, of the least bond.
    pub outvoted: Permill,
    /// What those lose of whom somebody has shown that they were wrong, of their bonds up to what counts in a draw.
    pub wrong: Permill,
    /// Part of that for whom has shown it.
    pub challenger: Permill,
}

/// Lengths in blocks.
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
pub struct Lengths<BlockNumber> {
    /// From the draw of workers to the last block in which the gateway may close.
    pub answer: BlockNumber,
    /// Phases of the votes on traces.
    pub votes: Phases<BlockNumber>,
    /// Disputes are taken.
    pub window: BlockNumber,
    /// From leaving to taking the bond away. At least as long as a session may last.
    pub leave: BlockNumber,
}

/// A model.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Model<AccountId> {
    /// Who registered it, and put up the deposit.
    pub registrant: AccountId,
    /// Held from the registrant, in planck.
    pub deposit: Balance,
    /// The task that its bundle won.
    pub task: TaskId,
    /// The bundle.
    pub content: TensorId,
    /// What is computed with it.
    pub architecture: Architecture,
    /// Root over the leaf hashes of its members' encodings, each of name and id, in their order.
    pub members: Hash,
    /// Number of its members.
    pub count: u32,
    /// Sessions that are not over.
    pub sessions: u32,
}

/// A worker.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Worker<BlockNumber> {
    /// The model that it serves.
    pub model: ModelId,
    /// The key it signs with.
    pub key: AttesterId,
    /// Where its node is reached.
    pub peer: ensemble_core::inference::Peer,
    /// Held from it, in planck.
    pub bond: Balance,
    /// The prices of the sessions that it drives and that are not over, in planck. More than the bond if that was slashed
    /// since.
    pub pledged: Balance,
    /// Consents that have opened sessions and would hold still.
    pub consents: BoundedVec<UsedConsent<BlockNumber>, ConstU32<MAX_CONSENTS>>,
    /// Sessions that it takes part in and that are not over.
    pub sessions: u32,
    /// Its place among the workers of its model; nothing if it is not drawn any more.
    pub place: Option<u32>,
    /// The block from which it may take its bond away, if it is leaving.
    pub leaves_at: Option<BlockNumber>,
}

impl<BlockNumber> Worker<BlockNumber> {
    /// What of its bond does not answer for the price of a session.
    pub fn free_bond(&self) -> Balance {
        self.bond.saturating_sub(self.pledged)
    }
}

/// A gateway's consent that has opened a session.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct UsedConsent<BlockNumber> {
    /// Its number.
    pub number: u32,
    /// Last block for which it was given.
    pub until: BlockNumber,
}

/// A place among the workers of a model.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Seat<AccountId> {
    /// Who has it.
    pub account: AccountId,
    /// How much it counts in a draw: its bond, up to the cap.
    pub weight: Balance,
}

/// A session that is not over.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Session<AccountId, BlockNumber> {
    /// Who asked, and pays.
    pub requester: AccountId,
    /// Which model answers.
    pub model: ModelId,
    /// Who drives the generation.
    pub gateway: Party<AccountId>,
    /// What is asked for.
    pub question: Question,
    /// What it is paid with.
    pub payment: Payment,
    /// What it costs.
    pub rates: Rates,
    /// How that is divided.
    pub split: Split,
    /// What was held when it was opened, in planck.
    pub price: Balance,
    /// What of that its votes cost, in planck.
    pub fee: Balance,
    /// Held beside it from the requester until it is over, in planck.
    pub deposit: Balance,
    /// What is still held, in planck.
    pub held: Balance,
    /// What those lost that were wrong and that their challengers did not get: for those who were not. In the pot.
    pub purse: Balance,
    /// The block from which time asks for something; nothing while votes run.
    pub due: Option<BlockNumber>,
    /// Where it stands.
    pub state: State<AccountId, BlockNumber>,
}

/// Where a session stands.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum State<AccountId, BlockNumber> {
    /// Workers are to be drawn.
    Open,
    /// The gateway may generate, and close.
    Assigned {
        /// The workers.
        team: Team<AccountId>,
        /// Last block in which the gateway may close.
        until: BlockNumber,
    },
    /// The gateway has closed. The votes begin when there is room for all.
    Closed {
        /// The workers.
        team: Team<AccountId>,
        /// What the gateway said.
        closing: Closing,
        /// Last block in which the votes may begin.
        until: BlockNumber,
    },
    /// The workers vote.
    Voting {
        /// The workers.
        team: Team<AccountId>,
        /// What the gateway said.
        closing: Closing,
        /// The ranges.
        ranges: Ranges,
    },
    /// Anybody may dispute it.
    Disputable {
        /// The workers.
        team: Team<AccountId>,
        /// What the gateway said.
        closing: Closing,
        /// The ranges, won or void.
        ranges: Ranges,
        /// What was shown to be wrong beside ranges.
        faults: Faults,
        /// Workers' keys that have shown something false.
        false_keys: FalseKeys,
        /// What counts against the gateway at the end, unless it is excused.
        notes: Notes<AccountId>,
        /// Last block in which disputes are taken.
        until: BlockNumber,
    },
    /// It is over; each worker, in the order of places, and then everybody else is settled.
    Settling {
        /// The workers.
        team: Team<AccountId>,
        /// How it ended.
        end: End,
        /// The place of the next worker.
        next: u32,
    },
}

/// A range of rows of every matrix, and the vote on its trace.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Range {
    /// How the vote stands.
    pub vote: RangeVote,
    /// The places of those who revealed what won, as bits.
    pub backers: u32,
    /// The places of those who revealed something else, as bits.
    pub outvoted: u32,
    /// Whether most of its workers revealed the same, though it may be void for want of attestations, or nobody could vote.
    pub agreed: bool,
    /// Whether what won was shown to be wrong.
    pub is_wrong: bool,
}

impl Range {
    /// A range that is voted on by this task.
    pub fn voted_on(task: TaskId) -> Self {
        Self { vote: RangeVote::Open(task), backers: 0, outvoted: 0, agreed: false, is_wrong: false }
    }

    /// A range on which nobody could vote. That says nothing of its gateway.
    pub fn not_voted_on() -> Self {
        Self { vote: RangeVote::Void, backers: 0, outvoted: 0, agreed: true, is_wrong: false }
    }
}

/// What was shown to be wrong beside ranges.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Faults {
    /// The gateway's glue.
    pub gateway: bool,
    /// The places of workers that signed another row than they voted for, as bits.
    pub signers: u32,
    /// Whether the gateway's glue did not follow from what won, and all that was excused.
    pub is_excused: bool,
}

/// What was shown of a gateway by the outputs of ranges.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Note<AccountId> {
    /// The position.
    pub position: Position,
    /// The ranges whose outputs show it, as bits.
    pub ranges: u32,
    /// Who has shown it.
    pub challenger: AccountId,
    /// Whether a worker of these ranges has signed another row at this position than won.
    pub is_excused: bool,
}

/// That a worker signed another row of a range than won.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Excuse {
    /// The row's position.
    pub position: Position,
    /// The range.
    pub range: RangeIndex,
}

/// What counts against a gateway at the end of the window, and what excuses it.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Notes<AccountId> {
    /// What was shown.
    pub notes: BoundedVec<Note<AccountId>, ConstU32<MAX_NOTES>>,
    /// What workers signed.
    pub excuses: BoundedVec<Excuse, ConstU32<MAX_SESSION_WORKERS>>,
}

impl<AccountId> Default for Notes<AccountId> {
    fn default() -> Self {
        Self { notes: BoundedVec::new(), excuses: BoundedVec::new() }
    }
}

/// How a session ended.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum End {
    /// Nobody is paid, and the requester gets back what is held.
    Refunded(Refund),
    /// Nothing was shown to be wrong: the price pays.
    Paid(Work),
    /// Something was shown to be wrong: what the guilty lost pays, and the requester gets back what is held.
    Wrong {
        /// What was done.
        work: Work,
        /// What there is of the purse for those who were not wrong, in planck.
        fund: Balance,
    },
}

/// Why a session ended without its requester paying anybody.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Refund {
    /// The model had too few workers.
    TooFewWorkers,
    /// The gateway did not close in time, and lost the price.
    NotClosed,
    /// Of no range most workers revealed the same, so that what the gateway closed with is worth nothing, and it lost the
    /// price.
    NobodyAgreed,
    /// Something was shown to be wrong.
    Wrong,
}

/// What was done in a session.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Work {
    /// Positions that were computed.
    pub positions: Position,
    /// The ranges.
    pub ranges: Ranges,
    /// What was shown to be wrong beside them.
    pub faults: Faults,
}

/// Who was shown to be wrong.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub enum Culprit {
    /// Those who voted for the trace of this range.
    Range(RangeIndex),
    /// The worker at this place.
    Worker(u32),
    /// The gateway.
    Gateway,
}

/// What an account was due and could not receive.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub enum Undeliverable {
    /// Money, in planck.
    Payment,
    /// Shares of rows.
    Shares,
    /// What was held from it, in planck.
    Held,
}

/// Classes of shares that earn credits of a model.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Class {
    /// Shares of the contribution that the model is.
    Contribution,
    /// Shares of the model's rows.
    Rows,
}

/// What a class has earned.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Earnings {
    /// Shares that are locked.
    pub locked: Balance,
    /// What a share has earned that was locked from the beginning, in planck, times [`crate::credits::SCALE`].
    pub per_share: u128,
}

/// The credits of a model.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Pot {
    /// Credits that were earned and not spent, in planck. As much TUNE lies in the pot's account.
    pub owed: Balance,
    /// The class of the contribution.
    pub contribution: Earnings,
    /// The class of rows.
    pub rows: Earnings,
}

impl Pot {
    /// What a class has earned.
    pub fn of(&self, class: Class) -> &Earnings {
        match class {
            Class::Contribution => &self.contribution,
            Class::Rows => &self.rows,
        }
    }

    /// What a class has earned.
    pub fn of_mut(&mut self, class: Class) -> &mut Earnings {
        match class {
            Class::Contribution => &mut self.contribution,
            Class::Rows => &mut self.rows,
        }
    }
}

/// Shares of a class that an account has locked.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Lock<BlockNumber> {
    /// How many.
    pub amount: Balance,
    /// [`Earnings::per_share`] when their earnings were last taken.
    pub taken: u128,
    /// The block in which some of them were locked last.
    pub since: BlockNumber,
}

/// What an account has locked and earned in a model.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Holding<BlockNumber> {
    /// Shares of the contribution.
    pub contribution: Lock<BlockNumber>,
    /// Shares of rows.
    pub rows: Lock<BlockNumber>,
    /// Credits that were taken and not spent, in planck.
    pub credits: Balance,
}

impl<BlockNumber> Holding<BlockNumber> {
    /// What is locked of a class.
    pub fn of(&self, class: Class) -> &Lock<BlockNumber> {
        match class {
            Class::Contribution => &self.contribution,
            Class::Rows => &self.rows,
        }
    }

    /// What is locked of a class.
    pub fn of_mut(&mut self, class: Class) -> &mut Lock<BlockNumber> {
        match class {
            Class::Contribution => &mut self.contribution,
            Class::Rows => &mut self.rows,
        }
    }
}

/// What the passing of time asks for in a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Draw workers.
    Assign,
    /// The gateway did not close.
    TimeOut,
    /// Begin the votes.
    OpenVotes,
    /// The window is over.
    EndWindow,
    /// Settle one worker.
    Settle,
    /// Settle everybody else, and remove the session.
    Finish,
}

impl<AccountId, BlockNumber> State<AccountId, BlockNumber> {
    /// What time asks for next; nothing while votes run.
    pub fn next_step(&self) -> Option<Step> {
        Some(match self {
            Self::Open => Step::Assign,
            Self::Assigned { .. } => Step::TimeOut,
            Self::Closed { .. } => Step::OpenVotes,
            Self::Voting { .. } => return None,
            Self::Disputable { .. } => Step::EndWindow,
            Self::Settling { team, next, .. } if (*next as usize) < team.len() => Step::Settle,
            Self::Settling { .. } => Step::Finish,
        })
    }

    /// The workers; none before they are drawn.
    pub fn team(&self) -> &[Party<AccountId>] {
        match self {
            Self::Open => &[],
            Self::Assigned { team, .. }
            | Self::Closed { team, .. }
            | Self::Voting { team, .. }
            | Self::Disputable { team, .. }
            | Self::Settling { team, .. } => team,
        }
    }
}

/// A place as a bit.
pub(crate) fn bit(place: u32) -> u32 {
    1u32.checked_shl(place).unwrap_or(0)
}
