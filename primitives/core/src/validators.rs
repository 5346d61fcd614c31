//! The chain's block validators: what outsiders may read of them.

#![expect(clippy::multiple_bound_locations, reason = "the macro that declares the API bounds its parameters again")]

use alloc::vec::Vec;

use codec::{Codec, Decode, Encode};
use scale_info::TypeInfo;
use sp_runtime::Perbill;

use crate::ModuleId;

/// Number of an era of block validators: a fixed number of sessions, counted up from 0.
pub type EraIndex = u32;

/// What an outsider may know of a module that stands for the election of block validators.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct CandidateView<AccountId, Balance> {
    /// The module.
    pub module: ModuleId,
    /// Its owner, whose session keys author and finalise blocks.
    pub validator: AccountId,
    /// What is staked on the module, in planck.
    pub stake: Balance,
    /// The era in which it stood.
    pub stood: EraIndex,
    /// Whether the owner has session keys. Who has none at an election is chilled.
    pub has_keys: bool,
    /// Whether the owner is among the validators of the sessions to come.
    pub sits: bool,
}

/// What an outsider may know of a seat among the validators of an era.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct SeatView<AccountId> {
    /// Who has it.
    pub validator: AccountId,
    /// The module whose stake answers for it; none for a validator of genesis that does not stand.
    pub module: Option<ModuleId>,
    /// Whether it is among the validators of the sessions to come.
    pub sits: bool,
    /// Blocks that it authored in the current session.
    pub blocks: u32,
    /// Whole sessions in a row, up to the last that ended, in which it authored none.
    pub silent_sessions: u32,
    /// The part of the module's stake that was slashed for offences in this era.
    pub slashed: Perbill,
}

/// What an outsider may know of the current era.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct EraView<AccountId, Balance> {
    /// The era.
    pub era: EraIndex,
    /// The current session.
    pub session: u32,
    /// The first session of the next era. Its validators are elected when the session before it begins.
    pub next_era_session: u32,
    /// Sessions of an era.
    pub sessions_per_era: u32,
    /// Slots of a session.
    pub session_length: u64,
    /// Those who were elected for this era.
    pub seats: Vec<SeatView<AccountId>>,
    /// The validators of the sessions to come, as things stand.
    pub validators: Vec<AccountId>,
    /// Number of modules that stand.
    pub candidates: u32,
    /// Least stake on a module that stands, in planck.
    pub min_stake: Balance,
    /// With fewer than this many candidates all who sit stay.
    pub min_validators: u32,
    /// Most validators.
    pub max_validators: u32,
}

sp_api::decl_runtime_apis! {
    /// What the chain says of its block validators and of those who stand for their election.
    pub trait ValidatorsApi<AccountId: Codec, Balance: Codec> {
        /// Those who stand, highest stake first, from the place `first` on (counted from 0), at most `limit` (and 100).
        fn candidates(first: u32, limit: u32) -> Vec<CandidateView<AccountId, Balance>>;
        /// One of those who stand.
        fn candidate(module: ModuleId) -> Option<CandidateView<AccountId, Balance>>;
        /// The current era.
        fn era() -> EraView<AccountId, Balance>;
        /// First era in which an offender may stand again, while that is to come.
        fn barred_until(account: AccountId) -> Option<EraIndex>;
    }
}
