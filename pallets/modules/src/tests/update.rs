//! Updating modules.

use frame_support::{assert_noop, assert_ok};
use sp_core::H256;

use crate::{defaults::*, mock::*, Error, Event, NewProfile};

fn other() -> NewProfile {
    NewProfile {
        endpoint: b"wss://other.example.com:9944".to_vec(),
        metadata: H256::repeat_byte(9),
        description: b"Other.".to_vec(),
        implementation: Some(H256::repeat_byte(8)),
    }
}

#[test]
fn everything_but_the_name_can_change() {
    with_chain(|| {
        let id = register(ALICE, "llama-poet");
        run_to(5);
        assert_ok!(Modules::update(signed(ALICE), id, other()));
        let module = module(id);
        assert_eq!((module.endpoint, module.metadata), (other().endpoint, other().metadata));
        assert_eq!((module.description, module.implementation), (other().description, other().implementation));
        assert_eq!((module.version, module.registered_at, module.updated_at), (2, 1, 5));
        let profile = other().validate::<Test>().unwrap();
        assert_eq!(last_event(), Event::ModuleUpdated { module: id, profile, version: 2 });
        assert_eq!((held(ALICE), BurntSoFar::get()), (500, 500));
    });
}

#[test]
fn the_type_is_looked_up_again() {
    with_chain(|| {
        let id = register(ALICE, "llama-poet");
        assert_ok!(Modules::add_pattern(RuntimeOrigin::root(), b"llama-poet".to_vec(), EMBEDDING));
        // The profile is the same; the type is not.
        assert_ok!(Modules::update(signed(ALICE), id, profile()));
        assert_eq!(module(id).model_type, EMBEDDING);
        assert!(events().contains(&Event::TypeChanged { module: id, from: CHAT, to: EMBEDDING }));
    });
}

#[test]
fn what_is_refused() {
    with_chain(|| {
        let id = register(ALICE, "llama-poet");
        assert_noop!(Modules::update(signed(ALICE), 7, other()), Error::<Test>::UnknownModule);
        assert_noop!(Modules::update(signed(BOB), id, other()), Error::<Test>::NotOwner);
        assert_noop!(Modules::update(signed(ALICE), id, profile()), Error::<Test>::NothingToChange);
        let bad = NewProfile { endpoint: b"example.com".to_vec(), ..profile() };
        assert_noop!(Modules::update(signed(ALICE), id, bad), Error::<Test>::EndpointScheme);
        let bad = NewProfile { description: b"\xff".to_vec(), ..profile() };
        assert_noop!(Modules::update(signed(ALICE), id, bad), Error::<Test>::DescriptionNotUtf8);
        assert_ok!(Modules::offer_transfer(signed(ALICE), id, BOB));
        assert_noop!(Modules::update(signed(ALICE), id, other()), Error::<Test>::Offered);
    });
}
