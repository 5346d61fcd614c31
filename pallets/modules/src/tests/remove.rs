//! Removing modules.

use frame_support::{assert_noop, assert_ok};

use crate::{defaults::CHAT, mock::*, names::Name, Error, Event, NamespacePatterns};

#[test]
fn the_deposit_returns_and_the_name_is_reserved() {
    with_chain(|| {
        let id = register(ALICE, "a-module");
        run_to(5);
        assert_ok!(Modules::remove(signed(ALICE), id));
        assert_eq!((held(ALICE), free(ALICE)), (0, ENDOWMENT - 500));
        assert_eq!(Removed::get(), [id], "others hear of it");
        assert_eq!(Modules::module_view(id), None);
        assert_eq!(Modules::module_by_name(b"a-module"), None);
        let name = Name::parse(b"a-module").unwrap();
        let free_at = 5 + NAME_DELAY;
        let expected = Event::ModuleRemoved { module: id, owner: ALICE, name, deposit: 500, dependents: 0, free_at };
        assert_eq!(last_event(), expected);
        // Not even for the owner before.
        for who in [ALICE, BOB] {
            assert_noop!(try_register(who, "a-module"), Error::<Test>::NameReserved);
        }
        run_to(free_at - 1);
        assert_noop!(try_register(BOB, "a_module"), Error::<Test>::NameReserved);
        run_to(free_at);
        assert_eq!(register(BOB, "a-module"), id + 1, "numbers are never used again");
    });
}

#[test]
fn a_parent_stays_until_its_children_are_gone() {
    with_chain(|| {
        let acme = register(ALICE, "acme");
        let vision = register(ALICE, "acme.vision");
        assert_noop!(Modules::remove(signed(ALICE), acme), Error::<Test>::HasChildren);
        assert_ok!(Modules::remove(signed(ALICE), vision));
        assert_eq!(module(acme).children, 0);
        assert_ok!(Modules::remove(signed(ALICE), acme));
        assert_eq!(held(ALICE), 0);
    });
}

/// Neither while its name is reserved nor afterwards, until somebody has it again.
#[test]
fn a_removed_namespace_is_nobodys() {
    with_chain(|| {
        let acme = register(ALICE, "acme");
        assert_ok!(Modules::remove(signed(ALICE), acme));
        assert_noop!(try_register(ALICE, "acme.vision"), Error::<Test>::UnknownParent);
        run_to(1 + NAME_DELAY);
        assert_noop!(try_register(ALICE, "acme.vision"), Error::<Test>::UnknownParent);
        let acme = register(BOB, "acme");
        assert_noop!(try_register(ALICE, "acme.vision"), Error::<Test>::NotParentOwner);
        let vision = register(BOB, "acme.vision");
        assert_eq!(module(vision).parent, Some(acme));
    });
}

#[test]
fn its_patterns_go_with_it() {
    with_chain(|| {
        let acme = register(ALICE, "acme");
        assert_ok!(Modules::add_namespace_pattern(signed(ALICE), acme, b"ocr".to_vec(), CHAT));
        assert_ok!(Modules::remove(signed(ALICE), acme));
        assert_eq!((held(ALICE), NamespacePatterns::<Test>::iter().count()), (0, 0));
    });
}

#[test]
fn what_is_refused() {
    with_chain(|| {
        let id = register(ALICE, "a-module");
        assert_noop!(Modules::remove(signed(ALICE), 7), Error::<Test>::UnknownModule);
        assert_noop!(Modules::remove(signed(BOB), id), Error::<Test>::NotOwner);
        assert_ok!(Modules::offer_transfer(signed(ALICE), id, BOB));
        assert_noop!(Modules::remove(signed(ALICE), id), Error::<Test>::Offered);
        assert_noop!(Modules::remove(signed(BOB), id), Error::<Test>::NotOwner);
        assert_ok!(Modules::accept_transfer(signed(BOB), id));
        assert_noop!(Modules::remove(signed(ALICE), id), Error::<Test>::NotOwner);
        assert_ok!(Modules::remove(signed(BOB), id));
        assert_noop!(Modules::remove(signed(BOB), id), Error::<Test>::UnknownModule);
    });
}
