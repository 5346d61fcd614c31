//! Selling access to restricted contributions.

use ensemble_core::{
    market::{Cost, SaleView, Sales as _, StakeInSale, Way},
    AssetId,
};
use frame_support::{
    assert_noop, assert_ok,
    traits::{
        fungible::Mutate,
        fungibles,
        tokens::Preservation::{Expendable, Preserve},
    },
};
use pallet_assets::FrozenBalance;

use crate::{mock::*, Asks, Balance, Error, Event, HoldReason, Positions, Sales};

fn due(who: AccountId) -> Balance {
    Market::stake_in_sale(SECRET, &who).unwrap().due
}

fn price() -> Option<Balance> {
    Sales::<Test>::get(SECRET).unwrap().price
}

#[test]
fn one_write_pays_all_whose_shares_take_part() {
    on_chain(|| {
        assert_ok!(offer(ALICE, SECRET, 500, 1_000));
        assert_ok!(offer(BOB, SECRET, 250, 1_000));
        assert_ok!(buy_contribution(OWNER, SECRET));
        let until = 1 + ACCESS_PERIOD;
        assert_eq!(last_event(), Event::AccessBought { task: SECRET, buyer: OWNER, price: 1_000, toll: 10, until });
        assert_eq!(free(OWNER), ENDOWMENT - 1_000 - 10 - ACCESS_DEPOSIT);
        assert_eq!((due(ALICE), due(BOB), BurntSoFar::get()), (666, 333, 10));
        assert_eq!(held(HoldReason::Sales, Market::account_id()), 1_000);
        let expected = SaleView {
            task: SECRET,
            cost: Some(Cost { way: Way::Tune, price: 1_000, toll: 10 }),
            shares: 750,
            holders: 2,
            owed: 1_000,
        };
        assert_eq!(Market::sale_view(SECRET), Some(expected));
        assert_eq!(Market::stake_in_sale(SECRET, &BOB), Some(StakeInSale { shares: 250, ask: 1_000, due: 333 }));
        assert_eq!((Market::sale_view(OPEN), Market::stake_in_sale(SECRET, &CHARLIE)), (None, None));

        assert_ok!(claim(BOB, SECRET));
        assert_eq!(last_event(), Event::SalesClaimed { task: SECRET, who: BOB, amount: 333 });
        assert_eq!(free(BOB), ENDOWMENT + 333);
        assert_noop!(claim(BOB, SECRET), Error::<Test>::NothingDue);
        assert_noop!(claim(CHARLIE, SECRET), Error::<Test>::NotOffering);
    });
}

#[test]
fn shares_earn_from_when_they_take_part_until_they_leave() {
    on_chain(|| {
        assert_ok!(offer(ALICE, SECRET, 500, 1_000));
        let endowed = ENDOWMENT - EXISTENTIAL;
        assert_ok!(buy_contribution(OWNER, SECRET));
        assert_ok!(offer(BOB, SECRET, 300, 1_000));
        assert_ok!(offer(CHARLIE, SECRET, 200, 1_000));
        assert_ok!(buy_contribution(ISSUER, SECRET));
        // What is due is paid with whatever an account changes.
        assert_ok!(offer(ALICE, SECRET, 0, 0));
        assert_eq!(free(ALICE), endowed + 1_000 + 500);
        let left = Event::ContributionOffered { task: SECRET, who: ALICE, shares: 0, ask: 0, price: Some(1_000) };
        assert_eq!(last_event(), left);
        assert_noop!(offer(ALICE, SECRET, 0, 0), Error::<Test>::NotOffering);
        assert_eq!((due(BOB), due(CHARLIE)), (300, 200));
        assert_ok!(offer(BOB, SECRET, 0, 0));
        assert_ok!(offer(CHARLIE, SECRET, 0, 0));
        assert_eq!((free(BOB), free(CHARLIE)), (ENDOWMENT + 300, ENDOWMENT + 200));
        assert_eq!((Sales::<Test>::iter().count(), Asks::<Test>::iter().count()), (0, 0));
        assert_eq!((Positions::<Test>::iter().count(), free(Market::account_id())), (0, EXISTENTIAL));
        assert_noop!(buy_contribution(BOB, SECRET), Error::<Test>::NotForSale);
    });
}

#[test]
fn what_rounding_leaves_is_the_last_ones() {
    on_chain(|| {
        for who in [ALICE, BOB, CHARLIE] {
            assert_ok!(offer(who, SECRET, 7, 100));
        }
        assert_ok!(buy_contribution(OWNER, SECRET));
        for who in [ALICE, BOB, CHARLIE] {
            assert_ok!(offer(who, SECRET, 0, 0));
        }
        assert_eq!((free(BOB), free(CHARLIE)), (ENDOWMENT + 33, ENDOWMENT + 34));
        assert_eq!(held(HoldReason::Sales, Market::account_id()), 0);
    });
}

#[test]
fn access_costs_what_most_shares_ask() {
    on_chain(|| {
        assert_ok!(offer(CHARLIE, SECRET, 100, 50));
        assert_eq!(price(), Some(50));
        // Half is not most.
        assert_ok!(offer(BOB, SECRET, 100, 70));
        assert_eq!(price(), Some(50));
        assert_ok!(offer(ALICE, SECRET, 1, 70));
        assert_eq!(price(), Some(70));
        assert_ok!(offer(CHARLIE, SECRET, 102, 60));
        assert_eq!(price(), Some(60));
        // Whose price it is may leave; another comes when somebody asks for it again.
        assert_ok!(offer(CHARLIE, SECRET, 0, 0));
        assert_eq!(price(), Some(60));
        assert_ok!(offer(BOB, SECRET, 100, 70));
        assert_eq!(price(), Some(70));
        assert_eq!(Asks::<Test>::iter().collect::<Vec<_>>(), vec![(SECRET, 70, 101)]);
    });
}

#[test]
fn shares_that_take_part_cannot_leave() {
    on_chain(|| {
        let class = AssetId::Shares(SECRET);
        assert_ok!(offer(ALICE, SECRET, 400, 1_000));
        assert_eq!(<Market as FrozenBalance<_, _, _>>::frozen_balance(class, &ALICE), Some(400));
        assert_eq!(<Market as FrozenBalance<_, _, _>>::frozen_balance(class, &BOB), None);
        assert!(<Market as FrozenBalance<_, AccountId, Balance>>::contains_freezes(class));
        assert!(!<Market as FrozenBalance<_, AccountId, Balance>>::contains_freezes(AssetId::Shares(OPEN)));
        assert!(give_shares(ALICE, BOB, SECRET, 101).is_err());
        assert_ok!(give_shares(ALICE, BOB, SECRET, 100));
        assert_eq!(asset(class, ALICE), 400);
        assert_noop!(offer(ALICE, SECRET, 401, 1_000), Error::<Test>::NotEnoughShares);

        assert_ok!(offer(ALICE, SECRET, 1, 1_000));
        assert_ok!(give_shares(ALICE, BOB, SECRET, 399));
        assert!(give_shares(ALICE, BOB, SECRET, 1).is_err());
        assert_ok!(offer(ALICE, SECRET, 0, 0));
        assert_ok!(give_shares(ALICE, BOB, SECRET, 1));
        assert_eq!(asset(class, ALICE), 0);
    });
}

#[test]
fn only_what_is_restricted_and_won_is_sold() {
    on_chain(|| {
        assert_noop!(offer(ALICE, 77, 1, 1), Error::<Test>::NothingWon);
        assert_noop!(offer(ALICE, OPEN, 1, 1), Error::<Test>::NotRestricted);
        assert_noop!(offer(ALICE, SECRET, 1, 0), Error::<Test>::ZeroPrice);
        assert_noop!(offer(OWNER, SECRET, 1, 1), Error::<Test>::NotEnoughShares);
        assert_noop!(offer(OWNER, SECRET, 0, 1), Error::<Test>::NotOffering);
    });
}

#[test]
fn access_is_bought_once_and_for_a_time() {
    on_chain(|| {
        assert_noop!(buy_contribution(OWNER, SECRET), Error::<Test>::NotForSale);
        assert!(!Market::is_sold(SECRET));
        assert_ok!(offer(ALICE, SECRET, 500, 1_000));
        assert!(Market::is_sold(SECRET));
        assert_eq!(Market::access(SECRET, &OWNER), None);
        let cheap = Market::buy_contribution(RuntimeOrigin::signed(OWNER), SECRET, 999);
        assert_noop!(cheap, Error::<Test>::Underpaid);
        assert_noop!(buy_contribution(BOB, SECRET), Error::<Test>::OwnContribution);
        assert_noop!(buy_contribution(ALICE, SECRET), Error::<Test>::OwnContribution);

        assert_ok!(Market::buy_contribution(RuntimeOrigin::signed(OWNER), SECRET, 1_000));
        let until = 1 + ACCESS_PERIOD;
        assert_eq!(Market::access(SECRET, &OWNER), Some(until));
        assert_noop!(buy_contribution(OWNER, SECRET), Error::<Test>::AlreadyBought);
        System::set_block_number(until);
        assert_eq!(Market::access(SECRET, &OWNER), Some(until));
        System::set_block_number(until + 1);
        assert_eq!(Market::access(SECRET, &OWNER), None);
        next_block();
        assert_ok!(buy_contribution(OWNER, SECRET));
    });
}

#[test]
fn whoever_cannot_pay_or_be_paid_is_told() {
    on_chain(|| {
        assert_ok!(offer(ALICE, SECRET, 500, 1_000));
        let keep = |amount| {
            let all = free(OWNER);
            assert_ok!(<Balances as Mutate<_>>::transfer(&OWNER, &BOB, all - EXISTENTIAL - amount, Preserve));
        };
        for missing in [1_000 + 10 + ACCESS_DEPOSIT - 1, 1_000 + 9, 999] {
            keep(missing);
            assert_noop!(buy_contribution(OWNER, SECRET), Error::<Test>::CannotPay);
        }
        // Shares keep an account alive without money, which must not stay below the existential deposit.
        assert_ok!(offer(ALICE, SECRET, 256, 8));
        assert_ok!(buy_contribution(ISSUER, SECRET));
        assert_ok!(<Assets as fungibles::Mutate<_>>::transfer(USDC, &ALICE, &BOB, ENDOWMENT, Expendable));
        assert_ok!(<Balances as Mutate<_>>::transfer(&ALICE, &BOB, free(ALICE), Expendable));
        assert_eq!(due(ALICE), 8);
        assert_noop!(claim(ALICE, SECRET), Error::<Test>::CannotReceive);
        assert_noop!(offer(ALICE, SECRET, 0, 0), Error::<Test>::CannotReceive);
        assert_ok!(<Balances as Mutate<_>>::transfer(&BOB, &ALICE, EXISTENTIAL, Preserve));
        assert_ok!(claim(ALICE, SECRET));
    });
}

#[test]
fn a_sale_takes_in_no_more_than_a_number_holds() {
    on_chain(|| {
        assert_ok!(offer(ALICE, SECRET, 1, 1_000));
        Sales::<Test>::mutate(SECRET, |sale| sale.as_mut().unwrap().income.owed = Balance::MAX - 999);
        assert_noop!(buy_contribution(OWNER, SECRET), Error::<Test>::SaleFull);
        Sales::<Test>::mutate(SECRET, |sale| sale.as_mut().unwrap().income.owed = 0);
    });
}

#[test]
fn the_first_to_offer_endows_the_pot() {
    on_chain(|| {
        let rest = free(ALICE) - EXISTENTIAL;
        assert_ok!(<Balances as Mutate<_>>::transfer(&ALICE, &BOB, rest, Preserve));
        assert_noop!(offer(ALICE, SECRET, 1, 1), Error::<Test>::CannotPay);
        assert_ok!(offer(BOB, SECRET, 1, 1));
        assert_eq!(free(Market::account_id()), EXISTENTIAL);
        assert_ok!(offer(ALICE, SECRET, 1, 1));
        assert_eq!(free(Market::account_id()), EXISTENTIAL);
    });
}
