//! `ensemble model`: models that the network serves.

use std::path::{Path, PathBuf};

use ensemble_tensor::Kind;
use schemars::JsonSchema;
use serde::Serialize;

use super::worker;
use crate::{
    chain::ensemble,
    commands::task::MemberView,
    connection::ask,
    context::Context,
    error::Error,
    output::Output,
    send::{send, Receipt},
    tensors::{self, upload, Content, File},
    views::inference::ModelView,
};

/// Most models of a page of the runtime API.
const PAGE: u32 = 100;

/// What can be done with models.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Make a bundle of a model, and give it to the node, so that a task can agree on it
    Import {
        /// A .gguf file, or the manifest of a bundle that was made of one
        file: PathBuf,
        /// Where the bundle of a .gguf file goes: its manifest and its members, each in a file named by its id
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
        /// Most tokens of a conversation; the file's own number if not given
        #[arg(long)]
        context: Option<u32>,
        /// Do not give it to the node
        #[arg(long)]
        no_upload: bool,
    },

    /// Register the bundle that won a task as a model
    Register {
        /// The task
        task: u32,
        /// The bundle's manifest, beside which its members lie
        manifest: PathBuf,
    },

    /// Retire a model of one's own that is not in use
    Retire {
        /// Its number
        model: u32,
    },

    /// List all models
    List,

    /// Show a model
    Show {
        /// Its number
        model: u32,
    },

    /// Show an account's part as a worker: model, bond, node
    Worker {
        /// An address or the name of a key; that of --key if not given
        account: Option<String>,
    },

    /// Serve no more rows; the bond can be withdrawn after a while
    Leave,

    /// Take the bond away of a worker that has left
    Withdraw,
}

/// A bundle that the node has.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Imported {
    /// Its id.
    pub content: String,
    /// The file of its manifest, beside which its members lie.
    pub manifest: String,
    /// Bytes of data, those of all members included: what a task must allow.
    pub bytes: u64,
    /// Its members.
    pub members: Vec<MemberView>,
}

/// A model that was registered or retired.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ModelChanged {
    /// Its number.
    pub model: u32,
    /// What became of it.
    pub done: String,
    /// The transaction.
    #[serde(flatten)]
    pub receipt: Receipt,
}

impl Command {
    /// Does what the command line says.
    ///
    /// # Errors
    ///
    /// If the node does not answer, a file is no bundle, or the chain refuses.
    pub async fn run(self, context: &Context) -> Result<Output, Error> {
        match self {
            Self::Import { file, out, context: positions, no_upload } => {
                import(context, &file, out, positions, no_upload).await
            },
            Self::Register { task, manifest } => register(context, task, &manifest).await,
            Self::Retire { model } => retire(context, model).await,
            Self::List => list(context).await,
            Self::Show { model } => {
                let best = context.connect().await?.best().await?;
                let found = ask(&best, ensemble::runtime_apis().inference_api().model(model)).await?;
                Output::of(&ModelView::from(found.ok_or_else(|| no_model(model))?))
            },
            Self::Worker { account } => worker::show(context, account.as_deref()).await,
            Self::Leave => worker::leave(context).await,
            Self::Withdraw => worker::withdraw(context).await,
        }
    }
}

/// There is no such model.
pub fn no_model(model: u32) -> Error {
    Error::not_found(format!("model {model}"), "`ensemble model list` names those there are")
}

fn bundle<'a>(file: &'a File, path: &Path) -> Result<Content<'a>, Error> {
    let content = file.content(None, false)?;
    if content.header.kind() == Kind::Bundle && content.members.iter().any(|(name, _)| name == "config") {
        return Ok(content);
    }
    Err(Error::File {
        path: path.into(),
        message: "this is no manifest of a model's bundle".into(),
        remedy: "give the file that `ensemble model import` names".into(),
    })
}

async fn import(
    context: &Context,
    path: &Path,
    out: Option<PathBuf>,
    positions: Option<u32>,
    no_upload: bool,
) -> Result<Output, Error> {
    let manifest = if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf")) {
        let folder = out.unwrap_or_else(|| path.with_extension(""));
        tensors::import(path, &folder, positions)?
    } else {
        path.to_owned()
    };
    let file = File::open(&manifest)?;
    let content = bundle(&file, &manifest)?;
    if !no_upload {
        upload(&context.connect().await?, &content, None).await?;
    }
    let members = content.members.iter().map(|(name, member)| MemberView {
        name: name.clone(),
        id: member.id.to_string(),
        file: None,
    });
    Output::of(&Imported {
        content: content.id.to_string(),
        manifest: manifest.display().to_string(),
        bytes: content.bytes(),
        members: members.collect(),
    })
}

async fn register(context: &Context, task: u32, path: &Path) -> Result<Output, Error> {
    let file = File::open(path)?;
    let content = bundle(&file, path)?;
    let manifest = content.data().unwrap_or_default().to_vec();
    let config = content.members.iter().find(|(name, _)| name == "config");
    let config = config.and_then(|(_, member)| member.data()).unwrap_or_default().to_vec();
    let connection = context.connect().await?;
    let signer = context.signer(&connection)?;
    let call = ensemble::transactions().inference().register_model(task, bytes(manifest), bytes(config));
    let effect = format!("registers {}, which won task {task}, as a model; a deposit is held", content.id);
    let sent = send(context, &connection, &signer, &call, &effect).await?;
    let model = sent.event::<ensemble::inference::events::ModelRegistered>()?.model;
    Output::of(&ModelChanged { model, done: "registered".into(), receipt: sent.receipt })
}

/// Bytes as calls take them that bound their number.
fn bytes(bytes: Vec<u8>) -> crate::chain::types::bounded_collections::bounded_vec::BoundedVec<u8> {
    crate::chain::types::bounded_collections::bounded_vec::BoundedVec(bytes)
}

async fn retire(context: &Context, model: u32) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let signer = context.signer(&connection)?;
    let call = ensemble::transactions().inference().retire_model(model);
    let sent = send(context, &connection, &signer, &call, &format!("retires model {model}")).await?;
    Output::of(&ModelChanged { model, done: "retired".into(), receipt: sent.receipt })
}

async fn list(context: &Context) -> Result<Output, Error> {
    let best = context.connect().await?.best().await?;
    let mut views: Vec<ModelView> = Vec::new();
    let mut first = 0;
    loop {
        let page = ask(&best, ensemble::runtime_apis().inference_api().models(first, PAGE)).await?;
        let is_last = page.len() < PAGE as usize;
        first = page.last().map_or(first, |model| model.id.saturating_add(1));
        views.extend(page.into_iter().map(ModelView::from));
        if is_last {
            return Output::of(&views);
        }
    }
}
