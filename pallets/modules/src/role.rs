//! The parts that modules play in the subnet.

use alloc::collections::BTreeSet;

use ensemble_core::{
    modules::{OnRoleChanged, Role, UNKNOWN},
    ModelType, ModuleId,
};
use frame_support::{dispatch::PostDispatchInfo, ensure, pallet_prelude::*};
use sp_runtime::traits::SaturatedConversion;

use crate::{Config, Error, Event, Modules, Pallet, Types, WeightInfo};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_set_role(who: T::AccountId, id: ModuleId, role: Role) -> DispatchResultWithPostInfo {
        let mut module = Self::at_rest(&who, id)?;
        ensure!(role != module.role, Error::<T>::NothingToChange);
        if let Role::Validator { types, capacity } = &role {
            Self::check_types(types)?;
            ensure!(*capacity > 0, Error::<T>::NoCapacity);
        }

        T::OnRoleChanged::on_role_set(id, module.model_type, &module.role, &role)?;
        let before = core::mem::replace(&mut module.role, role.clone());
        Modules::<T>::insert(id, module);
        let types = before.types().len().max(role.types().len());
        Self::deposit_event(Event::RoleSet { module: id, role });
        let weight = Self::weight_of_role(types.saturated_into());
        Ok(PostDispatchInfo { actual_weight: Some(weight), pays_fee: Pays::Yes })
    }

    /// What it costs at most to play another part, with so many types before or after.
    pub(crate) fn weight_of_role(types: u32) -> Weight {
        <T as Config>::WeightInfo::set_role(types).max(<T as Config>::WeightInfo::become_miner(types))
    }

    fn check_types(types: &[ModelType]) -> Result<(), Error<T>> {
        ensure!(!types.is_empty(), Error::<T>::NoTypes);
        let distinct: BTreeSet<_> = types.iter().collect();
        ensure!(distinct.len() == types.len(), Error::<T>::DuplicateType);
        let known = |model_type: &ModelType| *model_type != UNKNOWN && Types::<T>::contains_key(model_type);
        ensure!(types.iter().all(known), Error::<T>::UnknownType);
        Ok(())
    }
}
