//! Sales of access to what won tasks.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    amount::Amount,
    chain::ensemble,
    connection::ask,
    context::Context,
    error::Error,
    output::Output,
    send::Receipt,
    views::market::{CostView, SaleView, StakeInSaleView},
};

use super::listing::send_signed;

/// Shares that take part in a sale, or do not any more.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Sold {
    /// The task.
    pub task: u32,
    /// The account's shares that take part.
    pub shares: String,
    /// What it asks for access.
    pub ask: Amount,
    /// What access costs now; none if the shareholders have not agreed on it.
    pub price: Option<Amount>,
    /// The transaction.
    #[serde(flatten)]
    pub receipt: Receipt,
}

/// Access that was bought.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct AccessBought {
    /// The task.
    pub task: u32,
    /// What its shareholders were paid.
    pub price: Amount,
    /// What was burnt beside.
    pub toll: Amount,
    /// The last block in which it can be read.
    pub until: u32,
    /// The transaction.
    #[serde(flatten)]
    pub receipt: Receipt,
}

/// What shares earned, paid out.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Claimed {
    /// The task.
    pub task: u32,
    /// How much.
    pub amount: Amount,
    /// The transaction.
    #[serde(flatten)]
    pub receipt: Receipt,
}

pub(super) async fn show(context: &Context, task: u32) -> Result<Output, Error> {
    let account = context.options.key.as_ref().map(|_| context.account(None)).transpose()?;
    let best = context.connect().await?.best().await?;
    let sale = ask(&best, ensemble::runtime_apis().market_api().sale(task)).await?;
    let sale = sale.ok_or_else(|| not_for_sale(task))?;
    let mine = match account {
        Some(account) => {
            ask(&best, ensemble::runtime_apis().market_api().stake_in_sale(task, account)).await?.map(|stake| {
                StakeInSaleView {
                    account: account.to_string(),
                    shares: stake.shares.to_string(),
                    ask: Amount::planck(stake.ask),
                    due: Amount::planck(stake.due),
                }
            })
        },
        None => None,
    };
    Output::of(&SaleView::new(&sale, mine))
}

pub(super) async fn sell(context: &Context, task: u32, shares: u128, ask: Amount) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let call = ensemble::transactions().market().offer_contribution(task, shares, ask.planck);
    let effect = match shares {
        0 => format!("takes the account's shares out of the sale of what won task {task}, and pays what they earned"),
        _ => format!("has {shares} shares take part in the sale of what won task {task}, and asks {ask} for access"),
    };
    let sent = send_signed(context, &connection, &call, &effect).await?;
    let event = sent.event::<ensemble::market::events::ContributionOffered>()?;
    Output::of(&Sold {
        task,
        shares: event.shares.to_string(),
        ask: Amount::planck(event.ask),
        price: event.price.map(Amount::planck),
        receipt: sent.receipt,
    })
}

pub(super) async fn access(context: &Context, task: u32) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let best = connection.best().await?;
    let sale = ask(&best, ensemble::runtime_apis().market_api().sale(task)).await?;
    let cost = sale.and_then(|sale| sale.cost).ok_or_else(|| not_for_sale(task))?;
    let call = ensemble::transactions().market().buy_contribution(task, cost.price);
    let effect = format!("buys access to what won task {task} for {}", CostView::from(&cost));
    let sent = send_signed(context, &connection, &call, &effect).await?;
    let event = sent.event::<ensemble::market::events::AccessBought>()?;
    Output::of(&AccessBought {
        task,
        price: Amount::planck(event.price),
        toll: Amount::planck(event.toll),
        until: event.until,
        receipt: sent.receipt,
    })
}

pub(super) async fn claim(context: &Context, task: u32) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let call = ensemble::transactions().market().claim_sales(task);
    let effect = format!("takes what the account's shares of what won task {task} earned");
    let sent = send_signed(context, &connection, &call, &effect).await?;
    let event = sent.event::<ensemble::market::events::SalesClaimed>()?;
    Output::of(&Claimed { task, amount: Amount::planck(event.amount), receipt: sent.receipt })
}

fn not_for_sale(task: u32) -> Error {
    let remedy = "shareholders offer it with `ensemble market sell`, and more than half of the shares name the price";
    Error::not_found(format!("access to what won task {task} for sale"), remedy)
}
