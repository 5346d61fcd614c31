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
//! 1. **Order.** The worker names a session. If the model, the tokens and the traces are held and checked, it is
//!    queued. One that nobody has asked about lately is dropped.
//! 2. **Signatures.** A worker that was asked for more than the gateway closed with has the gateway's signature to show
//!    it. A gateway that was given other rows than won has their workers' signatures: what it did with those rows
//!    cannot be held against the traces that won. What finds somebody comes first; what only excuses the gateway comes
//!    last.
//! 3. **Computing again.** See `ensemble-check`.
//! 4. **Verdict.** The evidence is kept as long as it is asked for. The worker signs and submits it.
//!
//! One thread does it, one session after the other, at low priority, and leaves a core to the rest of the node.

mod contents;
mod jobs;
mod metrics;
mod records;
mod remembered;
mod service;
mod stored;
#[cfg(test)]
mod tests;
mod worker;

pub use metrics::Metrics;
pub use records::Records;
pub use service::Sessions;
pub use stored::StoredModels;

use ensemble_compute::Machine;

/// Target of the log.
const LOG_TARGET: &str = "inference";

/// What sessions are computed again with: one core. Threads that are kept for more are as urgent as the program, and
/// would have the sessions wait that this node serves meanwhile.
pub const fn machine() -> Machine {
    Machine::ONE_CORE
}
