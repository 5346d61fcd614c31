//! `ensemble governance`: referenda, and votes on them.

mod proposal;
mod referendum;
mod vote;

pub use vote::{Delegated, Says, Voted};

use crate::{amount::Amount, context::Context, error::Error, output::Output};

/// What can be done about referenda.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// List referenda, newest first
    List {
        /// Those that are over as well
        #[arg(long)]
        all: bool,
        /// Most referenda
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },

    /// Show a referendum: what it would do, how it stands, what was voted
    Show {
        /// Its number
        referendum: u32,
    },

    /// Name the tracks: who decides on what, for how long
    Tracks,

    /// Vote on a referendum, or change a vote
    Vote {
        /// The number of the referendum
        referendum: u32,
        /// What to say
        says: Says,
        /// With how much; it is held as long as the vote counts, and staked TUNE votes too
        amount: Amount,
        /// How long it stays held if that side wins: 0 counts a tenth and is free at once, 1 to 6 count so many times
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=6))]
        conviction: u8,
    },

    /// List the votes of an account, its delegations, and what is held for them
    Votes {
        /// An address or the name of a key; --key if not given
        account: Option<String>,
    },

    /// Take a vote back, or one whose referendum is over out of the books
    RemoveVote {
        /// The number of the referendum
        referendum: u32,
    },

    /// Have somebody else vote on a track with one's TUNE
    Delegate {
        /// The track, by number or name
        track: String,
        /// Who votes: an address or the name of a key
        to: String,
        /// With how much
        amount: Amount,
        /// As of a vote, from 0 to 6
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=6))]
        conviction: u8,
    },

    /// Vote on a track oneself again
    Undelegate {
        /// The track, by number or name
        track: String,
    },

    /// Free what was held for votes on a track, as far as its time is over
    Unlock {
        /// The track, by number or name
        track: String,
        /// Whose: an address or the name of a key; --key if not given
        account: Option<String>,
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
            Self::List { all, limit } => referendum::list(context, all, limit).await,
            Self::Show { referendum } => referendum::show(context, referendum).await,
            Self::Tracks => {
                let best = context.connect().await?.best().await?;
                Output::of(&referendum::Tracks::of(&best)?.all())
            },
            Self::Vote { referendum, says, amount, conviction } => {
                vote::vote(context, referendum, says, amount, conviction).await
            },
            Self::Votes { account } => vote::votes(context, account.as_deref()).await,
            Self::RemoveVote { referendum } => vote::remove(context, referendum).await,
            Self::Delegate { track, to, amount, conviction } => {
                vote::delegate(context, &track, &to, amount, conviction).await
            },
            Self::Undelegate { track } => vote::undelegate(context, &track).await,
            Self::Unlock { track, account } => vote::unlock(context, &track, account.as_deref()).await,
        }
    }
}
