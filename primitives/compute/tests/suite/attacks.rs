//! Cheats in a small world. `scripts/attacks` has the study on word embeddings.

use ensemble_compute::{
    aggregation::{aggregate, align, Error, Member, Rejection, Rule},
    Machine,
};
use ensemble_compute_study::{
    attack::Attack,
    matrix,
    measure::{Kept, Neighbourhoods},
    world::{hand_in, widened, Random, World},
};
use ndarray::Array2;

use crate::common::settings;

const MEMBERS: usize = 15;

struct Round {
    krum: Kept,
    mean: Kept,
    rejections: Vec<Option<Rejection>>,
}

/// What members hand in if the first so many of fifteen cheat.
fn tables(world: &World, attack: Attack, cheats: usize) -> Vec<Array2<i16>> {
    let mut random = Random::new(78);
    let honest: Vec<_> = (cheats..MEMBERS).map(|_| world.contribution(&mut random)).collect();
    let mut tables = attack.tables(world, &honest, cheats, &mut random);
    tables.extend(honest);
    tables.iter().map(|table| hand_in(table.view(), &mut random)).collect()
}

/// Members of the same weight with these tables.
fn members(tables: &[Array2<i16>]) -> Vec<Member<'_>> {
    (0..).zip(tables).map(|(id, table)| Member { id: [id; 32], rank: 0, weight: 1, table: table.view() }).collect()
}

/// A round in which the first so many of fifteen cheat.
fn round(attack: Attack, cheats: usize) -> Round {
    round_in(World::clustered(600, 48, 77), attack, cheats)
}

fn round_in(world: World, attack: Attack, cheats: usize) -> Round {
    let tables = tables(&world, attack, cheats);
    let settings = settings(&world, Rule::MultiKrum);
    let alignment = align(&settings, &members(&tables), Machine::ONE_CORE).unwrap();
    let mean = alignment.mean().unwrap();
    let outcome = alignment.combine(Rule::MultiKrum, Machine::ONE_CORE).unwrap();
    let truth = Neighbourhoods::of(&world);
    Round {
        krum: truth.kept(&world, widened(outcome.table.view()).view()),
        mean: truth.kept(&world, widened(mean.view()).view()),
        rejections: outcome.reports.iter().map(|report| report.rejection).collect(),
    }
}

#[test]
fn five_of_fifteen_cheats_cost_little() {
    let without = round(Attack::FlipAll, 0);
    assert_eq!(without.rejections, [None; MEMBERS]);
    for attack in Attack::ALL {
        let Round { krum, rejections, .. } = round(attack, 5);
        assert!(krum.nearest > without.krum.nearest - 0.04, "{attack:?}: {krum:?} instead of {:?}", without.krum);
        assert!(krum.ten > without.krum.ten - 0.05, "{attack:?}: {krum:?} instead of {:?}", without.krum);
        assert_eq!(rejections[5..], [None; MEMBERS - 5], "{attack:?}: an honest member was rejected");
    }
}

#[test]
fn who_lies_about_most_rows_is_found_out() {
    for attack in
        [Attack::Flip, Attack::Collude, Attack::ColludeAll, Attack::Noise, Attack::NoiseAll, Attack::BadAnchors]
    {
        for cheats in [1, 3, 5, 6] {
            let found = round(attack, cheats).rejections;
            assert!(found[..cheats].iter().all(Option::is_some), "{attack:?}, {cheats}: {found:?}");
            assert_eq!(found[cheats..], vec![None; MEMBERS - cheats], "{attack:?}, {cheats}");
        }
    }
}

#[test]
fn the_mean_does_not_withstand_them() {
    let Round { krum, mean, .. } = round(Attack::Collude, 5);
    assert!(mean.nearest < krum.nearest - 0.2, "{mean:?}, {krum:?}");
}

/// Contributors so precise that what noise there is determines no rotation to loose anchors.
fn precise() -> World {
    let mut world = World::clustered(600, 48, 77);
    world.noise /= 8.0;
    world
}

#[test]
fn whom_hardly_anybody_can_be_turned_to_is_not_the_reference() {
    let without = round_in(precise(), Attack::LooseAnchors, 0).krum;
    for cheats in [1, 3, 5, 6] {
        let Round { krum, rejections, .. } = round_in(precise(), Attack::LooseAnchors, cheats);
        assert_eq!(rejections[cheats..], vec![None; MEMBERS - cheats], "{cheats}: an honest member was rejected");
        assert_eq!(rejections[..cheats], vec![Some(Rejection::IllConditioned); cheats]);
        assert!(krum.nearest > without.nearest - 0.01 && krum.ten > without.ten - 0.01, "{cheats}: {krum:?}");
    }
}

#[test]
fn a_round_with_more_loose_anchors_than_tolerated_fails() {
    let world = precise();
    let tables = tables(&world, Attack::LooseAnchors, 7);
    let found = aggregate(&settings(&world, Rule::MultiKrum), &members(&tables), Machine::ONE_CORE);
    assert_eq!(found, Err(Error::NoReference));
}

/// How far the combined matrix is from the true one if so many of fifteen bring a false one beside an honest table, by
/// rule: as a space combines it, and as the mean by influence would.
fn false_matrices(cheats: usize) -> [[f64; 2]; 3] {
    let world = World::clustered(600, 48, 77);
    let mut random = Random::new(79);
    let tables: Vec<_> = (0..MEMBERS).map(|_| world.contribution(&mut random)).collect();
    let contributions = matrix::contributions(&tables, cheats, &world, &mut random);
    let tables: Vec<_> = contributions.iter().map(|contribution| contribution.table.clone()).collect();
    let members = members(&tables);
    Rule::ALL.map(|rule| {
        let settings = settings(&world, rule);
        let outcome = aggregate(&settings, &members, Machine::ONE_CORE).unwrap();
        matrix::deviations(&settings, &contributions, &outcome, Machine::ONE_CORE).unwrap()
    })
}

#[test]
fn false_matrices_beside_honest_tables_cost_little() {
    for [trimmed, mean] in false_matrices(0) {
        assert!(trimmed < 0.6 && mean < 0.6, "{trimmed}, {mean}");
    }
    for cheats in [1, 3, 5] {
        for ([trimmed, mean], rule) in false_matrices(cheats).into_iter().zip(Rule::ALL) {
            assert!(trimmed < 1.0, "{rule:?}, {cheats} cheats: {trimmed} deviations");
            assert!(cheats == 1 || mean > 2.0, "{rule:?}, {cheats} cheats: {mean} deviations");
        }
    }
}
