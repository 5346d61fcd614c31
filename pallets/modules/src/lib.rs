//! Modules: a global namespace of services that run off the chain.
//!
//! # The life of a module
//!
//! Anyone **registers** a name for an endpoint and pays its price: one part is burnt, the other held as a deposit. The
//! owner **updates** what it says of the module, declares what the module is **built on**, gives it a **role** in the
//! subnet, offers it to somebody who **accepts** it, or **removes** it. Then the deposit returns, and the name is
//! reserved for [`Config::NameDelay`] blocks, so that nobody takes over its users overnight. The number of a module is
//! never used again.
//!
//! # Names and namespaces
//!
//! [`names`] has the grammar. The owner of `acme` is the only one who can register `acme.vision`, which may then go to
//! somebody else. A module with others in its namespace cannot be removed.
//!
//! # Price
//!
//! Short names cost more, and every registration raises the price of all for a while: [`price`] has the arithmetic. A
//! caller names the most it will pay.
//!
//! # Types
//!
//! The kind of model that a module is follows from its name, by [`patterns`]: those of the nearest namespace are tried
//! first (on the part of the name below it), then those of the namespaces around it, then the global ones. [`defaults`]
//! has what a chain begins with. [`Config::RegistryOrigin`] adds types and global patterns while it runs; the owner of a
//! namespace sets its patterns, for a deposit. Patterns are stored under their first two bytes, so that looking a name
//! up costs one read for each of its words, however many patterns there are. After patterns have changed, anyone may
//! have a module's type looked up again.
//!
//! # Dependencies
//!
//! A module names up to [`Config::MaxDependencies`] others. Whoever declares them has the whole [`pipeline`] below
//! walked: it must not lead back to the module, nor be deeper than [`Config::MaxDepth`] or have more modules than
//! [`Config::MaxPipeline`]. So no cycle can come about. The depth below a module can still grow when something far below
//! it changes: to forbid that would let anybody freeze a module by building on it. Resolving a pipeline stops at the
//! same limits and says so. A dependency that was removed stays in the list and is shown as missing.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
pub mod defaults;
mod depend;
pub mod endpoint;
mod funds;
mod integrity;
#[cfg(test)]
mod mock;
pub mod names;
pub mod patterns;
pub mod pipeline;
pub mod price;
mod register;
mod release;
mod role;
#[cfg(test)]
mod tests;
mod transfer;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
pub mod types;
mod typing;
mod view;
pub mod weights;

pub use pallet::*;
pub use price::{Curve, Demand};
pub use types::{
    Balance, BucketOf, CreditOf, DependenciesOf, Module, ModuleOf, NamespaceRulesOf, NewProfile, Profile, Queue,
    Release, TypeName,
};
pub use weights::WeightInfo;

use alloc::vec::Vec;

use ensemble_core::{
    modules::{NameState, OnModuleTransferred, OnRoleChanged, Role, MAX_VALIDATOR_TYPES},
    stake::OnModuleRemoved,
    ModelType, ModuleId,
};
use frame_support::{
    pallet_prelude::*,
    traits::{fungible, OnUnbalanced},
};
use frame_system::pallet_prelude::*;
use names::{Name, NameKey};
use patterns::{Pattern, Start};

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
        /// The runtime's reasons for holds.
        type RuntimeHoldReason: From<HoldReason>;

        /// The native token, in which names are paid.
        type Currency: fungible::Balanced<Self::AccountId, Balance = Balance>
            + fungible::MutateHold<Self::AccountId, Balance = Balance, Reason = Self::RuntimeHoldReason>;

        /// Receives the part of prices that is burnt. Dropping it burns it.
        type Burnt: OnUnbalanced<CreditOf<Self>>;

        /// Hears of removals.
        type OnRemoved: OnModuleRemoved;

        /// Hears of other parts that modules play and other types that they have, and may refuse the former.
        type OnRoleChanged: OnRoleChanged;

        /// Hears of modules that go to other owners.
        type OnTransferred: OnModuleTransferred;

        /// May add types, and add and remove global patterns.
        type RegistryOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// How names are priced. The deposit of the cheapest name must be at least the existential deposit.
        #[pallet::constant]
        type PriceCurve: Get<Curve>;

        /// Held from the owner of a namespace for each of its patterns, in planck.
        #[pallet::constant]
        type PatternDeposit: Get<Balance>;

        /// Blocks for which the name of a removed module is reserved.
        #[pallet::constant]
        type NameDelay: Get<BlockNumberFor<Self>>;

        /// Most modules that a module is directly built on.
        #[pallet::constant]
        type MaxDependencies: Get<u32>;

        /// Most modules in a chain, each built on the next.
        #[pallet::constant]
        type MaxDepth: Get<u32>;

        /// Most modules in a pipeline, the module itself and those removed included.
        #[pallet::constant]
        type MaxPipeline: Get<u32>;

        /// Most global patterns with the same first two bytes.
        #[pallet::constant]
        type MaxPatternsPerStart: Get<u32>;

        /// Most patterns of a namespace.
        #[pallet::constant]
        type MaxNamespacePatterns: Get<u32>;

        /// Most reserved names that one block frees.
        #[pallet::constant]
        type MaxReleases: Get<u32>;

        /// Weights of calls.
        type WeightInfo: WeightInfo;
    }

    /// Why this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The deposits of the modules that an account owns.
        Module,
    }

    /// The number of the next module.
    #[pallet::storage]
    pub type NextModuleId<T> = StorageValue<_, ModuleId, ValueQuery>;

    /// The modules.
    #[pallet::storage]
    pub type Modules<T: Config> = StorageMap<_, Twox64Concat, ModuleId, ModuleOf<T>>;

    /// What has become of names, in the order of the names.
    ///
    /// Names are keys as they are, so that searches find those with a common beginning together. Someone may so deepen
    /// the path to a name by registering names that share its beginning: by one node for each that it pays for, and by
    /// no more than a key has half-bytes.
    #[pallet::storage]
    pub type Names<T: Config> = StorageMap<_, Identity, NameKey, NameState<BlockNumberFor<T>>>;

    /// The modules of each owner, in the order of their names.
    #[pallet::storage]
    pub type ModulesOfOwner<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, NameKey, ModuleId>;

    /// The modules of each type, in the order of their names.
    #[pallet::storage]
    pub type ModulesOfType<T: Config> = StorageDoubleMap<_, Twox64Concat, ModelType, Identity, NameKey, ModuleId>;

    /// What modules are built on. Every module has an entry.
    #[pallet::storage]
    pub type Dependencies<T: Config> = StorageMap<_, Twox64Concat, ModuleId, DependenciesOf<T>>;

    /// The number of modules that are built on a module.
    #[pallet::storage]
    pub type Dependents<T> = StorageMap<_, Twox64Concat, ModuleId, u32, ValueQuery>;

    /// How many names were registered lately.
    #[pallet::storage]
    pub type NameDemand<T: Config> = StorageValue<_, Demand<BlockNumberFor<T>>, ValueQuery>;

    /// Reserved names in the order in which they become free, by their place in the queue.
    #[pallet::storage]
    pub type Releases<T: Config> = StorageMap<_, Twox64Concat, u64, Release<BlockNumberFor<T>>>;

    /// The part of the queue that is in use.
    #[pallet::storage]
    pub type ReleaseQueue<T> = StorageValue<_, Queue, ValueQuery>;

    /// The number of the next type.
    #[pallet::storage]
    pub type NextType<T> = StorageValue<_, ModelType, ValueQuery>;

    /// The types and their names. A type never goes.
    #[pallet::storage]
    pub type Types<T> = StorageMap<_, Twox64Concat, ModelType, TypeName>;

    /// The types by their names.
    #[pallet::storage]
    pub type TypeIds<T> = StorageMap<_, Blake2_128Concat, TypeName, ModelType>;

    /// The global patterns by their first bytes, in alphabetical order.
    #[pallet::storage]
    pub type Patterns<T: Config> = StorageMap<_, Identity, Start, BucketOf<T>, ValueQuery>;

    /// The patterns of namespaces by the module's name, in alphabetical order. They go with the module.
    #[pallet::storage]
    pub type NamespacePatterns<T: Config> = StorageMap<_, Identity, NameKey, NamespaceRulesOf<T>, ValueQuery>;

    /// A chain begins with the types and patterns of [`defaults`].
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        #[serde(skip)]
        #[doc(hidden)]
        pub _config: core::marker::PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            Pallet::<T>::put_defaults();
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A module was registered: `burnt` of the owner's money is gone, `deposit` is held.
        ModuleRegistered {
            module: ModuleId,
            owner: T::AccountId,
            name: Name,
            profile: Profile,
            model_type: ModelType,
            burnt: Balance,
            deposit: Balance,
        },
        /// The owner of a module said something else of it.
        ModuleUpdated { module: ModuleId, profile: Profile, version: u32 },
        /// A module's type is another, because patterns have changed.
        TypeChanged { module: ModuleId, from: ModelType, to: ModelType },
        /// A module is built on these.
        DependenciesSet { module: ModuleId, dependencies: Vec<ModuleId> },
        /// A module plays this part.
        RoleSet { module: ModuleId, role: Role },
        /// A module was offered to somebody.
        TransferOffered { module: ModuleId, owner: T::AccountId, to: T::AccountId },
        /// The owner took its offer back.
        TransferCancelled { module: ModuleId, owner: T::AccountId, to: T::AccountId },
        /// A module went from one owner to another, from whom `deposit` is now held.
        ModuleTransferred { module: ModuleId, from: T::AccountId, to: T::AccountId, deposit: Balance },
        /// A module is gone and its deposit returned. `dependents` modules miss it. Its name is free from `free_at` on.
        ModuleRemoved {
            module: ModuleId,
            owner: T::AccountId,
            name: Name,
            deposit: Balance,
            dependents: u32,
            free_at: BlockNumberFor<T>,
        },
        /// There is a new type.
        TypeAdded { model_type: ModelType, name: TypeName },
        /// Names with this pattern are now of this type: everywhere, or in the namespace of a module.
        PatternAdded { namespace: Option<ModuleId>, pattern: Pattern, model_type: ModelType },
        /// A pattern says nothing any more: everywhere, or in the namespace of a module.
        PatternRemoved { namespace: Option<ModuleId>, pattern: Pattern, model_type: ModelType },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// There is no such module.
        UnknownModule,
        /// Only the module's owner may do this.
        NotOwner,
        /// The module, or the one whose namespace this is, is offered to somebody. Cancel the transfer first.
        Offered,
        /// A name needs at least one word.
        NameEmpty,
        /// A name has at most 64 bytes.
        NameTooLong,
        /// A name consists of `a-z`, `0-9`, `-`, `_` and `.`, and nothing else.
        NameCharacter,
        /// In a name, `-`, `_` and `.` stand between two words, one at a time.
        NameSeparator,
        /// A name has at most 8 labels.
        NameTooManyLabels,
        /// A name has at most 16 words.
        NameTooManyWords,
        /// A module has this name, or one that differs only in `-` and `_`.
        NameTaken,
        /// A module with this name was removed, and the name is still reserved.
        NameReserved,
        /// The namespace is nobody's: no module has the name before the last `.`.
        UnknownParent,
        /// The namespace is somebody else's.
        NotParentOwner,
        /// The name costs more than the caller is willing to pay.
        PriceAboveMax,
        /// The account's free balance does not cover the price or the deposit.
        CannotPay,
        /// An endpoint has at most 128 bytes.
        EndpointTooLong,
        /// The endpoint is neither a URL (http, https, ws, wss) nor a multiaddress (ip4, ip6, dns, dns4, dns6).
        EndpointScheme,
        /// The endpoint's host is neither a domain name nor an IP address.
        EndpointHost,
        /// The endpoint's port is not a number from 1 to 65535.
        EndpointPort,
        /// The endpoint's path or query has a character that must not stand there.
        EndpointPath,
        /// The endpoint's multiaddress goes on with something that must not follow.
        EndpointProtocol,
        /// The endpoint's peer is not an id in base58.
        EndpointPeer,
        /// A description has at most 256 bytes.
        DescriptionTooLong,
        /// The description is not UTF-8.
        DescriptionNotUtf8,
        /// The description has characters that control instead of being read.
        DescriptionControl,
        /// Everything is as it was.
        NothingToChange,
        /// Modules are in this one's namespace. It cannot be removed before them.
        HasChildren,
        /// A module cannot be offered to its owner.
        TransferToOneself,
        /// The module is not offered to this account.
        NotOffered,
        /// The module is not offered to anybody.
        NoOffer,
        /// The module names more dependencies than the chain allows.
        TooManyDependencies,
        /// A dependency is named twice.
        DuplicateDependency,
        /// A dependency is no module.
        UnknownDependency,
        /// The module would be built on itself.
        DependencyCycle,
        /// A chain of modules, each built on the next, would be longer than the chain allows.
        PipelineTooDeep,
        /// The pipeline would have more modules than the chain allows.
        PipelineTooLong,
        /// A validator needs at least one type.
        NoTypes,
        /// A type is named twice.
        DuplicateType,
        /// There is no such type, or it is the one of modules of which nothing is known.
        UnknownType,
        /// A validator needs room for at least one miner.
        NoCapacity,
        /// The module has the type that its name says.
        TypeUnchanged,
        /// A type's name has 2 to 32 bytes: words of `a-z` and `0-9` joined by `-`.
        InvalidTypeName,
        /// There is a type with this name.
        TypeExists,
        /// There are no numbers left for types.
        TooManyTypes,
        /// A pattern has at least 2 bytes.
        PatternTooShort,
        /// A pattern has at most 32 bytes.
        PatternTooLong,
        /// A pattern consists of words of `a-z` and `0-9` joined by `-`, which it may also end in.
        PatternCharacter,
        /// There is this pattern already. Remove it to change its type.
        PatternExists,
        /// There is no such pattern.
        UnknownPattern,
        /// There are as many such patterns as the chain allows.
        TooManyPatterns,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_idle(now: BlockNumberFor<T>, remaining: Weight) -> Weight {
            Self::free_names(now, remaining)
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
        /// Registers a module: burns one part of the name's price and holds the other.
        ///
        /// - `name`: lower-case words, joined by `-` or `_` to labels, joined by `.`; below a label, for its owner.
        /// - `profile`: what the owner says of the module.
        /// - `max_price`: the most that both parts together may be, in planck.
        #[pallet::call_index(0)]
        pub fn register(
            origin: OriginFor<T>,
            name: Vec<u8>,
            profile: NewProfile,
            max_price: Balance,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_register(who, &name, profile, max_price)
        }

        /// Replaces what the owner says of a module, and looks its type up again; for the owner.
        #[pallet::call_index(1)]
        pub fn update(origin: OriginFor<T>, module: ModuleId, profile: NewProfile) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_update(who, module, profile)
        }

        /// Removes a module without children, and returns its deposit; for the owner.
        #[pallet::call_index(2)]
        pub fn remove(origin: OriginFor<T>, module: ModuleId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_remove(who, module)
        }

        /// Replaces the list of what a module is built on; for the owner.
        ///
        /// The weight is that of the longest pipeline; what was not needed is refunded.
        #[pallet::call_index(3)]
        #[pallet::weight(<T as Config>::WeightInfo::set_dependencies(T::MaxPipeline::get()))]
        pub fn set_dependencies(
            origin: OriginFor<T>,
            module: ModuleId,
            dependencies: Vec<ModuleId>,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            Self::do_set_dependencies(who, module, dependencies)
        }

        /// Gives a module a part to play; for the owner.
        ///
        /// The weight is that of a validator of as many types as there may be; what was not needed is refunded.
        #[pallet::call_index(4)]
        #[pallet::weight(Pallet::<T>::weight_of_role(MAX_VALIDATOR_TYPES))]
        pub fn set_role(origin: OriginFor<T>, module: ModuleId, role: Role) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            Self::do_set_role(who, module, role)
        }

        /// Offers a module to somebody, instead of whom it was offered to before; for the owner.
        #[pallet::call_index(5)]
        pub fn offer_transfer(origin: OriginFor<T>, module: ModuleId, to: T::AccountId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_offer_transfer(who, module, to)
        }

        /// Takes a module that was offered: its deposit is held from the caller and returned to the owner before.
        #[pallet::call_index(6)]
        pub fn accept_transfer(origin: OriginFor<T>, module: ModuleId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_accept_transfer(who, module)
        }

        /// Takes an offer back; for the owner.
        #[pallet::call_index(7)]
        pub fn cancel_transfer(origin: OriginFor<T>, module: ModuleId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_cancel_transfer(who, module)
        }

        /// Looks a module's type up again, after patterns have changed; for anyone.
        #[pallet::call_index(8)]
        pub fn refresh_type(origin: OriginFor<T>, module: ModuleId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_refresh_type(module)
        }

        /// Adds a type of model; for [`Config::RegistryOrigin`].
        #[pallet::call_index(9)]
        pub fn add_type(origin: OriginFor<T>, name: Vec<u8>) -> DispatchResult {
            T::RegistryOrigin::ensure_origin(origin)?;
            Self::do_add_type(&name)
        }

        /// Adds a global pattern; for [`Config::RegistryOrigin`]. Type 0 makes an exception from shorter patterns.
        #[pallet::call_index(10)]
        pub fn add_pattern(origin: OriginFor<T>, pattern: Vec<u8>, model_type: ModelType) -> DispatchResult {
            T::RegistryOrigin::ensure_origin(origin)?;
            Self::do_add_pattern(&pattern, model_type)
        }

        /// Removes a global pattern; for [`Config::RegistryOrigin`].
        #[pallet::call_index(11)]
        pub fn remove_pattern(origin: OriginFor<T>, pattern: Vec<u8>) -> DispatchResult {
            T::RegistryOrigin::ensure_origin(origin)?;
            Self::do_remove_pattern(&pattern)
        }

        /// Adds a pattern for names below a module's, for a deposit; for the owner.
        #[pallet::call_index(12)]
        pub fn add_namespace_pattern(
            origin: OriginFor<T>,
            module: ModuleId,
            pattern: Vec<u8>,
            model_type: ModelType,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_add_namespace_pattern(who, module, &pattern, model_type)
        }

        /// Removes a pattern for names below a module's, and returns its deposit; for the owner.
        #[pallet::call_index(13)]
        pub fn remove_namespace_pattern(origin: OriginFor<T>, module: ModuleId, pattern: Vec<u8>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_remove_namespace_pattern(who, module, &pattern)
        }
    }
}
