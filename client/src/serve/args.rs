//! The options of `ensemble module serve`.

use std::{net::SocketAddr, time::Duration};

use reqwest::Url;

use super::backend::Backend;
use crate::error::Error;

/// How a module is served.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The module, by number or name; --key pays the fees of redeeming, and need not be its owner's
    pub module: String,

    /// A command that answers: the input on its standard input, the output on its standard output
    #[arg(long, value_name = "COMMAND", required_unless_present = "forward", conflicts_with = "forward")]
    pub command: Option<String>,

    /// Take the command's standard output as JSON, not as text
    #[arg(long, requires = "command")]
    pub json_output: bool,

    /// A service that answers {"input": …} by POST with {"output": …}
    #[arg(long, value_name = "URL")]
    pub forward: Option<Url>,

    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    pub listen: SocketAddr,

    /// The URL that buyers sign for; the module's endpoint on the chain if not given
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,

    /// Requests that are answered at one time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1_024))]
    pub concurrency: u32,

    /// Most bytes of a request
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20,
          value_parser = clap::value_parser!(u32).range(1..=64 << 20))]
    pub max_request: u32,

    /// Most bytes of an answer
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20,
          value_parser = clap::value_parser!(u32).range(1..=64 << 20))]
    pub max_answer: u32,

    /// Seconds that the command or service may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub timeout: u64,

    /// Calls of one ticket in a minute
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub ticket_rate: u32,

    /// Requests of one validator in a minute
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub validator_rate: u32,

    /// Seconds from one redemption to the next
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=21_600))]
    pub redeem_every: u64,
}

impl Args {
    /// How long the command or service may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    /// What answers.
    ///
    /// # Errors
    ///
    /// If there is nothing, or it cannot be called.
    pub fn backend(&self) -> Result<Backend, Error> {
        match (&self.command, &self.forward) {
            (Some(command), _) => Ok(Backend::command(command, self.timeout(), self.max_answer, self.json_output)),
            (None, Some(url)) => Backend::service(url.clone(), self.timeout(), self.max_answer),
            (None, None) => Err(Error::Usage {
                message: "there is nothing to serve".into(),
                remedy: "give --command or --forward".into(),
            }),
        }
    }
}
