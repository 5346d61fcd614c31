//! Records of the pallet, and the rules that follow from a record alone.

use codec::{Decode, Encode, MaxEncodedLen};
use ensemble_core::{epochs::EpochIndex, ModuleId};
use frame_support::{
    traits::fungible::{Credit, Inspect},
    BoundedVec,
};
use frame_system::pallet_prelude::BlockNumberFor;
use scale_info::TypeInfo;
use sp_runtime::Permill;

use crate::{
    pool::{Position, SharePool},
    Balance, Config,
};

/// Money on its way into a pool or out of a slash.
pub type CreditOf<T> = Credit<<T as frame_system::Config>::AccountId, <T as Config>::Currency>;
/// The pool of a module of this runtime.
pub type PoolOf<T> = Pool<BlockNumberFor<T>>;
/// What an account moved to a module of this runtime.
pub type MoveOf<T> = Move<BlockNumberFor<T>>;
/// What an account unstaked from a module of this runtime, oldest first.
pub type UnbondingsOf<T> = BoundedVec<Unbonding<BlockNumberFor<T>>, <T as Config>::MaxUnbondings>;

/// The existential deposit.
pub(crate) fn existential_deposit<T: Config>() -> Balance {
    <T::Currency as Inspect<T::AccountId>>::minimum_balance()
}

/// All that is staked on a module.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Pool<BlockNumber> {
    /// What is staked. It earns, and it is liable.
    pub active: SharePool,
    /// What is unbonding. It is liable.
    pub unbonding: SharePool,
    /// What was moved to other modules and is still liable for this one. The money is in their pools; this one only
    /// counts what would be left of it here.
    pub moved: SharePool,
    /// The owner's part of rewards.
    pub fee: Permill,
    /// First block in which the owner may raise the fee while somebody has staked.
    pub fee_rise_from: BlockNumber,
    /// What was staked all through the current epoch.
    pub steady: Steady,
}

/// The least value of an active pool in an epoch. It is brought up to date whenever the pool is stored, so that asking
/// for it reads nothing but the pool.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Steady {
    /// The epoch in which the pool changed last.
    pub epoch: EpochIndex,
    /// The least value that it had in that epoch, in planck.
    pub least: Balance,
    /// The value that it has had since, in planck.
    pub last: Balance,
}

impl Steady {
    /// The least value since epoch `now` began, in planck.
    pub fn at(&self, now: EpochIndex) -> Balance {
        if self.epoch == now {
            self.least
        } else {
            self.last
        }
    }

    /// From here on the pool has this value.
    pub fn note(&mut self, now: EpochIndex, value: Balance) {
        *self = Self { epoch: now, least: self.at(now).min(value), last: value };
    }
}

impl<BlockNumber> Pool<BlockNumber> {
    /// Whether nobody has anything to do with this pool.
    pub fn is_unused(&self) -> bool {
        self.active.is_unused() && self.unbonding.is_unused() && self.moved.is_unused()
    }

    /// The money in this pool.
    pub fn value(&self) -> Balance {
        self.active.value.saturating_add(self.unbonding.value)
    }
}

/// Stake that was moved to a module and is still liable for where it came from.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Move<BlockNumber> {
    /// What it owns of the active pool that it was moved to.
    pub position: Position,
    /// Where it came from.
    pub from: ModuleId,
    /// Its place in the `moved` pool of where it came from.
    pub liability: Position,
    /// What that place was worth when this was last looked at, in planck. What it has lost since was slashed.
    pub amount: Balance,
    /// First block in which it is no longer liable.
    pub until: BlockNumber,
}

/// Stake on its way out.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Unbonding<BlockNumber> {
    /// What it owns of the unbonding pool.
    pub position: Position,
    /// First block in which it can be withdrawn.
    pub ready_at: BlockNumber,
}
