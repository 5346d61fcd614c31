//! Modules: services in a global namespace.

use alloc::vec::Vec;

use codec::{Codec, Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ConstU32, H256};
use sp_runtime::{BoundedVec, DispatchResult};

/// Number of a module, counted up from 0 and never used twice.
pub type ModuleId = u32;

/// Number of a kind of model. Its name is on the chain.
pub type ModelType = u16;

/// The type of modules whose names say nothing of what they are.
pub const UNKNOWN: ModelType = 0;

/// Most bytes of a module's name.
pub const MAX_NAME_BYTES: u32 = 64;

/// Most types that a validator specialises in.
pub const MAX_VALIDATOR_TYPES: u32 = 8;

/// The number of miners that a validator serves at one time unless it says otherwise.
pub const DEFAULT_CAPACITY: u32 = 10;

/// What other pallets may ask of the registry of modules.
pub trait Modules<AccountId> {
    /// The owner of a registered module; none if it was removed or never registered.
    fn owner(module: ModuleId) -> Option<AccountId>;

    /// What is held from a module's owner for its name, in planck; zero if there is no such module.
    fn deposit(module: ModuleId) -> u128;

    /// The type of a registered module, and the part it plays.
    fn role(module: ModuleId) -> Option<(ModelType, Role)>;

    /// Makes a module that `owner` owns.
    ///
    /// # Errors
    ///
    /// If the registry refuses it.
    #[cfg(feature = "runtime-benchmarks")]
    fn register_for_benchmark(owner: &AccountId) -> Result<ModuleId, sp_runtime::DispatchError>;

    /// Has a module play a part, without telling anybody.
    #[cfg(feature = "runtime-benchmarks")]
    fn play_for_benchmark(_module: ModuleId, _role: Role) {}
}

/// Who must hear of it when a module changes its part in the subnet, or its type.
pub trait OnRoleChanged {
    /// A module of this type plays another part.
    ///
    /// # Errors
    ///
    /// If it must not. Then nothing changed.
    fn on_role_set(module: ModuleId, model_type: ModelType, from: &Role, to: &Role) -> DispatchResult;

    /// A module's type is another.
    fn on_type_changed(module: ModuleId, from: ModelType, to: ModelType);

    /// Makes what a module's owner does next as costly as it can be to hear of: the module plays this part.
    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_role_for_benchmark(_module: ModuleId, _role: &Role) {}
}

impl OnRoleChanged for () {
    fn on_role_set(_: ModuleId, _: ModelType, _: &Role, _: &Role) -> DispatchResult {
        Ok(())
    }

    fn on_type_changed(_: ModuleId, _: ModelType, _: ModelType) {}
}

/// What the first has done when the second refuses is for the caller to undo, as calls do.
impl<First: OnRoleChanged, Second: OnRoleChanged> OnRoleChanged for (First, Second) {
    fn on_role_set(module: ModuleId, model_type: ModelType, from: &Role, to: &Role) -> DispatchResult {
        First::on_role_set(module, model_type, from, to)?;
        Second::on_role_set(module, model_type, from, to)
    }

    fn on_type_changed(module: ModuleId, from: ModelType, to: ModelType) {
        First::on_type_changed(module, from, to);
        Second::on_type_changed(module, from, to);
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_role_for_benchmark(module: ModuleId, role: &Role) {
        First::prepare_role_for_benchmark(module, role);
        Second::prepare_role_for_benchmark(module, role);
    }
}

/// Who must hear of it when a module goes to another owner.
pub trait OnModuleTransferred {
    /// The module has another owner than before.
    fn on_module_transferred(module: ModuleId);

    /// Makes hearing of it as costly as it can be.
    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_transfer_for_benchmark(_module: ModuleId) {}
}

impl OnModuleTransferred for () {
    fn on_module_transferred(_: ModuleId) {}
}

/// The part that a module plays in the subnet.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Role {
    /// None: it is a building block, or switched off.
    #[default]
    Idle,
    /// It serves its type of model and is scored for it.
    Miner,
    /// It scores miners.
    Validator {
        /// The types of miners it can judge: at least one, none twice.
        types: BoundedVec<ModelType, ConstU32<MAX_VALIDATOR_TYPES>>,
        /// Most miners that it serves at one time, at least 1; [`DEFAULT_CAPACITY`] is what clients propose.
        capacity: u32,
    },
}

impl Role {
    /// The types of miners it can judge: those of a validator.
    pub fn types(&self) -> &[ModelType] {
        match self {
            Self::Idle | Self::Miner => &[],
            Self::Validator { types, .. } => types,
        }
    }
}

/// Why bytes are no name.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub enum NameError {
    /// There are none.
    Empty,
    /// There are more than [`MAX_NAME_BYTES`].
    TooLong,
    /// One is not among `a-z`, `0-9`, `-`, `_` and `.`.
    Character,
    /// A separator (`-`, `_` or `.`) does not stand between two words.
    Separator,
    /// There are too many labels, joined by `.`.
    TooManyLabels,
    /// There are too many words.
    TooManyWords,
}

/// What has become of a name.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum NameState<BlockNumber> {
    /// A module has it.
    Taken(ModuleId),
    /// A module had it; before this block nobody can register it.
    Reserved {
        /// First block in which it is free.
        until: BlockNumber,
    },
}

/// What a name costs in this block.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct Quote<Balance> {
    /// Held while the module exists, in planck.
    pub deposit: Balance,
    /// Burnt, in planck.
    pub burn: Balance,
}

/// A price, and whether the name can be had for it.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct NamePrice<Balance, BlockNumber> {
    /// What it costs.
    pub quote: Quote<Balance>,
    /// Who has it, or until when nobody can; none if it is free.
    pub state: Option<NameState<BlockNumber>>,
}

/// What an outsider may know of a module.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct ModuleView<AccountId, Balance, BlockNumber> {
    /// Its number.
    pub id: ModuleId,
    /// Its name.
    pub name: Vec<u8>,
    /// Who owns it.
    pub owner: AccountId,
    /// To whom the owner offers it.
    pub offered_to: Option<AccountId>,
    /// Where it is served: a URL or a multiaddress.
    pub endpoint: Vec<u8>,
    /// Hash of a document about it that is kept elsewhere.
    pub metadata: H256,
    /// A short text for people, in UTF-8.
    pub description: Vec<u8>,
    /// Hash of the implementation that the owner commits to.
    pub implementation: Option<H256>,
    /// 1 at registration, one more with every update.
    pub version: u32,
    /// The kind of model it is.
    pub model_type: ModelType,
    /// The part it plays.
    pub role: Role,
    /// The module in whose namespace it is.
    pub parent: Option<ModuleId>,
    /// Number of modules in its namespace, one label below it.
    pub children: u32,
    /// The modules it is built on.
    pub dependencies: Vec<ModuleId>,
    /// Those of them that were removed.
    pub missing: Vec<ModuleId>,
    /// Number of modules that are built on it.
    pub dependents: u32,
    /// Held from the owner, in planck.
    pub deposit: Balance,
    /// Block in which it was registered.
    pub registered_at: BlockNumber,
    /// Block in which it was last updated.
    pub updated_at: BlockNumber,
}

/// Which modules are looked for: those for which all of these hold.
#[derive(Clone, Debug, Decode, Default, Encode, Eq, PartialEq, TypeInfo)]
pub struct Query<AccountId> {
    /// The name begins with this. In names, `-` and `_` are the same.
    pub prefix: Vec<u8>,
    /// The kind of model is this.
    pub model_type: Option<ModelType>,
    /// The owner is this.
    pub owner: Option<AccountId>,
}

/// A part of the answer to a query, in the order of the names.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct Page<AccountId, Balance, BlockNumber> {
    /// The modules found: none or few do not mean that there are no more.
    pub modules: Vec<ModuleView<AccountId, Balance, BlockNumber>>,
    /// What to ask to go on after; none if that is all.
    pub next: Option<Vec<u8>>,
}

/// A module and everything below it, resolved.
#[derive(Clone, Debug, Decode, Default, Encode, Eq, PartialEq, TypeInfo)]
pub struct Pipeline {
    /// The modules, each after all that it is built on. The module asked for is the last.
    pub order: Vec<ModuleId>,
    /// Modules that something in `order` is built on and that were removed.
    pub missing: Vec<ModuleId>,
}

/// Why modules are no pipeline.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub enum PipelineError {
    /// There is no such module.
    Unknown,
    /// A module would be built on itself.
    Cycle,
    /// A chain of modules, each built on the next, is too long.
    TooDeep,
    /// There are too many modules in it.
    TooLong,
}

sp_api::decl_runtime_apis! {
    /// What the chain says of modules.
    pub trait ModulesApi<AccountId: Codec, Balance: Codec, BlockNumber: Codec> {
        /// One module.
        fn module(id: ModuleId) -> Option<ModuleView<AccountId, Balance, BlockNumber>>;
        /// The module with this name.
        fn module_by_name(name: Vec<u8>) -> Option<ModuleView<AccountId, Balance, BlockNumber>>;
        /// Modules in the order of their names, after the one with the name `after`, at most `limit` (and 100).
        fn search(
            query: Query<AccountId>,
            after: Option<Vec<u8>>,
            limit: u32,
        ) -> Page<AccountId, Balance, BlockNumber>;
        /// A module and everything that it is built on, in an order in which it can be built.
        fn pipeline(id: ModuleId) -> Result<Pipeline, PipelineError>;
        /// What a name costs in this block, and whether it is free.
        fn price(name: Vec<u8>) -> Result<NamePrice<Balance, BlockNumber>, NameError>;
        /// The type that a module with this name has, or would have.
        fn type_of_name(name: Vec<u8>) -> Result<ModelType, NameError>;
        /// All types and their names, in the order of their numbers.
        fn model_types() -> Vec<(ModelType, Vec<u8>)>;
    }
}
