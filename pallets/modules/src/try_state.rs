//! Recomputes every total and index from the modules and says which one is off.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use ensemble_core::{modules::NameState, ModuleId};
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::{
    traits::{One, Saturating},
    TryRuntimeError,
};

use crate::{
    names::{self, NameKey},
    patterns::Rule,
    Balance, Config, Dependencies, Dependents, HoldReason, ModuleOf, Modules, ModulesOfOwner, ModulesOfType,
    NameDemand, Names, NamespacePatterns, NextModuleId, NextType, Pallet, Patterns, ReleaseQueue, Releases, TypeIds,
    Types,
};

type Check = Result<(), TryRuntimeError>;
type All<T> = BTreeMap<ModuleId, ModuleOf<T>>;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_try_state() -> Check {
        let modules: All<T> = Modules::<T>::iter().collect();
        for (id, module) in &modules {
            Self::check_module(*id, module)?;
        }
        Self::check_family(&modules)?;
        Self::check_indexes(&modules)?;
        Self::check_dependencies_of(&modules)?;
        Self::check_holds(&modules)?;
        Self::check_releases()?;
        Self::check_types_and_patterns(&modules)
    }

    fn check_module(id: ModuleId, module: &ModuleOf<T>) -> Check {
        let key = module.name.key();
        ensure!(id < NextModuleId::<T>::get(), "a module has a number that was not given out");
        ensure!(Names::<T>::get(key) == Some(NameState::Taken(id)), "a module does not have its name");
        ensure!(ModulesOfOwner::<T>::get(&module.owner, key) == Some(id), "a module is not among its owner's");
        ensure!(ModulesOfType::<T>::get(module.model_type, key) == Some(id), "a module is not among its type's");
        ensure!(Types::<T>::contains_key(module.model_type), "a module's type does not exist");
        ensure!(Dependencies::<T>::contains_key(id), "a module has no list of dependencies");
        ensure!(module.offered_to.as_ref() != Some(&module.owner), "a module is offered to its owner");
        Ok(())
    }

    /// Parents have the names that their children say, and as many children as there are.
    fn check_family(modules: &All<T>) -> Check {
        let mut children = BTreeMap::<ModuleId, u32>::new();
        for module in modules.values() {
            let namespace = module.name.namespaces().next().map(|(namespace, _)| names::key(namespace));
            let parent = module.parent.map(|parent| modules.get(&parent).map(|parent| parent.name.key()));
            ensure!(namespace.map(Some) == parent, "a module's parent is not its namespace");
            if let Some(parent) = module.parent {
                children.entry(parent).or_default().saturating_inc();
            }
        }
        let counted =
            |(id, module): (&ModuleId, &ModuleOf<T>)| module.children == children.get(id).copied().unwrap_or_default();
        ensure!(modules.iter().all(counted), "the number of a module's children is off");
        Ok(())
    }

    /// Every index has exactly one entry for each module; that each module has one was checked with it.
    fn check_indexes(modules: &All<T>) -> Check {
        let taken = Names::<T>::iter_values().filter(|state| matches!(state, NameState::Taken(_))).count();
        ensure!(taken == modules.len(), "a name is taken by no module");
        ensure!(ModulesOfOwner::<T>::iter_keys().count() == modules.len(), "an owner has a module that is not its own");
        ensure!(ModulesOfType::<T>::iter_keys().count() == modules.len(), "a type has a module of another");
        ensure!(Dependencies::<T>::iter_keys().count() == modules.len(), "a list of dependencies has no module");
        Ok(())
    }

    fn check_dependencies_of(modules: &All<T>) -> Check {
        let mut dependents = BTreeMap::<ModuleId, Vec<ModuleId>>::new();
        let mut waiting = BTreeMap::<ModuleId, u32>::new();
        for (id, dependencies) in Dependencies::<T>::iter() {
            waiting.insert(id, 0);
            ensure!(dependencies.iter().all(|id| *id < NextModuleId::<T>::get()), "a dependency never existed");
            for dependency in dependencies.into_iter().filter(|dependency| modules.contains_key(dependency)) {
                dependents.entry(dependency).or_default().push(id);
                waiting.entry(id).or_default().saturating_inc();
            }
        }
        let counted = |(id, dependents): (&ModuleId, &Vec<ModuleId>)| {
            usize::try_from(Dependents::<T>::get(id)) == Ok(dependents.len())
        };
        let entries = Dependents::<T>::iter_keys().count();
        ensure!(entries == dependents.len(), "the number of a module's dependents is off");
        ensure!(dependents.iter().all(counted), "the number of a module's dependents is off");
        ensure!(can_be_built(waiting, &dependents), "a module is built on itself");
        Ok(())
    }

    /// What is held is what the modules say, account by account, and nothing is held for patterns where there are none.
    fn check_holds(modules: &All<T>) -> Check {
        let mut deposits = BTreeMap::<T::AccountId, Balance>::new();
        for module in modules.values() {
            let deposit = deposits.entry(module.owner.clone()).or_default();
            *deposit = deposit.saturating_add(module.held());
            let patterns = NamespacePatterns::<T>::contains_key(module.name.key());
            ensure!(patterns || module.pattern_deposit == 0, "a deposit is held for patterns that are gone");
        }
        let reason = HoldReason::Module.into();
        let held = deposits.iter().all(|(who, sum)| T::Currency::balance_on_hold(&reason, who) == *sum);
        ensure!(held, "an owner's deposits are not what is held");
        Ok(())
    }

    /// Every reserved name will be freed, in order.
    fn check_releases() -> Check {
        let queue = ReleaseQueue::<T>::get();
        let entries: BTreeMap<_, _> = Releases::<T>::iter().collect();
        let in_use = entries.keys().copied().eq(queue.first..queue.end);
        ensure!(in_use, "the queue of releases is not what it says");
        let due: BTreeMap<NameKey, _> = entries.values().map(|release| (release.name, release.due)).collect();
        ensure!(entries.values().map(|release| release.due).is_sorted(), "the queue of releases is out of order");
        for (name, state) in Names::<T>::iter() {
            if let NameState::Reserved { until } = state {
                ensure!(due.get(&name) == Some(&until), "a reserved name will not be freed");
            }
        }
        ensure!(NameDemand::<T>::get().factor >= One::one(), "demand is less than none");
        Ok(())
    }

    fn check_types_and_patterns(modules: &All<T>) -> Check {
        let types: BTreeMap<_, _> = Types::<T>::iter().collect();
        ensure!(types.keys().copied().eq(0..NextType::<T>::get()), "a type is missing");
        let by_name = types.iter().all(|(id, name)| TypeIds::<T>::get(name) == Some(*id));
        ensure!(by_name && TypeIds::<T>::iter_keys().count() == types.len(), "the types and their names differ");
        let known = |rules: &[Rule]| rules.iter().all(|rule| types.contains_key(&rule.model_type));
        let sound = |rules: &[Rule]| !rules.is_empty() && rules.is_sorted_by(|a, b| a.pattern < b.pattern);
        for (start, rules) in Patterns::<T>::iter() {
            ensure!(known(&rules), "a pattern's type does not exist");
            ensure!(sound(&rules), "patterns are out of order");
            ensure!(rules.iter().all(|rule| rule.pattern.start() == start), "a pattern cannot be found");
        }
        let names: BTreeSet<_> = modules.values().map(|module| module.name.key()).collect();
        for (namespace, rules) in NamespacePatterns::<T>::iter() {
            ensure!(names.contains(&namespace), "patterns have no namespace");
            ensure!(known(&rules), "a pattern's type does not exist");
            ensure!(sound(&rules), "patterns are out of order");
        }
        Ok(())
    }
}

/// Whether all modules can be put into an order in which each comes after those that it is built on, `waiting` for so
/// many of them (Kahn, Topological sorting of large networks, 1962).
fn can_be_built(mut waiting: BTreeMap<ModuleId, u32>, dependents: &BTreeMap<ModuleId, Vec<ModuleId>>) -> bool {
    let mut ready: Vec<ModuleId> = waiting.iter().filter(|(_, count)| **count == 0).map(|(id, _)| *id).collect();
    let mut built = 0;
    while let Some(id) = ready.pop() {
        built += 1;
        for dependent in dependents.get(&id).into_iter().flatten() {
            let Some(count) = waiting.get_mut(dependent) else { continue };
            count.saturating_dec();
            if *count == 0 {
                ready.push(*dependent);
            }
        }
    }
    built == waiting.len()
}
