//! Listing modules, and what makes them appear and disappear.

use ensemble_core::{
    market::{Offer, Way},
    AssetId,
};
use frame_support::{assert_noop, assert_ok, traits::fungible::Mutate};
use sp_runtime::Permill;

use crate::{mock::*, CurrentTotals, Error, Event, HoldReason, Listings, Terms, Usage};

#[test]
fn a_module_that_serves_well_is_found_at_once() {
    on_chain(|| {
        assert_ok!(list(ONE, "Reads text."));

        assert_eq!(
            events(),
            vec![
                Event::ModuleListed { module: ONE, owner: OWNER, deposit: LISTING_DEPOSIT },
                Event::Appeared { module: ONE },
            ]
        );
        assert_eq!(found(None, ""), vec![ONE]);
        assert_eq!(held(HoldReason::Listing, OWNER), LISTING_DEPOSIT);
        let listing = listing(ONE);
        assert_eq!((listing.depositor, listing.deposit), (OWNER, LISTING_DEPOSIT));
        assert_eq!((listing.score, listing.serving), (Some(Permill::from_percent(80)), true));
        assert_eq!(listing.usage, Usage::default());
        let Terms { offers: listed, intensity, text } = listing.terms;
        assert_eq!((listed.into_inner(), intensity, text.into_inner()), (offers(), 1_000, b"Reads text.".to_vec()));
    });
}

#[test]
fn only_the_owner_lists_and_only_once() {
    on_chain(|| {
        assert_noop!(list(77, ""), Error::<Test>::UnknownModule);
        assert_noop!(list_for(ALICE, ONE, offers(), 1, b""), Error::<Test>::NotOwner);
        assert_ok!(list(ONE, ""));
        assert_noop!(list(ONE, ""), Error::<Test>::AlreadyListed);
    });
}

#[test]
fn a_listing_says_how_it_is_paid() {
    on_chain(|| {
        let list = |offers| list_for(OWNER, ONE, offers, 1_000, b"");
        let tune = Offer::Tune { price: 1 };
        assert_noop!(list(vec![]), Error::<Test>::NoOffers);
        let points = Offer::Asset { asset: POINTS, price: 1 };
        assert_noop!(list([offers(), vec![points]].concat()), Error::<Test>::TooManyOffers);
        assert_noop!(list(vec![tune, Offer::Burn, Offer::Tune { price: 2 }]), Error::<Test>::DuplicateOffer);
        assert_noop!(list(vec![points, points]), Error::<Test>::DuplicateOffer);
        assert_noop!(list(vec![Offer::Tune { price: 0 }]), Error::<Test>::ZeroPrice);
        assert_noop!(list(vec![Offer::Asset { asset: USDC, price: 0 }]), Error::<Test>::ZeroPrice);
        let unknown = Offer::Asset { asset: AssetId::Asset(404), price: 1 };
        assert_noop!(list(vec![unknown]), Error::<Test>::UnknownAsset);
        assert_noop!(list_for(OWNER, ONE, vec![tune], 0, b""), Error::<Test>::ZeroIntensity);
        assert_ok!(list(vec![points, tune, Offer::Asset { asset: USDC, price: 1 }]));
    });
}

#[test]
fn a_text_is_short_and_readable() {
    on_chain(|| {
        let list = |text: &[u8]| list_for(OWNER, ONE, offers(), 1, text);
        assert_noop!(list(&[b'a'; 257]), Error::<Test>::TextTooLong);
        assert_noop!(list(&[0xff]), Error::<Test>::TextNotUtf8);
        for text in ["line\nfeed", "turn\u{202e}ed", "iso\u{2066}lated"] {
            assert_noop!(list(text.as_bytes()), Error::<Test>::TextControl);
        }
        // Four words of the name, and thirteen more.
        assert_noop!(list(b"a b c d e f g h i j k l m"), Error::<Test>::TooManyWords);
        assert_ok!(list(b"a b c d e f g h i j k l, acme ACME"));
        assert_eq!(listing(ONE).words.len(), MAX_WORDS as usize);
        assert_ok!(list_for(OWNER, TWO, offers(), 1, &[b'a'; 256]));
    });
}

#[test]
fn a_listing_costs_a_deposit() {
    on_chain(|| {
        let all = free(OWNER) - EXISTENTIAL - LISTING_DEPOSIT;
        let keep = frame_support::traits::tokens::Preservation::Preserve;
        assert_ok!(<Balances as Mutate<_>>::transfer(&OWNER, &ALICE, all + 1, keep));
        assert_noop!(list(ONE, ""), Error::<Test>::CannotPay);
        assert_ok!(<Balances as Mutate<_>>::transfer(&ALICE, &OWNER, 1, keep));
        assert_ok!(list(ONE, ""));
        assert_ok!(unlist(OWNER, ONE));
        assert_eq!((held(HoldReason::Listing, OWNER), free(OWNER)), (0, EXISTENTIAL + LISTING_DEPOSIT));
        assert_eq!(last_event(), Event::ModuleUnlisted { module: ONE, depositor: OWNER, deposit: LISTING_DEPOSIT });
        assert_eq!(crate::Index::<Test>::iter().count(), 0);
        assert_noop!(unlist(OWNER, ONE), Error::<Test>::NotListed);
        assert_noop!(update(OWNER, ONE, offers(), 1, ""), Error::<Test>::NotListed);
    });
}

#[test]
fn a_listing_appears_with_the_score_and_disappears_below() {
    on_chain(|| {
        score(ONE, 699_999);
        assert_ok!(list(ONE, ""));
        assert_eq!(found(None, ""), NOTHING);
        assert_noop!(buy(ALICE, ONE, 1, Way::Burn), Error::<Test>::NotListed);

        score(ONE, 700_000);
        assert_ok!(buy(ALICE, ONE, 1, Way::Burn));
        next_block();
        assert_eq!(last_event(), Event::Appeared { module: ONE });
        assert_eq!(found(None, ""), vec![ONE]);

        score(ONE, 699_999);
        assert_noop!(buy(ALICE, ONE, 1, Way::Burn), Error::<Test>::NotListed);
        assert_eq!(found(None, ""), NOTHING);
        next_block();
        assert_eq!(last_event(), Event::Disappeared { module: ONE });
        assert_eq!((found(None, ""), CurrentTotals::<Test>::get().listed), (vec![], 0));
    });
}

#[test]
fn what_was_never_scored_is_not_for_sale() {
    on_chain(|| {
        world(|world| world.scores.clear());
        assert_ok!(list(ONE, ""));
        assert_noop!(buy(ALICE, ONE, 1, Way::Burn), Error::<Test>::NotListed);
        score(ONE, 1_000_000);
        assert_ok!(buy(ALICE, ONE, 1, Way::Burn));
    });
}

#[test]
fn a_listing_is_for_sale_while_the_module_serves() {
    on_chain(|| {
        serve(ONE, false);
        assert_ok!(list(ONE, ""));
        assert_eq!(CurrentTotals::<Test>::get().listed, 0);
        serve(ONE, true);
        next_block();
        assert_eq!((found(None, ""), CurrentTotals::<Test>::get().listed), (vec![ONE], 1));

        serve(ONE, false);
        assert_eq!(found(None, ""), NOTHING);
        assert_noop!(buy(ALICE, ONE, 1, Way::Burn), Error::<Test>::NotListed);
        next_block();
        assert_eq!(CurrentTotals::<Test>::get().listed, 0);
        serve(ONE, true);
        assert_ok!(buy(ALICE, ONE, 1, Way::Burn));
    });
}

#[test]
fn a_type_that_changes_moves_the_listing_to_its_shelf() {
    on_chain(|| {
        assert_ok!(list(ONE, ""));
        register(ONE, OWNER, "acme.vision.ocr-small", CHAT);
        serve(ONE, false);
        serve(ONE, true);
        next_block();
        assert_eq!((found(Some(OCR), ""), found(Some(CHAT), "")), (vec![], vec![ONE]));
    });
}

#[test]
fn of_modules_that_are_not_listed_nothing_is_noted() {
    on_chain(|| {
        score(ONE, 1_000_000);
        serve(ONE, false);
        remove_module(ONE);
        assert_eq!(crate::RefreshQueue::<Test>::get().end, 0);
        assert_ok!(list(TWO, ""));
        score(TWO, 900_000);
        assert_eq!(crate::RefreshQueue::<Test>::get().end, 0);
    });
}

#[test]
fn a_listing_goes_with_its_module() {
    on_chain(|| {
        assert_ok!(list(ONE, ""));
        score(ONE, 900_000);
        remove_module(ONE);
        assert_eq!(held(HoldReason::Listing, OWNER), 0);
        assert_eq!((found(None, ""), Listings::<Test>::iter().count()), (vec![], 0));
        assert_noop!(buy(ALICE, ONE, 1, Way::Burn), Error::<Test>::NotListed);
        next_block();
    });
}

#[test]
fn new_terms_hold_from_the_next_purchase_on() {
    on_chain(|| {
        assert_ok!(list(ONE, "Reads text."));
        assert_noop!(update(ALICE, ONE, offers(), 1, ""), Error::<Test>::NotOwner);
        assert_noop!(update(OWNER, ONE, vec![], 1, ""), Error::<Test>::NoOffers);
        assert_ok!(update(OWNER, ONE, vec![Offer::Burn], 2_000, "Hears music."));

        assert_eq!(last_event(), Event::ListingUpdated { module: ONE, owner: OWNER, deposit: LISTING_DEPOSIT });
        assert_eq!((found(None, "text"), found(None, "acme music")), (vec![], vec![ONE]));
        assert_noop!(buy(ALICE, ONE, 1, Way::Tune), Error::<Test>::WrongWay);
        assert_ok!(buy(ALICE, ONE, 1, Way::Burn));
        assert_eq!(BurntSoFar::get(), 5_200);
    });
}

#[test]
fn the_deposit_stays_with_who_paid_it_until_the_new_owner_takes_it_over() {
    on_chain(|| {
        assert_ok!(list(ONE, ""));
        transfer_module(ONE, ALICE);
        assert_noop!(update(OWNER, ONE, offers(), 1, ""), Error::<Test>::NotOwner);
        assert_noop!(unlist(BOB, ONE), Error::<Test>::NotOwner);
        assert_ok!(update(ALICE, ONE, offers(), 1, ""));
        assert_eq!((held(HoldReason::Listing, OWNER), held(HoldReason::Listing, ALICE)), (0, LISTING_DEPOSIT));
        assert_noop!(unlist(OWNER, ONE), Error::<Test>::NotOwner);

        transfer_module(ONE, BOB);
        assert_ok!(unlist(ALICE, ONE));
        assert_eq!(held(HoldReason::Listing, ALICE), 0);
        assert_ok!(list_for(BOB, ONE, offers(), 1, b""));
        transfer_module(ONE, CHARLIE);
        assert_ok!(unlist(CHARLIE, ONE));
        assert_eq!(held(HoldReason::Listing, BOB), 0);
    });
}

#[test]
fn whoever_lists_again_begins_anew() {
    on_chain(|| {
        assert_ok!(list(ONE, ""));
        assert_ok!(buy(ALICE, ONE, 5, Way::Burn));
        assert_ok!(redeem_one(ALICE, 0, 3));
        assert_ok!(unlist(OWNER, ONE));
        assert_ok!(list(ONE, ""));
        assert_eq!(listing(ONE).usage, Usage::default());
        next_block();
        assert_ok!(redeem_one(ALICE, 0, 5));
        assert_eq!(listing(ONE).usage.calls, 2);
    });
}
