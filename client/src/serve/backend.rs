//! What answers: a command, or a service of this machine. Neither learns who asks, so that neither can treat validators
//! better than buyers.

use std::time::{Duration, Instant};

use reqwest::{header::CONTENT_TYPE, redirect::Policy, Client, StatusCode, Url};
use serde::Deserialize;
use serde_json::{json, Value};

use crate::{error::Error, plugin::Plugin};

/// What answers requests.
#[derive(Clone, Debug)]
pub struct Backend {
    way: Way,
    patience: Duration,
    most: u32,
}

#[derive(Clone, Debug)]
enum Way {
    Command { plugin: Plugin, is_json: bool },
    Service { client: Client, url: Url },
}

/// Why there is no answer. The message is for the owner, not for those who ask.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// What went wrong.
    pub message: String,
    /// Whether it took too long.
    pub is_late: bool,
}

#[derive(Deserialize)]
struct Answer {
    output: Value,
}

impl Backend {
    /// A command that gets the input on its standard input and says the output on its standard output.
    pub fn command(command: &str, patience: Duration, most: u32, is_json: bool) -> Self {
        let plugin = Plugin::new(command, patience, most.into());
        Self { way: Way::Command { plugin, is_json }, patience, most }
    }

    /// A service that answers `{ "input" }` by POST with `{ "output" }`.
    ///
    /// # Errors
    ///
    /// If it cannot be called.
    pub fn service(url: Url, patience: Duration, most: u32) -> Result<Self, Error> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::Usage {
                message: format!("`{url}` is no URL of http or https"),
                remedy: "write for example --forward http://127.0.0.1:8080".into(),
            });
        }
        let builder = Client::builder().timeout(patience).redirect(Policy::none()).no_proxy();
        let client = builder.build().map_err(|error| Error::Other(format!("no HTTP client can be made: {error}")))?;
        Ok(Self { way: Way::Service { client, url }, patience, most })
    }

    /// Answers an input.
    ///
    /// # Errors
    ///
    /// If what answers fails, or takes too long.
    pub async fn answer(&self, input: &Value) -> Result<Value, Failure> {
        let start = Instant::now();
        let answer = match &self.way {
            Way::Command { plugin, is_json } => run(plugin, *is_json, input).await,
            Way::Service { client, url } => self.post(client, url, input).await,
        };
        answer.map_err(|message| Failure { message, is_late: start.elapsed() >= self.patience })
    }

    async fn post(&self, client: &Client, url: &Url, input: &Value) -> Result<Value, String> {
        let body = json!({ "input": input }).to_string();
        let request = client.post(url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        let mut response = request.send().await.map_err(|error| format!("the service: {error}"))?;
        if response.status() != StatusCode::OK {
            return Err(format!("the service answers with status {}", response.status()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| format!("the service: {error}"))? {
            if bytes.len() + chunk.len() > self.most as usize {
                return Err(format!("the service answers with more than {} bytes", self.most));
            }
            bytes.extend_from_slice(&chunk);
        }
        let Answer { output } =
            serde_json::from_slice(&bytes).map_err(|error| format!("the service answers without `output`: {error}"))?;
        Ok(output)
    }
}

/// Runs a command. A text is given to it as it is, anything else as JSON.
async fn run(plugin: &Plugin, is_json: bool, input: &Value) -> Result<Value, String> {
    let input = input.as_str().map_or_else(|| input.to_string(), str::to_owned);
    let output = plugin.run(input.as_bytes()).await.map_err(|error| error.line())?;
    if is_json {
        return serde_json::from_slice(&output).map_err(|error| plugin.failed(error.to_string()).line());
    }
    let text = String::from_utf8(output).map_err(|_| plugin.failed("its output is no text").line())?;
    Ok(text.strip_suffix('\n').unwrap_or(&text).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    async fn answer(command: &str, is_json: bool, input: Value) -> Result<Value, Failure> {
        Backend::command(command, PATIENCE, 1_000, is_json).answer(&input).await
    }

    #[tokio::test]
    async fn a_command_gets_the_input_and_gives_the_output() {
        assert_eq!(answer("tr a-z A-Z", false, json!("a red bird\n")).await, Ok(json!("A RED BIRD")));
        assert_eq!(answer("cat", false, json!({ "a": 1 })).await, Ok(json!("{\"a\":1}")));
        assert_eq!(answer("cat", true, json!({ "a": 1 })).await, Ok(json!({ "a": 1 })));
    }

    #[tokio::test]
    async fn what_fails_is_told_to_the_owner() {
        for (command, is_json) in [("exit 1", false), ("yes", false), ("printf '\\377'", false), ("echo {", true)] {
            let failure = answer(command, is_json, json!("x")).await.expect_err("fails");
            assert!(failure.message.contains(command) && !failure.is_late, "{failure:?}");
        }
        let slow = Backend::command("sleep 1000", Duration::from_millis(50), 10, false);
        assert!(slow.answer(&json!(1)).await.expect_err("is late").is_late);
    }

    #[test]
    fn services_are_called_over_http() {
        let url = |text: &str| Url::parse(text).expect("is a URL");
        assert!(Backend::service(url("http://127.0.0.1:8080"), PATIENCE, 10).is_ok());
        assert!(Backend::service(url("file:///etc/passwd"), PATIENCE, 10).is_err());
    }
}
