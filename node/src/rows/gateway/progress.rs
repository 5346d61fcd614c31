//! What subscribers are told of an answer.

use ensemble_core::inference::Closing;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::rows::ledger::Report;

/// A token of the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The token.
    pub token: u32,
    /// What it adds to the text.
    pub text: String,
    /// Its position, the prompt's tokens before it.
    pub position: u32,
    /// Tokens per second so far.
    pub rate: f64,
    /// How far workers agreed on what this token comes of.
    pub agreement: Agreement,
}

/// Number of ranges, by the least that workers agreed in one of the stages so far.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Agreement {
    /// All replicas gave the same.
    pub full: u32,
    /// Most replicas gave the same, and the others something else or nothing yet.
    pub majority: u32,
    /// Too few replicas gave the same to be sure.
    pub unverified: u32,
}

/// How an answer ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// All tokens, prompt first.
    pub tokens: Vec<u32>,
    /// Tokens of the answer per second, the prompt's time included.
    pub rate: f64,
    /// What the gateway says to the chain.
    pub closing: Closing,
    /// How far workers agreed.
    pub report: Report,
    /// Why the answer breaks off, if it does.
    pub cut: Option<String>,
}

/// An answer as it grows.
pub struct Progress {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    items: Vec<Item>,
    end: Option<Result<Summary, String>>,
}

/// What is new.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// The next token.
    Item(Item),
    /// The answer is complete, or there will be none, and why.
    End(Box<Result<Summary, String>>),
}

impl Default for Progress {
    fn default() -> Self {
        Self { state: Mutex::default(), changed: watch::Sender::new(()) }
    }
}

impl Progress {
    /// Adds a token.
    pub fn push(&self, item: Item) {
        self.state.lock().items.push(item);
        self.changed.send_replace(());
    }

    /// Ends the answer.
    pub fn end(&self, end: Result<Summary, String>) {
        self.state.lock().end = Some(end);
        self.changed.send_replace(());
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.state.lock().end.is_some()
    }

    /// Tokens so far.
    pub fn len(&self) -> usize {
        self.state.lock().items.len()
    }

    /// What comes after so many tokens, as soon as it is there.
    pub async fn after(&self, known: usize) -> News {
        let mut changed = self.changed.subscribe();
        loop {
            if let Some(news) = self.state.lock().after(known) {
                return news;
            }
            // The sender lives as long as this.
            let _ = changed.changed().await;
        }
    }
}

impl State {
    fn after(&self, known: usize) -> Option<News> {
        match self.items.get(known) {
            Some(item) => Some(News::Item(item.clone())),
            None => self.end.clone().map(Box::new).map(News::End),
        }
    }
}
