//! Inference: models that the network runs together, the workers that multiply their rows, and sessions in which a
//! question is answered.
//!
//! The rows of every matrix are cut into as many **ranges** as a session has workers. The worker at place `p` serves the
//! ranges `p`, `p - 1`, and so on, as many as there are replicas: see [`ranges_of`]. The **gateway** sends each stage's
//! input to all workers, takes each range's majority and does what lies between the stages.

#![expect(clippy::multiple_bound_locations, reason = "the SDK's macro repeats the bounds of a runtime API")]

mod evidence;

use alloc::vec::Vec;

use codec::{Codec, Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use ensemble_compute::inference::Architecture;
pub use ensemble_compute::inference::{
    ranges::{places_of, ranges_of, MAX_REPLICAS},
    signed::{ask_bytes, relay_bytes, served_bytes, ASK_DOMAIN, ROWS_DOMAIN},
    Position, RangeIndex, SessionId,
};
use ensemble_tensor::TensorId;
use scale_info::TypeInfo;
use sp_core::{ConstU32, H256};
use sp_runtime::BoundedVec;

pub use evidence::{Chunk, Evidence, GlueEvidence, MatrixRow, MemberProof, Outputs};

use crate::{attester::AttesterSignature, tasks::Descriptor, AttesterId, TaskId};

/// Number of a model, counted up from 0 and never used twice.
pub type ModelId = u32;

/// Most bytes of a peer id, and the usual number is 38.
pub const MAX_PEER_BYTES: u32 = 64;

/// A libp2p peer id, as bytes.
pub type Peer = BoundedVec<u8, ConstU32<MAX_PEER_BYTES>>;

/// Most workers of a session, and so most ranges.
pub const MAX_SESSION_WORKERS: u32 = 32;

/// Most bytes of the manifest of a model.
pub const MAX_MANIFEST_BYTES: u32 = 256 * 1024;

/// Most bytes of the contested outputs of a session.
pub const MAX_CONTESTED_BYTES: u32 = 16 * 1024 * 1024;

/// What a gateway signs when it closes a session, in front of everything else.
pub const CLOSE_DOMAIN: &[u8] = b"ensemble/close";

/// What a gateway signs when it agrees to a session, in front of everything else.
pub const CONSENT_DOMAIN: &[u8] = b"ensemble/consent";

/// The bytes that a gateway signs when it closes a session.
pub fn closing_bytes<Hash: Encode>(genesis: &Hash, session: SessionId, closing: &Closing) -> Vec<u8> {
    (CLOSE_DOMAIN, genesis, session, closing).encode()
}

/// The bytes that a gateway signs when it agrees to drive one generation.
pub fn consent_bytes<Hash: Encode, AccountId: Encode, BlockNumber: Encode>(
    genesis: &Hash,
    requester: &AccountId,
    model: ModelId,
    question: &Question,
    payment: Payment,
    number: u32,
    until: &BlockNumber,
) -> Vec<u8> {
    (CONSENT_DOMAIN, genesis, requester, model, question, payment, number, until).encode()
}

/// What a session is opened for.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Question {
    /// BLAKE2b of 32 bytes over the SCALE encoding of the prompt's tokens, a `Vec<u32>`.
    pub prompt: H256,
    /// The number of the prompt's tokens.
    pub prompt_tokens: u32,
    /// Most tokens of the answer.
    pub max_tokens: u32,
    /// Number of workers, and of ranges.
    pub workers: u32,
    /// Number of workers that serve each range.
    pub replicas: u32,
}

impl Question {
    /// Most positions that are computed: all tokens but the last.
    pub fn most_positions(&self) -> Position {
        self.prompt_tokens.saturating_add(self.max_tokens).saturating_sub(1)
    }
}

/// That a gateway drives one generation, with its bond at stake for the price.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub struct Consent<BlockNumber> {
    /// Tells it from others of the same gateway. It opens one session.
    pub number: u32,
    /// Last block in which the session may be opened.
    pub until: BlockNumber,
    /// The gateway's signature of [`consent_bytes`].
    pub signature: AttesterSignature,
}

/// What a session is paid with.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Payment {
    /// TUNE of the requester.
    Tune,
    /// Credits that the requester earned with shares of the model.
    Credits,
}

/// Somebody who takes part in a session.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Party<AccountId> {
    /// The account that is paid, and whose bond is at stake.
    pub account: AccountId,
    /// The key it signs with.
    pub key: AttesterId,
    /// Where its node is reached.
    pub peer: Peer,
}

/// What a gateway says when the answer is complete.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Closing {
    /// The tokens, prompt first: kind `i32`, one column, one more row than there are positions.
    pub tokens: Descriptor,
    /// The gateway's trace: kind `i32`, a row for each position, 16 columns for each stage.
    pub trace: Descriptor,
    /// Outputs that the gateway went on with although not all workers of the range gave them, if there were any: kind
    /// `bytes`, the SCALE encoding of a `Vec<Contested>`. Without them a false row that a majority gave could be found,
    /// but not shown: a trace has hashes only.
    pub contested: Option<TensorId>,
}

/// Outputs that a range's majority gave and at least one of its workers did not. Enough are kept to show what each
/// majority did wrong first: for each range and each set of workers in the majority those at which it first outvoted
/// somebody.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct Contested {
    /// The range.
    pub range: RangeIndex,
    /// The position.
    pub position: Position,
    /// The stage.
    pub stage: u32,
    /// All outputs of the range in the stage, as the majority gave them.
    pub outputs: Vec<i64>,
}

impl Closing {
    /// The number of positions that were computed.
    pub fn positions(&self) -> Position {
        self.trace.header.rows()
    }
}

/// How the vote on a range's trace stands.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum RangeVote {
    /// The workers vote in this task.
    Open(TaskId),
    /// This trace won.
    Won(TensorId),
    /// No trace won.
    Void,
}

/// Where a session stands.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub enum SessionPhase<AccountId, BlockNumber> {
    /// Workers are drawn in this block or, if that is full, a later one.
    Open {
        /// The block.
        assign_at: BlockNumber,
    },
    /// The gateway may generate.
    Assigned {
        /// The workers, in the order of their places.
        workers: Vec<Party<AccountId>>,
        /// Last block in which the gateway may close.
        until: BlockNumber,
    },
    /// The workers vote on their traces.
    Voting {
        /// The workers, in the order of their places.
        workers: Vec<Party<AccountId>>,
        /// What the gateway said.
        closing: Closing,
        /// The votes, in the order of the ranges.
        votes: Vec<RangeVote>,
    },
    /// Anybody may dispute it.
    Disputable {
        /// The workers, in the order of their places.
        workers: Vec<Party<AccountId>>,
        /// What the gateway said.
        closing: Closing,
        /// The votes, in the order of the ranges.
        votes: Vec<RangeVote>,
        /// Last block in which disputes are taken.
        until: BlockNumber,
    },
}

/// What an outsider may know of a session.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct SessionView<AccountId, Balance, BlockNumber> {
    /// Its number.
    pub id: SessionId,
    /// Who asked, and pays.
    pub requester: AccountId,
    /// Which model answers.
    pub model: ModelId,
    /// Who drives the generation.
    pub gateway: Party<AccountId>,
    /// BLAKE2b of 32 bytes over the SCALE encoding of the prompt's tokens, a `Vec<u32>`.
    pub prompt: H256,
    /// The number of the prompt's tokens.
    pub prompt_tokens: u32,
    /// Most tokens of the answer.
    pub max_tokens: u32,
    /// Number of workers, and of ranges.
    pub workers: u32,
    /// Number of workers that serve each range.
    pub replicas: u32,
    /// What is held for it, in planck.
    pub price: Balance,
    /// What it is paid with.
    pub payment: Payment,
    /// Where it stands.
    pub phase: SessionPhase<AccountId, BlockNumber>,
}

/// What an outsider may know of a model.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct ModelView<AccountId> {
    /// Its number.
    pub id: ModelId,
    /// Who registered it.
    pub registrant: AccountId,
    /// The task that its bundle won.
    pub task: TaskId,
    /// The bundle.
    pub content: TensorId,
    /// What is computed with it.
    pub architecture: Architecture,
    /// The number of workers that serve it.
    pub workers: u32,
}

/// What an outsider may know of a worker.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct WorkerView<AccountId, Balance, BlockNumber> {
    /// Who it is, and where.
    pub party: Party<AccountId>,
    /// The model that it serves.
    pub model: ModelId,
    /// What is held as its bond, in planck.
    pub bond: Balance,
    /// What of that answers for the prices of sessions that it drives, in planck; more than the bond if that was slashed.
    pub pledged: Balance,
    /// Sessions that it takes part in and that are not over.
    pub sessions: u32,
    /// The block from which it may take its bond away, if it is leaving.
    pub leaves_at: Option<BlockNumber>,
}

/// What a session may cost, in planck.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct Quote<Balance> {
    /// What is held.
    pub price: Balance,
    /// The part of it that workers get.
    pub workers: Balance,
    /// The part of it that the gateway gets.
    pub gateway: Balance,
    /// The part of it that becomes credits of the model's shareholders.
    pub credits: Balance,
    /// The part of it that is burnt for votes and disputes.
    pub burnt: Balance,
}

sp_api::decl_runtime_apis! {
    /// What the chain says of inference.
    pub trait InferenceApi<AccountId: Codec, Balance: Codec, BlockNumber: Codec> {
        /// One model.
        fn model(id: ModelId) -> Option<ModelView<AccountId>>;
        /// Models in the order of their numbers, from `first` on, at most `limit` (and 100).
        fn models(first: ModelId, limit: u32) -> Vec<ModelView<AccountId>>;
        /// The worker with this account.
        fn worker(account: AccountId) -> Option<WorkerView<AccountId, Balance, BlockNumber>>;
        /// The worker with this key.
        fn worker_of_key(key: AttesterId) -> Option<WorkerView<AccountId, Balance, BlockNumber>>;
        /// The workers of a model, from place `first` on, at most `limit` (and 100).
        fn workers(model: ModelId, first: u32, limit: u32) -> Vec<WorkerView<AccountId, Balance, BlockNumber>>;
        /// One session that is not over.
        fn session(id: SessionId) -> Option<SessionView<AccountId, Balance, BlockNumber>>;
        /// Sessions that are not over, from number `first` on, at most `limit` (and 100).
        fn sessions(first: SessionId, limit: u32) -> Vec<SessionView<AccountId, Balance, BlockNumber>>;
        /// What a session of this shape would cost; nothing if there is no such model or there can be no such session.
        fn quote(model: ModelId, positions: u32, workers: u32, replicas: u32) -> Option<Quote<Balance>>;
        /// The credits that an account could spend on a model, in planck.
        fn credits(account: AccountId, model: ModelId) -> Balance;
        /// The TUNE that an account could have held for a session, in planck.
        fn funds(account: AccountId) -> Balance;
    }
}
