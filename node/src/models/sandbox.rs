//! Templates are rendered in a process of their own, with little memory and little time, because they come from
//! strangers.

use std::{
    io::{Read, Write},
    path::PathBuf,
    process::{Command, Stdio},
};

use rustix::process::{setrlimit, Resource, Rlimit};
use serde::{Deserialize, Serialize};

use super::template::{self, Marks, Message, MAX_LEN, MAX_TEXT};

/// The program that runs, on Linux.
const RUNNING: &str = "/proc/self/exe";
/// Most bytes of address space that rendering may take; the program itself is a part of it.
const MEMORY: u64 = 1 << 30;
/// Most seconds of computing.
const SECONDS: u64 = 5;
/// Most bytes of a request or an answer: JSON writes some bytes as six.
const MAX_JSON: u64 = 6 * (MAX_LEN + MAX_TEXT) as u64 + (1 << 20);

/// What is asked of the process.
#[derive(Debug, Deserialize, Serialize)]
pub struct Request {
    /// The template.
    pub source: String,
    /// The conversation.
    pub messages: Vec<Message>,
    /// What the template is given besides.
    pub marks: Marks,
}

/// What it answers.
#[derive(Debug, Deserialize, Serialize)]
enum Answer {
    Text(String),
    Refused(String),
}

/// Why there is no text.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The process cannot be started, or not be spoken to.
    #[error("the template cannot be rendered: {0}")]
    Process(#[from] std::io::Error),
    /// The template, or the conversation, is refused.
    #[error("the model's template: {0}")]
    Refused(String),
    /// The process ended without an answer: it took too much memory or time.
    #[error("the model's template took too much memory or time, or its text is too long; shorten the conversation")]
    NoAnswer,
}

/// The program that renders: this one, asked to.
pub struct Sandbox {
    program: PathBuf,
    arguments: &'static [&'static str],
}

impl Sandbox {
    /// This program. Its file may have been replaced since it was started: where the system has a name for what runs,
    /// that is it.
    pub fn new() -> Result<Self, Error> {
        let program = if cfg!(target_os = "linux") { RUNNING.into() } else { std::env::current_exe()? };
        Ok(Self { program, arguments: &["model", "render"] })
    }

    /// Makes a text of a conversation. Blocks until the process ends, a few seconds at most.
    pub fn render(&self, request: &Request) -> Result<String, Error> {
        let request = serde_json::to_vec(request).map_err(std::io::Error::from)?;
        let mut child = Command::new(&self.program)
            .args(self.arguments)
            // It needs nothing of what this one was told, and is nowhere in particular.
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        // It reads everything before it writes anything; if it ends before, that is no answer.
        let sent = child.stdin.take().map(|mut stdin| stdin.write_all(&request));
        let mut answer = Vec::new();
        let read = child.stdout.take().map(|stdout| stdout.take(MAX_JSON).read_to_end(&mut answer));
        let ended = child.wait()?;
        if !ended.success() || !matches!((sent, read), (Some(Ok(())), Some(Ok(_)))) {
            return Err(Error::NoAnswer);
        }
        match serde_json::from_slice(&answer) {
            Ok(Answer::Text(text)) if text.len() <= MAX_TEXT => Ok(text),
            Ok(Answer::Refused(why)) => Err(Error::Refused(why.chars().take(500).collect())),
            _ => Err(Error::NoAnswer),
        }
    }
}

/// What the process does: it gives up what it does not need, reads the request and writes the answer.
pub fn serve(mut input: impl Read, mut output: impl Write) -> std::io::Result<()> {
    limit(Resource::As, MEMORY)?;
    limit(Resource::Cpu, SECONDS)?;
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    let mut request = Vec::new();
    input.by_ref().take(MAX_JSON).read_to_end(&mut request)?;
    let Request { source, messages, marks } = serde_json::from_slice(&request)?;
    let answer = match template::render(&source, &messages, &marks) {
        Ok(text) => Answer::Text(text),
        Err(error) => Answer::Refused(error.to_string()),
    };
    output.write_all(&serde_json::to_vec(&answer)?)?;
    output.flush()
}

fn limit(resource: Resource, most: u64) -> std::io::Result<()> {
    Ok(setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_told_nothing_and_is_nowhere() {
        const SHOWS: &str = r#"cat > /dev/null; printf '{"Text":"%s %s"}' "$(pwd)" "${CARGO_MANIFEST_DIR:-nothing}""#;
        // Cargo has told this one where it is.
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
        let sandbox = Sandbox { program: "/bin/sh".into(), arguments: &["-c", SHOWS] };
        let request = Request { source: String::new(), messages: Vec::new(), marks: Marks::default() };
        assert_eq!(sandbox.render(&request).unwrap(), "/ nothing");
    }
}
