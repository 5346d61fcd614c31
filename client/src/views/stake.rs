//! Stake.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    amount::Amount,
    chain::types::ensemble_core::stake as chain,
    views::{fixed, part},
};

/// The stake on a module.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolView {
    /// The module.
    pub module: u32,
    /// What is staked.
    pub staked: Amount,
    /// What is on its way out.
    pub unbonding: Amount,
    /// What was moved away and is still liable.
    pub moved: Amount,
    /// Number of stakes.
    pub holders: u64,
    /// What one planck, staked when the pool began, is worth now.
    pub price: f64,
    /// The owner's part of rewards.
    pub fee: f64,
    /// First block in which the owner may raise the fee.
    pub fee_rise_from: u32,
}

impl From<chain::PoolView<u128, u32>> for PoolView {
    fn from(pool: chain::PoolView<u128, u32>) -> Self {
        Self {
            module: pool.module,
            staked: Amount::planck(pool.staked),
            unbonding: Amount::planck(pool.unbonding),
            moved: Amount::planck(pool.moved),
            holders: pool.holders,
            price: fixed(pool.price.0),
            fee: part(pool.fee.0),
            fee_rise_from: pool.fee_rise_from,
        }
    }
}

/// An account's stake on a module.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StakeView {
    /// The module.
    pub module: u32,
    /// Its name; none if it was removed.
    pub name: Option<String>,
    /// What is staked, what was moved here included.
    pub staked: Amount,
    /// What of it was moved here and is still liable for where it came from.
    pub moved: Option<MovedView>,
    /// What is on its way out, oldest first.
    pub unbonding: Vec<UnbondingView>,
    /// What can be withdrawn now.
    pub withdrawable: Amount,
}

/// Stake that was moved and is still liable.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct MovedView {
    /// Where it came from.
    pub from: u32,
    /// What it is worth.
    pub amount: Amount,
    /// First block in which it may be moved on.
    pub until: u32,
}

/// Stake on its way out.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnbondingView {
    /// What it is worth.
    pub amount: Amount,
    /// First block in which it can be withdrawn.
    pub ready_at: u32,
}

impl StakeView {
    /// What the chain says of it; `name` is the module's.
    pub fn new(stake: chain::StakeView<u128, u32>, name: Option<String>) -> Self {
        let unbonding = stake.unbonding.into_iter();
        Self {
            module: stake.module,
            name,
            staked: Amount::planck(stake.staked),
            moved: stake.moved.map(|moved| MovedView {
                from: moved.from,
                amount: Amount::planck(moved.amount),
                until: moved.until,
            }),
            unbonding: unbonding
                .map(|part| UnbondingView { amount: Amount::planck(part.amount), ready_at: part.ready_at })
                .collect(),
            withdrawable: Amount::planck(stake.withdrawable),
        }
    }
}

/// What an account's stake on a module earns.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RewardView {
    /// The module.
    pub module: u32,
    /// Its name; none if it was removed.
    pub name: Option<String>,
    /// What the account has staked.
    pub staked: Amount,
    /// The account's part of all stake on the module, from 0 to 1.
    pub share: f64,
    /// The owner's part of rewards, from 0 to 1.
    pub fee: f64,
    /// What the module would earn if the epoch ended now.
    pub module_earns: Amount,
    /// What of that would go to the account, about.
    pub account_earns: Amount,
    /// What stake on the module earns in a year of epochs like the last, as a part of itself, before the fee.
    pub apr: Option<f64>,
}
