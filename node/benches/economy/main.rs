//! Whether the market takes the same time however much it has, and what it does fits a block.
//!
//! There is a chain for each number of entries: so many listings and as many tickets, made by the calls themselves
//! ([`chain`]). On the state of each, in the wasm runtime and with the node's cache of the state switched off, as in the
//! benchmark `subnet`:
//!
//! - a search is asked: for all listings, those of a type, those with a word that all have, or few, or one, and for words
//!   that many have and none together, which is the longest way. Each must fit the time that a block has.
//! - calls are bought, and redeemed, in a block.
//! - a ticket is checked as `ensemble_checkTicket` does it: it is read by the runtime, and the buyer's signature verified.
//!
//! - the validators of an era are elected among 1,000 and 10,000 candidates, in the block that begins the session before.
//!   That must fit the time that a block has.
//!
//! Buying, redeeming, checking and electing must read as much whatever the number of entries, and grow no more than single reads do.
//!
//! Numbers on the command line are measured instead of 100 and 100,000, the smallest first.

mod chain;
mod election;
#[path = "../shared/mod.rs"]
mod shared;

use std::{process::ExitCode, time::Instant};

use codec::{Decode, Encode};
use ensemble_core::{
    market::{Cursor, Page, TicketView},
    ModelType,
};
use ensemble_runtime::{AccountId, Balance, BlockNumber, Runtime, RuntimeEvent, UncheckedExtrinsic};
use frame_support::{dispatch::DispatchClass, weights::Weight};

use crate::shared::{
    block::{ask, Block, Cost, Wasm},
    chain::{genesis, read, with_state, Chain, Overlay, State, Step},
    growth::{medians, micros, ratio, Costs, Flatness},
    random,
    report::Report,
    transaction::{sign, weights, Record},
};

/// Entries in storage unless the command line names others.
const SIZES: [u32; 2] = [100, 100_000];
/// Times that everything is measured on each chain.
const ROUNDS: u32 = 60;
/// Single entries that are read before each.
const READS: u32 = 8;
/// Listings of a page.
const PAGE: u32 = 10;

/// What is looked for.
struct Query {
    name: &'static str,
    model_type: Option<ModelType>,
    text: String,
    /// Whether something is found.
    is_found: bool,
}

/// What was measured of a kind of call.
struct Measured {
    name: &'static str,
    costs: Costs,
    /// All the different weights that were charged.
    weights: Vec<Weight>,
}

/// All chains, and what single reads took on each.
struct Bench {
    wasm: Wasm,
    chains: Vec<Chain>,
    readings: Vec<Vec<f64>>,
}

fn main() -> ExitCode {
    let named: Vec<u32> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if named.is_empty() { SIZES.to_vec() } else { named };
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let genesis = genesis();
    let steps: [Step; 2] = [chain::write_listings, chain::write_tickets];
    let populated =
        |size: &u32| Chain::populated(genesis.clone(), *size, &folder.path().join(size.to_string()), &steps);
    let chains: Vec<Chain> = sizes.iter().map(populated).collect();
    let readings = vec![Vec::new(); chains.len()];
    let mut bench = Bench { wasm: Wasm::new(), chains, readings };

    let searches = queries().map(|query| (query.name, bench.search(&query)));
    let calls = [bench.buy(), bench.redeem()];
    let check = bench.check();

    let populated = |size: &u32| {
        let folder = folder.path().join(format!("candidates-{size}"));
        Chain::populated(genesis.clone(), *size, &folder, &[election::write_candidates])
    };
    let chains: Vec<Chain> = election::SIZES.iter().map(populated).collect();
    let readings = vec![Vec::new(); chains.len()];
    let mut candidates = Bench { wasm: Wasm::new(), chains, readings };
    let election = candidates.elect();

    let readings = medians(&bench.readings);
    let mut report = Report::default();
    let mut flatness = Flatness { report: &mut report, of: "economy", sizes: &sizes, reading: ratio(&readings) };
    for (name, costs) in &searches {
        flatness.growth(name, &medians(&costs.times), None);
        flatness.figure(format!("{name}.slowest"), slowest(costs), "µs with the most entries", Some(block_time()));
    }
    for Measured { name, costs, weights } in &calls {
        flatness.of_costs(name, costs);
        flatness.of_weights(name, weights);
    }
    flatness.of_costs("check", &check);
    flatness.growth("read", &readings, None);
    let readings = medians(&candidates.readings);
    let sizes = &election::SIZES;
    let mut flatness = Flatness { report: &mut report, of: "economy", sizes, reading: ratio(&readings) };
    flatness.of_costs("elect", &election);
    flatness.figure("elect.slowest".into(), slowest(&election), "µs with the most entries", Some(block_time()));
    report.exit_code()
}

/// The longest time with the most entries, in microseconds.
fn slowest(costs: &Costs) -> f64 {
    costs.times.last().into_iter().flatten().fold(0.0, |most: f64, time| most.max(*time))
}

/// The time that a block has for transactions, in microseconds.
fn block_time() -> f64 {
    let limits = <Runtime as frame_system::Config>::BlockWeights::get();
    let normal = limits.get(DispatchClass::Normal).max_total.unwrap_or(limits.max_block);
    normal.ref_time() as f64 / 1e6
}

/// What is looked for.
fn queries() -> [Query; 6] {
    let [one, other] = chain::HALVES;
    let query = |name, model_type, text: &str, is_found| Query { name, model_type, text: text.into(), is_found };
    [
        query("search.all", None, "", true),
        query("search.type", Some(pallet_modules::defaults::CHAT), "", true),
        query("search.common", None, chain::COMMON, true),
        query("search.rare", None, &format!("{} {}", chain::COMMON, chain::rare(7)), true),
        query("search.one", Some(pallet_modules::defaults::CHAT), "n4", true),
        query("search.none", None, &format!("{one} {other}"), false),
    ]
}

impl Bench {
    /// Does something on each chain in turn, so many times, and says what it took.
    fn measure(&mut self, name: &str, mut work: impl FnMut(&Wasm, &Chain, &State, u32) -> Cost) -> Costs {
        eprintln!("measuring {name}");
        let mut costs = Costs::none(&self.chains);
        for round in 0..ROUNDS {
            for (index, chain) in self.chains.iter().enumerate() {
                let state = chain.state();
                let entries = (0..READS).map(|number| random(("read", name, round, number)) % chain.size());
                self.readings[index].extend(entries.map(|entry| micros(read(&state, entry))));
                costs.add(index, work(&self.wasm, chain, &state, round));
            }
        }
        costs
    }

    /// What the first page of a search takes.
    fn search(&mut self, query: &Query) -> Costs {
        self.measure(query.name, |wasm, _, state, _| {
            let arguments = (query.model_type, query.text.as_bytes(), None::<Cursor>, PAGE).encode();
            let (answer, cost) = ask(wasm, state, "MarketApi_search", &arguments);
            let page = Page::<AccountId, Balance>::decode(&mut &answer[..]).expect("the answer is a page");
            assert_eq!(!page.listings.is_empty(), query.is_found, "{} finds what is there", query.name);
            cost
        })
    }

    /// What buying calls of a module takes, by an account that has a ticket already.
    fn buy(&mut self) -> Measured {
        self.calls("buy", |_, chain, round| {
            let buyer = random(("buyer", round)) % chain.size();
            let module = (buyer + 1) % chain.size();
            sign(&chain::pair(buyer), chain.head(), chain::buy(module))
        })
    }

    /// What redeeming the first call of a ticket takes.
    fn redeem(&mut self) -> Measured {
        self.calls("redeem", |state, chain, round| {
            let (ticket, buyer) = ticket_of(state, chain, round);
            // The hash that the runtime takes for that of its first block, where the block is built.
            sign(&chain::pair(buyer), chain.head(), chain::redeem(ticket, buyer, chain.head()))
        })
    }

    fn calls(&mut self, name: &'static str, call: impl Fn(&State, &Chain, u32) -> UncheckedExtrinsic) -> Measured {
        let mut charged = Vec::new();
        let costs = self.measure(name, |wasm, chain, state, round| {
            let call = call(state, chain, round);
            let mut block = Block::begin(wasm, state, chain.head(), chain::NOW);
            let cost = block.apply(&call);
            let events = block.events();
            assert!(events.iter().any(is_of_market), "the call did its work");
            charged.extend(weights(&events));
            cost
        });
        charged.sort_unstable_by_key(|weight| weight.ref_time());
        charged.dedup();
        Measured { name, costs, weights: charged }
    }

    /// What a block takes before its first transaction that elects validators.
    fn elect(&mut self) -> Costs {
        self.measure("elect", |wasm, chain, state, _| {
            let mut block = Block::begin_after(wasm, state, chain.head(), election::BLOCK, election::prepare);
            assert!(block.events().iter().any(election::happened), "validators were elected");
            block.beginning()
        })
    }

    /// What the check of a ticket takes.
    fn check(&mut self) -> Costs {
        self.measure("check", |wasm, chain, state, round| {
            let (ticket, buyer) = ticket_of(state, chain, round);
            let genesis = chain.head();
            let (receipt, signature) = chain::receipt(ticket, buyer, genesis);
            let (answer, cost) = ask(wasm, state, "MarketApi_ticket", &receipt.ticket.encode());
            let start = Instant::now();
            let view = Option::<TicketView<AccountId, BlockNumber>>::decode(&mut &answer[..]).ok().flatten();
            let view = view.expect("there is such a ticket");
            assert!(receipt.is_signed(genesis, &signature, &view.buyer), "its buyer signed");
            Cost { time: cost.time.saturating_add(start.elapsed()), ..cost }
        })
    }
}

/// A ticket, and the entry whose account bought it.
fn ticket_of(state: &State, chain: &Chain, round: u32) -> (u32, u32) {
    let ticket = random(("ticket", round)) % chain.size();
    let bought = with_state(state, &mut Overlay::default(), || {
        pallet_market::Tickets::<Runtime>::get(u64::from(ticket)).expect("every entry has a ticket").buyer
    });
    let buyer = [ticket, ticket.saturating_add(1)].into_iter().find(|entry| chain::account(*entry) == bought);
    (ticket, buyer.expect("its own account bought it, or the next one"))
}

fn is_of_market(record: &Record) -> bool {
    matches!(record.event, RuntimeEvent::Market(_))
}
