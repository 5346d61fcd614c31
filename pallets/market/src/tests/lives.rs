//! Random lives of the market: whatever people do, its records fit each other and no money is lost.

use ensemble_core::{
    market::{Offer, Way},
    ModuleId,
};
use proptest::prelude::*;

use crate::{mock::*, Balance, HoldReason, NextTicketId, Tickets};

/// Something that happens.
#[derive(Clone, Debug)]
enum Action {
    List { module: ModuleId, offers: Vec<Offer<Balance>>, intensity: u32, text: &'static str },
    Update { module: ModuleId, offers: Vec<Offer<Balance>>, intensity: u32, text: &'static str },
    Unlist { who: AccountId, module: ModuleId },
    Buy { who: AccountId, module: ModuleId, calls: u32, way: Way, validity: BlockNumber },
    Redeem { ticket: u64, calls: u32 },
    Score { module: ModuleId, score: u32 },
    Serve { module: ModuleId, serving: bool },
    Trade { module: ModuleId, to: AccountId },
    Remove { module: ModuleId },
    Offer { who: AccountId, shares: Balance, ask: Balance },
    BuyContribution { who: AccountId },
    Claim { who: AccountId },
    GiveShares { from: AccountId, to: AccountId, shares: Balance },
    Blocks { count: BlockNumber },
}

fn any_offers() -> impl Strategy<Value = Vec<Offer<Balance>>> + Clone {
    let offer = prop_oneof![
        Just(Offer::Burn),
        (1u128..5_000).prop_map(|price| Offer::Tune { price }),
        (1u128..5_000).prop_map(|price| Offer::Asset { asset: USDC, price }),
    ];
    prop::collection::vec(offer, 1..4)
}

fn any_action() -> impl Strategy<Value = Action> {
    let who = prop::sample::select(ACCOUNTS.to_vec());
    let module = prop::sample::select(MODULES.to_vec());
    let way = prop::sample::select(vec![Way::Burn, Way::Tune, Way::Asset(USDC)]);
    let text = prop::sample::select(vec!["", "reads", "reads text", "speaks"]);
    let terms = (module.clone(), any_offers(), 1u32..3_000, text);
    prop_oneof![
        5 => terms.clone().prop_map(|(module, offers, intensity, text)| Action::List { module, offers, intensity, text }),
        2 => terms.prop_map(|(module, offers, intensity, text)| Action::Update { module, offers, intensity, text }),
        1 => (who.clone(), module.clone()).prop_map(|(who, module)| Action::Unlist { who, module }),
        8 => (who.clone(), module.clone(), 1u32..50, way, 1u64..20)
            .prop_map(|(who, module, calls, way, validity)| Action::Buy { who, module, calls, way, validity }),
        6 => (0u64..8, 0u32..60).prop_map(|(ticket, calls)| Action::Redeem { ticket, calls }),
        3 => (module.clone(), 600_000u32..=1_000_000).prop_map(|(module, score)| Action::Score { module, score }),
        2 => (module.clone(), any::<bool>()).prop_map(|(module, serving)| Action::Serve { module, serving }),
        1 => (module.clone(), who.clone()).prop_map(|(module, to)| Action::Trade { module, to }),
        1 => module.prop_map(|module| Action::Remove { module }),
        5 => (who.clone(), 0u128..400, prop::sample::select(vec![0u128, 7, 1_000, 33_333]))
            .prop_map(|(who, shares, ask)| Action::Offer { who, shares, ask }),
        4 => who.clone().prop_map(|who| Action::BuyContribution { who }),
        2 => who.clone().prop_map(|who| Action::Claim { who }),
        3 => (who.clone(), who, 1u128..300).prop_map(|(from, to, shares)| Action::GiveShares { from, to, shares }),
        6 => (1u64..15).prop_map(|count| Action::Blocks { count }),
    ]
}

/// Who owns a module, if it is there.
fn owner(module: ModuleId) -> AccountId {
    world(|world| world.modules.get(&module).map_or(OWNER, |module| module.owner))
}

/// The one of the latest tickets that is so far back, and who bought it.
fn recent(back: u64) -> (u64, AccountId) {
    let id = NextTicketId::<Test>::get().saturating_sub(back + 1);
    (id, Tickets::<Test>::get(id).map_or(ALICE, |ticket| ticket.buyer))
}

/// Does it as far as the chain lets it be done.
fn act(action: Action) -> bool {
    let done = match action {
        Action::List { module, offers, intensity, text } => {
            list_for(owner(module), module, offers, intensity, text.as_bytes())
        },
        Action::Update { module, offers, intensity, text } => update(owner(module), module, offers, intensity, text),
        Action::Unlist { who, module } => unlist(who, module),
        Action::Buy { who, module, calls, way, validity } => buy_for(who, module, calls, way, validity),
        Action::Redeem { ticket, calls } => {
            let (ticket, buyer) = recent(ticket);
            redeem_one(buyer, ticket, calls)
        },
        Action::Offer { who, shares, ask } => offer(who, SECRET, shares, ask),
        Action::BuyContribution { who } => buy_contribution(who, SECRET),
        Action::Claim { who } => claim(who, SECRET),
        Action::GiveShares { from, to, shares } => give_shares(from, to, SECRET, shares),
        Action::Score { module, score: parts } => {
            score(module, parts);
            return true;
        },
        Action::Serve { module, serving } => {
            serve(module, serving);
            return true;
        },
        Action::Trade { module, to } => {
            if world(|world| world.modules.contains_key(&module)) {
                transfer_module(module, to);
            }
            return true;
        },
        Action::Remove { module } => {
            remove_module(module);
            return true;
        },
        Action::Blocks { count } => {
            skip(count);
            return true;
        },
    };
    done.is_ok()
}

/// What an account has, wherever it is: free, held, and due from sales.
fn wealth(who: AccountId) -> (Balance, Balance) {
    let held = [HoldReason::Listing, HoldReason::Ticket, HoldReason::Access].map(|reason| held(reason, who));
    let due = Market::stake_in_sale(SECRET, &who).map_or(0, |stake| stake.due);
    (free(who) + held.iter().sum::<Balance>() + due, asset(USDC, who))
}

/// Everything ends, and everybody takes out what is its own.
fn everything_ends() {
    for module in MODULES {
        remove_module(module);
    }
    for who in ACCOUNTS {
        let _ = offer(who, SECRET, 0, 0);
    }
    skip(ACCESS_PERIOD + 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..Default::default() })]

    #[test]
    fn nothing_is_lost_and_records_fit_each_other(actions in prop::collection::vec(any_action(), 1..80)) {
        on_chain(|| {
            for action in actions {
                let before = ACCOUNTS.map(wealth);
                let issued = (Balances::total_issuance(), BurntSoFar::get());
                let shown = format!("{action:?}");
                let done = act(action);
                check_state();
                let after = ACCOUNTS.map(wealth);
                if !done {
                    assert_eq!((after, Balances::total_issuance(), BurntSoFar::get()), (before, issued.0, issued.1), "{shown}");
                }
                let assets = |wealth: [(Balance, Balance); 4]| wealth.iter().map(|(_, asset)| asset).sum::<Balance>();
                assert_eq!(assets(after), assets(before), "{shown} makes or loses assets");
            }
            everything_ends();
            assert_eq!(Tickets::<Test>::iter().count() + crate::Ends::<Test>::iter().count(), 0);
            assert_eq!(crate::Index::<Test>::iter().count() + crate::Accesses::<Test>::iter().count(), 0);
            assert_eq!(crate::Sales::<Test>::iter().count() + crate::Asks::<Test>::iter().count(), 0);
            assert_eq!(held(HoldReason::Sales, Market::account_id()), 0);
            for who in ACCOUNTS {
                assert_eq!(wealth(who).0, free(who), "something of {who} is still held");
            }
            let everybody = ACCOUNTS.into_iter().chain([ISSUER, Market::account_id()]).map(free);
            assert_eq!(everybody.sum::<Balance>() + BurntSoFar::get(), 5 * ENDOWMENT);
        });
    }
}
