//! The thread that combines.

use std::{sync::Arc, time::Instant};

use ensemble_compute::Machine;

use super::{
    combine::{combine, Combined, Error},
    jobs::{Desk, Order},
    metrics::Metrics,
    LOG_TARGET,
};
use crate::tensors::{Guard, Store};

/// How nice the thread is to others, from 0 to 19.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Computes what is ordered.
pub(super) struct Worker {
    /// Where contents and results are.
    pub store: Arc<Store>,
    /// What to compute, and what others know of it.
    pub desk: Arc<Desk>,
    /// What Prometheus knows of it.
    pub metrics: Metrics,
    /// What to compute with.
    pub machine: Machine,
}

impl Worker {
    /// Computes one order after the other until there are to be no more.
    pub fn run(self) {
        give_way();
        while let Some(order) = self.desk.next() {
            self.fill(&order);
        }
    }

    /// Computes one order.
    pub fn fill(&self, order: &Order) {
        let start = Instant::now();
        let result = combine(&self.store, &order.combination, self.machine);
        let millis = start.elapsed().as_millis();
        self.metrics.busy.inc_by(u64::try_from(millis).unwrap_or(u64::MAX));
        self.note(order, result, millis);
        self.metrics.under_way.set(self.desk.jobs().under_way() as u64);
    }

    fn note(&self, order: &Order, result: Result<(Combined, Guard), Error>, millis: u128) {
        let Order { key, combination, .. } = order;
        let (members, rows, cols) = (combination.entrants.len(), combination.rows, combination.cols);
        match result {
            Ok((Combined { result, report }, guard)) => {
                let rejected = report.iter().filter(|finding| finding.rejection.is_some()).count();
                let id = result.id();
                tracing::info!(
                    target: LOG_TARGET,
                    "Combined {members} tables of {rows} x {cols} in {millis} ms, {rejected} of them rejected: {id}"
                );
                self.metrics.combined.inc();
                self.metrics.rejected.inc_by(rejected as u64);
                self.desk.jobs().succeed(*key, result, guard);
            },
            Err(error) if error.is_loss() => {
                tracing::warn!(target: LOG_TARGET, "Could not combine {members} tables now: {error}");
                self.desk.jobs().forget(key);
            },
            Err(error) => {
                tracing::warn!(target: LOG_TARGET, "Cannot combine {members} tables: {error}");
                self.metrics.failed.inc();
                self.desk.jobs().fail(*key);
            },
        }
    }
}

/// Has this thread, and those that it starts, run when others do not want to.
fn give_way() {
    // On Linux no process means this thread alone; elsewhere it would be the whole node.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(target: LOG_TARGET, "Could not lower the thread's priority: {error}");
    }
}
