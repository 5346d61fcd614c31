//! The page of the documentation is about the attacks that there are.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;

use ensemble_compute_study::attack::Attack;

const PAGE: &str = include_str!("../../../../docs/attacks.md");
const CHART: &str = include_str!("../../../../docs/attacks.svg");

#[test]
fn every_attack_has_its_row_under_every_rule() {
    let names: BTreeSet<_> = Attack::ALL.map(Attack::name).into();
    for rule in ["Multi-Krum", "Geometric median", "Trimmed mean", "Plain mean"] {
        let (_, section) = PAGE.split_once(&format!("## {rule}\n")).unwrap();
        let section = section.split("\n## ").next().unwrap();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
        let of =
            |row: &str| row.trim_end_matches(", joining last").trim_end_matches(", with the highest bonds").to_owned();
        let rows: BTreeSet<_> = rows.filter(|row| *row != "cheats").map(of).collect();
        assert_eq!(rows, names, "run scripts/attacks: {rule}");
    }
    for name in names {
        assert!(CHART.contains(&format!(">{name}<")), "run scripts/attacks: {name}");
    }
}
