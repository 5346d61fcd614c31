//! `ensemble stake`: TUNE on modules, and what they earn.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    amount::Amount,
    chain::{ensemble, text, AccountId32, At},
    connection::ask,
    context::Context,
    error::Error,
    output::Output,
    send::{send, Receipt, Sent},
    views::{
        fixed,
        modules::{module_number, module_record},
        part,
        stake::{PoolView, RewardView, StakeView},
    },
};

/// Most entries of a page of the runtime API.
const PAGE: u32 = 100;

/// What can be done with stake.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Stake TUNE on a module
    Add {
        /// The module, by number or name
        module: String,
        /// How much, such as 1.5 or 100mTUNE
        amount: Amount,
    },

    /// Begin to take stake away from a module; it can be withdrawn after the unbonding period
    Remove {
        /// The module, by number or name
        module: String,
        /// How much; all if not given
        amount: Option<Amount>,
    },

    /// Take out what has been unbonding for long enough
    Withdraw {
        /// The module, by number or name
        module: String,
    },

    /// Move stake to another module at once
    Move {
        /// Where it is, by number or name
        from: String,
        /// Where it goes, by number or name
        to: String,
        /// How much; all if not given
        amount: Option<Amount>,
    },

    /// List the stakes of an account
    List {
        /// An address or the name of a key; --key if not given
        account: Option<String>,
    },

    /// Show the pool of a module: stake, fee, price
    Show {
        /// The module, by number or name
        module: String,
    },

    /// Show what the stakes of an account earn
    Rewards {
        /// An address or the name of a key; --key if not given
        account: Option<String>,
    },

    /// Set the part of rewards that the owner of a module takes
    SetFee {
        /// The module, by number or name
        module: String,
        /// The part, from 0 to 0.5
        fee: f64,
    },
}

/// Stake that came, went or moved.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StakeChanged {
    /// The module on which it is, or from which it goes.
    pub module: u32,
    /// The module to which it was moved.
    pub to: Option<u32>,
    /// How much.
    pub amount: Amount,
    /// First block in which it can be withdrawn, or moved on.
    pub ready_at: Option<u32>,
    /// The transaction.
    #[serde(flatten)]
    pub receipt: Receipt,
}

/// The fee that an owner set.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FeeSet {
    /// The module.
    pub module: u32,
    /// The owner's part of rewards, from 0 to 1.
    pub fee: f64,
    /// First block in which it may rise again.
    pub rise_from: u32,
    /// The transaction.
    #[serde(flatten)]
    pub receipt: Receipt,
}

impl Command {
    /// Does what the command line says.
    ///
    /// # Errors
    ///
    /// If the node does not answer, or the chain refuses.
    pub async fn run(self, context: &Context) -> Result<Output, Error> {
        match self {
            Self::Add { module, amount } => add(context, &module, amount).await,
            Self::Remove { module, amount } => remove(context, &module, amount).await,
            Self::Withdraw { module } => withdraw(context, &module).await,
            Self::Move { from, to, amount } => move_stake(context, &from, &to, amount).await,
            Self::List { account } => list(context, account.as_deref()).await,
            Self::Show { module } => show(context, &module).await,
            Self::Rewards { account } => rewards(context, account.as_deref()).await,
            Self::SetFee { module, fee } => set_fee(context, &module, fee).await,
        }
    }
}

async fn add(context: &Context, module: &str, amount: Amount) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let module = module_number(&connection.best().await?, module).await?;
    let signer = context.signer(&connection)?;
    let call = ensemble::transactions().stake().stake(module, amount.planck);
    let effect = format!("stakes {amount} on module {module}");
    let sent = send(context, &connection, &signer, &call, &effect).await?;
    let amount = sent.event::<ensemble::stake::events::Staked>()?.amount;
    changed(sent, module, None, amount, None)
}

async fn remove(context: &Context, module: &str, amount: Option<Amount>) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let best = connection.best().await?;
    let module = staked_module(&best, module).await?;
    let signer = context.signer(&connection)?;
    let amount = amount_or_all(&best, &signer.account(), module, amount).await?;
    let call = ensemble::transactions().stake().unstake(module, amount.planck);
    let effect = format!("takes {amount} off module {module}, to be withdrawn after the unbonding period");
    let sent = send(context, &connection, &signer, &call, &effect).await?;
    let event = sent.event::<ensemble::stake::events::Unstaked>()?;
    changed(sent, module, None, event.amount, Some(event.ready_at))
}

async fn withdraw(context: &Context, module: &str) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let module = staked_module(&connection.best().await?, module).await?;
    let signer = context.signer(&connection)?;
    let call = ensemble::transactions().stake().withdraw(signer.account(), module);
    let effect = format!("pays out what is ready of the stake on module {module}");
    let sent = send(context, &connection, &signer, &call, &effect).await?;
    let amount = sent.event::<ensemble::stake::events::Withdrawn>()?.amount;
    changed(sent, module, None, amount, None)
}

async fn move_stake(context: &Context, from: &str, to: &str, amount: Option<Amount>) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let best = connection.best().await?;
    let (from, to) = (staked_module(&best, from).await?, module_number(&best, to).await?);
    let signer = context.signer(&connection)?;
    let amount = amount_or_all(&best, &signer.account(), from, amount).await?;
    let call = ensemble::transactions().stake().move_stake(from, to, amount.planck);
    let effect = format!("moves {amount} from module {from} to module {to}");
    let sent = send(context, &connection, &signer, &call, &effect).await?;
    let event = sent.event::<ensemble::stake::events::Moved>()?;
    changed(sent, from, Some(to), event.amount, Some(event.until))
}

fn changed(sent: Sent, module: u32, to: Option<u32>, amount: u128, ready_at: Option<u32>) -> Result<Output, Error> {
    let amount = Amount::planck(amount);
    Output::of(&StakeChanged { module, to, amount, ready_at, receipt: sent.receipt })
}

async fn list(context: &Context, account: Option<&str>) -> Result<Output, Error> {
    let account = context.account(account)?;
    let best = context.connect().await?.best().await?;
    Output::of(&stakes(&best, &account).await?)
}

async fn show(context: &Context, module: &str) -> Result<Output, Error> {
    let best = context.connect().await?.best().await?;
    let module = staked_module(&best, module).await?;
    let pool = ask(&best, ensemble::runtime_apis().stake_api().pool(module)).await?;
    let none = || Error::not_found(format!("stake on module {module}"), "`ensemble stake add` puts some there");
    Output::of(&PoolView::from(pool.ok_or_else(none)?))
}

async fn rewards(context: &Context, account: Option<&str>) -> Result<Output, Error> {
    let account = context.account(account)?;
    let best = context.connect().await?.best().await?;
    let mut views = Vec::new();
    for stake in stakes(&best, &account).await? {
        views.push(reward(&best, stake).await?);
    }
    Output::of(&views)
}

/// What a stake earns, if the epoch ended now.
async fn reward(at: &At, stake: StakeView) -> Result<RewardView, Error> {
    let module = stake.module;
    let pool = ask(at, ensemble::runtime_apis().stake_api().pool(module)).await?;
    let prospect = ask(at, ensemble::runtime_apis().emission_api().prospect(module)).await?;
    let apr = ask(at, ensemble::runtime_apis().emission_api().apr(module)).await?;
    let (staked, fee) = pool.map_or((0, 0), |pool| (pool.staked, pool.fee.0));
    let earns = prospect.miner.saturating_add(prospect.validator);
    let share = if staked == 0 { 0.0 } else { stake.staked.planck as f64 / staked as f64 };
    let account_earns = earns as f64 * share * (1.0 - part(fee));
    #[expect(clippy::cast_possible_truncation, reason = "an estimate, at most what the module earns")]
    let account_earns = account_earns as u128;
    Ok(RewardView {
        module,
        name: stake.name,
        staked: stake.staked,
        share,
        fee: part(fee),
        module_earns: Amount::planck(earns),
        account_earns: Amount::planck(account_earns),
        apr: apr.map(|apr| fixed(apr.0)),
    })
}

async fn set_fee(context: &Context, module: &str, fee: f64) -> Result<Output, Error> {
    let millionths = millionths(fee)?;
    let connection = context.connect().await?;
    let module = module_number(&connection.best().await?, module).await?;
    let signer = context.signer(&connection)?;
    let fee = crate::chain::types::sp_arithmetic::per_things::Permill(millionths);
    let call = ensemble::transactions().stake().set_fee(module, fee);
    let effect = format!("takes {} of the rewards of module {module} for its owner", part(millionths));
    let sent = send(context, &connection, &signer, &call, &effect).await?;
    let event = sent.event::<ensemble::stake::events::FeeSet>()?;
    Output::of(&FeeSet { module, fee: part(event.fee.0), rise_from: event.rise_from, receipt: sent.receipt })
}

/// A number from 0 to 1 in millionths.
///
/// # Errors
///
/// If it is none.
pub fn millionths(part: f64) -> Result<u32, Error> {
    if !(0.0..=1.0).contains(&part) {
        return Err(Error::Usage {
            message: format!("{part} is no part of something"),
            remedy: "write a number from 0 to 1, such as 0.05".into(),
        });
    }
    #[expect(clippy::cast_possible_truncation, reason = "from 0 to a million")]
    Ok((part * 1e6).round() as u32)
}

/// All stakes of an account.
///
/// # Errors
///
/// If the node does not answer.
pub async fn stakes(at: &At, account: &AccountId32) -> Result<Vec<StakeView>, Error> {
    let mut views: Vec<StakeView> = Vec::new();
    let mut first = 0;
    loop {
        let page = ask(at, ensemble::runtime_apis().stake_api().stakes(*account, first, PAGE)).await?;
        let is_last = page.len() < PAGE as usize;
        for stake in page {
            first = stake.module.saturating_add(1);
            let module = ask(at, ensemble::runtime_apis().modules_api().module(stake.module)).await?;
            views.push(StakeView::new(stake, module.map(|module| text(&module.name))));
        }
        if is_last {
            return Ok(views);
        }
    }
}

/// The number of a module that may be removed, whose stake is still there.
async fn staked_module(at: &At, named: &str) -> Result<u32, Error> {
    match named.parse() {
        Ok(number) => Ok(number),
        Err(_) => Ok(module_record(at, named).await?.id),
    }
}

/// How much, or all that is staked.
async fn amount_or_all(at: &At, account: &AccountId32, module: u32, amount: Option<Amount>) -> Result<Amount, Error> {
    if let Some(amount) = amount {
        return Ok(amount);
    }
    let page = ask(at, ensemble::runtime_apis().stake_api().stakes(*account, module, 1)).await?;
    let stake = page.into_iter().find(|stake| stake.module == module && stake.staked > 0);
    stake.map(|stake| Amount::planck(stake.staked)).ok_or_else(|| {
        Error::not_found(
            format!("stake of {account} on module {module}"),
            "`ensemble stake list` says on which modules the account has staked",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_in_millionths() {
        for (part, expected) in [(0.0, 0), (0.05, 50_000), (0.123_456_7, 123_457), (1.0, 1_000_000)] {
            assert_eq!(millionths(part).expect("is a part"), expected);
        }
        for part in [-0.1, 1.1, f64::NAN] {
            assert!(millionths(part).is_err(), "{part}");
        }
    }
}
