//! Tensors from a node, each verified against its id.

use std::{
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{engine::general_purpose::STANDARD, Engine};
use codec::Encode;
use ensemble_tensor::{Bundle, Header, Kind, OutlineBuilder, TensorId};
use serde::Deserialize;
use subxt::{rpcs::rpc_params, utils::MultiSignature};
use tokio::time::{sleep, Instant};

use super::{has, Has, PART};
use crate::{connection::Connection, error::Error, keys::Key, progress::Progress};

/// Between two questions whether a node has fetched something.
const PAUSE: Duration = Duration::from_millis(300);
/// How long a node may take until the first byte of something has come.
const PATIENCE: Duration = Duration::from_secs(120);

/// A tensor that was fetched.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Kind and shape.
    pub header: Header,
    /// Where it was written.
    pub file: PathBuf,
    /// The members of a bundle and their files.
    pub members: Vec<(String, TensorId, PathBuf)>,
}

/// What a node wants to have signed.
#[derive(Deserialize)]
struct Challenge {
    challenge: String,
    message: String,
}

/// What it gives for that.
#[derive(Deserialize)]
struct Unlocked {
    token: String,
}

/// Fetches a tensor to a file; of a bundle the members go beside it, into files named by their ids. Bytes are written as
/// whoever committed to them had them, everything else with the header that says what it is. What the node does not have it
/// is told to fetch from others. What is restricted is read with `reader`, which signs the node's challenge.
///
/// # Errors
///
/// If it cannot be had, is not what its id says, or cannot be written.
pub async fn fetch(
    connection: &Connection,
    id: &TensorId,
    task: Option<u32>,
    reader: Option<&Key>,
    to: &Path,
) -> Result<Fetched, Error> {
    let token = ready(connection, id, task, reader).await?;
    let (header, data) = read(connection, id, token.as_deref(), to, Form::Own, u64::MAX).await?;
    let mut members = Vec::new();
    if header.kind() == Kind::Bundle {
        let bundle =
            Bundle::parse(&data).map_err(|error| Error::Other(format!("the node's bundle is none: {error}")))?;
        let folder = to.parent().unwrap_or(Path::new("."));
        for (name, member) in bundle.iter() {
            let path = folder.join(member.to_string());
            read(connection, &member, token.as_deref(), &path, Form::Encoded, u64::MAX).await?;
            members.push((name.to_owned(), member, path));
        }
    }
    Ok(Fetched { header, file: to.into(), members })
}

/// Fetches a public tensor to a file, header and data, of a bundle the manifest alone. Whatever the node says, no more
/// than `most` bytes are read.
///
/// # Errors
///
/// If it cannot be had, has more bytes, is not what its id says, or cannot be written.
pub async fn fetch_encoded(connection: &Connection, id: &TensorId, most: u64, to: &Path) -> Result<Header, Error> {
    ready(connection, id, None, None).await?;
    Ok(read(connection, id, None, to, Form::Encoded, most).await?.0)
}

/// What is written of a tensor.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Form {
    /// All of it, header and data.
    Encoded,
    /// Of bytes nothing but these.
    Own,
}

/// Waits until the node has a tensor. Returns the token with which it is read, if it is restricted.
async fn ready(
    connection: &Connection,
    id: &TensorId,
    task: Option<u32>,
    reader: Option<&Key>,
) -> Result<Option<String>, Error> {
    let mut is_asked = false;
    let mut last_news = (Instant::now(), 0);
    loop {
        match has(connection, id).await? {
            Has::Held { .. } => return Ok(None),
            Has::Restricted { .. } => {
                let reader = reader.ok_or(Error::NoKey)?;
                return token_for(connection, id, reader).await.map(Some);
            },
            Has::Absent | Has::Failed { .. } if !is_asked => {
                let none = serde_json::Value::Null;
                connection.request::<()>("ensemble_fetchTensor", rpc_params![id, none, task]).await?;
                is_asked = true;
            },
            Has::Failed { reason } => {
                return Err(Error::not_found(format!("copy of {id}: {reason}"), "ask another node with --url"));
            },
            Has::Fetching { received, .. } if received > last_news.1 => last_news = (Instant::now(), received),
            Has::Absent | Has::Fetching { .. } if last_news.0.elapsed() > PATIENCE => {
                return Err(Error::Timeout { what: format!("the fetch of {id}"), seconds: PATIENCE.as_secs() });
            },
            Has::Absent | Has::Fetching { .. } => {},
        }
        sleep(PAUSE).await;
    }
}

/// A token with which a restricted tensor is read for ten minutes. What is signed names the chain, the node and the
/// content, and is good once.
///
/// # Errors
///
/// If the account is not entitled; the message says how to become so.
pub async fn token_for(connection: &Connection, id: &TensorId, reader: &Key) -> Result<String, Error> {
    let Challenge { challenge, message }: Challenge = connection.request("ensemble_challenge", rpc_params![id]).await?;
    let signature = match reader.sign(message.as_bytes()) {
        MultiSignature::Ed25519(bytes) => (0_u8, bytes).encode(),
        MultiSignature::Sr25519(bytes) => (1_u8, bytes).encode(),
        MultiSignature::Ecdsa(bytes) => (2_u8, bytes).encode(),
    };
    let signature = format!("0x{}", hex::encode(signature));
    let params = rpc_params![id, reader.account(), challenge, signature];
    let Unlocked { token } = connection.request("ensemble_unlockTensor", params).await?;
    Ok(token)
}

/// Reads a tensor that the node has into a file, and verifies it. Returns the data too if it is a bundle's manifest.
async fn read(
    connection: &Connection,
    id: &TensorId,
    token: Option<&str>,
    to: &Path,
    form: Form,
    most: u64,
) -> Result<(Header, Vec<u8>), Error> {
    let first = range(connection, id, token, 0, Header::LEN).await?;
    let wrong =
        |error: ensemble_tensor::Error| Error::Other(format!("the node gives something else than {id}: {error}"));
    let header = Header::from_bytes(&first).map_err(wrong)?;
    if header.encoded_len() > most {
        let len = header.encoded_len();
        return Err(Error::Other(format!("the node's {id} has {len} bytes, where there can be at most {most}")));
    }
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(Error::write(folder))?;
    let mut draft = tempfile::NamedTempFile::new_in(folder).map_err(Error::write(folder))?;
    if form == Form::Encoded || header.kind() != Kind::Bytes {
        draft.write_all(&first).map_err(Error::write(to))?;
    }
    let (mut outline, mut manifest) = (OutlineBuilder::new(&header), Vec::new());
    let mut progress = Progress::new("fetching", header.encoded_len());
    let mut at = Header::LEN as u64;
    while at < header.encoded_len() {
        let len = usize::try_from(header.encoded_len() - at).unwrap_or(PART).min(PART);
        let part = range(connection, id, token, at, len).await?;
        if part.len() != len {
            return Err(Error::Other(format!("the node gives less of {id} than it was asked for")));
        }
        outline.update(&part).map_err(wrong)?;
        draft.write_all(&part).map_err(Error::write(to))?;
        if header.kind() == Kind::Bundle {
            manifest.extend(&part);
        }
        at += len as u64;
        progress.at(at);
    }
    let found = outline.finish().map_err(wrong)?.id();
    if found != *id {
        return Err(Error::Other(format!("the node gives {found} in place of {id}")));
    }
    draft.persist(to).map_err(|failed| Error::write(to)(failed.error))?;
    Ok((header, manifest))
}

async fn range(
    connection: &Connection,
    id: &TensorId,
    token: Option<&str>,
    at: u64,
    len: usize,
) -> Result<Vec<u8>, Error> {
    let text: String = connection.request("ensemble_getTensor", rpc_params![id, at, len, token]).await?;
    STANDARD.decode(text).map_err(|error| Error::Other(format!("the node's answer is no base64: {error}")))
}
