//! Tensors to a node.

use base64::{engine::general_purpose::STANDARD, Engine};
use ensemble_tensor::{Header, TensorId};
use serde::Deserialize;
use subxt::rpcs::rpc_params;

use super::Content;
use crate::{connection::Connection, error::Error, progress::Progress};

/// What a node has of a tensor.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "status", rename_all = "camelCase")]
pub enum Has {
    /// Nothing.
    Absent,
    /// It is being fetched from other nodes.
    Fetching {
        /// Bytes so far.
        received: u64,
        /// Bytes in all, once they are known.
        total: Option<u64>,
    },
    /// All of it.
    Held {
        /// Kind and shape.
        header: Header,
    },
    /// All of it, for those who are entitled to what won the task.
    Restricted {
        /// The task.
        task: Option<u32>,
    },
    /// It could not be fetched.
    Failed {
        /// Why.
        reason: String,
    },
}

/// Says what a node has of a tensor.
///
/// # Errors
///
/// If the node does not answer.
pub async fn has(connection: &Connection, id: &TensorId) -> Result<Has, Error> {
    connection.request("ensemble_hasTensor", rpc_params![id]).await
}

/// Gives a tensor to a node, of a bundle the members first. With `restricted` it is served to those alone who are
/// entitled to what wins that task.
///
/// # Errors
///
/// If the node does not take it.
pub async fn upload(connection: &Connection, content: &Content<'_>, restricted: Option<u32>) -> Result<(), Error> {
    let mut progress = Progress::new("uploading", content.bytes());
    let mut done = 0;
    for (_, member) in &content.members {
        restrict(connection, &member.id, restricted, Some(&content.id)).await?;
        put(connection, member, &mut progress, done).await?;
        done += member.header.encoded_len();
    }
    restrict(connection, &content.id, restricted, None).await?;
    put(connection, content, &mut progress, done).await
}

/// Before a single byte of it is there, so that at no time it is served to everybody.
async fn restrict(
    connection: &Connection,
    id: &TensorId,
    task: Option<u32>,
    bundle: Option<&TensorId>,
) -> Result<(), Error> {
    let Some(task) = task else { return Ok(()) };
    connection.request::<()>("ensemble_restrictTensor", rpc_params![id, task, bundle]).await
}

async fn put(connection: &Connection, content: &Content<'_>, progress: &mut Progress, done: u64) -> Result<(), Error> {
    if matches!(has(connection, &content.id).await?, Has::Held { .. } | Has::Restricted { .. }) {
        progress.at(done + content.header.encoded_len());
        return Ok(());
    }
    let progress = std::cell::RefCell::new(progress);
    let take = |at: u64, part: Vec<u8>| {
        let params = rpc_params![content.id, at, STANDARD.encode(&part)];
        progress.borrow_mut().at(done + at);
        async move {
            let _: serde_json::Value = connection.request("ensemble_putTensor", params).await?;
            Ok(())
        }
    };
    content.encode(take).await
}
