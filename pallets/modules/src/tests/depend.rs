//! What modules are built on.

use ensemble_core::{modules::PipelineError, ModuleId};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};

use crate::{mock::*, Error, Event};

fn modules(count: u32) -> Vec<ModuleId> {
    (0..count).map(|number| register(ALICE, format!("module-{number}"))).collect()
}

fn order(id: ModuleId) -> Vec<ModuleId> {
    Modules::pipeline(id).unwrap().order
}

#[test]
fn a_pipeline_is_resolved_in_the_order_of_building() {
    with_chain(|| {
        let [a, b, c, d] = modules(4)[..] else { unreachable!() };
        assert_eq!(order(a), [a]);
        assert_ok!(build(b, &[d]));
        assert_ok!(build(c, &[d]));
        assert_ok!(build(a, &[b, c]));
        assert_eq!(last_event(), Event::DependenciesSet { module: a, dependencies: vec![b, c] });
        assert_eq!(order(a), [d, b, c, a]);
        assert_eq!((module(a).dependencies, module(d).dependents, module(a).dependents), (vec![b, c], 2, 0));
        assert_ok!(build(a, &[c]));
        assert_eq!((order(a), module(b).dependents), (vec![d, c, a], 0));
        assert_ok!(build(a, &[]));
        assert_eq!(order(a), [a]);
        assert_eq!(Modules::pipeline(77), Err(PipelineError::Unknown));
    });
}

#[test]
fn anybodys_modules_can_be_built_on() {
    with_chain(|| {
        let (a, b) = (register(ALICE, "of-alice"), register(BOB, "of-bob"));
        assert_ok!(build(a, &[b]));
        assert_eq!(module(b).dependents, 1);
    });
}

#[test]
fn what_was_removed_is_seen() {
    with_chain(|| {
        let [a, b, c] = modules(3)[..] else { unreachable!() };
        assert_ok!(build(b, &[c]));
        assert_ok!(build(a, &[b]));
        assert_ok!(Modules::remove(signed(ALICE), c));
        assert!(matches!(last_event(), Event::ModuleRemoved { dependents: 1, .. }));
        assert_eq!((module(b).dependencies, module(b).missing), (vec![c], vec![c]));
        assert!(Modules::missing_dependencies(a).is_empty());
        let pipeline = Modules::pipeline(a).unwrap();
        assert_eq!((pipeline.order, pipeline.missing), (vec![b, a], vec![c]));
        check_state();
        // A removed module cannot be declared anew, only dropped.
        assert_noop!(build(b, &[c, a]), Error::<Test>::UnknownDependency);
        assert_ok!(build(b, &[]));
        assert!(Modules::pipeline(a).unwrap().missing.is_empty());
        // A removed module is no longer built on anything.
        assert_ok!(build(a, &[]));
        assert_ok!(build(a, &[b]));
        assert_ok!(Modules::remove(signed(ALICE), a));
        assert_eq!(module(b).dependents, 0);
    });
}

#[test]
fn no_cycle_can_come_about() {
    with_chain(|| {
        let [a, b, c] = modules(3)[..] else { unreachable!() };
        assert_noop!(build(a, &[a]), Error::<Test>::DependencyCycle);
        assert_ok!(build(a, &[b]));
        assert_noop!(build(b, &[a]), Error::<Test>::DependencyCycle);
        assert_ok!(build(b, &[c]));
        assert_noop!(build(c, &[a]), Error::<Test>::DependencyCycle);
        assert_noop!(build(c, &[b]), Error::<Test>::DependencyCycle);
    });
}

#[test]
fn depth_and_width_are_bounded() {
    with_chain(|| {
        let ids = modules(10);
        // Three dependencies, chains of four, eight modules.
        assert_noop!(build(ids[0], &ids[1..5]), Error::<Test>::TooManyDependencies);
        for pair in ids[..4].windows(2).rev() {
            assert_ok!(build(pair[0], &pair[1..]));
        }
        assert_noop!(build(ids[4], &[ids[0]]), Error::<Test>::PipelineTooDeep);
        for id in &ids[..3] {
            assert_ok!(build(*id, &[]));
        }
        assert_ok!(build(ids[1], &ids[4..7]));
        assert_ok!(build(ids[2], &ids[7..9]));
        assert_ok!(build(ids[0], &ids[1..3]));
        assert_eq!(order(ids[0]).len(), 8);
        assert_ok!(build(ids[0], &[]));
        assert_ok!(build(ids[2], &ids[7..10]));
        assert_noop!(build(ids[0], &ids[1..3]), Error::<Test>::PipelineTooLong);
    });
}

/// What is far below may grow; it is shown, and nobody's module can be frozen by building on it.
#[test]
fn a_pipeline_can_be_outgrown_from_below() {
    with_chain(|| {
        let ids = modules(5);
        for at in 0..4 {
            assert_ok!(build(ids[at], &[ids[at + 1]]));
        }
        assert_eq!(Modules::pipeline(ids[0]), Err(PipelineError::TooDeep));
        assert_eq!(order(ids[1]).len(), 4);
        assert_noop!(build(ids[4], &[ids[0]]), Error::<Test>::PipelineTooDeep);
        assert_ok!(build(ids[0], &[]));
        assert_eq!(order(ids[0]), [ids[0]]);
    });
}

#[test]
fn what_is_not_needed_of_the_weight_is_refunded() {
    with_chain(|| {
        let ids = modules(6);
        let charged = |id: ModuleId, on: &[ModuleId]| {
            let info = Modules::set_dependencies(signed(ALICE), id, on.to_vec()).unwrap();
            assert_eq!(info.pays_fee, Pays::Yes);
            info.actual_weight
        };
        // No less than for three dependencies and the module.
        assert_eq!(charged(ids[0], &ids[1..3]), Some(weight(4)));
        assert_eq!(charged(ids[3], &ids[4..6]), Some(weight(4)));
        assert_eq!(charged(ids[0], &ids[1..4]), Some(weight(6)));
    });
}

#[test]
fn what_is_refused() {
    with_chain(|| {
        let [a, b] = modules(2)[..] else { unreachable!() };
        let call = |who, id| Modules::set_dependencies(signed(who), id, vec![b]);
        assert_noop!(call(ALICE, 7), Error::<Test>::UnknownModule);
        assert_noop!(call(BOB, a), Error::<Test>::NotOwner);
        assert_noop!(build(a, &[b, b]), Error::<Test>::DuplicateDependency);
        assert_noop!(build(a, &[9]), Error::<Test>::UnknownDependency);
        assert_noop!(build(a, &[]), Error::<Test>::NothingToChange);
        assert_ok!(Modules::offer_transfer(signed(ALICE), a, BOB));
        assert_noop!(call(ALICE, a), Error::<Test>::Offered);
    });
}
