//! Records of the pallet, and the rules that follow from a record alone.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use ensemble_core::TaskId;
use frame_support::{pallet_prelude::*, CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound};
use frame_system::pallet_prelude::BlockNumberFor;
use scale_info::TypeInfo;
use sp_runtime::traits::AtLeast32BitUnsigned;

use crate::Config;

/// The contributions that are granted to winners in this runtime, oldest first.
pub type LineOf<T> = BoundedVec<Entry<<T as frame_system::Config>::AccountId>, <T as Config>::MaxRecent>;
/// The parameters of this runtime.
pub type ParametersOf<T> = Parameters<BlockNumberFor<T>>;
/// An account's book in this runtime.
pub type BookOf<T> = Book<BlockNumberFor<T>, <T as Config>::MaxVictories, <T as Config>::MaxGrants>;

/// Which contributions go first.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Rule {
    /// Those that were handed on least; of two, the older one. Everyone's are handed on about equally often.
    LeastHanded,
    /// The newest. What wins just before a task with many winners is handed on more often than others.
    Newest,
}

/// How contributions are handed on.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Parameters<BlockNumber> {
    /// Which go first.
    pub rule: Rule,
    /// How many are granted for one victory.
    pub number: u32,
    /// How many of the latest contributions are among them.
    pub recent: u32,
    /// Length of a grant in blocks.
    pub lifetime: BlockNumber,
}

/// A contribution in the line.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Entry<AccountId> {
    /// The task that it won.
    pub task: TaskId,
    /// Who created the task.
    pub creator: AccountId,
    /// How often it was granted, or those of the same creator that stood in its place before.
    pub handed: u32,
}

/// A task that an account won.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Victory<BlockNumber> {
    /// The task.
    pub task: TaskId,
    /// Block in which the account was settled.
    pub since: BlockNumber,
}

/// A contribution that an account was granted.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Grant<BlockNumber> {
    /// The task that it won.
    pub task: TaskId,
    /// Block of the grant.
    pub since: BlockNumber,
    /// Last block of the grant.
    pub until: BlockNumber,
}

/// What an account won lately, and what it was granted; each oldest first.
#[derive(CloneNoBound, DebugNoBound, Decode, Encode, EqNoBound, MaxEncodedLen, PartialEqNoBound, TypeInfo)]
#[codec(mel_bound(BlockNumber: MaxEncodedLen))]
#[scale_info(skip_type_params(Victories, Grants))]
pub struct Book<BlockNumber: Clone + core::fmt::Debug + Eq, Victories: Get<u32>, Grants: Get<u32>> {
    /// What it won.
    pub victories: BoundedVec<Victory<BlockNumber>, Victories>,
    /// What it was granted.
    pub grants: BoundedVec<Grant<BlockNumber>, Grants>,
}

impl<BlockNumber: Clone + core::fmt::Debug + Eq, Victories: Get<u32>, Grants: Get<u32>> Default
    for Book<BlockNumber, Victories, Grants>
{
    fn default() -> Self {
        Self { victories: BoundedVec::new(), grants: BoundedVec::new() }
    }
}

impl<BlockNumber, Victories, Grants> Book<BlockNumber, Victories, Grants>
where
    BlockNumber: AtLeast32BitUnsigned + Copy + core::fmt::Debug,
    Victories: Get<u32>,
    Grants: Get<u32>,
{
    /// Whether the account won the task, as far as the book goes back.
    pub fn won(&self, task: TaskId) -> bool {
        self.victories.iter().any(|victory| victory.task == task)
    }

    /// The grant of what won a task, whether or not it is over.
    pub fn grant(&self, task: TaskId) -> Option<&Grant<BlockNumber>> {
        self.grants.iter().find(|grant| grant.task == task)
    }

    /// Removes grants that are over, and victories that no grant could go against: not in the line, and settled for
    /// longer than `settling`. Returns how many of each.
    pub fn clear<AccountId>(
        &mut self,
        now: BlockNumber,
        settling: BlockNumber,
        line: &[Entry<AccountId>],
    ) -> (u32, u32) {
        let before = (self.grants.len(), self.victories.len());
        self.grants.retain(|grant| now <= grant.until);
        self.victories.retain(|victory| {
            now <= victory.since.saturating_add(settling) || line.iter().any(|entry| entry.task == victory.task)
        });
        let gone = |before: usize, after: usize| u32::try_from(before.saturating_sub(after)).unwrap_or(u32::MAX);
        (gone(before.0, self.grants.len()), gone(before.1, self.victories.len()))
    }

    /// Notes a victory. In a full book it takes the place of the oldest.
    pub fn add_victory(&mut self, task: TaskId, since: BlockNumber) {
        if self.victories.is_full() {
            self.victories.remove(0);
        }
        let _room_was_made = self.victories.try_push(Victory { task, since });
    }

    /// Notes a grant. In a full book it takes the place of the oldest, which is returned.
    pub fn add_grant(&mut self, grant: Grant<BlockNumber>) -> Option<TaskId> {
        let ended = self.grants.is_full().then(|| self.grants.remove(0).task);
        let _room_was_made = self.grants.try_push(grant);
        ended
    }

    /// Whether nothing stands in it.
    pub fn is_empty(&self) -> bool {
        self.victories.is_empty() && self.grants.is_empty()
    }
}
