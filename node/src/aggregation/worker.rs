//! The thread that combines.

use std::{
    sync::{mpsc::Receiver, Arc},
    time::Instant,
};

use ensemble_compute::Machine;
use ensemble_core::combination::Combination;
use parking_lot::Mutex;

use super::{
    combine::{combine, Combined, Error},
    jobs::{Jobs, Key},
    metrics::Metrics,
    LOG_TARGET,
};
use crate::tensors::Store;

/// How nice the thread is to others, from 0 to 19.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// A combination that is to be computed.
pub(super) struct Order {
    /// Its hash.
    pub key: Key,
    /// What it combines.
    pub combination: Combination,
}

/// Computes what is ordered.
pub(super) struct Worker {
    /// Where contents and results are.
    pub store: Arc<Store>,
    /// What others know of it.
    pub jobs: Arc<Mutex<Jobs>>,
    /// What to compute.
    pub orders: Receiver<Order>,
    /// What Prometheus knows of it.
    pub metrics: Metrics,
    /// What to compute with.
    pub machine: Machine,
}

impl Worker {
    /// Computes one order after the other until nobody can give any more.
    pub fn run(self) {
        give_way();
        while let Ok(order) = self.orders.recv() {
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
        self.metrics.under_way.set(self.jobs.lock().running() as u64);
    }

    fn note(&self, order: &Order, result: Result<Combined, Error>, millis: u128) {
        let Order { key, combination } = order;
        let (members, rows, cols) = (combination.entrants.len(), combination.rows, combination.cols);
        match result {
            Ok(Combined { result, report }) => {
                let rejected = report.iter().filter(|finding| finding.rejection.is_some()).count();
                let id = result.id();
                tracing::info!(
                    target: LOG_TARGET,
                    "Combined {members} tables of {rows} x {cols} in {millis} ms, {rejected} of them rejected: {id}"
                );
                self.metrics.combined.inc();
                self.metrics.rejected.inc_by(rejected as u64);
                self.jobs.lock().succeed(*key, result);
            },
            Err(error) if error.is_loss() => {
                tracing::warn!(target: LOG_TARGET, "Could not combine {members} tables now: {error}");
                self.jobs.lock().forget(key);
            },
            Err(error) => {
                tracing::warn!(target: LOG_TARGET, "Cannot combine {members} tables: {error}");
                self.metrics.failed.inc();
                self.jobs.lock().fail(*key);
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
