//! What a combination results in.

use codec::Decode;
use ensemble_core::{
    spaces::{Basis, Finding, Report, Rule, MAX_MANIFEST_BYTES, MAX_REPORT_BYTES, REPORT, STATE},
    tasks::Descriptor,
};
use ensemble_tensor::{Bundle, Kind};
use ndarray::Array2;

use super::*;
use crate::tensors::StoreError;

#[test]
fn the_table_and_the_report_are_in_a_bundle_that_is_kept_and_not_pinned() {
    let lab = Lab::new();
    let combination = round(lab.honest(6));
    let (combined, guard) = combine(&lab.store, &combination, Machine::ONE_CORE).unwrap();

    let id = combined.result.id();
    let holding = lab.store.holding(&id).unwrap();
    assert!(!holding.pinned && holding.is_verified());
    for id in lab.store.members(&id).iter().chain([&id]) {
        assert!(matches!(lab.store.remove(id), Err(StoreError::InUse(used)) if used == *id));
    }
    assert_eq!(holding.header, combined.result.header);
    let (header, report) = lab.member(&combined, REPORT);
    assert_eq!(header.kind(), Kind::Bytes);
    assert_eq!(Report::decode(&mut &report[..]).unwrap(), combined.report);
    assert_eq!(combined.report.len(), 6);
    for finding in &combined.report {
        assert!(matches!(finding, Finding { rejection: None, distance: 1.. }), "{finding:?}");
    }
    drop(guard);
    lab.store.remove(&id).unwrap();
}

#[test]
fn every_rule_finds_what_all_see() {
    let lab = Lab::new();
    let truth = float(&truth());
    let products = truth.dot(&truth.t());
    for rule in [Rule::MultiKrum, Rule::GeometricMedian, Rule::TrimmedMean] {
        let combined = lab.combine(&Combination { rule, ..round(lab.honest(7)) }).unwrap();
        let state = lab.array(&combined, STATE);
        // A rotation changes no product of rows.
        assert!(deviation(&state.dot(&state.t()), &products) < 0.02, "{rule:?}");
    }
}

/// Three matrices beside a table: on every side that can be in a member's basis.
fn with_matrices(lab: &Lab, members: u64) -> (Combination, [Array2<i16>; 3]) {
    let mut random = Random(5);
    let mut matrix = |rows, cols| Array2::from_shape_simple_fn((rows, cols), || random.within(8_000));
    let matrices = [matrix(COLS, COLS), matrix(COLS, 3), matrix(3, COLS)];
    let [both, takes, gives] = &matrices;
    let contents = (0..members).map(|member| {
        let turn = Turn::of(member);
        lab.bundle(&[
            (STATE, lab.table(&turn.rows(&noisy(member)))),
            ("both", lab.table(&turn.takes(&turn.rows(both)))),
            ("takes", lab.table(&turn.takes(takes))),
            ("gives", lab.table(&turn.rows(gives))),
        ])
    });
    let combination = round(contents.collect());
    let specs = vec![
        matrix_spec("both", 8, 8, Basis::Both),
        matrix_spec("takes", 8, 3, Basis::Rows),
        matrix_spec("gives", 3, 8, Basis::Cols),
    ];
    (Combination { matrices: BoundedVec::truncate_from(specs), ..combination }, matrices)
}

#[test]
fn matrices_do_in_the_common_basis_what_they_did_in_the_members() {
    let lab = Lab::new();
    let (combination, matrices) = with_matrices(&lab, 6);
    let combined = lab.combine(&combination).unwrap();
    let [both, takes, gives] = matrices.map(|matrix| float(&matrix));
    let (truth, state) = (float(&truth()), lab.array(&combined, STATE));
    let carried = |name: &str| lab.array(&combined, name);

    let products = truth.dot(&both).dot(&truth.t());
    assert!(deviation(&state.dot(&carried("both")).dot(&state.t()), &products) < 0.02);
    assert!(deviation(&state.dot(&carried("takes")), &truth.dot(&takes)) < 0.02);
    assert!(deviation(&carried("gives").dot(&state.t()), &gives.dot(&truth.t())) < 0.02);
    for name in ["both", "takes", "gives"] {
        assert_eq!(lab.member(&combined, name).0.kind(), Kind::I32);
    }
}

/// So much room the chain grants a result.
#[test]
fn a_result_fits_into_what_the_round_asks_for() {
    let lab = Lab::new();
    let (combination, _) = with_matrices(&lab, 6);
    let combined = lab.combine(&combination).unwrap();
    let bytes = lab.store.holding(&combined.result.id()).unwrap().bytes;
    let numbers = 2 * 64 * 8 + 4 * (64 + 24 + 24);
    assert!((numbers..=numbers + u64::from(MAX_MANIFEST_BYTES + MAX_REPORT_BYTES)).contains(&bytes), "{bytes}");
}

#[test]
fn a_result_does_not_depend_on_threads_or_on_what_the_store_had() {
    let lab = Lab::new();
    let combination = round(lab.honest(5));
    let first = lab.combine(&combination).unwrap();
    assert_eq!(lab.combine(&combination).unwrap(), first, "written already");
    let machine = Machine { threads: 3, vector: false };
    let elsewhere = Lab::new();
    assert_eq!(round(elsewhere.honest(5)), combination);
    assert_eq!(combine(&elsewhere.store, &combination, machine).unwrap().0, first);
}

#[test]
fn the_bundle_names_what_the_space_asks_for_and_nothing_else() {
    let lab = Lab::new();
    let (combination, _) = with_matrices(&lab, 4);
    let combined = lab.combine(&combination).unwrap();
    let mut manifest = Vec::new();
    lab.store.read_pieces(&combined.result.id(), |piece| manifest.extend_from_slice(piece)).unwrap();
    let bundle = Bundle::parse(&manifest).unwrap();
    assert_eq!(bundle.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["both", "gives", REPORT, STATE, "takes"]);
    let outline = lab.store.outline(&combined.result.id()).unwrap();
    assert_eq!(combined.result, Descriptor { header: *outline.header(), root: outline.root() });
}
