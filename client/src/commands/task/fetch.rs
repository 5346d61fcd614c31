//! Fetching what won.

use std::path::PathBuf;

use ensemble_tensor::TensorId;
use schemars::JsonSchema;
use serde::Serialize;

use super::outcome;
use crate::{context::Context, error::Error, output::Output, tensors};

/// A content that was fetched.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct FetchedView {
    /// Its id.
    pub content: String,
    /// Its kind.
    pub kind: String,
    /// Its rows.
    pub rows: u32,
    /// Its columns.
    pub cols: u32,
    /// Where it was written.
    pub file: String,
    /// The members of a bundle.
    pub members: Vec<MemberView>,
}

/// A member of a bundle.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct MemberView {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Where it was written.
    pub file: Option<String>,
}

/// Fetches a content.
///
/// # Errors
///
/// If there is none, it cannot be had, or cannot be written.
pub async fn run(context: &Context, what: &str, output: PathBuf) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let best = connection.best().await?;
    let (id, task, is_restricted) = match what.parse::<u32>() {
        Ok(task) => {
            let outcome = outcome(&best, task).await?;
            let content = outcome.content.ok_or_else(|| {
                let remedy = format!("`ensemble task watch {task}` waits for its end");
                Error::not_found(format!("content that won task {task}"), remedy)
            })?;
            (content, Some(task), outcome.audience.as_deref() != Some("public"))
        },
        Err(_) => (what.to_owned(), None, false),
    };
    let id: TensorId = id.parse().map_err(|_| Error::Usage {
        message: format!("`{what}` is neither the number of a task nor the id of a content"),
        remedy: "write 7, or 0x and 64 hexadecimal digits".into(),
    })?;
    let is_locked = is_restricted || matches!(tensors::has(&connection, &id).await?, tensors::Has::Restricted { .. });
    let reader = if is_locked { Some(context.signer(&connection)?) } else { None };
    let restricted = task.filter(|_| is_restricted);
    let fetched = tensors::fetch(&connection, &id, restricted, reader.as_ref(), &output).await?;
    let members = fetched.members.into_iter().map(|(name, id, file)| MemberView {
        name,
        id: id.to_string(),
        file: Some(file.display().to_string()),
    });
    Output::of(&FetchedView {
        content: id.to_string(),
        kind: fetched.header.kind().name().into(),
        rows: fetched.header.rows(),
        cols: fetched.header.cols(),
        file: fetched.file.display().to_string(),
        members: members.collect(),
    })
}
