//! The `model` subcommand: works on files, without a node and without a network.
//!
//! Results go to standard output, as text or with `--json` as one JSON object. Errors are one line on standard error
//! and a non-zero exit code.

mod ask;
mod error;
mod import;

use std::{io, path::PathBuf};

use serde::Serialize;

use super::tensor::files;
use crate::models::sandbox;
use error::Error;

/// Import models, and ask them.
#[derive(Debug, clap::Parser)]
pub struct ModelCmd {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,

    /// Print the result as JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// What can be done with models.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// Make a bundle of a model in a .gguf file
    ///
    /// Blocks are kept as they are, norms and rotations become whole numbers, and tokenizer and chat template come
    /// along. The same file always becomes the same bundle. Takes a few tens of megabytes of memory beside the file's
    /// own pages, most of it for the tokenizer, whatever the model's size.
    Import(ImportCmd),

    /// Ask a model something, with this machine alone
    Ask(AskCmd),

    /// Print the tokens of a text
    Tokens {
        /// The manifest of the model: the file that `import` names
        manifest: PathBuf,
        /// The text, in which special tokens may be written out
        text: String,
    },

    /// Render a chat template, as a node has it done in a process of its own
    #[command(hide = true)]
    Render,
}

/// What to import.
#[derive(Debug, clap::Args)]
pub struct ImportCmd {
    /// The .gguf file: architecture llama; tensors of type F32, F16, Q8_0, Q4_0 and Q4_1
    pub file: PathBuf,

    /// The folder for the bundle's manifest and its members, each in a file named by its id
    #[arg(short, long)]
    pub out: PathBuf,

    /// Most tokens of a conversation; without it, as many as the model was made for
    ///
    /// With another number the bundle is another one.
    #[arg(long)]
    pub context: Option<u32>,
}

/// What to ask.
#[derive(Debug, clap::Args)]
pub struct AskCmd {
    /// The manifest of the model: the file that `import` names
    pub manifest: PathBuf,

    /// The question
    pub question: String,

    /// Most tokens of the answer
    #[arg(long, default_value_t = 256)]
    pub tokens: u32,

    /// Number of threads; without it, as many as there are cores
    #[arg(long)]
    pub threads: Option<usize>,
}

impl ModelCmd {
    /// Does what the command line says.
    pub fn run(&self) -> sc_cli::Result<()> {
        match &self.action {
            Action::Import(command) => self.show(&import::run(command)?)?,
            Action::Ask(command) => self.show(&ask::run(command, !self.json)?)?,
            Action::Tokens { manifest, text } => self.show(&ask::tokens(manifest, text)?)?,
            Action::Render => sandbox::serve(io::stdin().lock(), io::stdout().lock())?,
        }
        Ok(())
    }

    fn show<T: Serialize + ToString>(&self, result: &T) -> Result<(), Error> {
        let text = if self.json { serde_json::to_string_pretty(result)? } else { result.to_string() };
        Ok(files::print(&format!("{}\n", text.trim_end()))?)
    }
}
