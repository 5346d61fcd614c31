//! Aggregation as the off-chain worker sees it.

use std::{io, sync::Arc, thread};

use codec::Encode;
use ensemble_compute::Machine;
use ensemble_core::combination::{Combination, CombinationStatus};
use ensemble_host::AggregationAccess;
use ensemble_tensor::TensorId;
use sp_io::hashing::blake2_256;

use super::{
    jobs::{Desk, Key, Order},
    limits,
    metrics::Metrics,
    worker::Worker,
    LOG_TARGET,
};
use crate::tensors::Store;

/// Combines contents in the background. Ends when it is dropped, after the combination that is being computed.
pub struct Aggregation {
    store: Arc<Store>,
    pub(super) desk: Arc<Desk>,
    metrics: Metrics,
}

impl Aggregation {
    /// Starts the thread that computes from what is in `store`.
    pub fn start(store: Arc<Store>, metrics: Metrics, machine: Machine) -> io::Result<Arc<Self>> {
        let aggregation = Self::new(store.clone(), metrics.clone());
        let worker = Worker { store, desk: aggregation.desk.clone(), metrics, machine };
        thread::Builder::new().name("aggregation".into()).spawn(move || worker.run())?;
        Ok(Arc::new(aggregation))
    }

    /// Aggregation by whoever takes the orders.
    pub(super) fn new(store: Arc<Store>, metrics: Metrics) -> Self {
        Self { store, desk: Arc::new(Desk::new()), metrics }
    }

    /// Whether a content is held, every byte of it checked, and for everybody: what comes of it is. Has it checked if it
    /// is not.
    fn is_ready(&self, content: &TensorId) -> bool {
        match self.store.holding(content) {
            Some(holding) if holding.restricted => {
                tracing::debug!(target: LOG_TARGET, "{content} is restricted on this node, and not combined");
                false
            },
            Some(holding) if holding.is_verified() => true,
            Some(_) => {
                self.store.hurry(content);
                false
            },
            None => false,
        }
    }

    /// Queues a combination that may be computed.
    fn order(&self, key: Key, combination: Combination) -> CombinationStatus {
        if !combination.entrants.iter().all(|entrant| self.is_ready(&entrant.content)) {
            return CombinationStatus::Waiting;
        }
        let work = combination.work();
        let mut jobs = self.desk.jobs();
        // Another worker may have been quicker.
        if let Some(status) = jobs.status(&key) {
            return status;
        }
        if !jobs.order(Order { key, combination, work }) {
            return CombinationStatus::Waiting;
        }
        self.metrics.under_way.set(jobs.under_way() as u64);
        self.desk.ring();
        CombinationStatus::Running
    }
}

impl Drop for Aggregation {
    fn drop(&mut self) {
        self.desk.close();
    }
}

/// Hash of a combination.
fn key(combination: &Combination) -> Key {
    blake2_256(&combination.encode())
}

impl AggregationAccess for Aggregation {
    fn combine(&self, combination: Combination) -> CombinationStatus {
        let key = key(&combination);
        let status = self.desk.jobs().status(&key);
        match status {
            Some(CombinationStatus::Done { result }) if self.store.holding(&result.id()).is_none() => {
                self.desk.jobs().forget(&key);
            },
            Some(status) => return status,
            None => (),
        }
        if let Err(error) = limits::settings(&combination) {
            tracing::warn!(target: LOG_TARGET, "A combination is refused: {error}");
            self.metrics.failed.inc();
            self.desk.jobs().fail(key);
            return CombinationStatus::Failed;
        }
        self.order(key, combination)
    }
}
