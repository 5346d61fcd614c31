//! Modules: services in a global namespace.

/// Number of a module, counted up from 0 and never used twice.
pub type ModuleId = u32;

/// What other pallets may ask of the registry of modules.
pub trait Modules<AccountId> {
    /// The owner of a registered module; none if it was removed or never registered.
    fn owner(module: ModuleId) -> Option<AccountId>;

    /// Makes a module that `owner` owns.
    ///
    /// # Errors
    ///
    /// If the registry refuses it.
    #[cfg(feature = "runtime-benchmarks")]
    fn register_for_benchmark(owner: &AccountId) -> Result<ModuleId, sp_runtime::DispatchError>;
}
