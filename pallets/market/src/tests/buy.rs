//! Buying calls.

use ensemble_core::market::{Offer, TicketView, Way};
use frame_support::{assert_noop, assert_ok, traits::fungible::Mutate, traits::tokens::Preservation::Preserve};

use crate::{mock::*, Balance, Error, Event, HoldReason, Tickets};

fn buy_within(max_price: Balance, max_toll: Balance, way: Way) -> sp_runtime::DispatchResult {
    Market::buy(RuntimeOrigin::signed(ALICE), ONE, 10, way, max_price, max_toll, 10)
}

#[test]
fn a_ticket_is_bought_by_burning() {
    on_chain(|| {
        assert_ok!(list(ONE, ""));
        assert_ok!(buy_within(26_000, 0, Way::Burn));
        assert_eq!(BurntSoFar::get(), 26_000);
        assert_eq!(free(ALICE), ENDOWMENT - 26_000 - TICKET_DEPOSIT);
        assert_eq!(held(HoldReason::Ticket, ALICE), TICKET_DEPOSIT);
        assert_eq!(free(OWNER), ENDOWMENT - LISTING_DEPOSIT);
        assert_eq!(
            last_event(),
            Event::TicketBought {
                ticket: 0,
                module: ONE,
                buyer: ALICE,
                owner: OWNER,
                calls: 10,
                way: Way::Burn,
                price: 26_000,
                toll: 0,
                until: 11,
            }
        );
        let expected = TicketView {
            id: 0,
            module: ONE,
            buyer: ALICE,
            calls: 10,
            redeemed: 0,
            until: 11,
            redeemable_until: 11 + REDEEM_PERIOD,
        };
        assert_eq!((Market::ticket_view(0), Market::ticket_view(1)), (Some(expected), None));
    });
}

#[test]
fn the_owner_is_paid_in_the_same_call() {
    on_chain(|| {
        assert_ok!(list(ONE, ""));
        assert_ok!(buy_within(5_000, 260, Way::Tune));
        assert_eq!(free(OWNER), ENDOWMENT - LISTING_DEPOSIT + 5_000);
        assert_eq!(free(ALICE), ENDOWMENT - 5_000 - 260 - TICKET_DEPOSIT);
        assert_eq!(BurntSoFar::get(), 260);

        assert_ok!(buy_within(300, 260, Way::Asset(USDC)));
        assert_eq!((asset(USDC, OWNER), asset(USDC, ALICE)), (ENDOWMENT + 300, ENDOWMENT - 300));
        assert_eq!(BurntSoFar::get(), 520);
        assert_eq!(listing(ONE).usage.burnt, 520);
    });
}

#[test]
fn the_toll_is_at_least_a_part_of_the_price_in_tune() {
    on_chain(|| {
        assert_ok!(list_for(OWNER, ONE, vec![Offer::Tune { price: 100_000 }], 1_000, b""));
        assert_ok!(buy_within(1_000_000, 10_000, Way::Tune));
        assert_eq!(BurntSoFar::get(), 10_000);
    });
}

#[test]
fn whoever_owns_the_module_is_paid() {
    on_chain(|| {
        assert_ok!(list(ONE, ""));
        transfer_module(ONE, BOB);
        assert_ok!(buy_within(5_000, 260, Way::Tune));
        assert_eq!(free(BOB), ENDOWMENT + 5_000);
        assert_noop!(buy(BOB, ONE, 1, Way::Tune), Error::<Test>::OwnListing);
        assert_ok!(buy(OWNER, ONE, 1, Way::Tune));
    });
}

#[test]
fn a_buyer_pays_no_more_than_it_said() {
    on_chain(|| {
        assert_ok!(list(ONE, ""));
        assert_noop!(buy_within(25_999, 0, Way::Burn), Error::<Test>::Underpaid);
        assert_noop!(buy_within(4_999, 260, Way::Tune), Error::<Test>::Underpaid);
        assert_noop!(buy_within(299, 260, Way::Asset(USDC)), Error::<Test>::Underpaid);
        assert_noop!(buy_within(5_000, 259, Way::Tune), Error::<Test>::TollAboveMax);
        // The score has risen in the meantime.
        score(ONE, 850_000);
        assert_noop!(buy_within(26_000, 0, Way::Burn), Error::<Test>::Underpaid);
        assert_ok!(buy_within(27_000, 0, Way::Burn));
    });
}

#[test]
fn what_cannot_be_bought_says_why() {
    on_chain(|| {
        assert_noop!(buy(ALICE, ONE, 1, Way::Burn), Error::<Test>::NotListed);
        assert_ok!(list_for(OWNER, ONE, vec![Offer::Burn, Offer::Asset { asset: USDC, price: 1 }], 1_000, b""));
        assert_noop!(buy(ALICE, ONE, 0, Way::Burn), Error::<Test>::ZeroCalls);
        assert_noop!(buy_for(ALICE, ONE, 1, Way::Burn, 0), Error::<Test>::BadValidity);
        assert_noop!(buy_for(ALICE, ONE, 1, Way::Burn, MAX_VALIDITY + 1), Error::<Test>::BadValidity);
        assert_noop!(buy(OWNER, ONE, 1, Way::Burn), Error::<Test>::OwnListing);
        assert_noop!(buy(ALICE, ONE, 1, Way::Tune), Error::<Test>::WrongWay);
        assert_noop!(buy(ALICE, ONE, 1, Way::Asset(POINTS)), Error::<Test>::WrongWay);
        assert_ok!(buy_for(ALICE, ONE, 1, Way::Burn, MAX_VALIDITY));
    });
}

#[test]
fn a_buyer_must_have_what_it_pays() {
    on_chain(|| {
        assert_ok!(list(ONE, ""));
        assert_noop!(buy(ALICE, ONE, u32::MAX, Way::Burn), Error::<Test>::CannotPay);
        assert_noop!(buy(ALICE, ONE, u32::MAX, Way::Tune), Error::<Test>::CannotPay);
        assert_noop!(buy(ALICE, ONE, u32::MAX, Way::Asset(USDC)), Error::<Test>::CannotPay);

        // Price and toll are there, but not the deposit.
        let rest = EXISTENTIAL + 5_000 + 260;
        assert_ok!(<Balances as Mutate<_>>::transfer(&ALICE, &BOB, ENDOWMENT - rest, Preserve));
        assert_noop!(buy(ALICE, ONE, 10, Way::Tune), Error::<Test>::CannotPay);
        assert_ok!(<Balances as Mutate<_>>::transfer(&BOB, &ALICE, TICKET_DEPOSIT, Preserve));
        assert_ok!(buy(ALICE, ONE, 10, Way::Tune));
        // Even where an asset pays, the toll is in TUNE.
        assert_noop!(buy(ALICE, ONE, 1, Way::Asset(USDC)), Error::<Test>::CannotPay);
    });
}

#[test]
fn an_owner_that_cannot_receive_is_not_paid() {
    on_chain(|| {
        assert_ok!(list_for(OWNER, ONE, vec![Offer::Asset { asset: POINTS, price: 1 }], 1, b""));
        mint(POINTS, ALICE, 100);
        // One unit is less than anybody can own.
        assert_noop!(buy(ALICE, ONE, 1, Way::Asset(POINTS)), Error::<Test>::CannotReceive);
        assert_ok!(buy(ALICE, ONE, 5, Way::Asset(POINTS)));

        assert_ok!(update(OWNER, ONE, vec![Offer::Tune { price: 1 }], 1, ""));
        // Nobody has this account any more.
        transfer_module(ONE, 404);
        assert_noop!(buy(ALICE, ONE, 1, Way::Tune), Error::<Test>::CannotReceive);
        assert_ok!(buy(ALICE, ONE, 10, Way::Tune));
    });
}

#[test]
fn the_number_of_a_ticket_is_never_used_again() {
    on_chain(|| {
        assert_ok!(list(ONE, ""));
        assert_ok!(buy_for(ALICE, ONE, 1, Way::Burn, 1));
        skip(REDEEM_PERIOD + 3);
        assert!(!Tickets::<Test>::contains_key(0));
        assert_ok!(buy(BOB, ONE, 1, Way::Burn));
        assert_eq!(Tickets::<Test>::iter_keys().collect::<Vec<_>>(), vec![1]);
    });
}
