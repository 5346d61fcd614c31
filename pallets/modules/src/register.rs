//! Registering, updating and removing modules.

use alloc::vec::Vec;

use ensemble_core::{
    market::ModuleNames,
    modules::{NameError, NameState, Role},
    stake::OnModuleRemoved,
    ModelType, ModuleId,
};
use frame_support::{ensure, pallet_prelude::*};
use sp_runtime::{
    traits::{SaturatedConversion, Saturating},
    ArithmeticError, FixedU128,
};

use crate::{
    endpoint::EndpointError,
    names::{self, Name},
    Balance, Config, Demand, Dependencies, DependenciesOf, Error, Event, Module, ModuleOf, Modules, ModulesOfOwner,
    ModulesOfType, NameDemand, Names, NamespacePatterns, NewProfile, NextModuleId, Pallet,
};

impl<T> From<NameError> for Error<T> {
    fn from(error: NameError) -> Self {
        match error {
            NameError::Empty => Self::NameEmpty,
            NameError::TooLong => Self::NameTooLong,
            NameError::Character => Self::NameCharacter,
            NameError::Separator => Self::NameSeparator,
            NameError::TooManyLabels => Self::NameTooManyLabels,
            NameError::TooManyWords => Self::NameTooManyWords,
        }
    }
}

impl<T> From<EndpointError> for Error<T> {
    fn from(error: EndpointError) -> Self {
        match error {
            EndpointError::TooLong => Self::EndpointTooLong,
            EndpointError::Scheme => Self::EndpointScheme,
            EndpointError::Host => Self::EndpointHost,
            EndpointError::Port => Self::EndpointPort,
            EndpointError::Path => Self::EndpointPath,
            EndpointError::Protocol => Self::EndpointProtocol,
            EndpointError::Peer => Self::EndpointPeer,
        }
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_register(
        owner: T::AccountId,
        name: &[u8],
        profile: NewProfile,
        max_price: Balance,
    ) -> DispatchResult {
        let name = Name::parse(name).map_err(Error::<T>::from)?;
        let profile = profile.validate::<T>()?;
        Self::ensure_free(&name)?;
        let parent = Self::parent_for(&owner, &name)?;
        let demand = Self::demand();
        let quote = T::PriceCurve::get().quote(name.as_bytes().len(), demand);
        ensure!(quote.deposit.saturating_add(quote.burn) <= max_price, Error::<T>::PriceAboveMax);

        let id = NextModuleId::<T>::get();
        let next = id.checked_add(1).ok_or(ArithmeticError::Overflow)?;

        Self::hold(&owner, quote.deposit)?;
        // Last of what can fail: what is burnt cannot be given back.
        Self::burn(&owner, quote.burn)?;
        NextModuleId::<T>::put(next);
        Self::raise_demand(demand);
        if let Some(parent) = parent {
            Self::count_child(parent, |children| children.saturating_add(1));
        }
        let model_type = Self::type_of(&name);
        let now = frame_system::Pallet::<T>::block_number();
        let module = Module {
            name,
            parent,
            owner,
            offered_to: None,
            deposit: quote.deposit,
            pattern_deposit: 0,
            profile,
            version: 1,
            model_type,
            role: Role::Idle,
            children: 0,
            registered_at: now,
            updated_at: now,
        };
        Self::put_new(id, &module);
        Self::deposit_event(Event::ModuleRegistered {
            module: id,
            owner: module.owner,
            name: module.name,
            profile: module.profile,
            model_type,
            burnt: quote.burn,
            deposit: quote.deposit,
        });
        Ok(())
    }

    fn put_new(id: ModuleId, module: &ModuleOf<T>) {
        let key = module.name.key();
        Names::<T>::insert(key, NameState::Taken(id));
        ModulesOfOwner::<T>::insert(&module.owner, key, id);
        ModulesOfType::<T>::insert(module.model_type, key, id);
        Dependencies::<T>::insert(id, DependenciesOf::<T>::default());
        Modules::<T>::insert(id, module);
    }

    fn ensure_free(name: &Name) -> Result<(), Error<T>> {
        match Names::<T>::get(name.key()) {
            Some(NameState::Taken(_)) => Err(Error::NameTaken),
            Some(NameState::Reserved { until }) if frame_system::Pallet::<T>::block_number() < until => {
                Err(Error::NameReserved)
            },
            Some(NameState::Reserved { .. }) | None => Ok(()),
        }
    }

    /// The module in whose namespace a name is; it must be `owner`'s, and not on its way to somebody who would then
    /// have children that it did not see.
    fn parent_for(owner: &T::AccountId, name: &Name) -> Result<Option<ModuleId>, Error<T>> {
        let Some((namespace, _)) = name.namespaces().next() else { return Ok(None) };
        let Some(NameState::Taken(id)) = Names::<T>::get(names::key(namespace)) else {
            return Err(Error::UnknownParent);
        };
        let parent = Self::existing(id)?;
        ensure!(parent.owner == *owner, Error::<T>::NotParentOwner);
        ensure!(parent.offered_to.is_none(), Error::<T>::Offered);
        Ok(Some(id))
    }

    fn count_child(parent: ModuleId, count: impl FnOnce(u32) -> u32) {
        Modules::<T>::mutate_extant(parent, |parent| parent.children = count(parent.children));
    }

    /// Demand for names in this block.
    pub(crate) fn demand() -> FixedU128 {
        let Demand { factor, at } = NameDemand::<T>::get();
        let passed = frame_system::Pallet::<T>::block_number().saturating_sub(at);
        T::PriceCurve::get().decayed(factor, passed.saturated_into())
    }

    fn raise_demand(demand: FixedU128) {
        let factor = T::PriceCurve::get().raised(demand);
        NameDemand::<T>::put(Demand { factor, at: frame_system::Pallet::<T>::block_number() });
    }

    pub(crate) fn do_update(who: T::AccountId, id: ModuleId, profile: NewProfile) -> DispatchResult {
        let mut module = Self::at_rest(&who, id)?;
        let profile = profile.validate::<T>()?;
        let model_type = Self::type_of(&module.name);
        let changes = profile != module.profile || model_type != module.model_type;
        ensure!(changes, Error::<T>::NothingToChange);

        module.profile = profile.clone();
        module.version = module.version.saturating_add(1);
        module.updated_at = frame_system::Pallet::<T>::block_number();
        Self::put_with_type(id, &mut module, model_type);
        Self::deposit_event(Event::ModuleUpdated { module: id, profile, version: module.version });
        Ok(())
    }

    pub(crate) fn do_remove(who: T::AccountId, id: ModuleId) -> DispatchResult {
        let module = Self::at_rest(&who, id)?;
        ensure!(module.children == 0, Error::<T>::HasChildren);

        let deposit = module.held();
        Self::release(&module.owner, deposit)?;
        if let Some(parent) = module.parent {
            Self::count_child(parent, |children| children.saturating_sub(1));
        }
        let key = module.name.key();
        ModulesOfOwner::<T>::remove(&module.owner, key);
        ModulesOfType::<T>::remove(module.model_type, key);
        NamespacePatterns::<T>::remove(key);
        let dependents = Self::forget_dependencies(id);
        let free_at = Self::reserve(key);
        Modules::<T>::remove(id);
        T::OnRemoved::on_module_removed(id);
        Self::deposit_event(Event::ModuleRemoved {
            module: id,
            owner: module.owner,
            name: module.name,
            deposit,
            dependents,
            free_at,
        });
        Ok(())
    }

    /// A module that exists.
    pub(crate) fn existing(id: ModuleId) -> Result<ModuleOf<T>, Error<T>> {
        Modules::<T>::get(id).ok_or(Error::UnknownModule)
    }

    /// A module of `who`.
    pub(crate) fn owned(who: &T::AccountId, id: ModuleId) -> Result<ModuleOf<T>, Error<T>> {
        let module = Self::existing(id)?;
        ensure!(module.owner == *who, Error::<T>::NotOwner);
        Ok(module)
    }

    /// A module of `who` that is not offered to anybody. Whoever accepts one gets what it saw.
    pub(crate) fn at_rest(who: &T::AccountId, id: ModuleId) -> Result<ModuleOf<T>, Error<T>> {
        let module = Self::owned(who, id)?;
        ensure!(module.offered_to.is_none(), Error::<T>::Offered);
        Ok(module)
    }
}

impl<T: Config> ModuleNames<T::AccountId> for Pallet<T> {
    fn name(module: ModuleId) -> Option<Vec<u8>> {
        Modules::<T>::get(module).map(|module| module.name.as_bytes().to_vec())
    }
}

impl<T: Config> ensemble_core::modules::Modules<T::AccountId> for Pallet<T> {
    fn owner(module: ModuleId) -> Option<T::AccountId> {
        Modules::<T>::get(module).map(|module| module.owner)
    }

    fn deposit(module: ModuleId) -> Balance {
        Modules::<T>::get(module).map_or(0, |module| module.deposit)
    }

    fn role(module: ModuleId) -> Option<(ModelType, Role)> {
        Modules::<T>::get(module).map(|module| (module.model_type, module.role))
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn register_for_benchmark(owner: &T::AccountId) -> Result<ModuleId, DispatchError> {
        let id = NextModuleId::<T>::get();
        crate::benchmarking::new_module::<T>(owner, alloc::format!("for-benchmarks-{id}").as_bytes())?;
        Ok(id)
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn play_for_benchmark(module: ModuleId, role: Role) {
        Modules::<T>::mutate_extant(module, |module| module.role = role);
    }
}
