//! The exchange: winners are granted what others won, and the chain says who may read a restricted content.
//!
//! # Grants
//!
//! What wins a restricted task joins the [`Line`], the contributions of the latest such tasks, of which there are at
//! most [`Parameters::recent`], and one of each creator: a newer one takes the place of the older, and goes on from how
//! often that was handed on, so that nobody goes first for creating many tasks. Whenever an account is settled as a
//! winner, it is granted [`Parameters::number`] of them, chosen by the [`Rule`]. Never granted are what the account won itself, and what it was granted already. A grant ends
//! after [`Parameters::lifetime`] blocks, or when an account that has [`Config::MaxGrants`] gets another one.
//!
//! By [`Rule::LeastHanded`] the contribution goes first that was handed on least, so that everyone's are handed on
//! about equally often.
//!
//! What is granted to one winner is one read and write of the line and of the account's [`Book`], both bounded.
//!
//! # Titles
//!
//! | who | may have what won a restricted task |
//! |---|---|
//! | an account that owns shares of it | as long as it does |
//! | an account to which it was granted | until the grant ends |
//! | an account that bought access in the market | until that ends |
//! | an attester that was drawn for it | until the panel has decided |
//!
//! The chain keeps strangers out. It cannot make a reader forget.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod grant;
mod integrity;
#[cfg(test)]
mod mock;
mod offchain_worker;
mod rule;
#[cfg(test)]
mod tests;
mod title;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
pub mod types;
pub mod weights;

pub use pallet::*;
pub use types::{Book, BookOf, Entry, Grant, LineOf, Parameters, ParametersOf, Rule, Victory};
pub use weights::WeightInfo;

use ensemble_core::{exchange::Contributions, market::Sales, TaskId};
use frame_support::pallet_prelude::*;
use frame_system::pallet_prelude::*;

/// Target of this pallet's log lines.
pub(crate) const LOG: &str = "runtime::exchange";

#[expect(clippy::cast_possible_truncation, reason = "FRAME's macros number variants with `as u8`")]
#[frame_support::pallet]
pub mod pallet {
    use super::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// Knows what won which task, and who owns it.
        type Contributions: Contributions<Self::AccountId>;

        /// Knows who bought access to what won which task.
        type Sales: Sales<Self::AccountId, BlockNumberFor<Self>>;

        /// May change the parameters.
        type ParametersOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// The parameters until [`Pallet::set_parameters`] says otherwise.
        #[pallet::constant]
        type DefaultParameters: Get<ParametersOf<Self>>;

        /// Most contributions in the line.
        #[pallet::constant]
        type MaxRecent: Get<u32>;

        /// Most contributions that are granted for one victory.
        #[pallet::constant]
        type MaxPerVictory: Get<u32>;

        /// Most grants of an account.
        #[pallet::constant]
        type MaxGrants: Get<u32>;

        /// Most victories of an account that are remembered, so that it is not granted what it won itself; at least
        /// twice [`Config::MaxRecent`].
        #[pallet::constant]
        type MaxVictories: Get<u32>;

        /// Blocks within which a task that is won is surely settled. For so long a victory is remembered even if the
        /// task is not in the line.
        #[pallet::constant]
        type SettlingTime: Get<BlockNumberFor<Self>>;

        /// Weights of the calls. What tasks make this pallet do is measured as a part of theirs.
        type WeightInfo: WeightInfo;
    }

    /// How contributions are handed on.
    #[pallet::storage]
    pub type CurrentParameters<T: Config> = StorageValue<_, ParametersOf<T>, ValueQuery, T::DefaultParameters>;

    /// The contributions of the latest restricted tasks, oldest first, of each creator at most one.
    #[pallet::storage]
    pub type Line<T: Config> = StorageValue<_, LineOf<T>, ValueQuery>;

    /// What accounts won lately, and what they were granted. [`Pallet::clear`] removes what is over.
    #[pallet::storage]
    pub type Books<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, BookOf<T>, OptionQuery>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// What won `task` is among those that are granted to winners. `left`, of the same creator or the oldest, makes
        /// room for it.
        Joined { task: TaskId, left: Option<TaskId> },
        /// As a winner of task `victory`, an account was granted what won `task`. `ended` is the grant that makes room
        /// for it.
        Granted { who: T::AccountId, task: TaskId, victory: TaskId, until: BlockNumberFor<T>, ended: Option<TaskId> },
        /// What was over of an account's book was removed: so many grants, and so many victories.
        Cleared { who: T::AccountId, grants: u32, victories: u32 },
        /// Contributions are handed on by these parameters now.
        ParametersSet { parameters: ParametersOf<T> },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// More contributions would be in the line than the chain allows.
        TooManyRecent,
        /// More contributions would be granted for a victory than the chain allows.
        TooManyPerVictory,
        /// A grant must last at least one block.
        NoLifetime,
        /// Nothing in the account's book is over.
        NothingToClear,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn offchain_worker(now: BlockNumberFor<T>) {
            Self::run_offchain_worker(now);
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
        /// Changes how contributions are handed on; for [`Config::ParametersOrigin`]. Grants that were made stay as
        /// they are.
        #[pallet::call_index(0)]
        pub fn set_parameters(origin: OriginFor<T>, parameters: ParametersOf<T>) -> DispatchResult {
            T::ParametersOrigin::ensure_origin(origin)?;
            Self::do_set_parameters(parameters)
        }

        /// Removes what is over of an account's book; for anyone.
        #[pallet::call_index(1)]
        pub fn clear(origin: OriginFor<T>, who: T::AccountId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_clear(who)
        }
    }
}
