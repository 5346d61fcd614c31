//! `ensemble task`: consensus on tensors and bytes.

mod commit;
mod create;
mod fetch;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::{sleep, Duration};

pub use commit::{FileArgs, Taken};
pub use create::{ContentArg, CreateArgs, Created};
pub use fetch::{FetchedView, MemberView};

use crate::{
    amount::Amount,
    chain::{ensemble, At},
    connection::ask,
    context::Context,
    error::Error,
    output::Output,
    send::{send, Receipt},
    views::tasks::{OutcomeView, Record, TaskLine, TaskView},
};

/// Most tasks of a page of the runtime API.
const PAGE: u32 = 100;
/// Between two looks at a task that is watched.
const PAUSE: Duration = Duration::from_secs(1);

/// What can be done with tasks.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Ask for a content, and fund its reward
    Create(Box<CreateArgs>),

    /// List the tasks that are not settled
    List {
        /// Only those that take commitments now
        #[arg(long)]
        open: bool,
    },

    /// Show a task
    Show {
        /// Its number
        task: u32,
    },

    /// Commit to a file, and give it to the node; the salt is kept for the reveal
    Commit {
        /// The task
        task: u32,
        /// What is committed to
        #[command(flatten)]
        file: FileArgs,
        /// The bond; what the task asks for if not given
        #[arg(long)]
        bond: Option<Amount>,
        /// Do not give the content to the node: it is there, or comes by other means
        #[arg(long)]
        no_upload: bool,
    },

    /// Open the commitment to a task
    Reveal {
        /// The task
        task: u32,
        /// Wait until reveals are taken
        #[arg(long)]
        wait: bool,
    },

    /// Cancel a task of one's own to which nobody has committed
    Cancel {
        /// The task
        task: u32,
    },

    /// Follow a task until it is settled
    Watch {
        /// The task
        task: u32,
    },

    /// Fetch what won a task, or any content by its id, and verify it
    Fetch {
        /// The number of the task, or the id of a content
        what: String,
        /// Where to write it; a bundle's members go beside it
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
    },
}

/// A task that was cancelled.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Cancelled {
    /// The task.
    pub task: u32,
    /// The transaction.
    #[serde(flatten)]
    pub receipt: Receipt,
}

impl Command {
    /// Does what the command line says.
    ///
    /// # Errors
    ///
    /// If the node does not answer, a file is no tensor, or the chain refuses.
    pub async fn run(self, context: &Context) -> Result<Output, Error> {
        match self {
            Self::Create(args) => create::run(context, *args).await,
            Self::List { open } => list(context, open).await,
            Self::Show { task } => {
                let best = context.connect().await?.best().await?;
                match record(&best, task).await? {
                    Some(record) => Output::of(&TaskView::from(record)),
                    None => Err(not_open(&best, task).await?),
                }
            },
            Self::Commit { task, file, bond, no_upload } => commit::commit(context, task, &file, bond, no_upload).await,
            Self::Reveal { task, wait } => commit::reveal(context, task, wait).await,
            Self::Cancel { task } => cancel(context, task).await,
            Self::Watch { task } => watch(context, task).await,
            Self::Fetch { what, output } => fetch::run(context, &what, output).await,
        }
    }
}

async fn list(context: &Context, open: bool) -> Result<Output, Error> {
    let best = context.connect().await?.best().await?;
    let mut lines: Vec<TaskLine> = Vec::new();
    let mut first = 0;
    loop {
        let page = ask(&best, ensemble::runtime_apis().tasks_api().open_tasks(first, PAGE)).await?;
        let is_last = page.len() < PAGE as usize;
        first = page.last().map_or(first, |task| task.id.saturating_add(1));
        lines.extend(page.into_iter().map(|task| TaskLine::from(TaskView::from(task))));
        if is_last {
            lines.retain(|line| !open || (line.phase == "commit" && line.base.is_some()));
            return Output::of(&lines);
        }
    }
}

/// A task that is not settled.
///
/// # Errors
///
/// If the node does not answer.
pub async fn record(at: &At, task: u32) -> Result<Option<Record>, Error> {
    ask(at, ensemble::runtime_apis().tasks_api().task(task)).await
}

/// What won a task, or that nothing did.
///
/// # Errors
///
/// If the node does not answer.
pub async fn outcome(at: &At, task: u32) -> Result<OutcomeView, Error> {
    let entry =
        at.storage().try_fetch(ensemble::storage().tasks().contributions(), (task,)).await.map_err(Error::chain)?;
    let contribution = entry.map(|entry| entry.decode()).transpose().map_err(Error::chain)?;
    Ok(OutcomeView::new(task, contribution.as_ref()))
}

/// Why there is no open task of this number.
async fn not_open(at: &At, task: u32) -> Result<Error, Error> {
    Ok(match outcome(at, task).await? {
        OutcomeView { is_won: true, .. } => Error::not_found(
            format!("open task {task}: it is settled"),
            format!("`ensemble task watch {task}` says what won"),
        ),
        _ => Error::not_found(
            format!("open task {task}: it is settled without a winner, cancelled, or was never there"),
            "`ensemble task list` names those that are open",
        ),
    })
}

async fn cancel(context: &Context, task: u32) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let signer = context.signer(&connection)?;
    let call = ensemble::transactions().tasks().cancel(task);
    let effect = format!("cancels task {task}; what is held for it returns");
    let sent = send(context, &connection, &signer, &call, &effect).await?;
    Output::of(&Cancelled { task, receipt: sent.receipt })
}

async fn watch(context: &Context, task: u32) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let mut last = String::new();
    loop {
        let best = connection.best().await?;
        let Some(record) = record(&best, task).await? else {
            let outcome = outcome(&best, task).await?;
            if last.is_empty() && !outcome.is_won {
                return Err(not_open(&best, task).await?);
            }
            return Output::of(&outcome);
        };
        let view = TaskView::from(record);
        let news = format!(
            "block {}: {}, {} committed, {} revealed, {} of {} attested",
            best.block_number(),
            view.phase,
            view.committed,
            view.revealed,
            view.attested,
            view.attestations_needed
        );
        let state = news.split_once(": ").map_or("", |(_, state)| state).to_owned();
        if state != last {
            eprintln!("{news}");
            last = state;
        }
        sleep(PAUSE).await;
    }
}
