//! What programs that run on and on say of what they do: one line for each event.

use std::fmt::Display;

use serde::Serialize;

use crate::{error::Error, output};

/// Tells events, as JSON or as text.
#[derive(Clone, Copy, Debug)]
pub struct Teller {
    /// Whether each line is a JSON object.
    pub as_json: bool,
}

impl Teller {
    /// Prints an event as one line.
    ///
    /// # Errors
    ///
    /// If standard output cannot be written. That nobody reads on is no error.
    pub fn tell<E: Serialize + Display>(self, event: &E) -> Result<(), Error> {
        let line = match self.as_json {
            true => serde_json::to_string(event).map_err(|error| Error::Other(error.to_string()))?,
            false => event.to_string().split_whitespace().collect::<Vec<_>>().join(" "),
        };
        output::print(&format!("{line}\n"))
    }
}

/// Waits until somebody asks the program to end, by Ctrl-C or SIGTERM.
///
/// # Errors
///
/// If the system gives no means to wait for that.
pub async fn asked_to_end() -> Result<(), Error> {
    use tokio::signal::unix::{signal, SignalKind};
    let failed = |error: std::io::Error| Error::Other(format!("signals cannot be heard: {error}"));
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt()).map_err(failed)?, signal(SignalKind::terminate()).map_err(failed)?);
    tokio::select! {
        _ = interrupt.recv() => {},
        _ = terminate.recv() => {},
    }
    Ok(())
}
