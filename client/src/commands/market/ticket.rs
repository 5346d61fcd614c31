//! Tickets: bought, listed, used and redeemed.

use std::{collections::BTreeMap, fs, path::Path};

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    chain::{
        ensemble, text,
        types::{bounded_collections::bounded_vec::BoundedVec, ensemble_core::market as chain},
        AccountId32, At,
    },
    connection::{ask, Connection},
    context::Context,
    error::Error,
    output::Output,
    send::Receipt as Transaction,
    signed_calls::SignedCalls,
    tickets::{challenge, check, Receipt, SignedReceipt, Written},
    views::{
        market::{CostView, TicketView, Way},
        modules::{module_number, module_record},
    },
};

use super::listing::{costs, send_signed};

/// Most bytes of a file of receipts.
const MAX_FILE: u64 = 64 << 20;

/// Calls that were bought.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Bought {
    /// The number of the ticket.
    pub ticket: u64,
    /// The module that it is for.
    pub module: u32,
    /// How many calls.
    pub calls: u32,
    /// What they cost.
    pub cost: CostView,
    /// The last block in which they can be made.
    pub until: u32,
    /// The transaction.
    #[serde(flatten)]
    pub receipt: Transaction,
}

/// What pays for a call: its fields go to the endpoint.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct TokenView {
    /// What the endpoint takes.
    #[serde(flatten)]
    pub receipt: Written,
    /// The endpoint for which it is good.
    pub endpoint: String,
    /// How many more calls the ticket is good for after this one.
    pub left: u32,
}

/// Calls that were redeemed.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Redeemed {
    /// The tickets of which calls were redeemed.
    pub tickets: Vec<RedeemedTicket>,
    /// Tickets whose receipts were left out: all their calls were redeemed before, or they are over.
    pub passed: Vec<u64>,
    /// The transactions.
    pub receipts: Vec<Transaction>,
}

/// Calls of a ticket that were redeemed.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct RedeemedTicket {
    /// The ticket.
    pub ticket: u64,
    /// The module.
    pub module: u32,
    /// How many now.
    pub calls: u32,
    /// How many in all.
    pub redeemed: u32,
}

pub(super) async fn buy(
    context: &Context,
    module: &str,
    calls: u32,
    with: Option<Way>,
    blocks: u32,
) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let best = connection.best().await?;
    let module = module_number(&best, module).await?;
    let way = match with {
        Some(way) => way,
        None => usual_way(&best, module).await?,
    };
    let api = ensemble::runtime_apis().market_api();
    // Without a cost the chain says why it cannot be bought.
    let cost = ask(&best, api.cost(module, calls, way.for_chain())).await?;
    let (price, toll) = cost.as_ref().map_or((0, 0), |cost| (cost.price, cost.toll));
    let shown = cost.as_ref().map_or_else(String::new, |cost| format!(" for {}", CostView::from(cost)));
    let call = ensemble::transactions().market().buy(module, calls, way.for_chain(), price, toll, blocks);
    let effect = format!("buys {calls} calls of module {module}{shown}; a deposit is held until the ticket ends");
    let sent = send_signed(context, &connection, &call, &effect).await?;
    let event = sent.event::<ensemble::market::events::TicketBought>()?;
    let paid = chain::Cost { way: event.way, price: event.price, toll: event.toll };
    Output::of(&Bought {
        ticket: event.ticket,
        module,
        calls,
        cost: CostView::from(&paid),
        until: event.until,
        receipt: sent.receipt,
    })
}

/// In which way calls are paid if the buyer says nothing.
async fn usual_way(at: &At, module: u32) -> Result<Way, Error> {
    let ways: Vec<Way> = costs(at, module, 1).await?.iter().filter_map(|cost| cost.way.parse().ok()).collect();
    match ways.contains(&Way::Tune) {
        true => Ok(Way::Tune),
        // What cannot be bought now costs nothing in any way; the chain says so when it is bought.
        false => Ok(ways.first().copied().unwrap_or(Way::Burn)),
    }
}

pub(super) async fn tickets(context: &Context, account: Option<&str>, module: Option<&str>) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let best = connection.best().await?;
    let meant = match module {
        Some(module) => Meant::Module(module_number(&best, module).await?),
        None => Meant::Buyer(context.account(account)?),
    };
    let signed = counts(context, &connection);
    let mut views = Vec::new();
    for id in ids(&best, &meant).await? {
        let Some(ticket) = ask(&best, ensemble::runtime_apis().market_api().ticket(id)).await? else { continue };
        views.push(TicketView::new(ticket, signed.get(id)?, best.block_number()));
    }
    Output::of(&views)
}

/// Whose tickets.
enum Meant {
    Buyer(AccountId32),
    Module(u32),
}

/// The numbers of tickets, in their order. The chain keeps no list by buyers, so all that are kept are looked at.
async fn ids(at: &At, meant: &Meant) -> Result<Vec<u64>, Error> {
    let mut entries = at.storage().iter(ensemble::storage().market().tickets(), ()).await.map_err(Error::chain)?;
    let mut ids = Vec::new();
    while let Some(entry) = entries.next().await {
        let entry = entry.map_err(Error::chain)?;
        let ticket = entry.value().decode().map_err(Error::chain)?;
        let is_meant = match meant {
            Meant::Buyer(account) => ticket.buyer == *account,
            Meant::Module(module) => ticket.module == *module,
        };
        if is_meant {
            ids.push(entry.key().and_then(|key| key.decode()).map_err(key_error)?.0);
        }
    }
    ids.sort_unstable();
    Ok(ids)
}

fn key_error(error: impl std::fmt::Display) -> Error {
    Error::OldMetadata(error.to_string())
}

pub(super) async fn sign(
    context: &Context,
    ticket: u64,
    endpoint: Option<String>,
    calls: Option<u32>,
) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let best = connection.best().await?;
    let view = ticket_record(&best, ticket).await?;
    let signer = context.signer(&connection)?;
    if signer.account() != view.buyer {
        return Err(Error::NotYours {
            message: format!("{} bought ticket {ticket}, not {}", view.buyer, signer.account()),
            remedy: "sign with the buyer's key, by --key".into(),
        });
    }
    let endpoint = match endpoint {
        Some(endpoint) => endpoint,
        None => text(&module_record(&best, &view.module.to_string()).await?.endpoint),
    };
    let counts = counts(context, &connection);
    let turn = counts.turn()?;
    let calls = match calls {
        Some(calls) => calls,
        None => counts.get(ticket)?.max(view.redeemed).saturating_add(1),
    };
    let receipt = Receipt { ticket, calls, challenge: challenge(&endpoint) };
    let signed = receipt.sign(&connection.identity().genesis, &signer);
    let good = check(&connection, view.module, &signed, calls.saturating_sub(1)).await?;
    counts.set(&turn, ticket, calls)?;
    Output::of(&TokenView { receipt: signed.into(), endpoint, left: good.left })
}

pub(super) async fn redeem(context: &Context, file: &Path) -> Result<Output, Error> {
    let receipts = receipts(file)?;
    let connection = context.connect().await?;
    let best = connection.best().await?;
    let constant = ensemble::constants().market().max_receipts();
    let most = best.constants().entry(constant).map_err(Error::chain)?.max(1) as usize;
    let (open, passed) = open(&best, receipts).await?;
    if open.is_empty() {
        return Err(Error::not_found(
            format!("call to redeem in {}: all were redeemed before, or their tickets are over", file.display()),
            "`ensemble market tickets --module MODULE` says what can be redeemed",
        ));
    }
    let mut done = Redeemed { tickets: Vec::new(), passed, receipts: Vec::new() };
    for batch in open.chunks(most) {
        let signed = batch.iter().map(SignedReceipt::for_chain).collect();
        let call = ensemble::transactions().market().redeem(BoundedVec(signed));
        let effect = format!("redeems calls of {} tickets", batch.len());
        let sent = send_signed(context, &connection, &call, &effect).await?;
        for event in sent.events.find::<ensemble::market::events::Redeemed>() {
            let event = event.map_err(Error::chain)?;
            let (ticket, module, calls, redeemed) = (event.ticket, event.module, event.calls, event.redeemed);
            done.tickets.push(RedeemedTicket { ticket, module, calls, redeemed });
        }
        done.receipts.push(sent.receipt);
    }
    Output::of(&done)
}

/// The receipts of which something can be redeemed, and the tickets of the others: one that is over would have the
/// chain refuse all.
async fn open(at: &At, receipts: Vec<SignedReceipt>) -> Result<(Vec<SignedReceipt>, Vec<u64>), Error> {
    let (mut open, mut passed) = (Vec::new(), Vec::new());
    for signed in receipts {
        let Receipt { ticket, calls, .. } = signed.receipt;
        let view = ask(at, ensemble::runtime_apis().market_api().ticket(ticket)).await?;
        let is_open = |view: chain::TicketView<AccountId32, u32>| {
            view.redeemed < calls && u64::from(view.redeemable_until) > at.block_number()
        };
        match view.is_some_and(is_open) {
            true => open.push(signed),
            false => passed.push(ticket),
        }
    }
    Ok((open, passed))
}

/// The receipts in a file, of each ticket the one for most calls: it covers all before.
fn receipts(path: &Path) -> Result<Vec<SignedReceipt>, Error> {
    let wrong = |message: String| Error::File {
        path: path.into(),
        message,
        remedy: "give a file with a receipt on each line, as `ensemble market use --json` prints its fields".into(),
    };
    let bytes = fs::metadata(path).map_err(Error::read(path))?.len();
    if bytes > MAX_FILE {
        return Err(wrong(format!("it has {bytes} bytes, more than {MAX_FILE}")));
    }
    let text = fs::read_to_string(path).map_err(Error::read(path))?;
    let mut highest: BTreeMap<u64, SignedReceipt> = BTreeMap::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let signed: SignedReceipt =
            serde_json::from_str(line).map_err(|error| wrong(format!("line {}: {error}", number + 1)))?;
        let ticket = signed.receipt.ticket;
        if highest.get(&ticket).is_none_or(|kept| kept.receipt.calls < signed.receipt.calls) {
            highest.insert(ticket, signed);
        }
    }
    match highest.is_empty() {
        true => Err(wrong("it has no receipts".into())),
        false => Ok(highest.into_values().collect()),
    }
}

/// A ticket that is kept.
async fn ticket_record(at: &At, ticket: u64) -> Result<chain::TicketView<AccountId32, u32>, Error> {
    let found = ask(at, ensemble::runtime_apis().market_api().ticket(ticket)).await?;
    found.ok_or_else(|| {
        let remedy = "`ensemble market tickets` names those there are";
        Error::not_found(format!("ticket {ticket}, or it is over"), remedy)
    })
}

/// What this machine signed for.
fn counts(context: &Context, connection: &Connection) -> SignedCalls {
    SignedCalls::new(context.state_folder(), &connection.identity().genesis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(ticket: u64, calls: u32) -> String {
        format!(r#"{{"ticket":{ticket},"calls":{calls},"signature":"0x{}"}}"#, "00".repeat(64))
    }

    fn of(text: &str) -> Result<Vec<(u64, u32)>, Error> {
        let file = tempfile::NamedTempFile::new().expect("a file can be made");
        fs::write(file.path(), text).expect("is written");
        let found = receipts(file.path())?;
        Ok(found.iter().map(|signed| (signed.receipt.ticket, signed.receipt.calls)).collect())
    }

    #[test]
    fn of_each_ticket_the_highest_receipt_counts() {
        let text = [line(2, 1), line(1, 5), String::new(), line(2, 3), line(1, 4)].join("\n");
        assert_eq!(of(&text).expect("are receipts"), [(1, 5), (2, 3)]);
    }

    #[test]
    fn what_is_no_receipt_is_refused_with_its_line() {
        for text in ["", "\n\n", "receipt", "{}"] {
            assert_eq!(of(text).expect_err("is none").kind(), crate::Kind::File, "{text}");
        }
        let error = of(&format!("{}\n{{", line(1, 1))).expect_err("is none");
        assert!(error.line().contains("line 2"), "{}", error.line());
    }
}
