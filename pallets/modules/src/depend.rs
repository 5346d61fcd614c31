//! Declaring what modules are built on.

use alloc::vec::Vec;

use ensemble_core::{modules::PipelineError, ModuleId};
use frame_support::{dispatch::PostDispatchInfo, ensure, pallet_prelude::*};

use crate::{
    pipeline::{self, Limits},
    Config, Dependencies, DependenciesOf, Dependents, Error, Event, Pallet, WeightInfo,
};

impl<T> From<PipelineError> for Error<T> {
    fn from(error: PipelineError) -> Self {
        match error {
            PipelineError::Unknown => Self::UnknownModule,
            PipelineError::Cycle => Self::DependencyCycle,
            PipelineError::TooDeep => Self::PipelineTooDeep,
            PipelineError::TooLong => Self::PipelineTooLong,
        }
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_set_dependencies(
        who: T::AccountId,
        id: ModuleId,
        dependencies: Vec<ModuleId>,
    ) -> DispatchResultWithPostInfo {
        Self::at_rest(&who, id)?;
        let new = DependenciesOf::<T>::try_from(dependencies).map_err(|_| Error::<T>::TooManyDependencies)?;
        let old = Dependencies::<T>::get(id).unwrap_or_default();
        ensure!(new != old, Error::<T>::NothingToChange);
        Self::check_dependencies(&new)?;
        let walked = Self::walk(id, &new)?;

        old.iter().for_each(|dependency| Self::count_dependent(*dependency, |count| count.saturating_sub(1)));
        new.iter().for_each(|dependency| Self::count_dependent(*dependency, |count| count.saturating_add(1)));
        Dependencies::<T>::insert(id, &new);
        Self::deposit_event(Event::DependenciesSet { module: id, dependencies: new.into_inner() });
        let weight = <T as Config>::WeightInfo::set_dependencies(walked.max(Self::least_walked()));
        Ok(PostDispatchInfo { actual_weight: Some(weight), pays_fee: Pays::Yes })
    }

    fn check_dependencies(dependencies: &[ModuleId]) -> Result<(), Error<T>> {
        let mut sorted = dependencies.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        ensure!(sorted.len() == dependencies.len(), Error::<T>::DuplicateDependency);
        ensure!(sorted.iter().all(Dependencies::<T>::contains_key), Error::<T>::UnknownDependency);
        Ok(())
    }

    /// Walks what `id` would be built on, and gives the number of modules met.
    fn walk(id: ModuleId, dependencies: &DependenciesOf<T>) -> Result<u32, Error<T>> {
        let below = |module| match module == id {
            true => Some(dependencies.clone()),
            false => Dependencies::<T>::get(module),
        };
        let pipeline = pipeline::resolve(id, Self::pipeline_limits(), below)?;
        Ok(pipeline::size(&pipeline))
    }

    /// The smallest pipeline of a module with as many dependencies as it may have. Nobody is charged for less, so that
    /// the weight of counting its dependents need not grow with `n`.
    pub(crate) fn least_walked() -> u32 {
        T::MaxDependencies::get().saturating_add(1)
    }

    pub(crate) fn pipeline_limits() -> Limits {
        Limits { depth: T::MaxDepth::get(), modules: T::MaxPipeline::get() }
    }

    /// Counts those that are built on a module, if it still exists.
    fn count_dependent(module: ModuleId, count: impl FnOnce(u32) -> u32) {
        if !Dependencies::<T>::contains_key(module) {
            return;
        }
        Dependents::<T>::mutate_exists(module, |dependents| {
            let counted = count(dependents.unwrap_or_default());
            *dependents = (counted > 0).then_some(counted);
        });
    }

    /// Drops what a module is built on, and gives the number of those that were built on it.
    pub(crate) fn forget_dependencies(id: ModuleId) -> u32 {
        let old = Dependencies::<T>::take(id).unwrap_or_default();
        old.iter().for_each(|dependency| Self::count_dependent(*dependency, |count| count.saturating_sub(1)));
        Dependents::<T>::take(id)
    }
}
