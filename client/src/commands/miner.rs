//! `ensemble miner`: being scored and paid.

use crate::{
    chain::{ensemble, text, types::ensemble_core::modules::Role, At},
    connection::ask,
    context::Context,
    error::Error,
    output::Output,
    views::{
        modules::{module_number, module_record, Types},
        part,
        subnet::{MinerView, ScoreView},
    },
};

use super::module::change;

/// What a miner can do.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Take part as a miner
    Join {
        /// The module, by number or name
        module: String,
    },

    /// Take part no more
    Leave {
        /// The module, by number or name
        module: String,
    },

    /// End all matches for a while
    Pause {
        /// The module, by number or name
        module: String,
    },

    /// Take part again after a pause
    Resume {
        /// The module, by number or name
        module: String,
    },

    /// Show matches, last score and earnings
    Status {
        /// The module, by number or name
        module: String,
    },

    /// List the scores of the epochs that are kept
    Scores {
        /// The module, by number or name
        module: String,
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
            Self::Join { module } => set_role(context, &module, Role::Miner, "joined").await,
            Self::Leave { module } => set_role(context, &module, Role::Idle, "left").await,
            Self::Pause { module } => switch(context, &module, false).await,
            Self::Resume { module } => switch(context, &module, true).await,
            Self::Status { module } => status(context, &module).await,
            Self::Scores { module } => {
                let best = context.connect().await?.best().await?;
                let id = module_number(&best, &module).await?;
                let results = ask(&best, ensemble::runtime_apis().scores_api().results(id)).await?;
                Output::of(&results.into_iter().map(|result| ScoreView::new(result, None)).collect::<Vec<_>>())
            },
        }
    }
}

/// Sets the part that a module plays.
///
/// # Errors
///
/// If the chain refuses.
pub async fn set_role(context: &Context, module: &str, role: Role, done: &str) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let id = module_number(&connection.best().await?, module).await?;
    let effect = match &role {
        Role::Idle => format!("module {id} leaves the subnet; what it earned in the epoch is paid all the same"),
        Role::Miner => format!("module {id} becomes a miner, and is matched with validators"),
        Role::Validator { .. } => format!("module {id} becomes a validator, and is matched with miners"),
    };
    let call = ensemble::transactions().modules().set_role(id, role);
    change(context, &connection, &call, id, done, &effect).await
}

/// Switches a miner or validator off or on.
///
/// # Errors
///
/// If the chain refuses.
pub async fn switch(context: &Context, module: &str, on: bool) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let id = module_number(&connection.best().await?, module).await?;
    let calls = ensemble::transactions().matching();
    if on {
        let effect = format!("switches module {id} on, which is matched anew");
        return change(context, &connection, &calls.switch_on(id), id, "resumed", &effect).await;
    }
    let effect = format!("switches module {id} off, and ends its matches; role and deposit stay");
    change(context, &connection, &calls.switch_off(id), id, "paused", &effect).await
}

async fn status(context: &Context, module: &str) -> Result<Output, Error> {
    let best = context.connect().await?.best().await?;
    let record = module_record(&best, module).await?;
    let miner = ask(&best, ensemble::runtime_apis().matching_api().miner(record.id)).await?;
    let none = || {
        let remedy = format!("`ensemble miner join {module}` makes it one");
        Error::not_found(format!("miner `{module}`: the module plays another part"), remedy)
    };
    let miner = miner.ok_or_else(none)?;
    let prospect = ask(&best, ensemble::runtime_apis().emission_api().prospect(record.id)).await?;
    let last = last_score(&best, record.id).await?;
    Output::of(&MinerView::new(miner, text(&record.name), &Types::of(&best).await?, last, &prospect))
}

async fn last_score(at: &At, miner: u32) -> Result<Option<f64>, Error> {
    let results = ask(at, ensemble::runtime_apis().scores_api().results(miner)).await?;
    Ok(results.last().map(|result| part(result.score.score)))
}
