//! One combination, from the members' contents to the bundle.

use std::sync::Arc;

use codec::Encode;
use ensemble_compute::{
    aggregation::{
        carry::{carry, combine_carried, Side},
        Member, Outcome, Settings,
    },
    Machine,
};
use ensemble_core::{
    combination::Combination,
    spaces::{Basis, Finding, MatrixSpec, Rejection, Report, REPORT, STATE},
    tasks::Descriptor,
};
use ensemble_tensor::{Bundle, Header, Kind, TensorId};
use ndarray::Array2;

use super::{
    contents::{self, Parts},
    limits,
};
use crate::tensors::{Guard, Store, StoreError};

/// Why a combination has no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The members are not those of a round.
    #[error("the members of a round stand in ascending order of their contents' ids, each once")]
    OutOfOrder,
    /// The matrices are not those of a space.
    #[error("a matrix has no shape or no name that a matrix beside these tables can have")]
    Matrices,
    /// The members' numbers would take too much memory.
    #[error("the members' numbers take {bytes} bytes together, and at most {limit} are combined")]
    TooLarge {
        /// Bytes of all tables and matrices.
        bytes: u64,
        /// Most bytes.
        limit: u64,
    },
    /// It would take too long.
    #[error("combining takes {work} products of two numbers, and at most {limit} are computed")]
    TooMuchWork {
        /// What it takes.
        work: u64,
        /// Most work.
        limit: u64,
    },
    /// The kernels refused.
    #[error(transparent)]
    Compute(#[from] ensemble_compute::aggregation::Error),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    /// Whether something that was held is not any more, so that fetching it once more helps.
    pub fn is_loss(&self) -> bool {
        matches!(self, Self::Store(StoreError::NotHeld(_) | StoreError::Damaged(_)))
    }
}

impl From<ensemble_tensor::Error> for Error {
    fn from(error: ensemble_tensor::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What comes of a combination.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Combined {
    /// The bundle.
    pub result: Descriptor,
    /// What it says of the members, in the order in which they were given.
    pub report: Report,
}

/// Combines contents that are held. The guard keeps the result in the store. Takes as long as it takes.
pub fn combine(store: &Arc<Store>, combination: &Combination, machine: Machine) -> Result<(Combined, Guard), Error> {
    let settings = limits::settings(combination)?;
    let contents: Vec<_> = combination.entrants.iter().map(|entrant| entrant.content).collect();
    let members = contents.iter().flat_map(|content| store.members(content).to_vec());
    let _guard = store.guard(&contents.iter().copied().chain(members).collect::<Vec<_>>());

    // Since it was ordered, a content may have gone, and come again restricted: then it is none that all may have.
    let is_restricted = |content: &&TensorId| store.holding(content).is_some_and(|holding| holding.restricted);
    if let Some(content) = contents.iter().find(is_restricted) {
        return Err(StoreError::NotHeld(*content).into());
    }

    let parts = contents.iter().map(|content| contents::parts(store, combination, content));
    let round = Round { store, combination, settings, parts: parts.collect::<Result<_, _>>()?, machine };
    let outcome = round.aggregate()?;
    let report = round.report(&outcome);
    let (result, guard) = round.write(outcome, &report)?;
    Ok((Combined { result, report }, guard))
}

struct Round<'a> {
    store: &'a Arc<Store>,
    combination: &'a Combination,
    settings: Settings,
    /// For each member; nothing for those whose contents have another shape.
    parts: Vec<Option<Parts>>,
    machine: Machine,
}

impl Round<'_> {
    /// The members whose contents have the right shape: in this order the outcome has them.
    fn fitting(&self) -> impl Iterator<Item = &Parts> {
        self.parts.iter().flatten()
    }

    /// Aligns and combines the tables.
    fn aggregate(&self) -> Result<Outcome, Error> {
        let tables = self.fitting().map(|parts| contents::numbers(self.store, &parts.table));
        let tables: Vec<_> = tables.collect::<Result<_, _>>()?;
        if tables.is_empty() {
            return Err(ensemble_compute::aggregation::Error::NobodyLeft.into());
        }
        let entrants = self.combination.entrants.iter().zip(&self.parts).filter(|(_, parts)| parts.is_some());
        let members = entrants.zip(&tables).map(|((entrant, _), table)| Member {
            id: entrant.content.0,
            rank: entrant.admitted.into(),
            weight: entrant.weight,
            table: table.view(),
        });
        Ok(ensemble_compute::aggregation::aggregate(&self.settings, &members.collect::<Vec<_>>(), self.machine)?)
    }

    fn report(&self, outcome: &Outcome) -> Report {
        let mut found = outcome.reports.iter();
        let findings = self.parts.iter().map(|parts| {
            let report = parts.as_ref().and_then(|_| found.next());
            report.map_or(Finding { rejection: Some(Rejection::WrongShape), distance: 0 }, finding)
        });
        // There are as many as entrants, of which there are not too many.
        Report::truncate_from(findings.collect())
    }

    /// Writes the table, the report and the matrices, then the bundle.
    fn write(&self, outcome: Outcome, report: &Report) -> Result<(Descriptor, Guard), Error> {
        let mut members = Members { store: self.store, ids: Vec::new(), guards: Vec::new() };
        let (header, data) = ensemble_compute::aggregation::table::to_tensor(outcome.table.view())?;
        members.put(STATE, header, &data)?;
        drop(data);
        let report = report.encode();
        members.put(REPORT, Header::bytes(report.len() as u64)?, &report)?;
        for (place, spec) in self.combination.matrices.iter().enumerate() {
            let matrix = self.matrix(place, spec, &outcome)?;
            let data: Vec<_> = matrix.iter().flat_map(|number| number.to_le_bytes()).collect();
            let name = std::str::from_utf8(&spec.name).unwrap_or_default();
            members.put(name, Header::new(Kind::I32, spec.rows, spec.cols)?, &data)?;
        }
        members.bind()
    }

    /// One of the matrices, made of those of the members that count.
    fn matrix(&self, place: usize, spec: &MatrixSpec, outcome: &Outcome) -> Result<Array2<i32>, Error> {
        let (mut carried, mut weights) = (Vec::new(), Vec::new());
        let entrants = self.combination.entrants.iter().zip(&self.parts);
        let fitting = entrants.filter_map(|(entrant, parts)| Some((entrant.weight, parts.as_ref()?)));
        let found = outcome.reports.iter().zip(&outcome.rotations);
        for ((weight, parts), (report, rotation)) in fitting.zip(found) {
            let (Some(id), Some(rotation)) = (parts.matrices.get(place), rotation) else { continue };
            if report.influence == 0 {
                continue;
            }
            let matrix = contents::numbers(self.store, id)?;
            carried.push(carry(matrix.view(), side(spec.basis), rotation, self.machine)?);
            weights.push(weight);
        }
        let views: Vec<_> = carried.iter().map(|matrix| matrix.view()).collect();
        Ok(combine_carried(&self.settings, &views, &weights)?)
    }
}

/// The members of a bundle as they are written, kept from being collected.
struct Members<'a> {
    store: &'a Arc<Store>,
    ids: Vec<(&'a str, TensorId)>,
    guards: Vec<Guard>,
}

impl<'a> Members<'a> {
    fn put(&mut self, name: &'a str, header: Header, data: &[u8]) -> Result<(), StoreError> {
        let id = self.store.put(header, data)?.id();
        self.guards.push(self.store.guard(&[id]));
        self.ids.push((name, id));
        Ok(())
    }

    /// Writes the bundle. The guard keeps it and its members.
    fn bind(self) -> Result<(Descriptor, Guard), Error> {
        let mut ids: Vec<_> = self.ids.iter().map(|(_, id)| *id).collect();
        let manifest = Bundle::encode(self.ids)?;
        let header = Bundle::header(&manifest)?;
        let outline = self.store.put(header, &manifest)?;
        ids.push(outline.id());
        let guard = self.store.guard(&ids);
        match self.store.holding(&outline.id()) {
            Some(_) => Ok((Descriptor { header, root: outline.root() }, guard)),
            // Something was removed while the rest was written.
            None => Err(StoreError::NotHeld(outline.id()).into()),
        }
    }
}

fn finding(report: &ensemble_compute::aggregation::Report) -> Finding {
    Finding { rejection: report.rejection.map(rejection), distance: report.distance.unwrap_or_default() }
}

fn rejection(rejection: ensemble_compute::aggregation::Rejection) -> Rejection {
    use ensemble_compute::aggregation::Rejection as Found;
    match rejection {
        Found::WrongDimension => Rejection::WrongShape,
        Found::AllZero => Rejection::AllZero,
        Found::Saturated => Rejection::Saturated,
        Found::RowTooLong => Rejection::RowTooLong,
        Found::Duplicate => Rejection::Duplicate,
        Found::IllConditioned => Rejection::IllConditioned,
        // Spaces have no members without weight.
        Found::NoWeight | Found::Outvoted => Rejection::Outvoted,
    }
}

fn side(basis: Basis) -> Side {
    match basis {
        Basis::Rows => Side::Rows,
        Basis::Cols => Side::Cols,
        Basis::Both => Side::Both,
    }
}
