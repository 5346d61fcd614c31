//! `ensemble balance`: TUNE of accounts.

use schemars::JsonSchema;
use serde::Serialize;
use subxt::utils::MultiAddress;

use crate::{
    amount::Amount,
    chain::ensemble,
    context::Context,
    error::Error,
    output::Output,
    send::{send, Receipt},
    views::balances::{balance_of, BalanceView},
};

/// What can be done with balances.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Show what an account has
    Show {
        /// An address or the name of a key; --key if not given
        account: Option<String>,
    },

    /// Show what the accounts of all keys have
    List,

    /// Send TUNE to an account
    Transfer {
        /// An address, or the name of a key
        to: String,
        /// How much, such as 1.5 or 10mTUNE; `all` empties the account
        amount: Sum,
    },
}

/// How much to send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sum {
    /// All there is, so that the account is gone.
    All,
    /// So much.
    Part(Amount),
}

impl std::str::FromStr for Sum {
    type Err = crate::amount::AmountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "all" => Ok(Self::All),
            other => other.parse().map(Self::Part),
        }
    }
}

/// TUNE that were sent.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Transferred {
    /// Who got them.
    pub to: String,
    /// How many.
    pub amount: Amount,
    /// The transaction.
    #[serde(flatten)]
    pub receipt: Receipt,
}

impl Command {
    /// Does what the command line says.
    ///
    /// # Errors
    ///
    /// If the node does not answer, or the transfer fails.
    pub async fn run(self, context: &Context) -> Result<Output, Error> {
        match self {
            Self::Show { account } => {
                let account = context.account(account.as_deref())?;
                let connection = context.connect().await?;
                Output::of(&balance_of(&connection.best().await?, &account).await?)
            },
            Self::List => list(context).await,
            Self::Transfer { to, amount } => transfer(context, &to, amount).await,
        }
    }
}

async fn list(context: &Context) -> Result<Output, Error> {
    let keys = context.store().list()?;
    let best = context.connect().await?.best().await?;
    let mut views = Vec::new();
    for (name, file) in keys {
        let view = balance_of(&best, &file.account()?).await?;
        views.push(BalanceView { name: Some(name), ..view });
    }
    Output::of(&views)
}

async fn transfer(context: &Context, to: &str, sum: Sum) -> Result<Output, Error> {
    let account = context.account(Some(to))?;
    let connection = context.connect().await?;
    let signer = context.signer(&connection)?;
    let calls = ensemble::transactions().balances();
    let dest = MultiAddress::Id(account);
    let sent = match sum {
        Sum::All => {
            let effect = format!("sends all TUNE of the account to {account}; the account is gone then");
            send(context, &connection, &signer, &calls.transfer_all(dest, false), &effect).await?
        },
        Sum::Part(amount) => {
            let effect = format!("sends {amount} to {account}");
            send(context, &connection, &signer, &calls.transfer_keep_alive(dest, amount.planck), &effect).await?
        },
    };
    let amount = sent.event::<ensemble::balances::events::Transfer>()?.amount;
    Output::of(&Transferred { to: account.to_string(), amount: Amount::planck(amount), receipt: sent.receipt })
}
