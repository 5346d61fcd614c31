//! The exchange between winners: who may read a content, what pallets say to each other about it, and what outsiders
//! may ask.

#![expect(clippy::multiple_bound_locations, reason = "the SDK's macro repeats the bounds of a runtime API")]

use alloc::vec::Vec;

use codec::{Codec, Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use ensemble_tensor::TensorId;
use scale_info::TypeInfo;
use sp_application_crypto::{app_crypto, sr25519, KeyTypeId};

use crate::{AssetId, AttesterId, TaskId};

/// Key type of accounts in whose name a node reads restricted contents.
pub const KEY_TYPE: KeyTypeId = KeyTypeId(*b"xchg");

mod app {
    use super::{app_crypto, sr25519, KEY_TYPE};
    app_crypto!(sr25519, KEY_TYPE);
}

/// Public key of an account in whose name a node reads restricted contents.
pub type ReaderId = app::Public;

/// Who may read what wins a task.
#[derive(
    Clone, Copy, Debug, Decode, DecodeWithMemTracking, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo,
)]
pub enum Audience {
    /// Everybody.
    #[default]
    Public,
    /// Those who own shares of it, those who bought access, those to whom it was granted, and the validators who attest it.
    Restricted {
        /// Whether it is granted to winners of other tasks, and its winners are granted what others won.
        exchanged: bool,
    },
}

impl Audience {
    /// Whether the task's winners are granted what others won.
    pub fn is_exchanged(&self) -> bool {
        !matches!(self, Self::Restricted { exchanged: false })
    }

    /// Whether what wins is granted to winners of other tasks. Of what is public a grant would be worth nothing.
    pub fn is_granted(&self) -> bool {
        matches!(self, Self::Restricted { exchanged: true })
    }
}

/// What tasks tell the exchange. The cost of none of it depends on the number of tasks or accounts.
pub trait Exchange<AccountId> {
    /// An account was settled as a winner of a task. Each account is told of once per task.
    fn on_winner(task: TaskId, winner: &AccountId, audience: Audience);

    /// All participants of a task that was won are settled.
    fn on_contribution(task: TaskId, creator: &AccountId, audience: Audience);

    /// Makes both as costly as they can be.
    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_for_benchmark(_winner: &AccountId) {}
}

impl<AccountId> Exchange<AccountId> for () {
    fn on_winner(_: TaskId, _: &AccountId, _: Audience) {}

    fn on_contribution(_: TaskId, _: &AccountId, _: Audience) {}
}

/// What the exchange may ask of tasks.
pub trait Contributions<AccountId> {
    /// What won a task, from the block of the decision on.
    fn won(task: TaskId) -> Option<Won>;

    /// Whether an account owns shares of what won a task.
    fn owns_shares(task: TaskId, account: &AccountId) -> bool;

    /// Whether a key was drawn to attest that `content` leads a task, and is still to decide.
    fn attests(task: TaskId, content: TensorId, attester: &AttesterId) -> bool;
}

/// What won a task.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Won {
    /// The content.
    pub content: TensorId,
    /// Who may read it.
    pub audience: Audience,
}

/// Who asks for a content.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub enum Asker<AccountId> {
    /// An account.
    Account(AccountId),
    /// The session key of a validator that attests.
    Attester(AttesterId),
}

/// Why somebody may have a content.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub enum Title<BlockNumber> {
    /// Everybody may.
    Public,
    /// It owns shares now.
    Shareholder,
    /// It was granted the content as a winner of another task.
    Grantee {
        /// Last block of the grant.
        until: BlockNumber,
    },
    /// It was drawn to attest the content.
    Attester,
    /// It bought access in the market.
    Buyer {
        /// Last block in which that counts.
        until: BlockNumber,
    },
}

/// Why somebody may not have a content.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub enum Refusal {
    /// Nothing has won this task: before that, only the validators drawn to attest it may have what was revealed.
    NothingWon {
        /// The task.
        task: TaskId,
    },
    /// Another content won this task, so that the task entitles nobody to this one.
    AnotherWon {
        /// The task.
        task: TaskId,
    },
    /// The asker has no title to what won this task.
    NotEntitled(Ways),
    /// The key is not among those drawn to attest this content, or the panel has decided.
    NotDrawn {
        /// The task.
        task: TaskId,
    },
}

/// How to become entitled to what won a task.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct Ways {
    /// The task.
    pub task: TaskId,
    /// Whoever owns shares of this class may have the content, for as long as it does.
    pub shares: AssetId,
    /// Whether it is among those that are being granted to winners of other tasks.
    pub exchanged: bool,
    /// Whether anybody can buy access to it in the market.
    pub sold: bool,
}

/// A content that an account was granted.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct Received<BlockNumber> {
    /// The task that it won.
    pub task: TaskId,
    /// The content.
    pub content: TensorId,
    /// Block of the grant.
    pub since: BlockNumber,
    /// Last block of the grant.
    pub until: BlockNumber,
}

sp_api::decl_runtime_apis! {
    /// What the chain says of who may read what.
    pub trait ExchangeApi<AccountId: Codec, BlockNumber: Codec> {
        /// Whether `asker` may have `content` as what won, or is to be attested in, `task`; with the reason.
        fn entitlement(
            asker: Asker<AccountId>,
            task: TaskId,
            content: TensorId,
        ) -> Result<Title<BlockNumber>, Refusal>;
        /// What an account was granted and may still have, oldest first.
        fn received(account: AccountId) -> Vec<Received<BlockNumber>>;
        /// How to become entitled to what won `task`; nothing if nothing won, or if everybody may have it.
        fn ways(task: TaskId) -> Option<Ways>;
    }
}
