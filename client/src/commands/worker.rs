//! Workers of models: `ensemble model worker`, `leave` and `withdraw`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    chain::{ensemble, AccountId32, At},
    connection::ask,
    context::Context,
    error::Error,
    output::Output,
    send::{send, Receipt},
    views::inference::WorkerView,
};

/// A worker that leaves, or has left.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct WorkerChanged {
    /// What became of it: `left` or `withdrawn`.
    pub done: String,
    /// The worker: as it leaves, or as it was.
    #[serde(flatten)]
    pub worker: WorkerView,
    /// The transaction.
    #[serde(flatten)]
    pub receipt: Receipt,
}

/// Shows an account's part as a worker.
///
/// # Errors
///
/// If it is none.
pub async fn show(context: &Context, account: Option<&str>) -> Result<Output, Error> {
    let account = context.account(account)?;
    let best = context.connect().await?.best().await?;
    Output::of(&worker(&best, &account).await?)
}

/// Has the account serve no more.
///
/// # Errors
///
/// If it is no worker, or leaves already.
pub async fn leave(context: &Context) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let signer = context.signer(&connection)?;
    let mut worker = worker(&connection.best().await?, &signer.account()).await?;
    let effect = format!(
        "leaves model {}; sessions that began go on, and the bond of {} can be withdrawn later",
        worker.model, worker.bond
    );
    let sent = send(context, &connection, &signer, &ensemble::transactions().inference().leave(), &effect).await?;
    worker.leaves_at = Some(sent.event::<ensemble::inference::events::Leaving>()?.at);
    Output::of(&WorkerChanged { done: "left".into(), worker, receipt: sent.receipt })
}

/// Brings the bond back.
///
/// # Errors
///
/// If the account is no worker that has left, or it is too early.
pub async fn withdraw(context: &Context) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let signer = context.signer(&connection)?;
    let worker = worker(&connection.best().await?, &signer.account()).await?;
    let effect = format!("brings back the bond of {} for model {}", worker.bond, worker.model);
    let sent = send(context, &connection, &signer, &ensemble::transactions().inference().withdraw(), &effect).await?;
    Output::of(&WorkerChanged { done: "withdrawn".into(), worker, receipt: sent.receipt })
}

async fn worker(at: &At, account: &AccountId32) -> Result<WorkerView, Error> {
    let found = ask(at, ensemble::runtime_apis().inference_api().worker(*account)).await?;
    found.map(WorkerView::from).ok_or_else(|| {
        let remedy = "`ensemble miner run --model MODEL` makes an account a worker";
        Error::not_found(format!("worker {account}"), remedy)
    })
}
