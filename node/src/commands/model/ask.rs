//! A model that answers on this machine alone.

use std::{
    fmt,
    path::Path,
    time::{Duration, Instant},
};

use ensemble_compute::{inference::Run, Machine};
use ensemble_tensor::TensorId;
use serde::Serialize;

use super::{super::tensor::files, AskCmd, Error};
use crate::models::{self, Message, Model};

/// Tokens of a prompt that go through the model together.
const BATCH: usize = 32;

/// An answer.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// The text, unless it was printed as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    prompt: Vec<u32>,
    answer: Vec<u32>,
    /// Tokens of the prompt in a second.
    read_rate: f64,
    /// Tokens of the answer in a second.
    rate: f64,
}

/// Asks, and prints the answer as it comes if `print` says so.
pub fn run(command: &AskCmd, print: bool) -> Result<Answer, Error> {
    let model = open(&command.manifest)?;
    let native = Machine::native();
    let machine = Machine { threads: command.threads.unwrap_or(native.threads).max(1), ..native };
    let local = model.local(0, 1, machine)?;
    let mut run = Run::new(model.llama(), &model, false, machine)?;
    let prompt = model.prompt(&[Message { role: "user".into(), content: command.question.clone() }])?;
    let started = Instant::now();
    let mut next = None;
    let batches = prompt.chunks(BATCH).len();
    for (number, tokens) in (1..).zip(prompt.chunks(BATCH)) {
        next = local.step(&mut run, tokens, number == batches)?;
    }
    let read = started.elapsed();
    let (mut stream, mut answer, mut text) = (model.tokenizer().stream(), Vec::new(), String::new());
    while let Some(token) = next.filter(|token| !model.tokenizer().ends(*token)) {
        answer.push(token);
        let part = stream.push(token);
        if print {
            files::print(&part)?;
        }
        text.push_str(&part);
        let room = run.positions() < model.llama().positions;
        next =
            if answer.len() < command.tokens as usize && room { local.step(&mut run, &[token], true)? } else { None };
    }
    let rest = stream.finish();
    if print {
        files::print(&rest)?;
    }
    text.push_str(&rest);
    let took = started.elapsed().saturating_sub(read);
    Ok(Answer {
        text: Some(text).filter(|_| !print),
        read_rate: rate(prompt.len(), read),
        rate: rate(answer.len(), took),
        prompt,
        answer,
    })
}

/// The tokens of a text.
#[derive(Debug, Serialize)]
pub struct Tokens {
    tokens: Vec<u32>,
    /// What they are again as a text, special tokens left out.
    text: String,
}

/// Makes tokens of a text, and a text of them.
pub fn tokens(manifest: &Path, text: &str) -> Result<Tokens, Error> {
    let model = open(manifest)?;
    let tokens = model.tokenizer().tokens(text).map_err(models::Error::from)?;
    Ok(Tokens { text: model.tokenizer().text(&tokens), tokens })
}

impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tokens.iter().try_for_each(|token| write!(f, "{token} "))
    }
}

fn open(manifest: &Path) -> Result<Model, Error> {
    let no_manifest = || Error::NoManifest { path: manifest.into() };
    let name = manifest.file_name().and_then(|name| name.to_str()).ok_or_else(no_manifest)?;
    let id: TensorId = name.parse().map_err(|_| no_manifest())?;
    Ok(Model::in_folder(files::parent(manifest), &id)?)
}

fn rate(tokens: usize, took: Duration) -> f64 {
    tokens as f64 / took.as_secs_f64().max(f64::EPSILON)
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, prompt, answer, read_rate, rate } = self;
        writeln!(f, "{}", text.as_deref().unwrap_or_default())?;
        writeln!(f, "prompt  {} tokens, {read_rate:.1} a second", prompt.len())?;
        writeln!(f, "answer  {} tokens, {rate:.1} a second", answer.len())
    }
}
