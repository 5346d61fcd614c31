//! Balances.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    amount::Amount,
    chain::{ensemble, AccountId32, At},
    error::Error,
};

/// What an account has.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct BalanceView {
    /// The name of the key, if it is one of this machine's.
    pub name: Option<String>,
    /// The account.
    pub address: String,
    /// All of it.
    pub total: Amount,
    /// What it can spend while it goes on to exist.
    pub spendable: Amount,
    /// What is held for deposits, bonds and rewards.
    pub held: Amount,
    /// What is frozen, held or not.
    pub frozen: Amount,
}

/// What an account has in a block.
///
/// # Errors
///
/// If the node does not answer.
pub async fn balance_of(at: &At, account: &AccountId32) -> Result<BalanceView, Error> {
    let entry = at.storage().fetch(ensemble::storage().system().account(), (*account,)).await.map_err(Error::chain)?;
    let data = entry.decode().map_err(Error::chain)?.data;
    let least = at.constants().entry(ensemble::constants().balances().existential_deposit()).map_err(Error::chain)?;
    let bound = data.frozen.saturating_sub(data.reserved).max(least);
    Ok(BalanceView {
        name: None,
        address: account.to_string(),
        total: Amount::planck(data.free.saturating_add(data.reserved)),
        spendable: Amount::planck(data.free.saturating_sub(bound)),
        held: Amount::planck(data.reserved),
        frozen: Amount::planck(data.frozen),
    })
}
