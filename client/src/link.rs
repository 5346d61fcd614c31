//! A connection that comes back, for programs that run for as long as they can.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

use crate::{
    chain::H256,
    connection::Connection,
    error::{Error, Kind},
};

/// How long it is waited before the first new attempt.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest that is waited.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How long it is waited before a node that went away is tried again: twice as long before each further attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(FIRST_WAIT)
    }
}

impl Backoff {
    /// How long it is waited before the next attempt.
    pub fn wait(self) -> Duration {
        self.0
    }

    /// That after one more attempt in vain.
    pub fn longer(self) -> Self {
        Self(self.0.saturating_mul(2).min(LONGEST_WAIT))
    }
}

/// A node that may go and come back.
#[derive(Clone, Debug)]
pub struct Link {
    url: Arc<str>,
    genesis: H256,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
enum State {
    Open(Connection),
    Lost { wait: Wait, reason: String },
}

/// When the next attempt may be made.
#[derive(Clone, Copy, Debug)]
struct Wait {
    until: Instant,
    backoff: Backoff,
}

impl Link {
    /// Goes on from a connection. Where it is opened again, the chain must be the same.
    pub fn new(connection: Connection) -> Self {
        let (url, genesis) = (connection.url().into(), connection.identity().genesis);
        Self { url, genesis, state: Arc::new(Mutex::new(State::Open(connection))) }
    }

    /// The first block of the chain.
    pub fn genesis(&self) -> H256 {
        self.genesis
    }

    /// The connection, opened again if it was lost. After an attempt in vain there is none for a while.
    ///
    /// # Errors
    ///
    /// If no node answers, or one of another chain.
    pub async fn get(&self) -> Result<Connection, Error> {
        let mut state = self.state.lock().await;
        let wait = match &*state {
            State::Open(connection) => return Ok(connection.clone()),
            State::Lost { wait, reason } if Instant::now() < wait.until => {
                return Err(Error::NoNode { url: self.url.to_string(), reason: reason.clone() });
            },
            State::Lost { wait, .. } => *wait,
        };
        match Connection::open(&self.url, Some(self.genesis)).await {
            Ok(connection) => {
                *state = State::Open(connection.clone());
                Ok(connection)
            },
            Err(error) => {
                *state = State::Lost { wait: wait.next(), reason: error.to_string() };
                Err(error)
            },
        }
    }

    /// Notes what an error says of the connection, and returns the error.
    pub async fn note(&self, error: Error) -> Error {
        if error.kind() == Kind::NoNode {
            let mut state = self.state.lock().await;
            if matches!(&*state, State::Open(_)) {
                *state = State::Lost { wait: Wait::first(), reason: error.to_string() };
            }
        }
        error
    }

    /// Waits until an attempt may be made, and returns for how long that was.
    pub async fn pause(&self) -> Duration {
        let pause = match &*self.state.lock().await {
            State::Open(_) => Duration::ZERO,
            State::Lost { wait, .. } => wait.until.saturating_duration_since(Instant::now()),
        };
        tokio::time::sleep(pause).await;
        pause
    }
}

impl Wait {
    fn first() -> Self {
        Self::of(Backoff::default())
    }

    fn next(self) -> Self {
        Self::of(self.backoff.longer())
    }

    fn of(backoff: Backoff) -> Self {
        Self { until: Instant::now() + backoff.wait(), backoff }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_become_longer_up_to_a_limit() {
        let waits = std::iter::successors(Some(Backoff::default()), |backoff| Some(backoff.longer()));
        let seconds: Vec<u64> = waits.take(7).map(|backoff| backoff.wait().as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 30, 30]);
    }
}
