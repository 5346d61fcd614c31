//! What `ensemble module serve` tells, one event a line.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::error::Error;

/// Something that an endpoint did, or that happened to it.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(tag = "event", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum Event {
    /// It began.
    Started {
        /// The module.
        module: u32,
        /// Its name.
        name: String,
        /// Where it listens, as a URL.
        listening: String,
        /// The URL that buyers sign for.
        public_url: String,
    },
    /// It answered a call that is paid for.
    Served {
        /// The ticket.
        ticket: u64,
        /// Which call of it.
        calls: u32,
        /// How many more it is good for.
        left: u32,
        /// How long that took.
        milliseconds: u64,
    },
    /// It answered a validator.
    Visited {
        /// The validator's module.
        validator: u32,
        /// How long that took.
        milliseconds: u64,
    },
    /// It redeemed calls.
    Redeemed {
        /// Of which tickets, and up to which call.
        receipts: Vec<Redeemed>,
        /// The block.
        block: u64,
    },
    /// Something went wrong, and it goes on.
    Failed {
        /// What it was about.
        during: String,
        /// What went wrong.
        error: String,
        /// What to do about it.
        remedy: String,
    },
    /// It ends because somebody asked it to.
    Stopped,
}

/// Up to which call a ticket was redeemed.
#[derive(Clone, Copy, Debug, JsonSchema, Serialize)]
pub struct Redeemed {
    /// The ticket.
    pub ticket: u64,
    /// The call.
    pub calls: u32,
}

impl Event {
    /// Something went wrong, and it goes on.
    pub fn failed(during: impl Into<String>, error: &Error) -> Self {
        Self::Failed { during: during.into(), error: error.to_string(), remedy: error.remedy() }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { module, name, listening, public_url } => {
                write!(f, "module {module} ({name}) is served at {listening}; buyers sign for {public_url}")
            },
            Self::Served { ticket, calls, left, milliseconds } => {
                write!(f, "answered call {calls} of ticket {ticket} in {milliseconds} ms, {left} left")
            },
            Self::Visited { validator, milliseconds } => {
                write!(f, "answered validator {validator} in {milliseconds} ms")
            },
            Self::Redeemed { receipts, block } => {
                let calls: Vec<String> =
                    receipts.iter().map(|Redeemed { ticket, calls }| format!("{ticket} up to {calls}")).collect();
                write!(f, "redeemed in block {block}, by ticket and call: {}", calls.join(", "))
            },
            Self::Failed { during, error, remedy } => write!(f, "{during}: {error}; {remedy}"),
            Self::Stopped => write!(f, "stopped"),
        }
    }
}
