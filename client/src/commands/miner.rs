//! `ensemble miner`: being scored and paid.

use std::{path::PathBuf, time::Duration};

use crate::{
    amount::Amount,
    chain::{ensemble, types::ensemble_core::modules::Role},
    connection::ask,
    context::Context,
    error::Error,
    miner::{self, Answers, Plan},
    output::Output,
    plugin::Plugin,
    rows::Service,
    views::{
        modules::{module_number, module_record},
        subnet::{miner_view, ScoreView},
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

    /// Answer tasks, serve rows and be scored, until told to stop; a line, or an object of --json, for all that happens
    Run(RunArgs),
}

/// What a miner does.
#[derive(Clone, Debug, clap::Args)]
pub struct RunArgs {
    /// The module that is scored, by number or name; without, none is
    pub module: Option<String>,
    /// Serve rows of this model, by number, as one of its workers
    #[arg(long, value_name = "MODEL")]
    pub model: Option<u32>,
    /// The bond of a worker that is yet to join; the least that the chain takes if not given
    #[arg(long, value_name = "AMOUNT", requires = "model")]
    pub bond: Option<Amount>,
    /// Answer tasks by this command: it gets the task as JSON, and prints the path of a file, or nothing
    #[arg(long, value_name = "COMMAND")]
    pub answer: Option<String>,
    /// Answer tasks with the files of this folder, which are named by tasks' numbers: 7, or 7.npy
    #[arg(long, value_name = "FOLDER", conflicts_with = "answer")]
    pub answers: Option<PathBuf>,
    /// Seconds that the command may take
    #[arg(long, default_value_t = 300)]
    pub patience: u64,
    /// Leave tasks to others that pay less
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    pub min_reward: Amount,
    /// Leave tasks to others that want a larger bond
    #[arg(long, value_name = "AMOUNT", default_value = "100")]
    pub max_bond: Amount,
}

/// Most bytes that the command prints: a path.
const MOST: u64 = 8_192;

impl RunArgs {
    fn plan(self) -> Result<Plan, Error> {
        let command = self.answer.map(|command| Plugin::new(command, Duration::from_secs(self.patience), MOST));
        let answers = command.map(Answers::Command).or(self.answers.map(Answers::Folder));
        let service = self.model.map(|model| Service { model, bond: self.bond });
        if answers.is_none() && self.module.is_none() && service.is_none() {
            return Err(Error::Usage {
                message: "there is nothing to mine with".into(),
                remedy: "name a module, or give --model, --answer or --answers".into(),
            });
        }
        let (min_reward, max_bond) = (self.min_reward, self.max_bond);
        Ok(Plan { module: self.module, answers, min_reward, max_bond, service })
    }
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
            Self::Run(args) => miner::run(context, args.plan()?).await,
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
    let miner = miner_view(&best, &record).await?.ok_or_else(|| {
        let remedy = format!("`ensemble miner join {module}` makes it one");
        Error::not_found(format!("miner `{module}`: the module plays another part"), remedy)
    })?;
    Output::of(&miner)
}
