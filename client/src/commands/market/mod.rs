//! `ensemble market`: calls of modules, and access to contributions, sold and bought.

mod listing;
mod sale;
mod ticket;

pub use listing::{Listed, PricesView, Terms, TermsChanges};
pub use sale::{AccessBought, Claimed, Sold};
pub use ticket::{Bought, Redeemed, RedeemedTicket, TokenView};

use std::path::PathBuf;

use crate::{
    amount::Amount,
    chain::ensemble,
    connection::ask,
    context::Context,
    error::Error,
    output::Output,
    views::market::{StatsView, Way},
};

/// What can be done on the market.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Find modules whose calls are for sale, best first
    List {
        /// Words of their names and texts; all of them are found if there are none
        words: Vec<String>,
        /// Those of one type alone; `module types` names them
        #[arg(long)]
        r#type: Option<String>,
        /// Most listings
        #[arg(long, default_value_t = 50)]
        limit: usize,
        /// Where to go on: what the answer before calls `next`
        #[arg(long, value_parser = listing::cursor)]
        after: Option<[u8; 16]>,
    },

    /// Show a listing, whether or not it is found
    Show {
        /// The module, by number or name
        module: String,
    },

    /// Sell the calls of a module
    Offer {
        /// The module, by number or name
        module: String,
        /// How calls are paid
        #[command(flatten)]
        terms: Terms,
    },

    /// Change the terms of a listing; what is not given stays
    Update {
        /// The module, by number or name
        module: String,
        /// What changes
        #[command(flatten)]
        changes: TermsChanges,
    },

    /// Sell the calls of a module no more; tickets stay good
    Unlist {
        /// The module, by number or name
        module: String,
    },

    /// Say what calls of a module cost, in each way
    Price {
        /// The module, by number or name
        module: String,
        /// How many
        #[arg(long, default_value_t = 1)]
        calls: u32,
    },

    /// Buy calls of a module
    Buy {
        /// The module, by number or name
        module: String,
        /// How many
        calls: u32,
        /// How they are paid: burn, tune or asset:NUMBER; tune if its owner takes them, or else the first way
        #[arg(long)]
        with: Option<Way>,
        /// Blocks for which they are good: a day
        #[arg(long, default_value_t = 28_800)]
        blocks: u32,
    },

    /// List tickets of an account, or of a module
    Tickets {
        /// An address or the name of a key; --key if not given
        account: Option<String>,
        /// Those for the calls of a module, whoever bought them
        #[arg(long, conflicts_with = "account")]
        module: Option<String>,
    },

    /// Sign for a call of a ticket, and print what its endpoint takes
    Use {
        /// The number of the ticket
        ticket: u64,
        /// The URL that is called; the module's endpoint if not given
        #[arg(long)]
        endpoint: Option<String>,
        /// Calls that are used, this one included; one more than this machine signed for, if not given
        #[arg(long)]
        calls: Option<u32>,
    },

    /// Redeem signed receipts, those that an endpoint kept
    Redeem {
        /// A file with a receipt in JSON on each line
        file: PathBuf,
    },

    /// The market in figures
    Stats,

    /// Show the sale of what won a task
    Sale {
        /// The task
        task: u32,
    },

    /// Offer shares of what won a task: who buys access pays them
    Sell {
        /// The task
        task: u32,
        /// How many shares take part, in all; 0 takes them out
        shares: u128,
        /// What access should cost
        #[arg(long, default_value = "0")]
        ask: Amount,
    },

    /// Buy access to what won a task
    Access {
        /// The task
        task: u32,
    },

    /// Take what shares earned by the sale of what won a task
    Claim {
        /// The task
        task: u32,
    },
}

impl Command {
    /// Does what the command line says.
    ///
    /// # Errors
    ///
    /// If the node does not answer, or the chain refuses.
    pub async fn run(self, context: &Context) -> Result<Output, Error> {
        match self {
            Self::List { words, r#type, limit, after } => {
                listing::list(context, &words.join(" "), r#type.as_deref(), limit, after).await
            },
            Self::Show { module } => listing::show(context, &module).await,
            Self::Offer { module, terms } => listing::offer(context, &module, terms).await,
            Self::Update { module, changes } => listing::update(context, &module, changes).await,
            Self::Unlist { module } => listing::unlist(context, &module).await,
            Self::Price { module, calls } => listing::price(context, &module, calls).await,
            Self::Buy { module, calls, with, blocks } => ticket::buy(context, &module, calls, with, blocks).await,
            Self::Tickets { account, module } => ticket::tickets(context, account.as_deref(), module.as_deref()).await,
            Self::Use { ticket, endpoint, calls } => ticket::sign(context, ticket, endpoint, calls).await,
            Self::Redeem { file } => ticket::redeem(context, &file).await,
            Self::Stats => {
                let best = context.connect().await?.best().await?;
                Output::of(&StatsView::from(ask(&best, ensemble::runtime_apis().market_api().stats()).await?))
            },
            Self::Sale { task } => sale::show(context, task).await,
            Self::Sell { task, shares, ask } => sale::sell(context, task, shares, ask).await,
            Self::Access { task } => sale::access(context, task).await,
            Self::Claim { task } => sale::claim(context, task).await,
        }
    }
}
