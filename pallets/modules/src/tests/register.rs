//! Registering: what is stored, what it costs, and everything that is refused.

use ensemble_core::{
    market::ModuleNames,
    modules::{NameError, Role, UNKNOWN},
};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use sp_runtime::{ArithmeticError, DispatchError};

use crate::{defaults::*, mock::*, names::Name, Error, Event, NewProfile, NextModuleId};

fn refused(profile: NewProfile, error: Error<Test>) {
    assert_noop!(Modules::register(signed(ALICE), b"a-module".to_vec(), profile, u128::MAX), error);
}

#[test]
fn a_module_is_what_its_owner_says() {
    with_chain(|| {
        let profile = NewProfile {
            endpoint: b"/dns4/gpu.example.com/tcp/443/wss".to_vec(),
            metadata: H256::repeat_byte(3),
            description: "Schreibt auf Wunsch in Versen.".as_bytes().to_vec(),
            implementation: Some(H256::repeat_byte(4)),
        };
        assert_ok!(Modules::register(signed(ALICE), b"llama-poet".to_vec(), profile.clone(), PRICE));
        let module = module(0);
        assert_eq!((module.id, module.name, module.owner), (0, b"llama-poet".to_vec(), ALICE));
        assert_eq!((module.endpoint, module.metadata), (profile.endpoint.clone(), profile.metadata));
        assert_eq!((module.description, module.implementation), (profile.description.clone(), profile.implementation));
        assert_eq!((module.version, module.model_type, module.role), (1, CHAT, Role::Idle));
        assert_eq!((module.parent, module.children, module.dependents), (None, 0, 0));
        assert_eq!((module.registered_at, module.updated_at, module.offered_to), (1, 1, None));
        assert!(module.dependencies.is_empty() && module.missing.is_empty());
        let expected = Event::ModuleRegistered {
            module: 0,
            owner: ALICE,
            name: Name::parse(b"llama-poet").unwrap(),
            profile: profile.validate::<Test>().unwrap(),
            model_type: CHAT,
            burnt: PRICE / 2,
            deposit: PRICE / 2,
        };
        assert_eq!(last_event(), expected);
        assert_eq!(Modules::module_by_name(b"llama_poet").unwrap().id, 0);
        assert_eq!(<Modules as ensemble_core::modules::Modules<AccountId>>::owner(0), Some(ALICE));
        assert_eq!(<Modules as ensemble_core::modules::Modules<AccountId>>::owner(1), None);
    });
}

#[test]
fn one_part_is_held_and_the_other_burnt() {
    with_chain(|| {
        register(ALICE, "a-long-name");
        assert_eq!((held(ALICE), BurntSoFar::get()), (500, 500));
        assert_eq!(free(ALICE), ENDOWMENT - 1_000);
        assert_eq!(module(0).deposit, 500);
    });
}

#[test]
fn only_signed() {
    with_chain(|| {
        let call = |origin| Modules::register(origin, b"a-module".to_vec(), profile(), u128::MAX);
        assert_noop!(call(RuntimeOrigin::root()), DispatchError::BadOrigin);
        assert_noop!(call(RuntimeOrigin::none()), DispatchError::BadOrigin);
    });
}

#[test]
fn every_fault_of_a_name_is_told() {
    with_chain(|| {
        let refused = |name: &[u8], error: Error<Test>| {
            assert_noop!(try_register(ALICE, name), error);
        };
        refused(b"", Error::NameEmpty);
        refused(&vec![b'a'; 1_000_000], Error::NameTooLong);
        refused("ll\u{430}ma".as_bytes(), Error::NameCharacter);
        refused(b"\xff\xfe", Error::NameCharacter);
        refused(b"GPT", Error::NameCharacter);
        refused(b"gpt-", Error::NameSeparator);
        refused(b"a.b.c.d.e.f.g.h.i", Error::NameTooManyLabels);
        refused(b"a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a", Error::NameTooManyWords);
        assert_eq!(Modules::price(b""), Err(NameError::Empty));
        assert_eq!(Modules::type_of_name(b"GPT"), Err(NameError::Character));
    });
}

#[test]
fn every_fault_of_an_endpoint_is_told() {
    with_chain(|| {
        let with = |endpoint: &str, error| refused(NewProfile { endpoint: endpoint.into(), ..profile() }, error);
        with(&format!("http://a/{}", "b".repeat(200)), Error::EndpointTooLong);
        with("gopher://example.com", Error::EndpointScheme);
        with("", Error::EndpointScheme);
        with("http://", Error::EndpointHost);
        with("http://example.com:99999", Error::EndpointPort);
        with("http://example.com/<script>", Error::EndpointPath);
        with("/ip4/1.2.3.4/tcp/1/onion", Error::EndpointProtocol);
        with("/ip4/1.2.3.4/tcp/1/p2p/me", Error::EndpointPeer);
    });
}

#[test]
fn every_fault_of_a_description_is_told() {
    with_chain(|| {
        let with =
            |description: &[u8], error| refused(NewProfile { description: description.into(), ..profile() }, error);
        with(&[b'a'; 257], Error::DescriptionTooLong);
        with(b"\xc3(", Error::DescriptionNotUtf8);
        with(b"bell\x07", Error::DescriptionControl);
        with("\u{202e}detsurt".as_bytes(), Error::DescriptionControl);
        let empty = NewProfile { description: vec![], ..profile() };
        assert_ok!(Modules::register(signed(ALICE), b"a-module".to_vec(), empty, u128::MAX));
    });
}

#[test]
fn names_are_unique() {
    with_chain(|| {
        register(ALICE, "my-model");
        for name in ["my-model", "my_model"] {
            assert_noop!(try_register(BOB, name), Error::<Test>::NameTaken);
            assert_noop!(try_register(ALICE, name), Error::<Test>::NameTaken);
        }
        register(BOB, "my-model-2");
    });
}

#[test]
fn a_namespace_is_its_owners() {
    with_chain(|| {
        assert_noop!(try_register(ALICE, "acme.vision"), Error::<Test>::UnknownParent);
        let acme = register(ALICE, "acme");
        assert_noop!(try_register(BOB, "acme.vision"), Error::<Test>::NotParentOwner);
        let vision = register(ALICE, "acme.vision");
        assert_eq!((module(acme).children, module(vision).parent), (1, Some(acme)));
        // The namespace is that of the nearest name, whoever owns the outer ones.
        assert_ok!(Modules::offer_transfer(signed(ALICE), vision, BOB));
        assert_ok!(Modules::accept_transfer(signed(BOB), vision));
        assert_noop!(try_register(ALICE, "acme.vision.ocr"), Error::<Test>::NotParentOwner);
        register(BOB, "acme.vision.ocr");
        assert_noop!(try_register(BOB, "acme.sound"), Error::<Test>::NotParentOwner);
        assert_eq!((module(acme).children, module(vision).children), (1, 1));
    });
}

/// Who is offered a namespace gets it with the modules that it saw there.
#[test]
fn nothing_is_registered_below_what_is_offered() {
    with_chain(|| {
        let acme = register(ALICE, "acme");
        register(ALICE, "acme.before");
        assert_ok!(Modules::offer_transfer(signed(ALICE), acme, BOB));
        assert_noop!(try_register(ALICE, "acme.after"), Error::<Test>::Offered);
        assert_noop!(try_register(BOB, "acme.after"), Error::<Test>::NotParentOwner);
        assert_ok!(Modules::accept_transfer(signed(BOB), acme));
        assert_eq!(module(acme).children, 1);
        register(BOB, "acme.after");
    });
}

#[test]
fn nobody_pays_more_than_it_said() {
    with_chain(|| {
        let call = |max| Modules::register(signed(ALICE), b"a-module".to_vec(), profile(), max);
        assert_noop!(call(PRICE - 1), Error::<Test>::PriceAboveMax);
        assert_ok!(call(PRICE));
    });
}

#[test]
fn nobody_registers_what_it_cannot_pay() {
    with_chain(|| {
        assert_noop!(try_register(POOR, "a-module"), Error::<Test>::CannotPay);
        // Enough for either part, but not for both.
        assert_ok!(Balances::transfer_keep_alive(signed(BOB), POOR, 600));
        assert_noop!(try_register(POOR, "a-module"), Error::<Test>::CannotPay);
        assert_ok!(Balances::transfer_keep_alive(signed(BOB), POOR, 400));
        register(POOR, "a-module");
        assert_eq!(free(POOR), EXISTENTIAL);
    });
}

#[test]
fn numbers_run_out_instead_of_being_used_again() {
    new_test_ext().execute_with(|| {
        NextModuleId::<Test>::put(u32::MAX);
        assert_noop!(try_register(ALICE, "a-module"), ArithmeticError::Overflow);
    });
}

#[test]
fn a_name_that_says_nothing_has_no_type() {
    with_chain(|| {
        let id = register(ALICE, "weather-station");
        assert_eq!(module(id).model_type, UNKNOWN);
    });
}

#[test]
fn others_know_modules_by_name_and_type() {
    with_chain(|| {
        let id = register(ALICE, "acme-llama-2");
        assert_eq!(<Modules as ModuleNames<AccountId>>::name(id), Some(b"acme-llama-2".to_vec()));
        assert_eq!(<Modules as ModuleNames<AccountId>>::model_type(id), Some(CHAT));
        assert_ok!(Modules::remove(signed(ALICE), id));
        assert_eq!(<Modules as ModuleNames<AccountId>>::name(id), None);
        assert_eq!(<Modules as ModuleNames<AccountId>>::model_type(id), None);
    });
}
