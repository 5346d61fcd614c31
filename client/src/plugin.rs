//! Commands of the user's that answer questions: JSON on standard input, the answer on standard output. They may be in
//! any language.

use std::{io::ErrorKind, process::Stdio, time::Duration};

use rustix::process::{kill_process_group, Pid, Signal};
use serde::{de::DeserializeOwned, Serialize};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    process::{Child, Command},
    time::timeout,
};

use crate::error::Error;

/// A command that answers a question each time it is run.
#[derive(Clone, Debug)]
pub struct Plugin {
    command: String,
    patience: Duration,
    most: u64,
}

impl Plugin {
    /// A command as a shell takes it, which has `patience` to answer, with at most `most` bytes.
    pub fn new(command: impl Into<String>, patience: Duration, most: u64) -> Self {
        Self { command: command.into(), patience, most }
    }

    /// Runs the command with a question as one line of JSON on its standard input, and returns what it wrote to its
    /// standard output.
    ///
    /// # Errors
    ///
    /// As [`Self::run`].
    pub async fn ask<Q: Serialize>(&self, question: &Q) -> Result<Vec<u8>, Error> {
        let mut line = serde_json::to_vec(question).map_err(|error| Error::Other(error.to_string()))?;
        line.push(b'\n');
        self.run(&line).await
    }

    /// Runs the command with these bytes on its standard input, and returns what it wrote to its standard output. What it
    /// writes to standard error is passed on. It is ended, with all that it has started, when it takes too long or is not
    /// waited for any more.
    ///
    /// # Errors
    ///
    /// If it cannot be run, fails, takes too long, or says too much.
    pub async fn run(&self, input: &[u8]) -> Result<Vec<u8>, Error> {
        let mut group = Group::start(&self.command).map_err(|error| self.failed(error.to_string()))?;
        let (stdin, stdout) = (group.child.stdin.take(), group.child.stdout.take());
        let work = async {
            let ((), answer) = tokio::try_join!(write(stdin, input), read(stdout, self.most))?;
            Ok::<_, std::io::Error>((answer, group.child.wait().await?))
        };
        let (answer, status) = match timeout(self.patience, work).await {
            Ok(done) => done.map_err(|error| self.failed(error.to_string()))?,
            Err(_) => return Err(self.failed(format!("it took longer than {} s", self.patience.as_secs_f64()))),
        };
        group.is_over = true;
        if !status.success() {
            return Err(self.failed(format!("it ended with {status}")));
        }
        Ok(answer)
    }

    /// The same with JSON as the answer.
    ///
    /// # Errors
    ///
    /// As [`Self::ask`], and if the answer is no JSON of this shape.
    pub async fn ask_json<Q: Serialize, A: DeserializeOwned>(&self, question: &Q) -> Result<A, Error> {
        let answer = self.ask(question).await?;
        serde_json::from_slice(&answer).map_err(|error| self.failed(format!("its answer cannot be read: {error}")))
    }

    /// The command did not answer, or not as it should have.
    pub fn failed(&self, message: impl Into<String>) -> Error {
        Error::Plugin { command: self.command.clone(), message: message.into() }
    }
}

/// A command and all that it starts, which are ended together if they are not over when this is dropped.
struct Group {
    child: Child,
    is_over: bool,
}

impl Group {
    fn start(command: &str) -> std::io::Result<Self> {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        Ok(Self { child: shell.spawn()?, is_over: false })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let leader = self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        if let Some(leader) = leader.filter(|_| !self.is_over) {
            // That nobody is left to end is no failure.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

/// Writes the question. A command need not read it.
async fn write(pipe: Option<impl AsyncWrite + Unpin>, input: &[u8]) -> std::io::Result<()> {
    let Some(mut pipe) = pipe else { return Ok(()) };
    match pipe.write_all(input).await {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

async fn read(pipe: Option<impl AsyncRead + Unpin>, most: u64) -> std::io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    let Some(pipe) = pipe else { return Ok(answer) };
    pipe.take(most.saturating_add(1)).read_to_end(&mut answer).await?;
    if answer.len() as u64 > most {
        return Err(std::io::Error::other(format!("it says more than {most} bytes")));
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Instant};

    use serde_json::{json, Value};

    use super::*;
    use crate::error::Kind;

    fn plugin(command: &str) -> Plugin {
        Plugin::new(command, Duration::from_secs(20), 1_000_000)
    }

    #[tokio::test]
    async fn it_gets_the_question_and_gives_the_answer() {
        let question = json!({ "task": 7, "note": "long ".repeat(50_000) });
        let answer: Value = plugin("cat").ask_json(&question).await.expect("answers");
        assert_eq!(answer, question);
        assert_eq!(plugin("printf done").ask(&question).await.expect("need not read"), b"done");
    }

    #[tokio::test]
    async fn what_fails_or_says_too_much_is_told() {
        let cases = [("exit 3", "exit status: 3"), ("yes", "more than 1000000 bytes"), ("echo {", "cannot be read")];
        for (command, expected) in cases {
            let error = plugin(command).ask_json::<_, Value>(&1).await.expect_err("fails");
            assert_eq!(error.kind(), Kind::Failed);
            assert!(error.line().contains(expected) && error.line().contains(command), "{}", error.line());
        }
    }

    #[tokio::test]
    async fn what_takes_too_long_is_ended_with_all_that_it_started() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let pids = folder.path().join("pids");
        let command = format!("sleep 1000 & echo $! > {}; wait", pids.display());
        let start = Instant::now();
        let error = Plugin::new(command, Duration::from_secs(1), 10).ask(&1).await.expect_err("takes too long");
        assert!(error.line().contains("longer than 1 s"), "{}", error.line());
        assert!(start.elapsed() < Duration::from_secs(20));
        let child = fs::read_to_string(&pids).expect("was started");
        let state = format!("/proc/{}/stat", child.trim());
        let is_alive = || fs::read_to_string(&state).is_ok_and(|stat| !stat.contains(") Z "));
        while is_alive() {
            assert!(start.elapsed() < Duration::from_secs(20), "it lives on");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
