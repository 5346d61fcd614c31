//! Handing modules over.

use frame_support::{assert_noop, assert_ok};

use crate::{defaults::CHAT, mock::*, Error, Event};

#[test]
fn the_deposit_moves_with_the_module() {
    with_chain(|| {
        let id = register(ALICE, "a-module");
        assert_ok!(Modules::add_namespace_pattern(signed(ALICE), id, b"ocr".to_vec(), CHAT));
        assert_ok!(Modules::offer_transfer(signed(ALICE), id, BOB));
        assert_eq!(last_event(), Event::TransferOffered { module: id, owner: ALICE, to: BOB });
        assert_eq!((module(id).owner, module(id).offered_to), (ALICE, Some(BOB)));
        assert!(Transferred::get().is_empty());
        assert_ok!(Modules::accept_transfer(signed(BOB), id));
        assert_eq!(Transferred::take(), [(id, BOB)]);
        let deposit = 500 + PATTERN_DEPOSIT;
        assert_eq!(last_event(), Event::ModuleTransferred { module: id, from: ALICE, to: BOB, deposit });
        assert_eq!((held(ALICE), held(BOB)), (0, deposit));
        assert_eq!((module(id).owner, module(id).offered_to), (BOB, None));
        assert_noop!(Modules::accept_transfer(signed(BOB), id), Error::<Test>::NotOffered);
        assert_noop!(Modules::update(signed(ALICE), id, profile()), Error::<Test>::NotOwner);
        assert_ok!(Modules::remove(signed(BOB), id));
        assert_eq!(free(BOB), ENDOWMENT);
    });
}

#[test]
fn offers() {
    with_chain(|| {
        let id = register(ALICE, "a-module");
        assert_noop!(Modules::offer_transfer(signed(ALICE), 7, BOB), Error::<Test>::UnknownModule);
        assert_noop!(Modules::offer_transfer(signed(BOB), id, CHARLIE), Error::<Test>::NotOwner);
        assert_noop!(Modules::offer_transfer(signed(ALICE), id, ALICE), Error::<Test>::TransferToOneself);
        // The last offer counts.
        assert_ok!(Modules::offer_transfer(signed(ALICE), id, BOB));
        assert_ok!(Modules::offer_transfer(signed(ALICE), id, CHARLIE));
        assert_noop!(Modules::accept_transfer(signed(BOB), id), Error::<Test>::NotOffered);
        assert_ok!(Modules::accept_transfer(signed(CHARLIE), id));
    });
}

#[test]
fn acceptances() {
    with_chain(|| {
        let id = register(ALICE, "a-module");
        assert_noop!(Modules::accept_transfer(signed(BOB), 7), Error::<Test>::UnknownModule);
        assert_noop!(Modules::accept_transfer(signed(BOB), id), Error::<Test>::NotOffered);
        assert_noop!(Modules::accept_transfer(signed(ALICE), id), Error::<Test>::NotOffered);
        assert_ok!(Modules::offer_transfer(signed(ALICE), id, POOR));
        assert_noop!(Modules::accept_transfer(signed(POOR), id), Error::<Test>::CannotPay);
        assert_eq!((module(id).owner, held(ALICE)), (ALICE, 500));
    });
}

#[test]
fn cancellations() {
    with_chain(|| {
        let id = register(ALICE, "a-module");
        assert_noop!(Modules::cancel_transfer(signed(ALICE), 7), Error::<Test>::UnknownModule);
        assert_noop!(Modules::cancel_transfer(signed(ALICE), id), Error::<Test>::NoOffer);
        assert_ok!(Modules::offer_transfer(signed(ALICE), id, BOB));
        assert_noop!(Modules::cancel_transfer(signed(BOB), id), Error::<Test>::NotOwner);
        assert_ok!(Modules::cancel_transfer(signed(ALICE), id));
        assert_eq!(last_event(), Event::TransferCancelled { module: id, owner: ALICE, to: BOB });
        assert_noop!(Modules::accept_transfer(signed(BOB), id), Error::<Test>::NotOffered);
    });
}
