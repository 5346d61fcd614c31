//! The market: listings, tickets, sales.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    amount::Amount,
    chain::{
        text,
        types::ensemble_core::{assets::AssetId, market as chain},
        AccountId32, BLOCK_SECONDS,
    },
    views::{modules::Types, part},
};

/// How something is paid: `burn`, `tune`, `asset:7`, `shares:3` or `rows:0`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// TUNE are burnt.
    Burn,
    /// The owner is paid TUNE.
    Tune,
    /// The owner is paid an asset.
    Asset(u32),
    /// The owner is paid shares of what won a task.
    Shares(u32),
    /// The owner is paid shares of a model's rows.
    Rows(u32),
}

/// What an owner asks for a call: `burn`, `tune=2`, `asset:7=500000`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Offer {
    /// How it is paid.
    pub way: Way,
    /// For a call, in planck or the asset's smallest unit; the chain says how much is burnt.
    pub price: u128,
}

/// The chain's word for a class of assets.
fn asset(way: Way) -> Option<AssetId> {
    match way {
        Way::Burn | Way::Tune => None,
        Way::Asset(number) => Some(AssetId::Asset(number)),
        Way::Shares(task) => Some(AssetId::Shares(task)),
        Way::Rows(model) => Some(AssetId::Rows(model)),
    }
}

impl Way {
    /// Whether it is paid in TUNE.
    pub fn is_tune(self) -> bool {
        matches!(self, Self::Burn | Self::Tune)
    }

    /// As the chain takes it.
    pub fn for_chain(self) -> chain::Way {
        match (self, asset(self)) {
            (Self::Burn, _) => chain::Way::Burn,
            (_, Some(asset)) => chain::Way::Asset(asset),
            (_, None) => chain::Way::Tune,
        }
    }
}

impl From<&chain::Way> for Way {
    fn from(way: &chain::Way) -> Self {
        match way {
            chain::Way::Burn => Self::Burn,
            chain::Way::Tune => Self::Tune,
            chain::Way::Asset(AssetId::Asset(number)) => Self::Asset(*number),
            chain::Way::Asset(AssetId::Shares(task)) => Self::Shares(*task),
            chain::Way::Asset(AssetId::Rows(model)) => Self::Rows(*model),
        }
    }
}

impl FromStr for Way {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |digits: &str| digits.parse().map_err(|_| format!("`{digits}` is no number of an asset"));
        match text.split_once(':') {
            None if text == "burn" => Ok(Self::Burn),
            None if text == "tune" => Ok(Self::Tune),
            Some(("asset", digits)) => Ok(Self::Asset(number(digits)?)),
            Some(("shares", digits)) => Ok(Self::Shares(number(digits)?)),
            Some(("rows", digits)) => Ok(Self::Rows(number(digits)?)),
            _ => Err("write burn, tune, asset:NUMBER, shares:TASK or rows:MODEL".into()),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Burn => f.write_str("burn"),
            Self::Tune => f.write_str("tune"),
            Self::Asset(number) => write!(f, "asset:{number}"),
            Self::Shares(task) => write!(f, "shares:{task}"),
            Self::Rows(model) => write!(f, "rows:{model}"),
        }
    }
}

impl Offer {
    /// As the chain takes it.
    pub fn for_chain(self) -> chain::Offer<u128> {
        match (self.way, asset(self.way)) {
            (Way::Burn, _) => chain::Offer::Burn,
            (_, Some(asset)) => chain::Offer::Asset { asset, price: self.price },
            (_, None) => chain::Offer::Tune { price: self.price },
        }
    }
}

impl FromStr for Offer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (way, price) = text.split_once('=').map_or((text, None), |(way, price)| (way, Some(price)));
        match (way.parse()?, price) {
            (Way::Burn, None) => Ok(Self { way: Way::Burn, price: 0 }),
            (Way::Burn, Some(_)) => Err("the chain says how much is burnt: write burn alone".into()),
            (way, None) => Err(format!("what does a call cost? write {way}=PRICE")),
            (Way::Tune, Some(price)) => {
                let price: Amount = price.parse().map_err(|error| format!("{error}"))?;
                Ok(Self { way: Way::Tune, price: price.planck })
            },
            (way, Some(price)) => {
                let price =
                    price.parse().map_err(|_| format!("`{price}` is no number of an asset's smallest units"))?;
                Ok(Self { way, price })
            },
        }
    }
}

/// What something costs.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct CostView {
    /// `burn`, `tune`, `asset:NUMBER`, `shares:TASK` or `rows:MODEL`.
    pub way: String,
    /// The price, if it is paid in TUNE.
    pub price: Option<Amount>,
    /// The price in the asset's smallest unit, if it is paid in an asset.
    pub units: Option<String>,
    /// What is burnt beside the price.
    pub toll: Amount,
}

impl From<&chain::Cost<u128>> for CostView {
    fn from(cost: &chain::Cost<u128>) -> Self {
        let way = Way::from(&cost.way);
        Self {
            way: way.to_string(),
            price: way.is_tune().then(|| Amount::planck(cost.price)),
            units: (!way.is_tune()).then(|| cost.price.to_string()),
            toll: Amount::planck(cost.toll),
        }
    }
}

impl fmt::Display for CostView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.price, &self.units) {
            (Some(price), _) if self.way == "burn" => write!(f, "{price}, which are burnt")?,
            (Some(price), _) => write!(f, "{price}")?,
            (_, Some(units)) => write!(f, "{units} of {}", self.way)?,
            _ => {},
        }
        if self.toll.planck > 0 {
            write!(f, ", and {} are burnt", self.toll)?;
        }
        Ok(())
    }
}

/// A module whose calls are for sale, or could be.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListingView {
    /// The module.
    pub module: u32,
    /// Its name.
    pub name: String,
    /// The kind of model that it is.
    pub r#type: String,
    /// Who owns it and is paid.
    pub owner: String,
    /// Whether its calls can be bought now.
    pub is_listed: bool,
    /// Its last score, from 0 to 1.
    pub score: Option<f64>,
    /// Whether it serves.
    pub is_serving: bool,
    /// What its owner says of it.
    pub text: String,
    /// What a call takes, as a multiple of a plain one.
    pub intensity: f64,
    /// How it can be paid, and what one call costs.
    pub costs: Vec<CostView>,
    /// Calls that were redeemed.
    pub calls: u64,
    /// What its buyers burnt.
    pub burnt: Amount,
}

impl ListingView {
    /// What the chain says of it.
    pub fn new(listing: chain::ListingView<AccountId32, u128>, types: &Types) -> Self {
        Self {
            module: listing.module,
            name: text(&listing.name),
            r#type: types.name(listing.model_type),
            owner: listing.owner.to_string(),
            is_listed: listing.listed,
            score: listing.score.map(|score| part(score.0)),
            is_serving: listing.serving,
            text: text(&listing.text),
            intensity: f64::from(listing.intensity) / 1e3,
            costs: listing.costs.iter().map(CostView::from).collect(),
            calls: listing.calls,
            burnt: Amount::planck(listing.burnt),
        }
    }
}

/// A listing that a search found.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ListingLine {
    /// The module.
    pub module: u32,
    /// Its name.
    pub name: String,
    /// The kind of model that it is.
    pub r#type: String,
    /// Its last score, from 0 to 1.
    pub score: Option<f64>,
    /// Calls that were redeemed.
    pub calls: u64,
    /// What one call costs, in each way in which it can be paid.
    pub costs: Vec<CostView>,
    /// What its owner says of it.
    pub text: String,
}

impl From<ListingView> for ListingLine {
    fn from(view: ListingView) -> Self {
        let ListingView { module, name, r#type, score, calls, costs, text, .. } = view;
        Self { module, name, r#type, score, calls, costs, text }
    }
}

/// What a search found, best first.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct FoundView {
    /// The listings.
    pub listings: Vec<ListingLine>,
    /// What `--after` takes to go on; none if these are all.
    pub next: Option<String>,
}

/// Calls that were bought.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TicketView {
    /// Its number.
    pub ticket: u64,
    /// The module that it is for.
    pub module: u32,
    /// Who bought it, and signs for its calls.
    pub buyer: String,
    /// The calls that it was bought for.
    pub calls: u32,
    /// Those of them that were redeemed.
    pub redeemed: u32,
    /// Those for which this machine signed.
    pub signed: u32,
    /// The last block in which it can be used.
    pub until: u32,
    /// Seconds until then, if blocks come in time.
    pub seconds_left: u64,
}

impl TicketView {
    /// What the chain says of it in the block `now`, and how many of its calls this machine signed for.
    pub fn new(ticket: chain::TicketView<AccountId32, u32>, signed: u32, now: u64) -> Self {
        Self {
            ticket: ticket.id,
            module: ticket.module,
            buyer: ticket.buyer.to_string(),
            calls: ticket.calls,
            redeemed: ticket.redeemed,
            signed,
            until: ticket.until,
            seconds_left: u64::from(ticket.until).saturating_sub(now) * BLOCK_SECONDS,
        }
    }
}

/// The market in figures.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatsView {
    /// Listings that a search finds.
    pub listed: u32,
    /// Tickets that were ever bought.
    pub tickets: u64,
    /// Calls that were ever bought.
    pub sold: u64,
    /// Calls that were ever redeemed.
    pub calls: u64,
    /// Contributions to which access was ever bought, once for each buyer.
    pub accesses: u64,
    /// What buyers ever burnt.
    pub burnt: Amount,
    /// All TUNE that exist.
    pub supply: Amount,
    /// The part of both together that buyers burnt, from 0 to 1.
    pub burnt_part: f64,
    /// The latest days, oldest first.
    pub days: Vec<DayView>,
}

/// What happened in a day.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct DayView {
    /// Its number, counted from block 0.
    pub day: u32,
    /// What buyers burnt.
    pub burnt: Amount,
    /// Calls that were bought.
    pub sold: u64,
    /// Calls that were redeemed.
    pub calls: u64,
}

impl From<chain::Stats<u128>> for StatsView {
    fn from(stats: chain::Stats<u128>) -> Self {
        let day = |day: &chain::Day<u128>| DayView {
            day: day.day,
            burnt: Amount::planck(day.burnt),
            sold: day.sold,
            calls: day.calls,
        };
        Self {
            listed: stats.listed,
            tickets: stats.tickets,
            sold: stats.sold,
            calls: stats.calls,
            accesses: stats.accesses,
            burnt: Amount::planck(stats.burnt),
            supply: Amount::planck(stats.supply),
            burnt_part: f64::from(stats.burnt_part.0) / 1e9,
            days: stats.days.iter().map(day).collect(),
        }
    }
}

/// The sale of what won a task.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct SaleView {
    /// The task.
    pub task: u32,
    /// What access costs now; none if the shareholders have not agreed on it.
    pub cost: Option<CostView>,
    /// Shares that take part in the sale.
    pub shares: String,
    /// Accounts that own them.
    pub holders: u32,
    /// What they were not paid yet.
    pub owed: Amount,
    /// The part of the account that was asked about.
    pub mine: Option<StakeInSaleView>,
}

/// A shareholder's part in a sale.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct StakeInSaleView {
    /// The account.
    pub account: String,
    /// Its shares that take part.
    pub shares: String,
    /// What it asks for access.
    pub ask: Amount,
    /// What it can claim.
    pub due: Amount,
}

impl SaleView {
    /// What the chain says of it.
    pub fn new(sale: &chain::SaleView<u128>, mine: Option<StakeInSaleView>) -> Self {
        Self {
            task: sale.task,
            cost: sale.cost.as_ref().map(CostView::from),
            shares: sale.shares.to_string(),
            holders: sale.holders,
            owed: Amount::planck(sale.owed),
            mine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::TUNE;

    #[test]
    fn ways_are_written_as_they_are_read() {
        for text in ["burn", "tune", "asset:7", "shares:3", "rows:0"] {
            let way: Way = text.parse().expect("is a way");
            assert_eq!(way.to_string(), text);
            assert_eq!(Way::from(&way.for_chain()), way);
        }
        for text in ["", "gold", "asset", "asset:", "asset:-1", "asset:4294967296", "tune:1", "burn "] {
            assert!(text.parse::<Way>().is_err(), "{text}");
        }
    }

    #[test]
    fn offers_say_what_a_call_costs() {
        let cases = [
            ("burn", Way::Burn, 0),
            ("tune=2", Way::Tune, 2 * TUNE),
            ("tune=10mTUNE", Way::Tune, TUNE / 100),
            ("asset:7=500000", Way::Asset(7), 500_000),
        ];
        for (text, way, price) in cases {
            assert_eq!(text.parse::<Offer>(), Ok(Offer { way, price }), "{text}");
        }
        for text in ["", "tune", "tune=", "tune=x", "burn=1", "asset:7", "asset:7=1.5", "asset:7=-1"] {
            assert!(text.parse::<Offer>().is_err(), "{text}");
        }
    }
}
