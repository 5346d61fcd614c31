//! What outsiders may ask: the answers of the runtime API `ModulesApi`. Never called while a block is made.

use alloc::{boxed::Box, vec::Vec};

use ensemble_core::{
    modules::{ModuleView, NameError, NamePrice, NameState, Page, Pipeline, PipelineError, Query},
    ModelType, ModuleId,
};
use frame_support::{ensure, traits::Get};
use frame_system::pallet_prelude::BlockNumberFor;

use crate::{
    names::{self, Name, NameKey},
    pipeline, Balance, Config, Dependencies, Dependents, ModuleOf, Modules, ModulesOfOwner, ModulesOfType, Names,
    Pallet, Types,
};

/// Most modules of an answer.
const MAX_ENTRIES: u32 = 100;
/// Most names that are looked at for an answer.
const MAX_SCANNED: u32 = 1_000;

type ViewOf<T> = ModuleView<<T as frame_system::Config>::AccountId, Balance, BlockNumberFor<T>>;
type PageOf<T> = Page<<T as frame_system::Config>::AccountId, Balance, BlockNumberFor<T>>;
/// Names in their order, with the modules that have them.
type Entries = Box<dyn Iterator<Item = (NameKey, Option<ModuleId>)>>;

impl<T: Config> Pallet<T> {
    /// One module.
    pub fn module_view(id: ModuleId) -> Option<ViewOf<T>> {
        Some(Self::view(id, Modules::<T>::get(id)?))
    }

    /// The module with this name.
    pub fn module_by_name(name: &[u8]) -> Option<ViewOf<T>> {
        match Names::<T>::get(Name::parse(name).ok()?.key())? {
            NameState::Taken(id) => Self::module_view(id),
            NameState::Reserved { .. } => None,
        }
    }

    /// Modules in the order of their names, after the one with the name `after`, at most `limit` (and 100).
    ///
    /// At most 1,000 names are looked at, so that an answer may have fewer modules, and still not be the last.
    pub fn search(query: Query<T::AccountId>, after: Option<Vec<u8>>, limit: u32) -> PageOf<T> {
        let mut page = Page { modules: Vec::new(), next: None };
        let prefix: Vec<u8> = names::of_key(&names::key(&query.prefix)).to_vec();
        if prefix.len() != query.prefix.len() {
            // No name is that long, or has a zero in it.
            return page;
        }
        let after = after.map(|name| names::key(&name).to_vec());
        let start = after.filter(|after| *after >= prefix).unwrap_or_else(|| prefix.clone());
        let limit = usize::try_from(limit.clamp(1, MAX_ENTRIES)).unwrap_or(usize::MAX);
        let mut last = None;
        for (scanned, (key, id)) in (0..).zip(Self::entries(&query, &start)) {
            if !key.starts_with(&prefix) {
                break;
            }
            if page.modules.len() == limit || scanned == MAX_SCANNED {
                page.next = last;
                break;
            }
            let wanted = |view: &ViewOf<T>| query.model_type.is_none_or(|wanted| wanted == view.model_type);
            page.modules.extend(id.and_then(Self::module_view).filter(wanted));
            last = Some(names::of_key(&key).to_vec());
        }
        page
    }

    /// The names after `start` that a query must look at, from the index that narrows them down most.
    fn entries(query: &Query<T::AccountId>, start: &[u8]) -> Entries {
        // The raw key of a name without the name, and then `start`: a key cut off stands before all that begin with it.
        let from = |mut raw: Vec<u8>| {
            raw.truncate(raw.len().saturating_sub(size_of::<NameKey>()));
            raw.extend_from_slice(start);
            raw
        };
        let any = names::key(b"");
        let taken = |(key, id)| (key, Some(id));
        match (&query.owner, query.model_type) {
            (Some(owner), _) => {
                let raw = from(ModulesOfOwner::<T>::hashed_key_for(owner, any));
                Box::new(ModulesOfOwner::<T>::iter_prefix_from(owner, raw).map(taken))
            },
            (None, Some(model_type)) => {
                let raw = from(ModulesOfType::<T>::hashed_key_for(model_type, any));
                Box::new(ModulesOfType::<T>::iter_prefix_from(model_type, raw).map(taken))
            },
            (None, None) => {
                let raw = from(Names::<T>::hashed_key_for(any));
                Box::new(Names::<T>::iter_from(raw).map(|(key, state)| match state {
                    NameState::Taken(id) => (key, Some(id)),
                    NameState::Reserved { .. } => (key, None),
                }))
            },
        }
    }

    /// A module and everything that it is built on, in an order in which it can be built.
    ///
    /// # Errors
    ///
    /// If the module does not exist, or if what is below it has grown beyond the limits.
    pub fn pipeline(id: ModuleId) -> Result<Pipeline, PipelineError> {
        ensure!(Modules::<T>::contains_key(id), PipelineError::Unknown);
        pipeline::resolve(id, Self::pipeline_limits(), Dependencies::<T>::get)
    }

    /// The dependencies of a module that were removed.
    pub fn missing_dependencies(id: ModuleId) -> Vec<ModuleId> {
        let dependencies = Dependencies::<T>::get(id).unwrap_or_default();
        dependencies.into_iter().filter(|dependency| !Modules::<T>::contains_key(dependency)).collect()
    }

    /// What a name costs in this block, and whether it is free.
    ///
    /// # Errors
    ///
    /// If it is no name.
    pub fn price(name: &[u8]) -> Result<NamePrice<Balance, BlockNumberFor<T>>, NameError> {
        let name = Name::parse(name)?;
        let now = frame_system::Pallet::<T>::block_number();
        let state = Names::<T>::get(name.key())
            .filter(|state| !matches!(state, NameState::Reserved { until } if *until <= now));
        Ok(NamePrice { quote: T::PriceCurve::get().quote(name.as_bytes().len(), Self::demand()), state })
    }

    /// The type that a module with this name has, or would have.
    ///
    /// # Errors
    ///
    /// If it is no name.
    pub fn type_of_name(name: &[u8]) -> Result<ModelType, NameError> {
        Ok(Self::type_of(&Name::parse(name)?))
    }

    /// All types and their names, in the order of their numbers.
    pub fn model_types() -> Vec<(ModelType, Vec<u8>)> {
        let mut types: Vec<_> = Types::<T>::iter().map(|(id, name)| (id, name.into_inner())).collect();
        types.sort_unstable();
        types
    }

    fn view(id: ModuleId, module: ModuleOf<T>) -> ViewOf<T> {
        ModuleView {
            id,
            deposit: module.held(),
            name: module.name.as_bytes().to_vec(),
            owner: module.owner,
            offered_to: module.offered_to,
            endpoint: module.profile.endpoint.into_inner(),
            metadata: module.profile.metadata,
            description: module.profile.description.into_inner(),
            implementation: module.profile.implementation,
            version: module.version,
            model_type: module.model_type,
            role: module.role,
            parent: module.parent,
            children: module.children,
            dependencies: Dependencies::<T>::get(id).unwrap_or_default().into_inner(),
            missing: Self::missing_dependencies(id),
            dependents: Dependents::<T>::get(id),
            registered_at: module.registered_at,
            updated_at: module.updated_at,
        }
    }
}
