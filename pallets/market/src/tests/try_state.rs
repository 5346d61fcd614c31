//! The check of the state finds what is off, and says so.

use ensemble_core::{
    exchange::Audience,
    market::{Day, Way},
    AssetId,
};
use frame_support::{
    assert_ok,
    traits::{fungible::MutateHold, tokens::Precision},
};

use crate::{
    mock::*, Accesses, Asks, CurrentTotals, Days, EndKey, Ending, Ends, HoldReason, Index, ListingOf, Listings,
    NextTicketId, Positions, Refreshes, Sale, Sales, Shelf, TicketOf, Tickets,
};

/// Spoils a state with some of everything, and expects this complaint.
fn complains(spoil: impl FnOnce(), complaint: &'static str) {
    new_chain().execute_with(|| {
        assert_ok!(list(ONE, "Reads text."));
        assert_ok!(list(TWO, ""));
        assert_ok!(buy(ALICE, ONE, 10, Way::Burn));
        assert_ok!(redeem_one(ALICE, 0, 5));
        next_block();
        score(TWO, 950_000);
        assert_ok!(offer(ALICE, SECRET, 400, 1_000));
        assert_ok!(offer(BOB, SECRET, 200, 2_000));
        assert_ok!(buy_contribution(OWNER, SECRET));
        check_state();
        spoil();
        assert_eq!(Market::do_try_state(), Err(complaint.into()));
    });
}

fn change(module: u32, change: impl FnOnce(&mut ListingOf<Test>)) {
    Listings::<Test>::mutate(module, |listing| change(listing.as_mut().unwrap()));
}

fn change_ticket(change: impl FnOnce(&mut TicketOf<Test>)) {
    Tickets::<Test>::mutate(0, |ticket| change(ticket.as_mut().unwrap()));
}

fn change_sale(change: impl FnOnce(&mut Sale)) {
    Sales::<Test>::mutate(SECRET, |sale| change(sale.as_mut().unwrap()));
}

#[test]
fn listings() {
    complains(|| change(ONE, |listing| listing.terms.offers.clear()), "a listing cannot be paid in any way");
    complains(|| change(ONE, |listing| listing.terms.intensity = 0), "calls of a listing take nothing");
    complains(
        || change(ONE, |listing| listing.words.iter_mut().for_each(|word| word.clear())),
        "words of a listing are out of order",
    );
    complains(|| change(ONE, |listing| listing.serving = false), "what does not serve stands in the index");
    let place = "a listing does not stand where it should";
    complains(|| change(ONE, |listing| listing.usage.intensity += 1), place);
    complains(|| change(ONE, |listing| listing.score = None), place);
}

#[test]
fn index() {
    let rank = || crate::rank::Rank::new(sp_runtime::Permill::one(), 0, 77);
    complains(|| Index::<Test>::insert(Shelf::All, rank(), ()), "something on a shelf is no listing");
    complains(|| change(TWO, |listing| listing.place = None), "something on a shelf is no listing");
    complains(
        || {
            let place = Listings::<Test>::get(ONE).unwrap().place.unwrap();
            Index::<Test>::remove(Shelf::Type(OCR), place.rank);
        },
        "a listing is missing on a shelf",
    );
    complains(
        || CurrentTotals::<Test>::mutate(|totals| totals.listed += 1),
        "the number of listings in the index is wrong",
    );
}

#[test]
fn queue() {
    let gaps = "the queue has gaps, or entries outside of it";
    complains(|| Refreshes::<Test>::insert(77, ONE), gaps);
    complains(|| Refreshes::<Test>::remove(1), gaps);
    complains(|| change(ONE, |listing| listing.queued = true), "a listing waits outside of the queue");
}

#[test]
fn tickets() {
    complains(|| NextTicketId::<Test>::put(0), "a ticket has a number that none was given");
    let calls = "a ticket has more calls redeemed than bought";
    complains(|| change_ticket(|ticket| ticket.calls = 4), calls);
    complains(|| CurrentTotals::<Test>::mutate(|totals| totals.tickets += 1), "the number of tickets is wrong");
}

#[test]
fn ends() {
    let when = "what is to end is not there, or ends at another time";
    complains(|| change_ticket(|ticket| ticket.until += 1), when);
    complains(|| Tickets::<Test>::remove(0), when);
    complains(|| Accesses::<Test>::remove(SECRET, OWNER), when);
    let until = || Market::ticket_view(0).unwrap().redeemable_until;
    complains(|| Ends::<Test>::insert(EndKey::new(until(), 77), Ending::Ticket(0)), "a ticket never ends, or twice");
    complains(
        || {
            let (key, _) = Ends::<Test>::iter().find(|(_, ending)| matches!(ending, Ending::Access { .. })).unwrap();
            Ends::<Test>::remove(key);
        },
        "an access never ends, or twice",
    );
    complains(|| crate::NextEnd::<Test>::put(0), "a ticket was made that never ends");
}

#[test]
fn sales() {
    let shares = "the shares in a sale are not those of its holders";
    complains(|| change_sale(|sale| sale.shares += 1), shares);
    complains(|| Positions::<Test>::remove(AssetId::Shares(SECRET), ALICE), shares);
    complains(|| change_sale(|sale| sale.holders += 1), "the number of holders in a sale is wrong");
    complains(|| change_sale(|sale| sale.income.owed -= 2), "shareholders are due more than was paid for them");
    complains(|| Sales::<Test>::remove(SECRET), "shares take part in a sale that is not there");
    let asks = "what shares ask for is not what their holders do";
    complains(|| Asks::<Test>::insert(SECRET, 77, 1), asks);
    complains(|| Asks::<Test>::remove(SECRET, 1_000), asks);
}

#[test]
fn positions() {
    let position = crate::Position { shares: 1, ask: 1, ..Default::default() };
    complains(|| Positions::<Test>::insert(USDC, ALICE, position), "what takes part in a sale is no share");
    complains(
        || {
            let class = AssetId::Shares(SECRET);
            Positions::<Test>::insert(class, CHARLIE, crate::Position::default());
            change_sale(|sale| sale.holders += 1);
            Asks::<Test>::insert(SECRET, 0, 0);
        },
        "nothing takes part in a sale, or for nothing",
    );
    complains(
        || {
            // All but the account knows of more shares than it has.
            let position = crate::Position {
                shares: 501,
                ask: 1_000,
                since: Sales::<Test>::get(SECRET).unwrap().income.per_share,
            };
            Positions::<Test>::insert(AssetId::Shares(SECRET), ALICE, position);
            change_sale(|sale| sale.shares += 101);
            Asks::<Test>::insert(SECRET, 1_000, 501);
        },
        "shares take part that have left the account",
    );
    complains(
        || {
            world(|world| world.won.remove(&SECRET));
        },
        "what is sold did not win",
    );
    complains(
        || {
            world(|world| world.won.insert(SECRET, Audience::Public));
        },
        "what is sold is public",
    );
}

#[test]
fn days() {
    let place = "a day is kept at the wrong place";
    complains(|| Days::<Test>::insert(1, Day { day: 2, ..Day::default() }), place);
    complains(|| Days::<Test>::insert(1, Day { day: 1, ..Day::default() }), place);
    complains(
        || Days::<Test>::mutate(0, |day| day.as_mut().unwrap().sold += 1),
        "in the latest days more happened than ever",
    );
}

#[test]
fn money() {
    let release = |reason: HoldReason, who, amount| {
        assert_ok!(Balances::release(&reason.into(), &who, amount, Precision::Exact));
    };
    complains(|| release(HoldReason::Listing, OWNER, 1), "what is held for listings is wrong");
    complains(|| release(HoldReason::Ticket, ALICE, 1), "what is held for tickets is wrong");
    complains(|| release(HoldReason::Access, OWNER, 1), "what is held for access is wrong");
    let owed = "what is held for shareholders is not what they are owed";
    complains(|| release(HoldReason::Sales, Market::account_id(), 1), owed);
    complains(
        || frame_system::Account::<Test>::mutate(Market::account_id(), |account| account.data.free = 0),
        "the pot has no existential deposit",
    );
}
