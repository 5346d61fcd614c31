//! Records of the pallet, and the rules that follow from a record alone.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use ensemble_core::spaces::{
    Activity, Entrant, Member, RoundIndex, Settled, SpaceSpec, MAX_MANIFEST_BYTES, MAX_REPORT_BYTES,
};
use frame_support::{
    traits::{fungible::Credit, ConstU32, Get},
    BoundedVec,
};
use frame_system::pallet_prelude::BlockNumberFor;
use scale_info::TypeInfo;

use crate::Config;

/// An amount in planck.
pub type Balance = u128;
/// Money of this runtime that was taken from an account, and belongs to nobody yet.
pub type CreditOf<T> = Credit<<T as frame_system::Config>::AccountId, <T as Config>::Currency>;
/// A space of this runtime.
pub type SpaceOf<T> = Space<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;
/// What a space of this runtime is.
pub type SpecOf<T> = SpaceSpec<BlockNumberFor<T>>;
/// The members of a space, in the order of their tasks.
pub type MembersOf<T> = BoundedVec<Member, <T as Config>::MaxMembers>;
/// The members that take part in a round, in the order of their contents' ids.
pub type RosterOf<T> = BoundedVec<Entrant, <T as Config>::MaxMembers>;

/// The manifest of a round's bundle.
pub type Manifest = BoundedVec<u8, ConstU32<MAX_MANIFEST_BYTES>>;
/// The encoding of a report.
pub type ReportBytes = BoundedVec<u8, ConstU32<MAX_REPORT_BYTES>>;

/// A space.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Space<AccountId, BlockNumber> {
    /// Who created it.
    pub owner: AccountId,
    /// What is held from its owner, in planck.
    pub deposit: Balance,
    /// What it is.
    pub spec: SpaceSpec<BlockNumber>,
    /// The number of members that were admitted so far.
    pub admitted: u32,
    /// The number of members that count.
    pub counting: u32,
    /// Whether a round would find something else than the last one.
    pub has_changed: bool,
    /// The first block in which its next round may begin.
    pub rests_until: BlockNumber,
    /// The number of rounds, the last one after the other, that ended without result or could not begin, since a member
    /// came.
    pub failures: u32,
    /// The number of its next round.
    pub next_round: RoundIndex,
    /// What it is about to do.
    pub activity: Activity<BlockNumber>,
    /// What it has settled on.
    pub state: Option<Settled<BlockNumber>>,
}

/// Why what won a task is no member of the space that the task names.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Refusal {
    /// There is no such space any more.
    UnknownSpace,
    /// The space is retired.
    Retired,
    /// Its weight is less than the space asks for.
    TooLight,
    /// The content is that of a member that is suspended or has at least this weight, or the task is a member's.
    AlreadyMember,
    /// The space has as many members as it takes, and none of them is suspended.
    Full,
}

impl<AccountId, BlockNumber> Space<AccountId, BlockNumber> {
    /// Whether it admits nothing more.
    pub fn is_retired(&self) -> bool {
        matches!(self.activity, Activity::Closing | Activity::Running { is_last: true, .. })
    }

    /// The round whose report can be submitted.
    pub fn unreported(&self) -> Option<RoundIndex> {
        self.state.as_ref().filter(|state| !state.reported).map(|state| state.round)
    }
}

/// How many of these members count.
pub(crate) fn counting<Max: Get<u32>>(members: &BoundedVec<Member, Max>) -> u32 {
    let counting = members.iter().filter(|member| member.standing.counts()).count();
    u32::try_from(counting).unwrap_or(u32::MAX)
}
