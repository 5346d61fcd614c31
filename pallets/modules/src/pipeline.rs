//! Resolving what modules are built on. Pure: it is told of each module what that names.
//!
//! A depth-first walk (Tarjan, Depth-first search and linear graph algorithms, 1972) that stops at a depth and at a
//! number of modules. A module is put into the order when all below it are there, so that the order is one in which
//! everything can be built.

use alloc::collections::BTreeMap;

use ensemble_core::{
    modules::{Pipeline, PipelineError},
    ModuleId,
};
use frame_support::ensure;

/// How far a walk goes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most modules in a chain, each built on the next.
    pub depth: u32,
    /// Most modules in all, those removed included.
    pub modules: u32,
}

/// Resolves what `root` is built on. `dependencies` gives none for a module that was removed.
///
/// # Errors
///
/// If a module is built on itself, or if a limit is passed. [`PipelineError::Unknown`] never.
pub fn resolve<D: AsRef<[ModuleId]>>(
    root: ModuleId,
    limits: Limits,
    dependencies: impl FnMut(ModuleId) -> Option<D>,
) -> Result<Pipeline, PipelineError> {
    let mut walk = Walk { limits, dependencies, visited: BTreeMap::new(), pipeline: Pipeline::default() };
    walk.visit(root, 1)?;
    Ok(walk.pipeline)
}

struct Walk<F> {
    limits: Limits,
    dependencies: F,
    /// The modules met, with the length of the longest chain from each downwards; none while it is being walked.
    visited: BTreeMap<ModuleId, Option<u32>>,
    pipeline: Pipeline,
}

impl<D: AsRef<[ModuleId]>, F: FnMut(ModuleId) -> Option<D>> Walk<F> {
    /// Walks down from a module that stands `depth` deep, and gives the length of the longest chain from it.
    fn visit(&mut self, module: ModuleId, depth: u32) -> Result<u32, PipelineError> {
        match self.visited.get(&module) {
            Some(Some(height)) => {
                ensure!(depth.saturating_add(*height) <= self.limits.depth.saturating_add(1), PipelineError::TooDeep);
                return Ok(*height);
            },
            Some(None) => return Err(PipelineError::Cycle),
            None => (),
        }
        ensure!(depth <= self.limits.depth, PipelineError::TooDeep);
        ensure!(self.visited.len() < count(self.limits.modules), PipelineError::TooLong);
        self.visited.insert(module, None);
        let height = self.descend(module, depth)?;
        self.visited.insert(module, Some(height));
        Ok(height)
    }

    fn descend(&mut self, module: ModuleId, depth: u32) -> Result<u32, PipelineError> {
        let Some(below) = (self.dependencies)(module) else {
            self.pipeline.missing.push(module);
            return Ok(1);
        };
        let mut height = 0;
        for dependency in below.as_ref() {
            height = self.visit(*dependency, depth.saturating_add(1))?.max(height);
        }
        self.pipeline.order.push(module);
        Ok(height.saturating_add(1))
    }
}

fn count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Number of modules that a pipeline has, those removed included.
pub fn size(pipeline: &Pipeline) -> u32 {
    u32::try_from(pipeline.order.len().saturating_add(pipeline.missing.len())).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { depth: 4, modules: 8 };

    /// Resolves from 0; module `i` is built on `graph[i]`, and what is not in the graph was removed.
    fn resolved(graph: &[&[ModuleId]]) -> Result<Pipeline, PipelineError> {
        resolve(0, LIMITS, |id| graph.get(id as usize).copied())
    }

    #[test]
    fn what_is_below_comes_first() {
        let pipeline = resolved(&[&[1, 2], &[3], &[3], &[]]).unwrap();
        assert_eq!(pipeline, Pipeline { order: vec![3, 1, 2, 0], missing: vec![] });
        assert_eq!(resolved(&[&[]]).unwrap().order, [0]);
    }

    #[test]
    fn what_was_removed_is_named() {
        let pipeline = resolved(&[&[1, 9], &[8, 9]]).unwrap();
        assert_eq!(pipeline, Pipeline { order: vec![1, 0], missing: vec![8, 9] });
        assert_eq!(size(&pipeline), 4);
    }

    #[test]
    fn cycles() {
        assert_eq!(resolved(&[&[0]]), Err(PipelineError::Cycle));
        assert_eq!(resolved(&[&[1], &[2], &[0]]), Err(PipelineError::Cycle));
        assert_eq!(resolved(&[&[1], &[2], &[1]]), Err(PipelineError::Cycle));
    }

    #[test]
    fn limits() {
        assert!(resolved(&[&[1], &[2], &[3], &[]]).is_ok());
        assert_eq!(resolved(&[&[1], &[2], &[3], &[4], &[]]), Err(PipelineError::TooDeep));
        // The chain 0, 4, 1, 2, 3 is met when 1 was walked already.
        assert_eq!(resolved(&[&[1, 4], &[2], &[3], &[], &[1]]), Err(PipelineError::TooDeep));
        assert!(resolved(&[&[1, 2, 3, 4, 5, 6, 7], &[], &[], &[], &[], &[], &[]]).is_ok());
        assert_eq!(resolved(&[&[1, 2, 3, 4, 5, 6, 7, 8], &[], &[], &[], &[]]), Err(PipelineError::TooLong));
    }

    /// The longest chain from a module, by definition; none if it never ends.
    fn longest(graph: &[Vec<ModuleId>], from: ModuleId, fuel: u32) -> Option<u32> {
        let fuel = fuel.checked_sub(1)?;
        let below = graph.get(from as usize).map_or(&[][..], Vec::as_slice);
        below.iter().try_fold(1, |most, id| Some(longest(graph, *id, fuel)?.saturating_add(1).max(most)))
    }

    proptest! {
        #[test]
        fn every_graph_is_resolved_or_refused(
            graph in prop::collection::vec(prop::collection::vec(0u32..10, 0..4), 1..9),
        ) {
            let limits = Limits { depth: 4, modules: 10 };
            let longest = longest(&graph, 0, 12);
            match resolve(0, limits, |id| graph.get(id as usize)) {
                Ok(Pipeline { order, missing }) => {
                    prop_assert!(longest.is_some_and(|longest| longest <= 4));
                    let place = |id: ModuleId| order.iter().position(|other| *other == id);
                    for (at, id) in order.iter().enumerate() {
                        for below in &graph[*id as usize] {
                            match place(*below) {
                                Some(before) => prop_assert!(before < at),
                                None => prop_assert!(missing.contains(below)),
                            }
                        }
                    }
                    prop_assert_eq!(order.last(), Some(&0));
                },
                Err(_) => prop_assert!(longest.is_none_or(|longest| longest > 4)),
            }
        }
    }
}
