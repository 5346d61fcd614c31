//! Types, patterns, and the types that modules have by them.

use ensemble_core::{
    modules::{OnRoleChanged, UNKNOWN},
    ModelType, ModuleId,
};
use frame_support::{ensure, pallet_prelude::*};

use crate::{
    defaults,
    names::{self, Name},
    patterns::{self, Pattern, PatternError, Rule},
    Balance, Config, Error, Event, ModuleOf, Modules, ModulesOfType, NamespacePatterns, NextType, Pallet, Patterns,
    TypeIds, TypeName, Types,
};

impl<T> From<PatternError> for Error<T> {
    fn from(error: PatternError) -> Self {
        match error {
            PatternError::TooShort => Self::PatternTooShort,
            PatternError::TooLong => Self::PatternTooLong,
            PatternError::Character => Self::PatternCharacter,
        }
    }
}

impl<T: Config> Pallet<T> {
    /// The type that a name has by the patterns of its namespaces, the nearest first, and the global ones.
    pub(crate) fn type_of(name: &Name) -> ModelType {
        let by_namespace = |(namespace, rest)| {
            let rules = NamespacePatterns::<T>::get(names::key(namespace));
            patterns::type_of(rest, |_| &rules)
        };
        let in_namespaces = name.namespaces().find_map(by_namespace);
        in_namespaces.or_else(|| patterns::type_of(name.as_bytes(), Patterns::<T>::get)).unwrap_or(UNKNOWN)
    }

    /// Gives a module a type and stores it. Who hears of the type then can read it as well.
    pub(crate) fn put_with_type(id: ModuleId, module: &mut ModuleOf<T>, to: ModelType) {
        let from = core::mem::replace(&mut module.model_type, to);
        Modules::<T>::insert(id, &*module);
        if from != to {
            let key = module.name.key();
            ModulesOfType::<T>::remove(from, key);
            ModulesOfType::<T>::insert(to, key, id);
            T::OnRoleChanged::on_type_changed(id, from, to);
            Self::deposit_event(Event::TypeChanged { module: id, from, to });
        }
    }

    pub(crate) fn do_refresh_type(id: ModuleId) -> DispatchResult {
        let mut module = Self::existing(id)?;
        let model_type = Self::type_of(&module.name);
        ensure!(model_type != module.model_type, Error::<T>::TypeUnchanged);

        Self::put_with_type(id, &mut module, model_type);
        Ok(())
    }

    pub(crate) fn do_add_type(name: &[u8]) -> DispatchResult {
        // A type's name is made like a pattern that is not half a word.
        let valid = Pattern::parse(name).is_ok() && !name.ends_with(b"-");
        ensure!(valid, Error::<T>::InvalidTypeName);
        let name = TypeName::try_from(name.to_vec()).map_err(|_| Error::<T>::InvalidTypeName)?;
        ensure!(!TypeIds::<T>::contains_key(&name), Error::<T>::TypeExists);
        let model_type = NextType::<T>::get();
        let next = model_type.checked_add(1).ok_or(Error::<T>::TooManyTypes)?;

        NextType::<T>::put(next);
        Types::<T>::insert(model_type, &name);
        TypeIds::<T>::insert(&name, model_type);
        Self::deposit_event(Event::TypeAdded { model_type, name });
        Ok(())
    }

    pub(crate) fn do_add_pattern(pattern: &[u8], model_type: ModelType) -> DispatchResult {
        let rule = Self::new_rule(pattern, model_type)?;
        let start = rule.pattern.start();
        let mut rules = Patterns::<T>::get(start);
        add::<T, _>(&mut rules, rule.clone())?;

        Patterns::<T>::insert(start, rules);
        Self::deposit_event(Event::PatternAdded { namespace: None, pattern: rule.pattern, model_type });
        Ok(())
    }

    pub(crate) fn do_remove_pattern(pattern: &[u8]) -> DispatchResult {
        let pattern = Pattern::parse(pattern).map_err(Error::<T>::from)?;
        let start = pattern.start();
        let mut rules = Patterns::<T>::get(start);
        let Rule { pattern, model_type } = take::<T, _>(&mut rules, &pattern)?;

        match rules.is_empty() {
            true => Patterns::<T>::remove(start),
            false => Patterns::<T>::insert(start, rules),
        }
        Self::deposit_event(Event::PatternRemoved { namespace: None, pattern, model_type });
        Ok(())
    }

    pub(crate) fn do_add_namespace_pattern(
        who: T::AccountId,
        id: ModuleId,
        pattern: &[u8],
        model_type: ModelType,
    ) -> DispatchResult {
        let mut module = Self::at_rest(&who, id)?;
        let rule = Self::new_rule(pattern, model_type)?;
        let key = module.name.key();
        let mut rules = NamespacePatterns::<T>::get(key);
        add::<T, _>(&mut rules, rule.clone())?;

        let deposit = T::PatternDeposit::get();
        Self::hold(&who, deposit)?;
        module.pattern_deposit = module.pattern_deposit.saturating_add(deposit);
        Modules::<T>::insert(id, module);
        NamespacePatterns::<T>::insert(key, rules);
        Self::deposit_event(Event::PatternAdded { namespace: Some(id), pattern: rule.pattern, model_type });
        Ok(())
    }

    pub(crate) fn do_remove_namespace_pattern(who: T::AccountId, id: ModuleId, pattern: &[u8]) -> DispatchResult {
        let mut module = Self::at_rest(&who, id)?;
        let pattern = Pattern::parse(pattern).map_err(Error::<T>::from)?;
        let key = module.name.key();
        let mut rules = NamespacePatterns::<T>::get(key);
        let count = rules.len() as Balance;
        let Rule { pattern, model_type } = take::<T, _>(&mut rules, &pattern)?;

        // Its part of what was held, whatever a pattern costs by now.
        let deposit = module.pattern_deposit.checked_div(count).unwrap_or_default();
        Self::release(&who, deposit)?;
        module.pattern_deposit = module.pattern_deposit.saturating_sub(deposit);
        Modules::<T>::insert(id, module);
        match rules.is_empty() {
            true => NamespacePatterns::<T>::remove(key),
            false => NamespacePatterns::<T>::insert(key, rules),
        }
        Self::deposit_event(Event::PatternRemoved { namespace: Some(id), pattern, model_type });
        Ok(())
    }

    fn new_rule(pattern: &[u8], model_type: ModelType) -> Result<Rule, Error<T>> {
        let pattern = Pattern::parse(pattern)?;
        ensure!(Types::<T>::contains_key(model_type), Error::<T>::UnknownType);
        Ok(Rule { pattern, model_type })
    }

    /// Writes the types and patterns that a chain begins with.
    pub(crate) fn put_defaults() {
        for (model_type, name) in defaults::TYPES {
            assert_eq!(NextType::<T>::get(), model_type, "the default types are numbered in their order");
            Self::do_add_type(name.as_bytes()).expect("a default type is valid");
        }
        for (model_type, patterns) in defaults::PATTERNS {
            for pattern in patterns {
                Self::do_add_pattern(pattern.as_bytes(), model_type)
                    .unwrap_or_else(|error| panic!("the default pattern {pattern} is refused: {error:?}"));
            }
        }
    }
}

/// Adds a rule to rules in the order of their patterns.
fn add<T: Config, Max: Get<u32>>(rules: &mut BoundedVec<Rule, Max>, rule: Rule) -> Result<(), Error<T>> {
    match rules.binary_search_by(|other| other.pattern.cmp(&rule.pattern)) {
        Ok(_) => Err(Error::PatternExists),
        Err(place) => rules.try_insert(place, rule).map_err(|_| Error::TooManyPatterns),
    }
}

/// Takes the rule with this pattern out of rules in the order of their patterns.
fn take<T: Config, Max: Get<u32>>(rules: &mut BoundedVec<Rule, Max>, pattern: &Pattern) -> Result<Rule, Error<T>> {
    let place = rules.binary_search_by(|rule| rule.pattern.cmp(pattern)).map_err(|_| Error::<T>::UnknownPattern)?;
    Ok(rules.remove(place))
}
