//! What the chains have: a number of listings and tickets.
//!
//! An entry is an account, the module that it has registered, which is a miner with a score and listed, and a ticket for
//! calls of another entry's module. All listings are in the index. Modules are of few types, and what their owners say of
//! them has a word that all have, one that half have, one that few have, and one that nobody else has.

use std::ops::Range;

use codec::Encode;
use ensemble_core::{
    market::{Offer, Receipt, Way},
    modules::Role,
    scores::{Score, ONE},
    ModuleId,
};
use ensemble_runtime::{AccountId, Balance, Hash, Market, Runtime, RuntimeCall, RuntimeOrigin, Signature, TUNE};
use frame_support::{traits::Hooks, weights::Weight};
use pallet_modules::NewProfile;
use sp_core::{sr25519, Pair, H256};
use sp_io::hashing::blake2_256;

use crate::shared::{chain::dispatch, random};

/// What each account begins with: enough for a name, deposits, calls and fees.
const ENDOWMENT: Balance = 10_000 * TUNE;
/// Words that module names begin with, which make their types.
const FAMILIES: [&str; 4] = ["llama", "whisper", "sdxl", "bge"];
/// Least score of a module that is for sale.
const LEAST: u32 = 700_000;
/// Calls of a ticket.
const CALLS: u32 = 10;
/// Blocks for which a ticket is good.
const VALIDITY: u32 = 10_000;
/// Number of the block in which calls are measured.
pub const NOW: u32 = 1;

/// A word in what every owner says.
pub const COMMON: &str = "model";
/// A word in what half of the owners say, and one in what the others say.
pub const HALVES: [&str; 2] = ["quick", "careful"];

/// A word that one of a thousand owners says.
pub fn rare(entry: u32) -> String {
    format!("r{}", entry % 1_000)
}

/// Writes entries.
pub fn write_listings(entries: Range<u32>) {
    entries.for_each(write_listing);
    index_all();
}

/// Has every account buy calls of the module of an entry that is there already.
pub fn write_tickets(entries: Range<u32>) {
    for entry in entries {
        let module = random(("bought", entry)) % entry.max(1);
        let buyer = if module == entry { entry.saturating_add(1) } else { entry };
        dispatch(RuntimeOrigin::signed(account(buyer)), buy(module));
    }
}

fn write_listing(entry: u32) {
    let who = account(entry);
    let endow = pallet_balances::Call::force_set_balance { who: who.clone().into(), new_free: ENDOWMENT };
    dispatch(RuntimeOrigin::root(), RuntimeCall::Balances(endow));
    assert_eq!(pallet_modules::NextModuleId::<Runtime>::get(), entry, "modules have the numbers of their owners");
    let register =
        pallet_modules::Call::register { name: name(entry).into(), profile: profile(), max_price: Balance::MAX };
    dispatch(RuntimeOrigin::signed(who.clone()), RuntimeCall::Modules(register));
    let role = pallet_modules::Call::set_role { module: entry, role: Role::Miner };
    dispatch(RuntimeOrigin::signed(who.clone()), RuntimeCall::Modules(role));
    // As if it had been scored.
    let score =
        Score { score: LEAST + random(("score", entry)) % (ONE - LEAST), quality: ONE, availability: ONE, latency: 1 };
    pallet_scores::LastScores::<Runtime>::insert(entry, (0, score));
    dispatch(RuntimeOrigin::signed(who), list(entry));
}

/// Puts all listings where they belong, as blocks that have the time do.
fn index_all() {
    let waiting = || {
        let queue = pallet_market::RefreshQueue::<Runtime>::get();
        queue.first < queue.end
    };
    while waiting() {
        Market::on_idle(0, Weight::MAX);
    }
}

fn list(module: ModuleId) -> RuntimeCall {
    let offers = vec![Offer::Burn, Offer::Tune { price: TUNE }];
    let half = HALVES[module as usize % HALVES.len()];
    let text = format!("A {COMMON} that is {half}, of sort {}, with number n{module}.", rare(module));
    RuntimeCall::Market(pallet_market::Call::list { module, offers, intensity: 1_000, text: text.into() })
}

/// Buys calls of a module.
pub fn buy(module: ModuleId) -> RuntimeCall {
    let (max_price, max_toll) = (Balance::MAX, Balance::MAX);
    let (calls, way, validity) = (CALLS, Way::Tune, VALIDITY);
    RuntimeCall::Market(pallet_market::Call::buy { module, calls, way, max_price, max_toll, validity })
}

/// Redeems the first call of the ticket of an entry, which it signed for.
pub fn redeem(ticket: u32, buyer: u32, genesis: Hash) -> RuntimeCall {
    let signed = receipt(ticket, buyer, genesis);
    RuntimeCall::Market(pallet_market::Call::redeem { receipts: vec![signed].try_into().expect("one is few") })
}

/// A receipt for the first call of a ticket, with the signature of its buyer.
pub fn receipt(ticket: u32, buyer: u32, genesis: Hash) -> (Receipt, Signature) {
    let receipt = Receipt { ticket: ticket.into(), calls: 1, challenge: H256::repeat_byte(1) };
    let signature = pair(buyer).sign(receipt.message(genesis).as_bytes());
    (receipt, signature.into())
}

/// The key pair of an account.
pub fn pair(entry: u32) -> sr25519::Pair {
    sr25519::Pair::from_seed(&blake2_256(&("economy", entry).encode()))
}

/// The account of an entry.
pub fn account(entry: u32) -> AccountId {
    AccountId::from(pair(entry).public())
}

fn name(entry: u32) -> String {
    let family = FAMILIES[entry as usize % FAMILIES.len()];
    format!("{family}-{:x}-{entry}", random(("name", entry)))
}

/// What an owner says of a module.
pub fn profile() -> NewProfile {
    NewProfile {
        endpoint: b"https://example.org".to_vec(),
        metadata: H256::zero(),
        description: Vec::new(),
        implementation: None,
    }
}
