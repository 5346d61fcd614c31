//! Modules that are found good are for sale, and shareholders sell what they own.

use ensemble_core::{
    epochs::EpochPhase,
    exchange::{Asker, Audience, Refusal, Title},
    market::{Offer, Receipt, TicketId, Way},
    modules::Role,
    scores::ONE,
    tasks::Descriptor,
    AssetId, ModuleId, TaskId,
};
use ensemble_runtime::{
    Assets, Balance, Balances, Emission, Exchange, Market, Matching, Modules, Runtime, RuntimeOrigin, System, TUNE,
};
use ensemble_tensor::{Header, TensorId};
use frame_support::{
    assert_noop, assert_ok,
    traits::{fungible::InspectHold as _, fungibles::Mutate as _},
};
use pallet_market::Error;
use pallet_tasks::Contribution;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve};
use sp_runtime::DispatchResult;

use crate::{
    account, on_chain, preset, register, signed,
    subnet::{assert_books, run_to, run_to_phase, score, set_role, total, validator},
};

/// A stable asset, of which an account may have one unit.
const USD: AssetId = AssetId::Asset(1);
/// What won it is sold.
const TASK: TaskId = 1_000;
const SHARES: Balance = 1_000_000_000_000;
const PRICE: Balance = 3 * TUNE;
const GOOD: u32 = 900_000;

/// A chain on which Alice has a miner that she wants to sell, and Bob a validator that judges it.
fn with_shop(test: impl FnOnce(ModuleId, ModuleId)) {
    on_chain(preset("development"), || {
        let (shop, judge) = (register(Alice, "llama-shop"), register(Bob, "a-judge"));
        assert_ok!(set_role(Alice, shop, Role::Miner));
        assert_ok!(set_role(Bob, judge, validator(10)));
        run_to(2);
        assert_ok!(Assets::force_create(RuntimeOrigin::root(), USD, account(Eve).into(), true, 1));
        assert_ok!(Assets::mint_into(USD, &account(Charlie), 1_000));
        let offers = vec![Offer::Burn, Offer::Tune { price: PRICE }, Offer::Asset { asset: USD, price: 40 }];
        assert_ok!(Market::list(signed(Alice), shop, offers, 1_000, b"Answers in verse.".to_vec()));
        test(shop, judge);
    });
}

/// Has the judge score the shop in an epoch, and the chain settle it.
fn judged(shop: ModuleId, judge: ModuleId, found: u32) {
    score(Bob, judge, shop, found);
    run_to_phase(EpochPhase::Commit);
    run_to(System::block_number() + 2);
}

fn found(text: &str) -> Vec<ModuleId> {
    let page = Market::search(None, text.as_bytes(), None, 10);
    page.listings.into_iter().map(|listing| listing.module).collect()
}

fn buy(who: Sr25519Keyring, module: ModuleId, calls: u32, way: Way) -> DispatchResult {
    Market::buy(signed(who), module, calls, way, Balance::MAX, Balance::MAX, 100)
}

/// Buys calls, and returns the ticket.
fn bought(who: Sr25519Keyring, module: ModuleId, calls: u32, way: Way) -> TicketId {
    let ticket = pallet_market::NextTicketId::<Runtime>::get();
    assert_ok!(buy(who, module, calls, way));
    ticket
}

/// A receipt with its buyer's signature.
fn receipt(who: Sr25519Keyring, ticket: TicketId, calls: u32) -> (Receipt, ensemble_runtime::Signature) {
    let receipt = Receipt { ticket, calls, challenge: Default::default() };
    let message = receipt.message(System::block_hash(0));
    (receipt, who.sign(message.as_bytes()).into())
}

fn redeem(receipts: Vec<(Receipt, ensemble_runtime::Signature)>) -> DispatchResult {
    Market::redeem(signed(Dave), receipts.try_into().expect("they are few"))
}

#[test]
fn a_module_sells_its_calls_while_it_is_good() {
    with_shop(|shop, judge| {
        assert!(found("").is_empty());
        assert_noop!(buy(Charlie, shop, 1, Way::Burn), Error::<Runtime>::NotListed);
        judged(shop, judge, GOOD);
        for text in ["", "verse", "llama answers"] {
            assert_eq!(found(text), [shop], "{text}");
        }
        assert_eq!(Market::stats().listed, 1);

        judged(shop, judge, 600_000);
        assert!(found("").is_empty());
        assert_noop!(buy(Charlie, shop, 1, Way::Burn), Error::<Runtime>::NotListed);
        judged(shop, judge, 700_000);
        assert_eq!(found(""), [shop]);
    });
}

#[test]
fn calls_are_paid_to_the_owner_or_burnt_at_once_and_the_books_agree() {
    with_shop(|shop, judge| {
        judged(shop, judge, GOOD);
        let (before, burnt) = (total(&account(Alice)), Emission::supply().burnt);
        let ticket = bought(Charlie, shop, 2, Way::Burn);
        // 10 TUNE x (1 + 2 x 0.9), twice.
        assert_eq!(Emission::supply().burnt - burnt, 2 * 28 * TUNE);
        assert_eq!(total(&account(Alice)), before);

        let paid = bought(Charlie, shop, 3, Way::Tune);
        assert_eq!(total(&account(Alice)) - before, 3 * PRICE);
        let toll = Emission::supply().burnt - burnt - 56 * TUNE;
        assert!(toll > 0 && toll < TUNE, "a toll of {toll}");
        bought(Charlie, shop, 5, Way::Asset(USD));
        assert_eq!((Assets::balance(USD, account(Alice)), Assets::balance(USD, account(Charlie))), (200, 800));
        assert_noop!(buy(Alice, shop, 1, Way::Burn), Error::<Runtime>::OwnListing);
        assert_books();

        assert_ok!(redeem(vec![receipt(Charlie, ticket, 2), receipt(Charlie, paid, 1)]));
        let listing = Market::listing_view(shop).expect("it is listed");
        assert_eq!((listing.calls, listing.usage), (3, 3_000));
        assert_noop!(redeem(vec![receipt(Charlie, ticket, 2)]), Error::<Runtime>::NothingNew);
        assert_noop!(redeem(vec![receipt(Dave, paid, 2)]), Error::<Runtime>::BadSignature);
        assert_noop!(redeem(vec![receipt(Charlie, paid, 4)]), Error::<Runtime>::MoreThanBought);
    });
}

#[test]
fn what_does_not_serve_is_not_sold() {
    with_shop(|shop, judge| {
        judged(shop, judge, GOOD);
        let after = |change: DispatchResult, listed: &[ModuleId]| {
            assert_ok!(change);
            run_to(System::block_number() + 1);
            assert_eq!(found(""), listed);
            assert_eq!(buy(Charlie, shop, 1, Way::Burn).is_ok(), !listed.is_empty());
        };
        after(Matching::flag(RuntimeOrigin::root(), shop, b"too slow".to_vec()), &[]);
        after(Matching::unflag(RuntimeOrigin::root(), shop), &[shop]);
        after(Matching::switch_off(signed(Alice), shop), &[]);
        after(Matching::switch_on(signed(Alice), shop), &[shop]);
        after(set_role(Alice, shop, Role::Idle), &[]);
        after(set_role(Alice, shop, Role::Miner), &[shop]);
        assert_ok!(Modules::offer_transfer(signed(Alice), shop, account(Dave)));
        assert_ok!(Modules::accept_transfer(signed(Dave), shop));
        let before = total(&account(Dave));
        bought(Charlie, shop, 1, Way::Tune);
        assert_eq!(total(&account(Dave)) - before, PRICE, "who owns it is paid");
    });
}

#[test]
fn a_removed_module_leaves_nothing_in_the_market_but_its_tickets() {
    with_shop(|shop, judge| {
        judged(shop, judge, GOOD);
        let ticket = bought(Charlie, shop, 1, Way::Burn);
        assert_ok!(Modules::remove(signed(Alice), shop));
        run_to(System::block_number() + 1);
        assert!(found("").is_empty() && Market::listing_view(shop).is_none());
        let reason = pallet_market::HoldReason::Listing.into();
        assert_eq!(Balances::balance_on_hold(&reason, &account(Alice)), 0);
        assert_noop!(buy(Charlie, shop, 1, Way::Burn), Error::<Runtime>::NotListed);
        assert!(Market::ticket_view(ticket).is_some());
        assert_books();
    });
}

#[test]
fn shareholders_sell_access_and_keep_their_shares_and_title() {
    on_chain(preset("development"), || {
        let content = win();
        let entitled = |who: Sr25519Keyring| Exchange::entitlement(&Asker::Account(account(who)), TASK, content);
        assert!(!Exchange::ways(TASK).expect("it is restricted").sold);
        for who in [Alice, Bob] {
            assert_ok!(Market::offer_contribution(signed(who), TASK, SHARES / 2, 8 * TUNE));
        }
        assert_eq!(entitled(Alice), Ok(Title::Shareholder));
        let sell = Assets::transfer(signed(Alice), AssetId::Shares(TASK), account(Dave).into(), SHARES / 2);
        assert!(sell.is_err(), "shares that take part stay");
        assert!(matches!(entitled(Charlie), Err(Refusal::NotEntitled(ways)) if ways.sold));

        assert_ok!(Market::buy_contribution(signed(Charlie), TASK, 8 * TUNE));
        let Ok(Title::Buyer { until }) = entitled(Charlie) else { panic!("Charlie has paid") };
        assert!(entitled(Dave).is_err());
        for who in [Alice, Bob] {
            let before = total(&account(who));
            assert_ok!(Market::claim_sales(signed(who), TASK));
            assert_eq!(total(&account(who)) - before, 4 * TUNE);
        }
        assert_books();

        System::set_block_number(until);
        assert_eq!(entitled(Charlie), Ok(Title::Buyer { until }));
        System::set_block_number(until + 1);
        assert!(entitled(Charlie).is_err());
    });
}

/// Has a restricted task been won by Alice and Bob, as if the chain had settled it long ago. Returns what won.
fn win() -> TensorId {
    let descriptor = Descriptor { header: Header::bytes(10).expect("it is short"), root: [5; 32] };
    let contribution = Contribution {
        creator: account(Eve),
        content: descriptor.id(),
        descriptor,
        audience: Audience::Restricted { exchanged: false },
        winners: 2,
        weight: 2,
        committed: 2,
        committed_weight: 2,
        settled_at: 0,
    };
    pallet_tasks::Contributions::<Runtime>::insert(TASK, contribution);
    let class = AssetId::Shares(TASK);
    assert_ok!(Assets::force_create(RuntimeOrigin::root(), class, account(Eve).into(), true, 1));
    for who in [Alice, Bob] {
        assert_ok!(Assets::mint_into(class, &account(who), SHARES / 2));
    }
    descriptor.id()
}

#[test]
fn a_call_of_the_best_burns_three_times_ten_tune() {
    with_shop(|shop, judge| {
        judged(shop, judge, ONE);
        assert_eq!(Market::cost(shop, 1, Way::Burn).expect("it is for sale").price, 30 * TUNE);
    });
}
