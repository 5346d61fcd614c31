//! Aggregation on this node: it combines members' contents in the background, and looks up in what was settled.
//!
//! # How a round is computed
//!
//! ```text
//!  off-chain worker ── combine ──▶ Aggregation ── queue ──▶ thread ── ensemble-compute
//!          ▲                            │                     │ ▲
//!          └── Waiting, Running, Done ──┘        bundle ──▶ tensor store ──▶ members' tables
//! ```
//!
//! 1. **Order.** The worker names what a round combines. If every content is held and checked, the order is queued. The
//!    one with the least to compute comes first, and one that nobody has asked for lately is dropped.
//! 2. **Screening.** A content that has not the tables and matrices of the space is rejected in the report.
//! 3. **Combining.** The tables of the others are aligned and combined, and the matrices carried into their basis.
//! 4. **Result.** The table, the report and the matrices go into the tensor store, and the bundle that names them. The store
//!    keeps them as long as they are asked for; the worker pins what it votes for.
//!
//! One thread does it, one combination after the other, at low priority, and leaves a core to the rest of the node. No
//! result is remembered across a restart: whoever asks again has it computed again, and what the store still has is not
//! written again.

mod combine;
mod contents;
mod jobs;
mod limits;
pub mod lookup;
mod metrics;
mod service;
#[cfg(test)]
mod tests;
mod worker;

pub use metrics::Metrics;
pub use service::Aggregation;

use ensemble_compute::Machine;

/// Target of the log.
const LOG_TARGET: &str = "aggregation";

/// What combinations are computed with: all cores but one.
pub fn machine() -> Machine {
    let native = Machine::native();
    Machine { threads: native.threads.saturating_sub(1).max(1), ..native }
}
