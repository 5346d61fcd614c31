//! Stake: anyone puts money on a module, earns with it, and answers for it.
//!
//! # The life of a stake
//!
//! 1. **Stake.** The money moves to the keyless account of [`Config::PalletId`] and is held there. The account gets
//!    shares of the module's active pool, as many as the money is worth ([`pool`]).
//! 2. **Earn.** A reward is added to the pool's value, so that every share is worth more: one write, whether one
//!    account has staked or a million. The module's owner takes its fee out of it first; the fee is staked for it on
//!    the module.
//! 3. **Move.** Stake goes to another module at once and earns there. Until an unbonding period has passed it stays
//!    liable for the module that it came from, and stays where it was moved to.
//! 4. **Unstake.** The money goes into the module's unbonding pool, where it earns nothing, but can still be slashed.
//! 5. **Withdraw.** When the unbonding period is over, anyone may have it paid out to its owner. What is not withdrawn
//!    stays liable.
//!
//! What would leave less than [`Config::MinStake`] behind, when unstaked or moved, takes all.
//!
//! # Slashes
//!
//! A slash takes a part of the active and of the unbonding pool: one write, for all. The money goes to
//! [`Config::Slashed`] in the same call; `()` burns it.
//!
//! Moved stake must not escape: whoever knows of a fault before the others would move away in time. So a third pool of
//! the source counts what was moved out of it, and is slashed with the others, though its money is elsewhere. What is
//! missing there is taken from the moved stake when it is touched: by its owner's next call on the module, or by
//! anybody with [`Pallet::withdraw`]. It is never more than what the moved stake is worth; other stake of the same
//! account is not touched. That is all the bookkeeping of moves: one [`Move`] per account and module, so that a second
//! module's stake can come in only when the first is no longer liable. As with what is unbonded and not withdrawn, a
//! move that is over stays liable until somebody touches it.
//!
//! A slash of everything makes all shares worthless and the pool begins anew, for whoever stakes then. Worthless shares
//! are cleared when they are touched.
//!
//! # Fees
//!
//! The owner sets its fee, up to [`Config::MaxFee`]. While somebody has staked it rises by at most
//! [`Config::MaxFeeRise`] in an unbonding period, so that whoever disagrees is out before the next rise. Lower it may
//! be at any time.
//!
//! # Modules without owner
//!
//! When a module is removed, nothing can be staked on it or moved to it, and nobody takes a fee. Everything else goes
//! on: stake can be moved away, unstaked and withdrawn, and is still liable.
//!
//! # Money
//!
//! The pallet's account has no key. What is held there for [`HoldReason::Stake`] is at any time the sum of all active
//! and unbonding pools, to the planck; what was moved counts where it is, not where it came from. Positions together
//! are worth at most that: the pool keeps what rounding takes, less than a planck each time, for those who stay, and
//! the last one to leave is paid the rest. Free balance of the account is its existential deposit and what strangers
//! sent; it is nobody's stake and changes no price.
//!
//! # Steady stake
//!
//! Emission counts what was staked on a module all through an epoch: the least value that the active pool had since the
//! epoch began ([`types::Steady`]). Whoever moves his stake in the middle of an epoch takes it from one module's count
//! and does not add it to the other's, so that no planck is counted twice.
//!
//! # Records
//!
//! A pool's record goes with the last position in it, unless the owner set a fee. Nothing here iterates over stakers or
//! modules but the answers of the runtime API.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod fee;
mod funds;
mod integrity;
#[cfg(test)]
mod mock;
mod moves;
mod neighbours;
pub mod pool;
mod reward;
mod slash;
mod staking;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
pub mod types;
mod unstaking;
mod view;
pub mod weights;

pub use pallet::*;
pub use pool::Balance;
pub(crate) use types::existential_deposit;
pub use types::{CreditOf, Move, MoveOf, Pool, PoolOf, Steady, Unbonding, UnbondingsOf};
pub use view::MAX_COUNTED;
pub use weights::WeightInfo;

use ensemble_core::{
    epochs::Epochs,
    modules::Modules,
    stake::{OnStakeChanged, OnStakeWithdrawn},
    ModuleId,
};
use frame_support::{
    pallet_prelude::*,
    traits::{fungible, OnUnbalanced},
    PalletId,
};
use frame_system::pallet_prelude::*;
use sp_runtime::{Perbill, Permill};

/// Target of this pallet's log lines.
pub(crate) const LOG: &str = "runtime::stake";

#[expect(clippy::cast_possible_truncation, reason = "FRAME's macros number variants with `as u8`")]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use crate::pool::Position;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// In the runtime this pallet stands after that of [`Config::Currency`], because its genesis mints.
    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// The runtime's reasons for holds.
        type RuntimeHoldReason: From<HoldReason>;

        /// The native token.
        type Currency: fungible::Mutate<Self::AccountId, Balance = Balance>
            + fungible::Balanced<Self::AccountId>
            + fungible::MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>
            + fungible::BalancedHold<Self::AccountId>;

        /// The registry of modules. It must tell this pallet of removals, as `OnModuleRemoved`.
        type Modules: Modules<Self::AccountId>;

        /// Hears of every change of what is staked on a module.
        type OnChanged: OnStakeChanged;

        /// The clock of emission, which counts stake that was there all through an epoch.
        type Epochs: Epochs;

        /// Receives what is slashed; `()` burns it.
        type Slashed: OnUnbalanced<CreditOf<Self>>;

        /// Hears of stake that was paid out.
        type OnWithdrawn: OnStakeWithdrawn<Self::AccountId>;

        /// Who may slash by [`Pallet::slash`].
        type SlashOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Its keyless account holds all stake. It owns the existential deposit beside it, minted at genesis.
        #[pallet::constant]
        type PalletId: Get<PalletId>;

        /// Blocks between unstaking and withdrawing unless genesis says otherwise; at least 1.
        #[pallet::constant]
        type DefaultUnbondingPeriod: Get<BlockNumberFor<Self>>;

        /// Most withdrawals of an account from a module that can wait at one time; at least 1.
        #[pallet::constant]
        type MaxUnbondings: Get<u32>;

        /// Smallest stake of an account on a module, in planck; at least the existential deposit.
        #[pallet::constant]
        type MinStake: Get<Balance>;

        /// Highest fee.
        #[pallet::constant]
        type MaxFee: Get<Permill>;

        /// Most by which a fee rises in an unbonding period while somebody has staked.
        #[pallet::constant]
        type MaxFeeRise: Get<Permill>;

        /// Weights of calls.
        type WeightInfo: WeightInfo;
    }

    /// Why this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// Stake, active and unbonding, in the pallet's account.
        Stake,
    }

    /// Blocks between unstaking and withdrawing. Set at genesis, for ever.
    #[pallet::storage]
    pub type UnbondingPeriod<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery, T::DefaultUnbondingPeriod>;

    /// The pools of modules.
    #[pallet::storage]
    pub type Pools<T: Config> = StorageMap<_, Twox64Concat, ModuleId, PoolOf<T>, ValueQuery>;

    /// What accounts own of active pools, without what was moved there and is still liable.
    #[pallet::storage]
    pub type Stakes<T: Config> = StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, ModuleId, Position>;

    /// What accounts moved to modules, as long as it is liable for where it came from.
    #[pallet::storage]
    pub type Moves<T: Config> = StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, ModuleId, MoveOf<T>>;

    /// What accounts own of unbonding pools.
    #[pallet::storage]
    pub type Unbondings<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, ModuleId, UnbondingsOf<T>, ValueQuery>;

    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Blocks between unstaking and withdrawing; nothing: [`Config::DefaultUnbondingPeriod`].
        pub unbonding_period: Option<BlockNumberFor<T>>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            if let Some(period) = self.unbonding_period {
                assert!(period >= 1u32.into(), "unbonding must take at least one block");
                UnbondingPeriod::<T>::put(period);
            }
            Pallet::<T>::endow_pot().expect("the existential deposit can be minted at genesis");
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An account staked on a module.
        Staked { who: T::AccountId, module: ModuleId, amount: Balance },
        /// An account took stake back, which can be withdrawn from block `ready_at` on.
        Unstaked { who: T::AccountId, module: ModuleId, amount: Balance, ready_at: BlockNumberFor<T> },
        /// An account's unbonded stake was paid out to it.
        Withdrawn { who: T::AccountId, module: ModuleId, amount: Balance },
        /// An account moved stake, which stays liable for where it came from until block `until`.
        Moved { who: T::AccountId, from: ModuleId, to: ModuleId, amount: Balance, until: BlockNumberFor<T> },
        /// Slashes of the module that an account's stake came from took `slashed` of it. If it is `over`, the stake is
        /// no longer liable.
        MoveSettled { who: T::AccountId, module: ModuleId, from: ModuleId, slashed: Balance, over: bool },
        /// An account's stake on a module was worth nothing any more and was cleared.
        WorthlessCleared { who: T::AccountId, module: ModuleId },
        /// A module's pool received `amount`, of which `fee` was staked for the module's owner, if it has one.
        Rewarded { module: ModuleId, amount: Balance, fee: Balance, owner: Option<T::AccountId> },
        /// A part of a module's pools was slashed: so much of what was staked, and of what was unbonding. `moved` is
        /// taken from stake that was moved away, when that is touched.
        Slashed { module: ModuleId, part: Perbill, staked: Balance, unbonding: Balance, moved: Balance },
        /// The owner of a module set its fee. It can rise again from block `rise_from` on.
        FeeSet { module: ModuleId, fee: Permill, rise_from: BlockNumberFor<T> },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// There is no such module, or it was removed.
        UnknownModule,
        /// The amount must not be zero.
        ZeroAmount,
        /// The stake would be lower than the chain allows.
        BelowMinimum,
        /// The account's free balance does not cover the amount and the existential deposit.
        CannotPay,
        /// A pool cannot hold so much.
        PoolFull,
        /// The account has no stake on the module, or it is worth nothing any more.
        NothingStaked,
        /// The account has less at stake on the module than that.
        MoreThanStaked,
        /// The stake was moved here a short time ago and is still liable for the module that it came from.
        StillLiable,
        /// As many withdrawals are waiting as the chain allows. Withdraw what is ready first.
        TooManyUnbondings,
        /// Stake cannot be moved to where it is.
        SameModule,
        /// Nothing is due for the account on this module in this block.
        NothingDue,
        /// The account does not exist and the amount is too small to create it.
        CannotReceive,
        /// Only the module's owner may set its fee.
        NotOwner,
        /// The fee is higher than the chain allows.
        FeeTooHigh,
        /// The fee rises by more than the chain allows at one time.
        FeeRiseTooSteep,
        /// The fee was raised a short time ago.
        FeeRiseTooSoon,
        /// Nobody has staked on the module.
        NobodyStaked,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            Self::check_constants();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call(weight(<T as Config>::WeightInfo))]
    impl<T: Config> Pallet<T> {
        /// Stakes `amount`, in planck, on a module. The account's stake there must reach [`Config::MinStake`].
        #[pallet::call_index(0)]
        pub fn stake(origin: OriginFor<T>, module: ModuleId, amount: Balance) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_stake(who, module, amount)
        }

        /// Takes back `amount`, in planck, to be withdrawn after the unbonding period; all of it if less than
        /// [`Config::MinStake`] would remain.
        #[pallet::call_index(1)]
        pub fn unstake(origin: OriginFor<T>, module: ModuleId, amount: Balance) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_unstake(who, module, amount)
        }

        /// Does what is due for `who` on a module; for anyone.
        ///
        /// It takes from moved stake what was slashed where it came from, joins it with the rest when it is no longer
        /// liable, clears what is worth nothing any more, and pays out what is unbonded. If the account cannot receive
        /// that, it waits, and only the first two are done.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::withdraw().saturating_add(T::OnWithdrawn::on_stake_withdrawn_weight()))]
        pub fn withdraw(origin: OriginFor<T>, who: T::AccountId, module: ModuleId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_withdraw(who, module)
        }

        /// Moves `amount`, in planck, to another module at once; all of it if less than [`Config::MinStake`] would
        /// remain. For an unbonding period it stays liable for `from`, and stays where it is moved to.
        #[pallet::call_index(3)]
        pub fn move_stake(origin: OriginFor<T>, from: ModuleId, to: ModuleId, amount: Balance) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_move_stake(who, from, to, amount)
        }

        /// Sets the part of rewards that a module's owner takes; for its owner.
        #[pallet::call_index(4)]
        pub fn set_fee(origin: OriginFor<T>, module: ModuleId, fee: Permill) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_set_fee(who, module, fee)
        }

        /// Pays `amount`, in planck, to those who have staked on a module; for anyone. The owner takes its fee.
        #[pallet::call_index(5)]
        pub fn reward(origin: OriginFor<T>, module: ModuleId, amount: Balance) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_reward(who, module, amount)
        }

        /// Slashes `part` of what is at stake on a module; for [`Config::SlashOrigin`].
        #[pallet::call_index(6)]
        pub fn slash(origin: OriginFor<T>, module: ModuleId, part: Perbill) -> DispatchResult {
            T::SlashOrigin::ensure_origin(origin)?;
            Self::do_slash(module, part)
        }
    }
}
