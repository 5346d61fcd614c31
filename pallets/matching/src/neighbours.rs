//! What other pallets may ask of matching, and tell it.

use alloc::vec::Vec;

use ensemble_core::{
    epochs::Epochs,
    market::Serving,
    matching::{Assignment, FlagReason, Matching},
    modules::{Modules, OnRoleChanged, Role},
    stake::OnModuleRemoved,
    EpochIndex, ModelType, ModuleId,
};
use frame_support::{ensure, pallet_prelude::*};
use sp_runtime::Permill;

use crate::{
    types::Departure, ActiveMiners, Config, Desks, Error, Event, Flags, Miners, Pallet, Reliabilities, Validators,
};

impl<T: Config> OnRoleChanged for Pallet<T> {
    fn on_role_set(module: ModuleId, model_type: ModelType, from: &Role, to: &Role) -> DispatchResult {
        match (from, to) {
            (Role::Miner, Role::Miner) | (Role::Idle, Role::Idle) => Ok(()),
            (_, Role::Idle) => {
                Self::leave(module);
                Ok(())
            },
            (Role::Validator { .. }, Role::Validator { types, capacity }) => {
                Self::change_validator(module, types, *capacity)
            },
            (_, Role::Miner) => {
                Self::ensure_unmatched(module)?;
                Self::leave(module);
                Self::join_miner(module, model_type);
                Ok(())
            },
            (_, Role::Validator { types, capacity }) => {
                Self::ensure_unmatched(module)?;
                Self::check_seats(types)?;
                Self::leave(module);
                Self::join_validator(module, types, *capacity);
                Ok(())
            },
        }
    }

    fn on_type_changed(module: ModuleId, _: ModelType, to: ModelType) {
        if let Some(miner) = Miners::<T>::get(module) {
            Self::change_miner_type(module, miner, to);
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_role_for_benchmark(module: ModuleId, role: &Role) {
        Self::prepare_role(module, role);
    }
}

impl<T: Config> OnModuleRemoved for Pallet<T> {
    /// It leaves, and nothing about it is remembered.
    fn on_module_removed(module: ModuleId) {
        Self::leave(module);
        Flags::<T>::remove(module);
        Reliabilities::<T>::remove(module);
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_removal_for_benchmark(module: ModuleId) {
        Self::prepare_removal(module);
    }
}

impl<T: Config> Pallet<T> {
    fn leave(module: ModuleId) {
        if let Some(miner) = Miners::<T>::get(module) {
            Self::leave_miner(module, miner);
        } else if let Some(validator) = Validators::<T>::get(module) {
            Self::leave_validator(module, validator);
        }
    }

    /// Whoever plays another part has nobody left from the one before.
    fn ensure_unmatched(module: ModuleId) -> Result<(), Error<T>> {
        let miner = Miners::<T>::get(module);
        let unmatched = |departure: Departure| departure == Departure::Staying;
        ensure!(
            miner.is_none_or(|miner| miner.matches.is_empty() && unmatched(miner.departure)),
            Error::<T>::StillLeaving
        );
        let validator = Validators::<T>::get(module);
        ensure!(
            validator.is_none_or(|validator| validator.load == 0 && unmatched(validator.departure)),
            Error::<T>::StillLeaving
        );
        Ok(())
    }
}

impl<T: Config> Serving for Pallet<T> {
    fn serving(module: ModuleId) -> bool {
        Miners::<T>::get(module).is_some_and(|miner| miner.is_active())
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn serve_for_benchmark(module: ModuleId) {
        let model_type = T::Modules::role(module).map_or_else(Default::default, |(model_type, _)| model_type);
        Self::join_miner(module, model_type);
    }
}

impl<T: Config> Matching for Pallet<T> {
    fn assignment(validator: ModuleId, miner: ModuleId) -> Assignment {
        let Some(miner) = Miners::<T>::get(miner) else { return Assignment::Changed };
        let now = T::Epochs::current();
        match miner.matches.iter().find(|matched| matched.validator == validator) {
            Some(matched) if matched.from <= now => Assignment::Matched,
            Some(_) => Assignment::Changed,
            None if miner.changed == now => Assignment::Changed,
            None => Assignment::Foreign,
        }
    }

    fn types(validator: ModuleId) -> Option<Vec<ModelType>> {
        let validator = Validators::<T>::get(validator).filter(|validator| validator.is_active())?;
        Some(validator.types())
    }

    fn load(validator: ModuleId) -> u32 {
        Validators::<T>::get(validator).map_or(0, |validator| validator.load)
    }

    fn serving_since(validator: ModuleId) -> Option<EpochIndex> {
        Validators::<T>::get(validator).filter(|validator| validator.is_active())?.serving
    }

    fn miner_type(miner: ModuleId) -> Option<ModelType> {
        let miner = Miners::<T>::get(miner).filter(|miner| miner.is_active())?;
        Some(miner.model_type)
    }

    fn pick_miner(model_type: ModelType, random: u64) -> Option<ModuleId> {
        let place = random.checked_rem(Desks::<T>::get(model_type).miners.into())?;
        ActiveMiners::<T>::get((model_type, u32::try_from(place).ok()?))
    }

    fn truth_of(miner: ModuleId) -> Option<Permill> {
        Miners::<T>::get(miner)?.deserves
    }

    fn pick_truth(model_type: ModelType, random: u64) -> Option<ModuleId> {
        Self::truth_by_number(model_type, random)
    }

    fn reliability(validator: ModuleId) -> Permill {
        Reliabilities::<T>::get(validator)
    }

    /// Nothing is remembered of a module that was removed.
    fn set_reliability(validator: ModuleId, reliability: Permill) {
        let from = Reliabilities::<T>::get(validator);
        if from == reliability || T::Modules::owner(validator).is_none() {
            return;
        }
        Reliabilities::<T>::insert(validator, reliability);
        Validators::<T>::mutate_extant(validator, |record| Self::rank(validator, record));
        Self::deposit_event(Event::ReliabilityChanged { validator, from, to: reliability });
    }

    /// Nothing happens to a module that was removed.
    fn flag(module: ModuleId, reason: FlagReason) {
        if T::Modules::owner(module).is_some() && !Flags::<T>::contains_key(module) {
            Self::put_flag(module, reason);
        }
    }

    fn switch_off(validator: ModuleId) {
        Self::force_off(validator);
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn match_for_benchmark(extra: u32) -> Result<(ModuleId, Vec<ModuleId>), DispatchError> {
        crate::benchmarking::matched::<T>(extra)
    }
}
