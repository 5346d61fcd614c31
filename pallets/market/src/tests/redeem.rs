//! Redeeming calls.

use ensemble_core::market::{Offer, Way};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use sp_runtime::testing::TestSignature;

use crate::{mock::*, Error, Event, Usage};

/// A module whose calls are half plain ones, and tickets of Alice and Bob for ten calls each.
fn with_tickets(test: impl FnOnce()) {
    on_chain(|| {
        assert_ok!(list_for(OWNER, ONE, vec![Offer::Burn], 500, b""));
        assert_ok!(buy(ALICE, ONE, 10, Way::Burn));
        assert_ok!(buy(BOB, ONE, 10, Way::Burn));
        test();
    });
}

fn usage() -> (u64, u64) {
    let Usage { calls, intensity, .. } = listing(ONE).usage;
    (calls, intensity)
}

#[test]
fn only_what_is_new_counts() {
    with_tickets(|| {
        assert_ok!(redeem_one(ALICE, 0, 3));
        assert_eq!(last_event(), Event::Redeemed { ticket: 0, module: ONE, calls: 3, redeemed: 3 });
        assert_eq!(usage(), (3, 1_500));
        assert_noop!(redeem_one(ALICE, 0, 3), Error::<Test>::NothingNew);
        assert_noop!(redeem_one(ALICE, 0, 2), Error::<Test>::NothingNew);
        assert_noop!(redeem(vec![]), Error::<Test>::NothingNew);
        assert_ok!(redeem(vec![
            signed(ALICE, receipt(0, 1)),
            signed(BOB, receipt(1, 4)),
            signed(ALICE, receipt(0, 10)),
            signed(ALICE, receipt(0, 9)),
        ]));
        assert_eq!(usage(), (14, 7_000));
        assert_eq!((Market::ticket_view(0).unwrap().redeemed, Market::ticket_view(1).unwrap().redeemed), (10, 4));
    });
}

#[test]
fn a_receipt_counts_with_the_buyers_signature_alone() {
    with_tickets(|| {
        let text = |receipt: ensemble_core::market::Receipt| receipt.message(genesis()).into_bytes();
        let refused = |receipt, signature| {
            assert_noop!(redeem(vec![(receipt, signature)]), Error::<Test>::BadSignature);
        };
        let honest = receipt(0, 3);
        refused(honest, TestSignature(BOB, text(honest)));
        refused(honest, TestSignature(ALICE, text(receipt(0, 2))));
        refused(receipt(0, 4), TestSignature(ALICE, text(honest)));
        refused(receipt(1, 3), TestSignature(BOB, text(honest)));
        refused(honest, TestSignature(ALICE, honest.message(H256::repeat_byte(1)).into_bytes()));
        // Nor does one good receipt help a bad one.
        let bad = (receipt(1, 3), TestSignature(ALICE, text(receipt(1, 3))));
        assert_noop!(redeem(vec![signed(ALICE, honest), bad]), Error::<Test>::BadSignature);

        let framed = format!("<Bytes>{}</Bytes>", honest.message(genesis()));
        assert_ok!(redeem(vec![(honest, TestSignature(ALICE, framed.into_bytes()))]));
        let challenged = ensemble_core::market::Receipt { challenge: H256::repeat_byte(7), ..receipt(0, 4) };
        refused(receipt(0, 4), TestSignature(ALICE, text(challenged)));
        assert_ok!(redeem(vec![signed(ALICE, challenged)]));
    });
}

#[test]
fn no_more_is_redeemed_than_was_bought() {
    with_tickets(|| {
        assert_noop!(redeem_one(ALICE, 0, 11), Error::<Test>::MoreThanBought);
        assert_noop!(redeem_one(ALICE, 2, 1), Error::<Test>::UnknownTicket);
        assert_ok!(redeem_one(ALICE, 0, 10));
        assert_noop!(redeem_one(ALICE, 0, 10), Error::<Test>::NothingNew);
    });
}

#[test]
fn a_ticket_is_redeemed_a_while_after_its_last_block() {
    with_tickets(|| {
        let last = Market::ticket_view(0).unwrap().redeemable_until;
        System::set_block_number(last);
        assert_ok!(redeem_one(ALICE, 0, 1));
        System::set_block_number(last + 1);
        assert_noop!(redeem_one(ALICE, 0, 2), Error::<Test>::TicketOver);
        next_block();
        assert_noop!(redeem_one(ALICE, 0, 2), Error::<Test>::UnknownTicket);
    });
}

#[test]
fn what_a_ticket_was_bought_for_counts_whatever_the_owner_says_later() {
    with_tickets(|| {
        assert_ok!(update(OWNER, ONE, vec![Offer::Burn], 1_000_000, ""));
        assert_ok!(redeem_one(ALICE, 0, 2));
        assert_eq!(usage(), (2, 1_000));
    });
}

#[test]
fn a_ticket_is_good_without_a_listing() {
    with_tickets(|| {
        assert_ok!(unlist(OWNER, ONE));
        assert_ok!(redeem_one(ALICE, 0, 2));
        remove_module(ONE);
        assert_ok!(redeem_one(ALICE, 0, 3));
        assert_eq!(Market::stats().calls, 3);
    });
}

#[test]
fn usage_moves_a_listing_up() {
    on_chain(|| {
        score(THREE, 800_000);
        assert_ok!(list(ONE, ""));
        assert_ok!(list(THREE, ""));
        assert_ok!(buy(ALICE, THREE, 1, Way::Burn));
        assert_eq!(found(None, ""), vec![ONE, THREE]);
        assert_ok!(redeem_one(ALICE, 0, 1));
        next_block();
        assert_eq!(found(None, ""), vec![THREE, ONE]);
        assert_eq!(found(Some(OCR), "ocr"), vec![THREE, ONE]);
    });
}
