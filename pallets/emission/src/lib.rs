//! Emission: new TUNE for those who served and judged, and the books of all TUNE.
//!
//! # The clock
//!
//! An epoch is a number of blocks that is set at genesis. In the first [`Config::CommitPart`] of it validators commit
//! to scores, in the rest they reveal them. Nothing of the clock is stored: the number of an epoch is that of the block
//! divided by the length.
//!
//! # What an epoch brings
//!
//! [`Config::FirstReward`], halved every [`Config::HalvingPeriod`] epochs ([`schedule`]), and never more than is left
//! of [`Config::Cap`]. [`CurrentSplit`] divides it between miners, validators and the treasury. If no miner earned
//! anything, the miners' part is not emitted at all; likewise that of the validators. An epoch of which no block was
//! made brings nothing. So the schedule is an upper bound.
//!
//! # Who gets how much
//!
//! A module's weight on a side is its merit, in millionths, times its stake and its deposit. Its merit as a miner is
//! its score; as a validator, its reliability for what it revealed. In one epoch it earns on one side only: on which it
//! first has a merit other than zero; what is said of the other is ignored. A module gets the part of its side times
//! its weight over the sum of all weights, rounded down. So weights are linear in money: whoever divides his stake or
//! his miner in ten gets no more than before.
//!
//! No planck counts twice in one epoch, neither on two modules nor on two sides. Stake counts if it was there all
//! through the epoch. And a module must still be there, with its deposit, when its score is revealed: what is
//! registered with the money of a module removed after that comes too late for the epoch's commitments.
//!
//! Of what a module gets, the part that its deposit has in stake and deposit goes to its owner: whoever owned it when
//! it earned. The rest goes to those who have staked on the module when it is paid ([`Config::Reward`]), whether they
//! were there during the epoch or not; if nobody has, to the owner as well.
//!
//! # The life of an epoch
//!
//! 1. **Open.** What modules earn by is written down as it becomes known
//!    ([`Earnings`](ensemble_core::emission::Earnings)), each module once, and the sums of all weights are kept.
//! 2. **Close.** The first block of the next epoch mints what the epoch brings. The treasury has its part at once; the
//!    rest is held in the keyless account of [`Config::PalletId`]. That costs the same for ten modules and for a
//!    million.
//! 3. **Settle.** Nothing is paid before all that the epoch's scores decide is settled ([`Config::Settlement`]). Whose
//!    fault is found until then gets nothing that it was not paid: that stays with the epoch.
//! 4. **Pay.** Modules are paid in the order in which they first earned, as many in each block as it has room for
//!    ([`Hooks::on_idle`]). Whoever does not want to wait calls [`Pallet::claim`]. If an owner's account cannot take
//!    its money, because that would be less than the existential deposit, the money waits and can be claimed.
//! 5. **Forget.** After [`Config::KeptEpochs`] epochs the records go, a bounded number in each block. What nobody could
//!    be paid, what was forfeited, and what rounding left, goes to the treasury. No epoch is forgotten before all of
//!    its modules had their turn.
//!
//! # The books
//!
//! Whatever is taken out of existence goes through [`Burn`], which counts it: the runtime gives it to all pallets that
//! burn, and anyone may call [`Pallet::burn`]. At any time total issuance is what there was at genesis, plus what was
//! emitted, minus what was burnt, to the planck, unless root sets balances (`force_set_balance`,
//! `force_adjust_total_issuance`). New money is an imbalance from its issuance to its account, so that it cannot be
//! counted without being there, nor be there without being counted.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod closing;
mod earning;
mod epochs;
mod forgetting;
mod funds;
mod integrity;
#[cfg(test)]
mod mock;
mod paying;
pub mod schedule;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
pub mod types;
mod view;
pub mod weights;

pub use funds::Burn;
pub use pallet::*;
pub(crate) use types::existential_deposit;
pub use types::{Balance, CreditOf, Cursor, Earner, EarnerOf, OpenEpoch, Parts, Payout, Period, Weights};
pub use weights::WeightInfo;

use ensemble_core::{
    emission::Split,
    epochs::EpochIndex,
    modules::Modules,
    scores::Settlement,
    stake::{Reward, Stake},
    ModuleId,
};
use frame_support::{pallet_prelude::*, traits::fungible, PalletId};
use frame_system::pallet_prelude::*;
use sp_runtime::Permill;

/// Target of this pallet's log lines.
pub(crate) const LOG: &str = "runtime::emission";

#[expect(clippy::cast_possible_truncation, reason = "FRAME's macros number variants with `as u8`")]
#[frame_support::pallet]
pub mod pallet {
    use super::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// In the runtime this pallet stands after all pallets whose genesis mints, because its own takes stock.
    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// The runtime's reasons for holds.
        type RuntimeHoldReason: From<HoldReason>;

        /// The native token.
        type Currency: fungible::Mutate<Self::AccountId, Balance = Balance>
            + fungible::Balanced<Self::AccountId>
            + fungible::MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>
            + fungible::BalancedHold<Self::AccountId>;

        /// The registry of modules.
        type Modules: Modules<Self::AccountId>;

        /// Stake on modules.
        type Stake: Stake<Self::AccountId, Balance>;

        /// Pays those who have staked on a module.
        type Reward: Reward<CreditOf<Self>>;

        /// Knows which epochs are settled: none is paid before. What it says never falls.
        type Settlement: Settlement;

        /// Who may change the split.
        type ParametersOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Its keyless account holds what was emitted and not paid out yet. It owns the existential deposit beside it,
        /// minted at genesis.
        #[pallet::constant]
        type PalletId: Get<PalletId>;

        /// The treasury's account. If it has less than the existential deposit at genesis, it is minted that.
        type Treasury: Get<Self::AccountId>;

        /// Blocks of an epoch unless genesis says otherwise; at least 4.
        #[pallet::constant]
        type DefaultEpochLength: Get<BlockNumberFor<Self>>;

        /// The part of an epoch in which scores are committed; between a quarter and three quarters.
        #[pallet::constant]
        type CommitPart: Get<Permill>;

        /// Blocks of a year, by which earnings of an epoch are told as those of a year.
        #[pallet::constant]
        type BlocksPerYear: Get<BlockNumberFor<Self>>;

        /// Most that is ever emitted, in planck.
        #[pallet::constant]
        type Cap: Get<Balance>;

        /// What epoch 0 brings, in planck.
        #[pallet::constant]
        type FirstReward: Get<Balance>;

        /// Epochs after which the reward is halved, again and again; at least 1.
        #[pallet::constant]
        type HalvingPeriod: Get<EpochIndex>;

        /// How an epoch's emission is divided until [`Pallet::set_split`] says otherwise.
        #[pallet::constant]
        type DefaultSplit: Get<Split>;

        /// Closed epochs whose records are kept; at least 1.
        #[pallet::constant]
        type KeptEpochs: Get<EpochIndex>;

        /// Most modules that are paid in a block, and most records that are forgotten in one; at least 1.
        #[pallet::constant]
        type MaxStepsPerBlock: Get<u32>;

        /// Weights of calls and of what blocks do.
        type WeightInfo: WeightInfo;
    }

    /// Why this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// What was emitted and not paid out yet, in the pallet's account.
        Owed,
    }

    /// Blocks of an epoch. Set at genesis, for ever.
    #[pallet::storage]
    pub type EpochLength<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery, T::DefaultEpochLength>;

    /// How the emission of the open epoch and of those after it is divided.
    #[pallet::storage]
    pub type CurrentSplit<T: Config> = StorageValue<_, Split, ValueQuery, T::DefaultSplit>;

    /// All TUNE that there was at genesis, in planck.
    #[pallet::storage]
    pub type GenesisIssuance<T: Config> = StorageValue<_, Balance, ValueQuery>;

    /// All TUNE that was emitted, in planck.
    #[pallet::storage]
    pub type TotalEmitted<T: Config> = StorageValue<_, Balance, ValueQuery>;

    /// All TUNE that was burnt, in planck.
    #[pallet::storage]
    pub type TotalBurnt<T: Config> = StorageValue<_, Balance, ValueQuery>;

    /// The epoch in which modules earn.
    #[pallet::storage]
    pub type Open<T: Config> = StorageValue<_, OpenEpoch, ValueQuery>;

    /// Closed epochs that are kept.
    #[pallet::storage]
    pub type Periods<T: Config> = StorageMap<_, Twox64Concat, EpochIndex, Period>;

    /// What modules earn by in the open epoch and in those that are kept.
    #[pallet::storage]
    pub type Earned<T: Config> = StorageDoubleMap<_, Twox64Concat, EpochIndex, Twox64Concat, ModuleId, EarnerOf<T>>;

    /// The modules that earn in an epoch, numbered from 0 in the order in which they first did.
    #[pallet::storage]
    pub type Earners<T: Config> = StorageDoubleMap<_, Twox64Concat, EpochIndex, Twox64Concat, u32, ModuleId>;

    /// The next module to be paid.
    #[pallet::storage]
    pub type Paying<T: Config> = StorageValue<_, Cursor, ValueQuery>;

    /// The next record to be forgotten.
    #[pallet::storage]
    pub type Forgetting<T: Config> = StorageValue<_, Cursor, ValueQuery>;

    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Blocks of an epoch; nothing: [`Config::DefaultEpochLength`].
        pub epoch_length: Option<BlockNumberFor<T>>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            if let Some(length) = self.epoch_length {
                assert!(length >= epochs::MIN_LENGTH.into(), "an epoch must have at least four blocks");
                EpochLength::<T>::put(length);
            }
            Pallet::<T>::take_stock().expect("the existential deposits can be minted at genesis");
            assert!(Pallet::<T>::weights_fit(), "weights of all TUNE must be numbers");
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An epoch is over. It brought so much to miners and validators, who will be paid in proportion to their
        /// weights, and to the treasury, which has been paid.
        EpochClosed {
            epoch: EpochIndex,
            miners: Balance,
            validators: Balance,
            treasury: Balance,
            miner_weights: u128,
            validator_weights: u128,
        },
        /// For what a module earned in an epoch, those who have staked on it were paid `to_stakers`, of which its owner
        /// took its fee, and its `owner` was paid `to_owner`.
        Paid { epoch: EpochIndex, module: ModuleId, to_stakers: Balance, owner: T::AccountId, to_owner: Balance },
        /// The owner's account cannot take its part of what a module earned in an epoch. It can be claimed as long as
        /// the epoch is kept.
        Withheld { epoch: EpochIndex, module: ModuleId, owner: T::AccountId, amount: Balance },
        /// Because of a fault found when the epoch was over, a module does not get this much of it, which it was not
        /// paid yet.
        Forfeited { epoch: EpochIndex, module: ModuleId, amount: Balance },
        /// The records of an epoch are gone. What nobody was paid of it is the treasury's; what that could not take was
        /// burnt.
        EpochForgotten { epoch: EpochIndex, to_treasury: Balance, burnt: Balance },
        /// Emission is divided like this from the open epoch on.
        SplitSet { split: Split },
        /// TUNE was taken out of existence; by `who`, if it called for it.
        Burnt { who: Option<T::AccountId>, amount: Balance },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The parts of the split do not make one.
        SplitNotOne,
        /// The epoch is not over.
        EpochNotClosed,
        /// The epoch is over, but not all of its scores are settled.
        EpochNotSettled,
        /// The epoch was forgotten, or none of its blocks was made.
        EpochForgotten,
        /// The module earned nothing in that epoch, forfeited it, or was paid.
        NothingOwed,
        /// The owner's account cannot take so little: it would have less than the existential deposit.
        CannotReceive,
        /// The amount must not be zero.
        ZeroAmount,
        /// The account's free balance does not cover the amount and the existential deposit.
        CannotPay,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            match Self::close_if_over() {
                true => T::WeightInfo::close_epoch(),
                false => T::WeightInfo::check_epoch(),
            }
        }

        fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
            Self::pay_and_forget(remaining)
        }

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
        /// Divides emission like this, from the open epoch on; for [`Config::ParametersOrigin`].
        #[pallet::call_index(0)]
        pub fn set_split(origin: OriginFor<T>, split: Split) -> DispatchResult {
            T::ParametersOrigin::ensure_origin(origin)?;
            Self::do_set_split(split)
        }

        /// Pays out what a module earned in an epoch that is settled and kept; for anyone.
        #[pallet::call_index(1)]
        pub fn claim(origin: OriginFor<T>, epoch: EpochIndex, module: ModuleId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_claim(epoch, module)
        }

        /// Takes `amount`, in planck, of the caller's out of existence.
        #[pallet::call_index(2)]
        pub fn burn(origin: OriginFor<T>, amount: Balance) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_burn(who, amount)
        }
    }
}
