//! Inference as the off-chain worker sees it: what this node has to say of sessions in which it takes part, and whether
//! those that it watches are right.
//!
//! # How a session is checked
//!
//! ```text
//!  off-chain worker ── check ──▶ Sessions ── queue ──▶ thread ── ensemble-check ── evidence
//!          ▲                        │                    ▲
//!          └── Pending, Right, ◀────┘                    └── tensor store: model, tokens, traces
//!              Unable, Wrong
//! ```
//!
//! 1. **Order.** The worker names a session. If the model, the tokens and the traces are held and checked, it is queued. One
//!    that nobody has asked about lately is dropped.
//! 2. **Signatures.** A gateway that was given other rows than their worker voted for has the signatures to show it, and
//!    they come first: what the gateway did with those rows cannot be held against the traces that won.
//! 3. **Computing again.** See `ensemble-check`.
//! 4. **Verdict.** The evidence is kept as long as it is asked for. The worker signs and submits it.
//!
//! One thread does it, one session after the other, at low priority, and leaves a core to the rest of the node.

mod contents;
mod jobs;
mod ledger;
mod metrics;
mod records;
mod service;
mod stored;
#[cfg(test)]
mod tests;
mod worker;

pub use metrics::Metrics;
pub use records::Records;
pub use service::Sessions;
pub use stored::StoredModels;

/// Target of the log.
const LOG_TARGET: &str = "inference";
