//! What other pallets tell this one.

use ensemble_core::{
    modules::{OnModuleTransferred, OnRoleChanged, Role},
    stake::{OnModuleRemoved, OnStakeChanged},
    ModelType, ModuleId,
};
use frame_support::pallet_prelude::DispatchResult;

use crate::{ChillReason, Config, Pallet};

impl<T: Config> OnStakeChanged for Pallet<T> {
    fn on_stake_changed(module: ModuleId) {
        Self::rank_anew(module);
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_stake_change_for_benchmark(module: ModuleId) {
        Self::stand_for_benchmark(module);
    }
}

impl<T: Config> OnModuleRemoved for Pallet<T> {
    fn on_module_removed(module: ModuleId) {
        Self::chill_module(module, ChillReason::Removed);
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_removal_for_benchmark(module: ModuleId) {
        Self::stand_for_benchmark(module);
    }
}

impl<T: Config> OnModuleTransferred for Pallet<T> {
    fn on_module_transferred(module: ModuleId) {
        Self::chill_module(module, ChillReason::OwnerChanged);
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_transfer_for_benchmark(module: ModuleId) {
        Self::stand_for_benchmark(module);
    }
}

impl<T: Config> OnRoleChanged for Pallet<T> {
    fn on_role_set(module: ModuleId, _: ModelType, _: &Role, to: &Role) -> DispatchResult {
        if !matches!(to, Role::Validator { .. }) {
            Self::chill_module(module, ChillReason::RoleChanged);
        }
        Ok(())
    }

    fn on_type_changed(_: ModuleId, _: ModelType, _: ModelType) {}

    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_role_for_benchmark(module: ModuleId, _: &Role) {
        Self::stand_for_benchmark(module);
    }
}
