//! Listings: found, shown, made and changed.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    amount::Amount,
    chain::{ensemble, text, At},
    connection::{ask, Connection},
    context::Context,
    error::Error,
    output::Output,
    send::{send, Receipt, Sent},
    views::{
        hex_text,
        market::{CostView, FoundView, ListingLine, ListingView, Offer, Way},
        modules::{module_number, Types},
    },
};

/// Most listings of a page of the runtime API.
const PAGE: usize = 50;

/// How calls are sold.
#[derive(Clone, Debug, clap::Args)]
pub struct Terms {
    /// How they are paid: burn, tune=PRICE, asset:NUMBER=PRICE
    #[arg(required = true, value_name = "WAY")]
    pub offers: Vec<Offer>,
    /// What a call takes, as a multiple of a plain one
    #[arg(long, default_value = "1", value_parser = thousandths)]
    pub intensity: u32,
    /// What buyers should know; its words are searched
    #[arg(long, default_value = "")]
    pub text: String,
}

/// How calls are sold from now on.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = true)]
pub struct TermsChanges {
    /// How they are paid, instead of all ways until now: burn, tune=PRICE, asset:NUMBER=PRICE
    #[arg(value_name = "WAY")]
    pub offers: Vec<Offer>,
    /// What a call takes, as a multiple of a plain one
    #[arg(long, value_parser = thousandths)]
    pub intensity: Option<u32>,
    /// What buyers should know; its words are searched
    #[arg(long)]
    pub text: Option<String>,
}

/// A listing that was made, changed or removed.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Listed {
    /// The module.
    pub module: u32,
    /// What became of its listing.
    pub done: String,
    /// What is held for it, or was.
    pub deposit: Amount,
    /// The transaction.
    #[serde(flatten)]
    pub receipt: Receipt,
}

/// What calls cost in a way.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct PricesView {
    /// The module.
    pub module: u32,
    /// How many calls.
    pub calls: u32,
    /// What all of them cost, in each way in which they can be paid.
    pub costs: Vec<CostView>,
}

/// Reads the place where a search goes on.
///
/// # Errors
///
/// If it is none.
pub fn cursor(text: &str) -> Result<[u8; 16], String> {
    let mut cursor = [0; 16];
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex::decode_to_slice(digits, &mut cursor).map_err(|_| "expected 0x and 32 hexadecimal digits".to_owned())?;
    Ok(cursor)
}

/// Reads a multiple of a plain call, in thousandths.
fn thousandths(text: &str) -> Result<u32, String> {
    let none = || "write a number from 0.001 to 4000000, such as 0.5".to_owned();
    let multiple: f64 = text.parse().map_err(|_| none())?;
    if !(0.001..=4e6).contains(&multiple) {
        return Err(none());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 4 * 10^9")]
    Ok((multiple * 1e3).round() as u32)
}

pub(super) async fn list(
    context: &Context,
    words: &str,
    r#type: Option<&str>,
    limit: usize,
    after: Option<[u8; 16]>,
) -> Result<Output, Error> {
    let best = context.connect().await?.best().await?;
    let types = Types::of(&best).await?;
    let model_type = r#type.map(|name| types.number(name)).transpose()?;
    let mut listings: Vec<ListingLine> = Vec::new();
    let mut next = after;
    loop {
        let most = u32::try_from(limit.saturating_sub(listings.len()).min(PAGE)).unwrap_or(u32::MAX);
        let api = ensemble::runtime_apis().market_api();
        let page = ask(&best, api.search(model_type, words.as_bytes().to_vec(), next, most)).await?;
        next = page.next;
        listings.extend(page.listings.into_iter().map(|listing| ListingView::new(listing, &types).into()));
        if next.is_none() || listings.len() >= limit {
            return Output::of(&FoundView { listings, next: next.map(|cursor| hex_text(&cursor)) });
        }
    }
}

pub(super) async fn show(context: &Context, module: &str) -> Result<Output, Error> {
    let best = context.connect().await?.best().await?;
    let module = module_number(&best, module).await?;
    Output::of(&listing(&best, module).await?)
}

pub(super) async fn price(context: &Context, module: &str, calls: u32) -> Result<Output, Error> {
    let best = context.connect().await?.best().await?;
    let module = module_number(&best, module).await?;
    Output::of(&PricesView { module, calls, costs: costs(&best, module, calls).await? })
}

pub(super) async fn offer(context: &Context, module: &str, terms: Terms) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let module = module_number(&connection.best().await?, module).await?;
    let offers = terms.offers.iter().map(|offer| offer.for_chain()).collect();
    let call = ensemble::transactions().market().list(module, offers, terms.intensity, terms.text.into_bytes());
    let effect =
        format!("lists module {module}, for a deposit; it is found once it serves and its score is high enough");
    let sent = send_signed(context, &connection, &call, &effect).await?;
    let event = sent.event::<ensemble::market::events::ModuleListed>()?;
    listed(module, "listed", event.deposit, sent)
}

pub(super) async fn update(context: &Context, module: &str, changes: TermsChanges) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let best = connection.best().await?;
    let module = module_number(&best, module).await?;
    let address = ensemble::storage().market().listings();
    let entry = best.storage().try_fetch(address, (module,)).await.map_err(Error::chain)?;
    let terms = entry.ok_or_else(|| not_listed(module))?.decode().map_err(Error::chain)?.terms;
    let offers = match changes.offers.as_slice() {
        [] => terms.offers.0,
        offers => offers.iter().map(|offer| offer.for_chain()).collect(),
    };
    let words = changes.text.unwrap_or_else(|| text(&terms.text.0)).into_bytes();
    let intensity = changes.intensity.unwrap_or(terms.intensity);
    let call = ensemble::transactions().market().update_listing(module, offers, intensity, words);
    let effect = format!("changes the terms of the listing of module {module}");
    let sent = send_signed(context, &connection, &call, &effect).await?;
    let event = sent.event::<ensemble::market::events::ListingUpdated>()?;
    listed(module, "updated", event.deposit, sent)
}

pub(super) async fn unlist(context: &Context, module: &str) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let module = module_number(&connection.best().await?, module).await?;
    let call = ensemble::transactions().market().unlist(module);
    let effect = format!("sells no more calls of module {module}; the deposit returns, tickets stay good");
    let sent = send_signed(context, &connection, &call, &effect).await?;
    let event = sent.event::<ensemble::market::events::ModuleUnlisted>()?;
    listed(module, "unlisted", event.deposit, sent)
}

/// Sends a call with the key of `--key`.
pub(super) async fn send_signed<C: subxt::transactions::Payload>(
    context: &Context,
    connection: &Connection,
    call: &C,
    effect: &str,
) -> Result<Sent, Error> {
    let signer = context.signer(connection)?;
    send(context, connection, &signer, call, effect).await
}

/// The listing of a module.
pub(super) async fn listing(at: &At, module: u32) -> Result<ListingView, Error> {
    let found = ask(at, ensemble::runtime_apis().market_api().listing(module)).await?;
    let found = found.ok_or_else(|| not_listed(module))?;
    Ok(ListingView::new(found, &Types::of(at).await?))
}

/// What calls of a module cost, in each way in which they can be paid.
pub(super) async fn costs(at: &At, module: u32, calls: u32) -> Result<Vec<CostView>, Error> {
    let found = ask(at, ensemble::runtime_apis().market_api().listing(module)).await?;
    let mut costs = Vec::new();
    for cost in found.ok_or_else(|| not_listed(module))?.costs {
        let way = Way::from(&cost.way).for_chain();
        let cost = ask(at, ensemble::runtime_apis().market_api().cost(module, calls, way)).await?;
        costs.extend(cost.as_ref().map(CostView::from));
    }
    Ok(costs)
}

fn not_listed(module: u32) -> Error {
    Error::not_found(format!("listing of module {module}"), "`ensemble market list` finds those there are")
}

fn listed(module: u32, done: &str, deposit: u128, sent: Sent) -> Result<Output, Error> {
    Output::of(&Listed { module, done: done.into(), deposit: Amount::planck(deposit), receipt: sent.receipt })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intensities_are_counted_in_thousandths() {
        for (text, expected) in [("1", 1_000), ("0.5", 500), ("0.001", 1), ("4000000", 4_000_000_000)] {
            assert_eq!(thousandths(text), Ok(expected), "{text}");
        }
        for text in ["", "0", "-1", "0.0001", "4000001", "NaN", "inf", "much"] {
            assert!(thousandths(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_search_goes_on_where_the_answer_says() {
        let place = [0xab; 16];
        assert_eq!(cursor(&hex_text(&place)), Ok(place));
        for text in ["", "0x12", "next", &"00".repeat(17)] {
            assert!(cursor(text).is_err(), "{text}");
        }
    }
}
