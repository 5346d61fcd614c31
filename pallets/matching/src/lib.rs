//! Matching: which validators score which miners.
//!
//! # Who takes part
//!
//! The registry of modules says who plays which part, and tells this pallet when that changes: a **miner** serves the
//! type of model that it has by its name; a **validator** judges some types, and serves so many miners at one time as its
//! capacity says. Either takes part unless its owner **switched it off** or it is **flagged**. The two are independent,
//! and a flag also outlasts that a module leaves and comes again; it goes with the module.
//!
//! # Who is matched with whom
//!
//! A miner has up to [`Config::ValidatorsPerMiner`] validators, none twice. It gets the one of its type that has room and
//! the lowest load; of equals the most reliable one; of equals the one that was registered first. Who waits for a first
//! validator comes before those of its type who want a further one, and among either, who came first. [`ranking`] finds
//! the best validator in one page, however many there are.
//!
//! # Lines
//!
//! Calls only write down what is to be done, so that none costs more for many miners. `on_idle` does it, in the same
//! block if there is weight left, in steps that each cost the same ([`Config::MaxSteps`] at most), in this order:
//!
//! 1. **Departures.** Who leaves, is switched off, is flagged or has another type, is matched with nobody any more at
//!    once. Its matches are undone one at a time. A validator's miners then wait as if they had just come. A module whose
//!    matches are undone takes part again, if by then nothing is against it; if it left, it is forgotten. Until then it
//!    cannot play another part.
//! 2. **First validators**, type by type.
//! 3. **Further validators**, type by type. A miner all of whose possible validators are its own already is **blocked**,
//!    and not looked at again until another validator of its type has room.
//! 4. **Offers.** A validator that gets room is offered to the blocked miners of its type, one after the other, until it
//!    is full or was offered to all.
//!
//! A type with miners that wait stands in line itself, once; one that has no room leaves the line until it has. So
//! nobody is without a validator while a place of its type is free, once the lines are empty. Who leaves a line leaves
//! no gap: lines are doubly linked lists. Nothing here iterates over miners, validators or types.
//!
//! A match made while scores are revealed counts from the next epoch on only. Otherwise a deposit or a stake could count
//! twice in an epoch: a module changes its part, or another one is registered with what came back.
//!
//! # Reliability
//!
//! How far validators can be relied on is found out elsewhere. Here it is kept, also while a validator is absent, and
//! orders those of equal load. A new one has [`Config::InitialReliability`].
//!
//! # Whoever hears of miners
//!
//! [`Config::OnMiner`] is told whenever a miner begins or stops to take part, in the same call or step; never twice in a
//! row the same of one miner.
//!
//! # Truth
//!
//! A **source of truth** is a miner whose deserved score is known; [`Config::TruthOrigin`] says so. It loses that when it
//! leaves or has another type. **Test cases** of a type are inputs for which the right outputs are known, by their
//! hashes; they come from [`Config::TruthOrigin`] and from owners of sources of truth of the type.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod idle;
mod integrity;
mod lines;
mod matches;
mod miners;
#[cfg(test)]
mod mock;
mod neighbours;
pub mod ranking;
mod seats;
mod standing;
#[cfg(test)]
mod tests;
mod truths;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
pub mod types;
mod validators;
mod view;
pub mod weights;

pub use pallet::*;
pub use types::{
    Agenda, Departure, Desk, Entry, Kind, Line, Match, Matches, Miner, PerKind, Ring, Seat, Seats, TestCasesOf,
    TruthsOf, Types, Validator, Waiting,
};
pub use weights::WeightInfo;

use alloc::vec::Vec;

use ensemble_core::{
    emission::Earnings,
    epochs::Epochs,
    market::OnMiner,
    matching::{Counts, FlagReason, TestCase},
    modules::Modules,
    ModelType, ModuleId,
};
use frame_support::pallet_prelude::*;
use frame_system::pallet_prelude::*;
use sp_core::H256;
use sp_runtime::Permill;

#[expect(clippy::cast_possible_truncation, reason = "FRAME's macros number variants with `as u8`")]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use crate::ranking::{Page, SeatNumber};

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// The registry of modules. It must tell this pallet of roles and types, as `OnRoleChanged`, and of removals, as
        /// `OnModuleRemoved`.
        type Modules: Modules<Self::AccountId>;

        /// Who keeps count of what modules earn by. A flag costs what was earned in the current epoch.
        type Earnings: Earnings;

        /// Hears of miners that begin or stop to take part.
        type OnMiner: OnMiner;

        /// The clock.
        type Epochs: Epochs;

        /// May flag and unflag modules.
        type FlagOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// May say which miners are sources of truth, and add and remove test cases of all types.
        type TruthOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Most validators of a miner; at least 1, at most `MAX_VALIDATORS_PER_MINER`.
        #[pallet::constant]
        type ValidatorsPerMiner: Get<u32>;

        /// How far a validator can be relied on before anything is known of it.
        #[pallet::constant]
        type InitialReliability: Get<Permill>;

        /// Most steps of a block.
        #[pallet::constant]
        type MaxSteps: Get<u32>;

        /// Most sources of truth of a type.
        #[pallet::constant]
        type MaxTruths: Get<u32>;

        /// Most test cases of a type.
        #[pallet::constant]
        type MaxTestCases: Get<u32>;

        /// Weights of calls and steps.
        type WeightInfo: WeightInfo;
    }

    /// The miners, and who was one and still has matches.
    #[pallet::storage]
    pub type Miners<T> = StorageMap<_, Twox64Concat, ModuleId, Miner>;

    /// The validators, and who was one and still has matches.
    #[pallet::storage]
    pub type Validators<T> = StorageMap<_, Twox64Concat, ModuleId, Validator>;

    /// The miners of validators, numbered for each validator from 0 to before its load.
    #[pallet::storage]
    pub type Served<T> = StorageMap<_, Twox64Concat, (ModuleId, u32), ModuleId>;

    /// The active miners, numbered for each type.
    #[pallet::storage]
    pub type ActiveMiners<T> = StorageMap<_, Twox64Concat, (ModelType, u32), ModuleId>;

    /// Why modules are flagged.
    #[pallet::storage]
    pub type Flags<T> = StorageMap<_, Twox64Concat, ModuleId, FlagReason>;

    /// How far validators can be relied on.
    #[pallet::storage]
    pub type Reliabilities<T: Config> =
        StorageMap<_, Twox64Concat, ModuleId, Permill, ValueQuery, T::InitialReliability>;

    /// What is going on in types.
    #[pallet::storage]
    pub type Desks<T> = StorageMap<_, Twox64Concat, ModelType, Desk, ValueQuery>;

    /// The rankings of types: pages by their level and number.
    #[pallet::storage]
    pub type RankingPages<T> = StorageMap<_, Twox64Concat, (ModelType, u8, u32), Page, ValueQuery>;

    /// Seats that were used and are free, numbered for each type.
    #[pallet::storage]
    pub type FreeSeats<T> = StorageMap<_, Twox64Concat, (ModelType, u32), SeatNumber>;

    /// What is to be done.
    #[pallet::storage]
    pub type ToDo<T> = StorageValue<_, Agenda, ValueQuery>;

    /// Who stands in line, by line and place.
    #[pallet::storage]
    pub type Places<T> = StorageDoubleMap<_, Twox64Concat, Line, Twox64Concat, u64, Entry>;

    /// The sources of truth of types.
    #[pallet::storage]
    pub type Truths<T: Config> = StorageMap<_, Twox64Concat, ModelType, TruthsOf<T>, ValueQuery>;

    /// The test cases of types.
    #[pallet::storage]
    pub type TestCases<T: Config> = StorageMap<_, Twox64Concat, ModelType, TestCasesOf<T>, ValueQuery>;

    /// The subnet in figures.
    #[pallet::storage]
    pub type Counters<T> = StorageValue<_, Counts, ValueQuery>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A module is a miner. Unless it is flagged, it takes part.
        MinerJoined { module: ModuleId, model_type: ModelType },
        /// A module is a validator. Unless it is flagged, it takes part.
        ValidatorJoined { module: ModuleId, types: Types, capacity: u32 },
        /// A validator judges these types and serves so many miners.
        ValidatorChanged { module: ModuleId, types: Types, capacity: u32 },
        /// A module is neither miner nor validator any more. If it has matches, they are being undone.
        Left { module: ModuleId },
        /// The matches of a module that stopped taking part are undone.
        Departed { module: ModuleId },
        /// After its matches were undone, a module takes part again.
        Resumed { module: ModuleId },
        /// A validator scores a miner.
        Matched { miner: ModuleId, validator: ModuleId },
        /// A validator does not score a miner any more.
        Unmatched { miner: ModuleId, validator: ModuleId },
        /// A module was switched off.
        SwitchedOff { module: ModuleId },
        /// A module was switched on. Unless it is flagged, it takes part as soon as its old matches are undone.
        SwitchedOn { module: ModuleId },
        /// A module was flagged. It takes no part.
        Flagged { module: ModuleId, reason: FlagReason },
        /// A module is not flagged any more. Unless it is off, it takes part as soon as its old matches are undone.
        Unflagged { module: ModuleId },
        /// A validator can be relied on so far.
        ReliabilityChanged { validator: ModuleId, from: Permill, to: Permill },
        /// A miner is a source of truth that deserves this score, or is none any more.
        TruthSet { module: ModuleId, deserves: Option<Permill> },
        /// There is a test case for a type.
        TestCaseAdded { model_type: ModelType, case: TestCase },
        /// The test case with these inputs is gone.
        TestCaseRemoved { model_type: ModelType, inputs: H256 },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// There is no such module, or it was removed.
        UnknownModule,
        /// Only the module's owner may do this.
        NotOwner,
        /// The module is neither miner nor validator.
        NotInSubnet,
        /// The module is no miner.
        NotMiner,
        /// The module is still matched from its part before. Set its role to idle, and wait until its matches are undone.
        StillLeaving,
        /// One of the types has as many validators as the chain can rank.
        TooManyValidators,
        /// The validator has more miners than that.
        CapacityBelowLoad,
        /// A validator with miners cannot judge other types. Switch it off first, and wait until it has none.
        HasMiners,
        /// The module is off already.
        AlreadyOff,
        /// The module is on already.
        AlreadyOn,
        /// The module is flagged already.
        AlreadyFlagged,
        /// The module is not flagged.
        NotFlagged,
        /// A flag needs a reason.
        NoReason,
        /// A reason has at most 128 bytes.
        ReasonTooLong,
        /// The reason is not UTF-8.
        ReasonNotUtf8,
        /// Everything is as it was.
        NothingToChange,
        /// The type has as many sources of truth as the chain allows.
        TooManyTruths,
        /// Only an owner of a source of truth of the type may do this.
        NotTruthOwner,
        /// There is a test case with these inputs. Remove it to change it.
        TestCaseExists,
        /// The type has as many test cases as the chain allows.
        TooManyTestCases,
        /// There is no test case with these inputs.
        UnknownTestCase,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
            Self::work(remaining)
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
        /// Takes a miner or validator out of the subnet for a while; for its owner. It keeps its role and reliability.
        #[pallet::call_index(0)]
        #[pallet::weight(<T as Config>::WeightInfo::switch_off().max(<T as Config>::WeightInfo::switch_miner_off()))]
        pub fn switch_off(origin: OriginFor<T>, module: ModuleId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_switch(who, module, true)
        }

        /// Lets a miner or validator take part again; for its owner.
        #[pallet::call_index(1)]
        #[pallet::weight(<T as Config>::WeightInfo::switch_on().max(<T as Config>::WeightInfo::switch_miner_on()))]
        pub fn switch_on(origin: OriginFor<T>, module: ModuleId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_switch(who, module, false)
        }

        /// Flags a module: it takes no part, and earns nothing in this epoch; for [`Config::FlagOrigin`].
        ///
        /// - `reason`: for people, in UTF-8, at most 128 bytes.
        #[pallet::call_index(2)]
        #[pallet::weight(<T as Config>::WeightInfo::flag().max(<T as Config>::WeightInfo::flag_miner()))]
        pub fn flag(origin: OriginFor<T>, module: ModuleId, reason: Vec<u8>) -> DispatchResult {
            T::FlagOrigin::ensure_origin(origin)?;
            Self::do_flag(module, reason)
        }

        /// Takes the flag from a module; for [`Config::FlagOrigin`].
        #[pallet::call_index(3)]
        #[pallet::weight(<T as Config>::WeightInfo::unflag().max(<T as Config>::WeightInfo::unflag_miner()))]
        pub fn unflag(origin: OriginFor<T>, module: ModuleId) -> DispatchResult {
            T::FlagOrigin::ensure_origin(origin)?;
            Self::do_unflag(module)
        }

        /// Says which score a miner deserves, or that this is not known; for [`Config::TruthOrigin`].
        #[pallet::call_index(4)]
        pub fn set_truth(origin: OriginFor<T>, module: ModuleId, deserves: Option<Permill>) -> DispatchResult {
            T::TruthOrigin::ensure_origin(origin)?;
            Self::do_set_truth(module, deserves)
        }

        /// Adds a test case; for [`Config::TruthOrigin`] and owners of sources of truth of the type.
        #[pallet::call_index(5)]
        pub fn add_test_case(origin: OriginFor<T>, model_type: ModelType, case: TestCase) -> DispatchResult {
            Self::ensure_knows(origin, model_type)?;
            Self::do_add_test_case(model_type, case)
        }

        /// Removes the test case with these inputs; for [`Config::TruthOrigin`] and owners of sources of truth of the
        /// type.
        #[pallet::call_index(6)]
        pub fn remove_test_case(origin: OriginFor<T>, model_type: ModelType, inputs: H256) -> DispatchResult {
            Self::ensure_knows(origin, model_type)?;
            Self::do_remove_test_case(model_type, inputs)
        }
    }
}
