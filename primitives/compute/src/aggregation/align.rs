//! A round from its members to its outcome.

use alloc::{vec, vec::Vec};

use ndarray::{s, Array2, ArrayView2};

use crate::{
    aggregation::{
        columns::Columns,
        combine,
        distance::Distances,
        krum::{self, Slack},
        procrustes::{self, Rotation},
        reference, rows, screen, weights, Error, Outcome, Rejection, Report, Rule, Settings,
    },
    parallel, Machine,
};

/// What one member hands in.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// Id of the content: decides between members who are alike in everything else.
    pub id: [u8; 32],
    /// Of members with equal tables the one with the lowest rank stays. Who hands in another's table comes after it.
    pub rank: u64,
    /// How much it counts, in any unit.
    pub weight: u128,
    /// Its table. A number stands for itself divided by 2^15; rows have unit length, about.
    pub table: ArrayView2<'a, i16>,
}

/// Members in one basis.
#[derive(Clone, Debug)]
pub struct Alignment {
    settings: Settings,
    /// For each member as given.
    rejections: Vec<Option<Rejection>>,
    /// The aligned ones, by their place among all; the following have the same order.
    places: Vec<usize>,
    weights: Vec<u64>,
    rotations: Vec<Option<Rotation>>,
    tables: Vec<Array2<i16>>,
    distances: Distances,
}

/// Aligns the members' tables and makes one table of them by the rule of the settings.
///
/// Fails if the settings or the number of members are outside the limits, and if no member can be used. A member that
/// cannot be used is rejected with its reason, and the round goes on without it.
pub fn aggregate(settings: &Settings, members: &[Member<'_>], machine: Machine) -> Result<Outcome, Error> {
    align(settings, members, machine)?.combine(settings.rule, machine)
}

/// Checks the members and turns the tables of those who pass into one basis.
///
/// The basis is that of the member whose anchors lie nearest to most others', in distances that no rotation changes, and to
/// whom most can be turned. Then all are aligned once more, to the mean of those whom Multi-Krum selects (generalised
/// Procrustes: J. C. Gower, Psychometrika 40, 1975), which has less noise than any one of them. Fails as [`aggregate`]
/// does.
pub fn align(settings: &Settings, members: &[Member<'_>], machine: Machine) -> Result<Alignment, Error> {
    settings.check(members.len())?;
    let mut rejections = screen::screen(&settings.shape, members);
    let mut places: Vec<_> = (0..members.len()).filter(|place| is_free(&rejections, *place)).collect();
    places.sort_by_key(|place| members.get(*place).map(|member| member.id));

    let mut anchors = anchors(settings, members, &places);
    let sound = reference::well_conditioned(&anchors, machine);
    reject(&mut rejections, &places, &sound);
    keep(&mut places, &sound);
    keep(&mut anchors, &sound);
    let weights = weights_of(members, &places);
    let rotations = reference::choose(&anchors, &weights, settings.tolerated, machine)?;

    let tables = vec![Array2::zeros(settings.shape.dim()); places.len()];
    let distances = Distances::between(&[], 1, machine);
    let mut alignment = Alignment { settings: *settings, rejections, places, weights, rotations, tables, distances };
    alignment.turn(members, machine);
    alignment.refine(&anchors, machine);
    drop(anchors);
    alignment.leave_out();
    alignment.turn(members, machine);
    Ok(alignment)
}

fn is_free(rejections: &[Option<Rejection>], place: usize) -> bool {
    rejections.get(place).is_some_and(Option::is_none)
}

fn weights_of(members: &[Member<'_>], places: &[usize]) -> Vec<u64> {
    let weights: Vec<_> = places.iter().filter_map(|place| members.get(*place)).map(|member| member.weight).collect();
    weights::reduce(&weights)
}

fn anchors(settings: &Settings, members: &[Member<'_>], places: &[usize]) -> Vec<Columns> {
    let count = settings.shape.anchors as usize;
    let tables = places.iter().filter_map(|place| members.get(*place)).map(|member| member.table);
    tables.map(|table| Columns::of(table.slice(s![..count, ..]))).collect()
}

/// Rejects those whose anchors determine no rotation.
fn reject(rejections: &mut [Option<Rejection>], places: &[usize], sound: &[bool]) {
    for (place, _) in places.iter().zip(sound).filter(|(_, sound)| !**sound) {
        if let Some(rejection) = rejections.get_mut(*place) {
            *rejection = Some(Rejection::IllConditioned);
        }
    }
}

/// Keeps the items that are sound.
fn keep<T>(items: &mut Vec<T>, sound: &[bool]) {
    let mut sound = sound.iter();
    items.retain(|_| sound.next().is_some_and(|sound| *sound));
}

impl Alignment {
    /// Rotates every table anew and measures how far they are from each other. Who has no rotation has no weight.
    fn turn(&mut self, members: &[Member<'_>], machine: Machine) {
        let (places, rotations) = (&self.places, &self.rotations);
        let member = |number: usize| places.get(number).and_then(|place| members.get(*place));
        parallel::for_each(machine, &mut self.tables, |number, out| {
            if let (Some(member), Some(Some(rotation))) = (member(number), rotations.get(number)) {
                rotation.apply_to(member.table, machine, out);
            }
        });
        let weight = |(number, rotation): (usize, &Option<Rotation>)| {
            let aligned = member(number).filter(|_| rotation.is_some());
            aligned.map_or(0, |member| member.weight)
        };
        self.weights = weights::reduce(&rotations.iter().enumerate().map(weight).collect::<Vec<_>>());
        let tables: Vec<_> = self.tables.iter().map(|table| table.as_slice().unwrap_or_default()).collect();
        self.distances = Distances::between(&tables, self.settings.shape.cols as usize, machine);
    }

    /// Replaces the rotations by those to the mean of the members who are selected. Who has none to it keeps the old one,
    /// and who had none to the reference may have one now.
    fn refine(&mut self, anchors: &[Columns], machine: Machine) {
        let count = self.settings.shape.anchors as usize;
        let views: Vec<_> = self.tables.iter().map(|table| table.slice(s![..count, ..])).collect();
        let Ok(mean) = combine::mean(&views, &self.selected()) else { return };
        let mean = Columns::of(mean.view());
        parallel::for_each(machine, &mut self.rotations, |place, rotation| {
            let found = anchors.get(place).and_then(|anchors| procrustes::between(anchors, &mean, machine));
            if found.is_some() {
                *rotation = found;
            }
        });
    }

    /// Rejects those who have no rotation.
    fn leave_out(&mut self) {
        let aligned: Vec<_> = self.rotations.iter().map(Option::is_some).collect();
        reject(&mut self.rejections, &self.places, &aligned);
        keep(&mut self.places, &aligned);
        keep(&mut self.tables, &aligned);
        keep(&mut self.rotations, &aligned);
    }

    /// The influence of each aligned member by Multi-Krum.
    fn selected(&self) -> Vec<u64> {
        let tolerated = self.settings.tolerated;
        let selected = krum::select(&self.distances, &self.weights, tolerated, Slack::TABLES);
        krum::influence(&self.distances, &self.weights, tolerated, &selected)
    }

    /// Makes one table of the aligned ones.
    pub fn combine(self, rule: Rule, machine: Machine) -> Result<Outcome, Error> {
        let (table, influence) = self.table(rule, machine)?;
        Ok(self.outcome(table, &influence, machine))
    }

    /// The table made of all, and the influence of each.
    fn table(&self, rule: Rule, machine: Machine) -> Result<(Array2<i16>, Vec<u64>), Error> {
        let views: Vec<_> = self.tables.iter().map(|table| table.view()).collect();
        Ok(match rule {
            Rule::MultiKrum => {
                let influence = self.selected();
                let (tables, weights): (Vec<_>, Vec<_>) =
                    self.tables.iter().zip(&influence).filter(|(_, part)| **part > 0).unzip();
                (rows::mean(&tables, &weights, self.settings.tolerated, machine), influence)
            },
            Rule::GeometricMedian => {
                let influence = combine::median_weights(&self.distances, &self.weights);
                (combine::mean(&views, &influence)?, influence)
            },
            Rule::TrimmedMean => {
                let trimmed = weights::tolerated(&self.weights, self.settings.tolerated);
                (combine::trimmed_mean(&views, &self.weights, trimmed)?, self.weights.clone())
            },
        })
    }

    /// The mean of all aligned members by weight. It withstands no cheat: it is there to be compared with.
    pub fn mean(&self) -> Result<Array2<i16>, Error> {
        let views: Vec<_> = self.tables.iter().map(|table| table.view()).collect();
        combine::mean(&views, &self.weights)
    }

    fn outcome(self, table: Array2<i16>, influence: &[u64], machine: Machine) -> Outcome {
        let distances = self.distances_to(&table, machine);
        let limit = 2 * u128::from(self.middle(&distances));
        let blank = |rejection: &Option<Rejection>| Report { rejection: *rejection, distance: None, influence: 0 };
        let mut reports: Vec<_> = self.rejections.iter().map(blank).collect();
        let mut rotations = vec![None; self.rejections.len()];
        let found = influence.iter().zip(&distances).zip(self.rotations);
        for (place, ((influence, distance), rotation)) in self.places.iter().zip(found) {
            let outvoted = *influence == 0 || u128::from(*distance) > limit;
            if let (Some(report), Some(turned)) = (reports.get_mut(*place), rotations.get_mut(*place)) {
                let rejection = outvoted.then_some(Rejection::Outvoted);
                *report = Report { rejection, distance: Some(*distance), influence: *influence };
                *turned = rotation;
            }
        }
        Outcome { table, reports, rotations }
    }

    /// Mean squared distance of the rows of each aligned table to the result.
    fn distances_to(&self, table: &Array2<i16>, machine: Machine) -> Vec<u64> {
        let (rows, cols) = self.settings.shape.dim();
        let result = table.as_slice().unwrap_or_default();
        let own = machine.inner(result, result, cols);
        let distance = |numbers: &[i16]| {
            let square = own + machine.inner(numbers, numbers, cols) - 2 * machine.inner(numbers, result, cols);
            square.unsigned_abs() / rows.max(1) as u64
        };
        self.tables.iter().map(|table| distance(table.as_slice().unwrap_or_default())).collect()
    }

    /// The median of the distances, by weight.
    fn middle(&self, distances: &[u64]) -> u64 {
        let weights = self.weights.iter().map(|weight| u128::from(*weight));
        weights::median(distances.iter().copied().zip(weights).collect())
    }
}
