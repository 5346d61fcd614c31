//! Stake on modules: what pallets may ask of it, and what outsiders may read of it.

#![expect(clippy::multiple_bound_locations, reason = "the macro that declares the API bounds its parameters again")]

use alloc::vec::Vec;

use codec::{Codec, Decode, Encode};
use scale_info::TypeInfo;
#[cfg(feature = "runtime-benchmarks")]
use sp_runtime::DispatchResult;
use sp_runtime::{FixedU128, Perbill, Permill, Weight};

use crate::ModuleId;

/// What other pallets may ask of stake. The cost of none of it depends on the number of stakers or modules.
pub trait Stake<AccountId, Balance> {
    /// What is staked on a module, in planck; zero if nobody did.
    fn staked(module: ModuleId) -> Balance;

    /// The least that was staked on a module at any time since the current epoch began, in planck.
    ///
    /// Emission counts it, so that no planck is counted on two modules in one epoch.
    fn steady(module: ModuleId) -> Balance;

    /// What an account has staked on a module, in planck, without what is unbonding.
    fn staked_by(account: &AccountId, module: ModuleId) -> Balance;

    /// Takes `part` of what is staked on a module, of what is unbonding from it, and of what was moved away from it
    /// less than an unbonding period ago.
    ///
    /// Returns what was taken now, in planck, from stake and unbonding. The part of moved stake is taken when its
    /// owner, or anybody for him, next touches it.
    fn slash(module: ModuleId, part: Perbill) -> Balance;

    /// Stakes `amount` on a module for an account that has the money.
    ///
    /// # Errors
    ///
    /// If it cannot be staked.
    #[cfg(feature = "runtime-benchmarks")]
    fn stake_for_benchmark(account: &AccountId, module: ModuleId, amount: Balance) -> DispatchResult;
}

/// Who takes rewards for those who have staked on a module.
pub trait Reward<Credit> {
    /// Pays the module's owner its fee and shares the rest among the stakers, in proportion.
    ///
    /// # Errors
    ///
    /// Gives the credit back if nobody has staked on the module, or if its pool cannot hold so much.
    fn reward(module: ModuleId, credit: Credit) -> Result<(), Credit>;

    /// Makes a reward of a module as costly as it can be.
    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_reward_for_benchmark(_module: ModuleId) {}
}

/// Who must hear of it when the registry removes a module.
pub trait OnModuleRemoved {
    /// The module has no owner any more.
    fn on_module_removed(module: ModuleId);

    /// Makes hearing of a module's removal as costly as it can be.
    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_removal_for_benchmark(_module: ModuleId) {}
}

impl OnModuleRemoved for () {
    fn on_module_removed(_: ModuleId) {}
}

impl<First: OnModuleRemoved, Second: OnModuleRemoved> OnModuleRemoved for (First, Second) {
    fn on_module_removed(module: ModuleId) {
        First::on_module_removed(module);
        Second::on_module_removed(module);
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_removal_for_benchmark(module: ModuleId) {
        First::prepare_removal_for_benchmark(module);
        Second::prepare_removal_for_benchmark(module);
    }
}

/// Who must hear of it when what is staked on a module changes.
pub trait OnStakeChanged {
    /// Another amount than before is staked on the module. It is heard once for each change, whatever made it.
    fn on_stake_changed(module: ModuleId);

    /// Makes hearing of the next change as costly as it can be.
    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_stake_change_for_benchmark(_module: ModuleId) {}
}

impl OnStakeChanged for () {
    fn on_stake_changed(_: ModuleId) {}
}

impl<First: OnStakeChanged, Second: OnStakeChanged> OnStakeChanged for (First, Second) {
    fn on_stake_changed(module: ModuleId) {
        First::on_stake_changed(module);
        Second::on_stake_changed(module);
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_stake_change_for_benchmark(module: ModuleId) {
        First::prepare_stake_change_for_benchmark(module);
        Second::prepare_stake_change_for_benchmark(module);
    }
}

/// Who must hear of it when staked TUNE is paid out.
pub trait OnStakeWithdrawn<AccountId> {
    /// TUNE that an account had staked is in its free balance from now on.
    fn on_stake_withdrawn(account: &AccountId);

    /// What hearing of it weighs at most.
    fn on_stake_withdrawn_weight() -> Weight;
}

impl<AccountId> OnStakeWithdrawn<AccountId> for () {
    fn on_stake_withdrawn(_: &AccountId) {}

    fn on_stake_withdrawn_weight() -> Weight {
        Weight::zero()
    }
}

/// What an outsider may know of the stake on a module.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct PoolView<Balance, BlockNumber> {
    /// The module.
    pub module: ModuleId,
    /// What is staked, in planck.
    pub staked: Balance,
    /// What is unbonding, in planck.
    pub unbonding: Balance,
    /// What was moved to other modules and is still liable for this one, in planck.
    pub moved: Balance,
    /// Number of stakes that are worth something; what an account moved here counts apart until it joins the rest.
    pub holders: u64,
    /// What one planck, staked when the pool began or began anew, is worth now.
    pub price: FixedU128,
    /// The owner's part of rewards.
    pub fee: Permill,
    /// First block in which the owner may raise the fee while somebody has staked.
    pub fee_rise_from: BlockNumber,
}

/// What an outsider may know of an account's stake on a module.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct StakeView<Balance, BlockNumber> {
    /// The module.
    pub module: ModuleId,
    /// What is staked, in planck; what was moved here included.
    pub staked: Balance,
    /// The part of `staked` that was moved here and is still liable for where it came from.
    pub moved: Option<MovedView<Balance, BlockNumber>>,
    /// What is unbonding, oldest first.
    pub unbonding: Vec<UnbondingView<Balance, BlockNumber>>,
    /// The part of what is unbonding that `withdraw` pays out now, in planck.
    pub withdrawable: Balance,
}

/// Stake that was moved and is still liable for where it came from.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct MovedView<Balance, BlockNumber> {
    /// The module that it came from.
    pub from: ModuleId,
    /// What it is worth, in planck, after what slashes of `from` took.
    pub amount: Balance,
    /// First block in which it may be unstaked or moved on.
    pub until: BlockNumber,
}

/// Stake on its way out.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct UnbondingView<Balance, BlockNumber> {
    /// What it is worth, in planck.
    pub amount: Balance,
    /// First block in which it can be withdrawn.
    pub ready_at: BlockNumber,
}

sp_api::decl_runtime_apis! {
    /// What the chain says of stake on modules.
    pub trait StakeApi<AccountId: Codec, Balance: Codec, BlockNumber: Codec> {
        /// The stake on a module; nothing if nobody has any and its owner set no fee.
        fn pool(module: ModuleId) -> Option<PoolView<Balance, BlockNumber>>;
        /// An account's stake, unbonding and moved included, in the order of the modules' numbers, from `first` on, at
        /// most `limit` (and 100).
        fn stakes(account: AccountId, first: ModuleId, limit: u32) -> Vec<StakeView<Balance, BlockNumber>>;
    }
}
