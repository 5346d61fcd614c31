//! That the check of the state finds what is off.

use ensemble_core::modules::NameState;
use frame_support::{assert_ok, traits::fungible::MutateHold};
use sp_runtime::FixedU128;

use crate::{
    defaults::{CHAT, DIFFUSION},
    mock::*,
    names::key,
    Dependencies, Dependents, HoldReason, ModuleOf, Modules as Stored, ModulesOfOwner, ModulesOfType, NameDemand,
    Names, NamespacePatterns, NextModuleId, NextType, Patterns, ReleaseQueue, Releases, TypeIds, Types,
};

const ACME: u32 = 0;
const VISION: u32 = 1;
const LLAMA: u32 = 2;

/// Spoils a state that has some of everything, and expects this complaint.
fn complains(spoil: impl FnOnce(), complaint: &'static str) {
    new_test_ext().execute_with(|| {
        register(ALICE, "acme");
        register(ALICE, "acme.vision");
        register(ALICE, "llama");
        assert_ok!(build(ACME, &[VISION]));
        assert_ok!(Modules::add_namespace_pattern(signed(ALICE), ACME, b"ocr".to_vec(), CHAT));
        for name in ["gone-1", "gone-2"] {
            let id = register(BOB, name);
            assert_ok!(Modules::remove(signed(BOB), id));
            run_to(System::block_number() + 1);
        }
        check_state();
        spoil();
        assert_eq!(Modules::do_try_state(), Err(complaint.into()));
    });
}

fn change(id: u32, change: impl FnOnce(&mut ModuleOf<Test>)) {
    Stored::<Test>::mutate(id, |module| change(module.as_mut().unwrap()));
}

#[test]
fn modules() {
    complains(|| NextModuleId::<Test>::put(2), "a module has a number that was not given out");
    complains(|| Names::<Test>::remove(key(b"llama")), "a module does not have its name");
    complains(|| change(LLAMA, |module| module.owner = BOB), "a module is not among its owner's");
    complains(|| change(LLAMA, |module| module.model_type = DIFFUSION), "a module is not among its type's");
    complains(|| Types::<Test>::remove(CHAT), "a module's type does not exist");
    complains(|| Dependencies::<Test>::remove(LLAMA), "a module has no list of dependencies");
    complains(|| change(LLAMA, |module| module.offered_to = Some(ALICE)), "a module is offered to its owner");
}

#[test]
fn families() {
    complains(|| change(VISION, |module| module.parent = None), "a module's parent is not its namespace");
    complains(|| change(VISION, |module| module.parent = Some(LLAMA)), "a module's parent is not its namespace");
    complains(|| change(ACME, |module| module.children = 2), "the number of a module's children is off");
}

#[test]
fn indexes() {
    complains(|| Names::<Test>::insert(key(b"x"), NameState::Taken(LLAMA)), "a name is taken by no module");
    complains(
        || ModulesOfOwner::<Test>::insert(BOB, key(b"llama"), LLAMA),
        "an owner has a module that is not its own",
    );
    complains(|| ModulesOfType::<Test>::insert(DIFFUSION, key(b"llama"), LLAMA), "a type has a module of another");
    complains(
        || Dependencies::<Test>::insert(9, crate::DependenciesOf::<Test>::default()),
        "a list of dependencies has no module",
    );
}

#[test]
fn dependencies() {
    let put =
        |id, on: &[u32]| Dependencies::<Test>::insert(id, crate::DependenciesOf::<Test>::truncate_from(on.to_vec()));
    let cycle = || {
        put(VISION, &[ACME]);
        Dependents::<Test>::insert(ACME, 1);
    };
    complains(cycle, "a module is built on itself");
    complains(|| put(VISION, &[99]), "a dependency never existed");
    complains(|| Dependents::<Test>::insert(VISION, 2), "the number of a module's dependents is off");
    complains(|| Dependents::<Test>::insert(LLAMA, 1), "the number of a module's dependents is off");
}

#[test]
fn money() {
    let release = || {
        let exactly = frame_support::traits::tokens::Precision::Exact;
        assert_ok!(Balances::release(&HoldReason::Module.into(), &ALICE, 1, exactly));
    };
    complains(release, "an owner's deposits are not what is held");
    complains(|| change(LLAMA, |module| module.deposit += 1), "an owner's deposits are not what is held");
    let shift = |module: &mut ModuleOf<Test>| {
        module.deposit -= 1;
        module.pattern_deposit += 1;
    };
    complains(|| change(LLAMA, shift), "a deposit is held for patterns that are gone");
}

#[test]
fn releases() {
    complains(|| Releases::<Test>::remove(0), "the queue of releases is not what it says");
    complains(|| ReleaseQueue::<Test>::mutate(|queue| queue.end = 3), "the queue of releases is not what it says");
    complains(
        || Releases::<Test>::mutate(0, |release| release.as_mut().unwrap().due += 9),
        "the queue of releases is out of order",
    );
    complains(
        || Names::<Test>::insert(key(b"other"), NameState::Reserved { until: 9 }),
        "a reserved name will not be freed",
    );
    complains(
        || NameDemand::<Test>::mutate(|demand| demand.factor = FixedU128::from_u32(0)),
        "demand is less than none",
    );
}

#[test]
fn types_and_patterns() {
    complains(|| NextType::<Test>::put(9), "a type is missing");
    complains(
        || TypeIds::<Test>::insert(Types::<Test>::get(CHAT).unwrap(), DIFFUSION),
        "the types and their names differ",
    );
    let spoil = |change: fn(&mut crate::BucketOf<Test>)| Patterns::<Test>::mutate(b"ll", change);
    complains(|| spoil(|rules| rules[0].model_type = 99), "a pattern's type does not exist");
    complains(|| spoil(|rules| rules.as_mut().swap(0, 1)), "patterns are out of order");
    complains(|| Patterns::<Test>::insert(b"zz", Patterns::<Test>::get(b"ll")), "a pattern cannot be found");
    complains(|| Patterns::<Test>::insert(b"zz", crate::BucketOf::<Test>::default()), "patterns are out of order");
    complains(
        || NamespacePatterns::<Test>::insert(key(b"x"), NamespacePatterns::<Test>::get(key(b"acme"))),
        "patterns have no namespace",
    );
    complains(
        || NamespacePatterns::<Test>::mutate(key(b"acme"), |rules| rules[0].model_type = 99),
        "a pattern's type does not exist",
    );
}
