//! Committing to a file, and opening the commitment.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::sleep;

use super::{not_open, record, PAUSE};
use crate::{
    amount::Amount,
    chain::{
        ensemble,
        types::ensemble_core::{exchange::Audience, tasks as chain},
    },
    commitments::Opening,
    connection::Connection,
    context::Context,
    error::Error,
    keys::Key,
    output::Output,
    progress::waiting,
    send::{send, Receipt},
    tensors::{self, Content, File},
    views::tasks::asks_for,
};

/// A file that becomes a content.
#[derive(Clone, Debug, clap::Args)]
pub struct FileArgs {
    /// The file: .npy, .safetensors, .gguf, a tensor, or anything
    pub file: PathBuf,
    /// Only the tensor of this name
    #[arg(long)]
    pub name: Option<String>,
    /// Take the file as bytes, whatever it is
    #[arg(long)]
    pub bytes: bool,
}

/// A commitment, or its opening.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Taken {
    /// The task.
    pub task: u32,
    /// The id of the content.
    pub content: String,
    /// Its kind.
    pub kind: String,
    /// Its rows.
    pub rows: u32,
    /// Its columns.
    pub cols: u32,
    /// The file in which the salt is: keep it until the task is settled.
    pub opening: Option<String>,
    /// The transaction.
    #[serde(flatten)]
    pub receipt: Receipt,
}

/// Commits to a file.
///
/// # Errors
///
/// If it is not what the task asks for, or the chain refuses.
pub async fn commit(
    context: &Context,
    task: u32,
    args: &FileArgs,
    bond: Option<Amount>,
    no_upload: bool,
) -> Result<Output, Error> {
    // Before anything else: a file that is no tensor needs no node.
    let file = File::open(&args.file)?;
    let content = file.content(args.name.as_deref(), args.bytes)?;
    let connection = context.connect().await?;
    let best = connection.best().await?;
    let Some(record) = record(&best, task).await? else { return Err(not_open(&best, task).await?) };
    let chain::PurposeView::Contribution { audience, terms, .. } = &record.purpose else {
        return Err(Error::not_found(
            format!("task {task} for accounts: it is a vote"),
            "`ensemble task list --open` names others",
        ));
    };
    check_fits(&record.content, &content, args)?;
    let restricted = matches!(audience, Audience::Restricted { .. }).then_some(task);
    let bond = bond.unwrap_or(Amount::planck(terms.bond));
    let signer = context.signer(&connection)?;
    if !no_upload {
        tensors::upload(&connection, &content, restricted).await?;
    }
    seal(context, &connection, &signer, task, &content, args, bond).await
}

/// Keeps a new salt, and sends the commitment that it opens.
async fn seal(
    context: &Context,
    connection: &Connection,
    signer: &Key,
    task: u32,
    content: &Content<'_>,
    args: &FileArgs,
    bond: Amount,
) -> Result<Output, Error> {
    let (store, genesis, account) = (context.commitments(), connection.identity().genesis, signer.account());
    let id = content.id.to_string();
    let known = store.get(&genesis, task, &account)?;
    let (opening, is_new) = match known {
        Some(known) if known.content == id => (known, false),
        Some(known) => {
            return Err(Error::Usage {
                message: format!("this account has a salt for task {task} and content {}", known.content),
                remedy: "reveal that one; a commitment cannot be changed".into(),
            })
        },
        None => (Opening::new(task, &account, content, &args.file)?, true),
    };
    if is_new {
        store.add(&genesis, &account, &opening)?;
    }
    let call = ensemble::transactions().tasks().commit(task, opening.commitment(&account)?, bond.planck);
    let effect = format!("commits to {} in task {task}, with a bond of {bond}", content.id);
    let sent = match send(context, connection, signer, &call, &effect).await {
        Ok(sent) => sent,
        Err(error) => {
            // What the chain has refused, or was never sent, needs no salt; of anything else it is kept.
            let is_sure = matches!(error, Error::Refused(_) | Error::NotConfirmed(_) | Error::NoFunds { .. });
            if is_new && is_sure {
                store.remove(&genesis, task, &account)?;
            }
            return Err(error);
        },
    };
    let file = store.path(&genesis, task, &account);
    taken(opening, Some(file), sent.receipt)
}

fn taken(opening: Opening, file: Option<PathBuf>, receipt: Receipt) -> Result<Output, Error> {
    let Opening { task, content, kind, rows, cols, .. } = opening;
    let opening = file.map(|file| file.display().to_string());
    Output::of(&Taken { task, content, kind, rows, cols, opening, receipt })
}

/// Refuses a file that is not what a task asks for, before anything is sent.
fn check_fits(asked: &chain::Content, content: &Content<'_>, args: &FileArgs) -> Result<(), Error> {
    if content.fits(asked) {
        return Ok(());
    }
    let header = &content.header;
    let shape = format!("{} {}x{}", header.kind(), header.rows(), header.cols());
    Err(Error::File {
        path: args.file.clone(),
        message: format!("it becomes {shape}, but the task asks for {}", asks_for(asked)),
        remedy: "choose another file, a tensor in it with --name, or --bytes".into(),
    })
}

/// Opens a commitment.
///
/// # Errors
///
/// If this machine does not have its salt, or the chain refuses.
pub async fn reveal(context: &Context, task: u32, wait: bool) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let signer = context.signer(&connection)?;
    let (genesis, account) = (connection.identity().genesis, signer.account());
    let opening = context.commitments().get(&genesis, task, &account)?.ok_or_else(|| {
        Error::not_found(
            format!("salt of {account} for task {task} on this machine"),
            "reveal on the machine on which you committed, or give its folder with --state",
        )
    })?;
    if wait {
        waiting("waiting until reveals are taken", revealing(&connection, task)).await?;
    }
    let call = ensemble::transactions().tasks().reveal(task, opening.descriptor()?, opening.salt()?);
    let effect = format!("reveals {} in task {task}", opening.content);
    let sent = send(context, &connection, &signer, &call, &effect).await?;
    taken(opening, None, sent.receipt)
}

/// Waits until a task takes reveals. The node tries a transaction in the best block, not in the one after it.
async fn revealing(connection: &Connection, task: u32) -> Result<(), Error> {
    loop {
        let best = connection.best().await?;
        let Some(record) = record(&best, task).await? else { return Err(not_open(&best, task).await?) };
        if best.block_number() > u64::from(record.commit_until) {
            return Ok(());
        }
        sleep(PAUSE).await;
    }
}
