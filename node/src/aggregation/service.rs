//! Aggregation as the off-chain worker sees it.

use std::{
    io,
    sync::{
        mpsc::{sync_channel, Receiver, SyncSender, TrySendError},
        Arc,
    },
    thread,
};

use codec::Encode;
use ensemble_compute::Machine;
use ensemble_core::{
    combination::{Combination, CombinationStatus},
    tasks::Descriptor,
};
use ensemble_host::AggregationAccess;
use ensemble_tensor::TensorId;
use parking_lot::Mutex;
use sp_io::hashing::blake2_256;

use super::{
    jobs::{Jobs, Key},
    limits,
    metrics::Metrics,
    worker::{Order, Worker},
    LOG_TARGET,
};
use crate::tensors::Store;

/// Combinations that wait for their turn. The worker asks again for others.
pub(super) const QUEUE: usize = 8;

/// Combines contents in the background. Ends when it is dropped, after the combination that is being computed.
pub struct Aggregation {
    store: Arc<Store>,
    pub(super) jobs: Arc<Mutex<Jobs>>,
    queue: SyncSender<Order>,
    metrics: Metrics,
}

impl Aggregation {
    /// Starts the thread that computes from what is in `store`.
    pub fn start(store: Arc<Store>, metrics: Metrics, machine: Machine) -> io::Result<Arc<Self>> {
        let (aggregation, orders) = Self::new(store.clone(), metrics.clone());
        let worker = Worker { store, jobs: aggregation.jobs.clone(), orders, metrics, machine };
        thread::Builder::new().name("aggregation".into()).spawn(move || worker.run())?;
        Ok(Arc::new(aggregation))
    }

    /// Aggregation by whoever takes the orders.
    pub(super) fn new(store: Arc<Store>, metrics: Metrics) -> (Self, Receiver<Order>) {
        let (queue, orders) = sync_channel(QUEUE);
        (Self { store, jobs: Arc::new(Mutex::new(Jobs::new())), queue, metrics }, orders)
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

    /// Whether a result is still there and pinned; pins it if it is not.
    fn keeps(&self, result: &Descriptor) -> bool {
        let id = result.id();
        match self.store.holding(&id) {
            Some(holding) if holding.pinned => true,
            Some(_) => self.store.pin(&id).unwrap_or_else(|error| {
                tracing::warn!(target: LOG_TARGET, "Could not pin the result {id}: {error}");
                false
            }),
            None => false,
        }
    }

    /// Queues a combination that may be computed.
    fn order(&self, key: Key, combination: Combination) -> CombinationStatus {
        if !combination.entrants.iter().all(|entrant| self.is_ready(&entrant.content)) {
            return CombinationStatus::Waiting;
        }
        let mut jobs = self.jobs.lock();
        // Another worker may have been quicker.
        if let Some(status) = jobs.status(&key) {
            return status;
        }
        match self.queue.try_send(Order { key, combination }) {
            Ok(()) => {
                jobs.begin(key);
                self.metrics.under_way.set(jobs.running() as u64);
                CombinationStatus::Running
            },
            Err(TrySendError::Full(_)) => CombinationStatus::Waiting,
            Err(TrySendError::Disconnected(_)) => {
                tracing::error!(target: LOG_TARGET, "The thread that combines has ended; restart the node");
                CombinationStatus::Failed
            },
        }
    }
}

/// Hash of a combination.
pub(super) fn key(combination: &Combination) -> Key {
    blake2_256(&combination.encode())
}

impl AggregationAccess for Aggregation {
    fn combine(&self, combination: Combination) -> CombinationStatus {
        let key = key(&combination);
        let status = self.jobs.lock().status(&key);
        match status {
            Some(CombinationStatus::Done { result }) if !self.keeps(&result) => self.jobs.lock().forget(&key),
            Some(status) => return status,
            None => (),
        }
        if let Err(error) = limits::settings(&combination) {
            tracing::warn!(target: LOG_TARGET, "A combination is refused: {error}");
            self.metrics.failed.inc();
            self.jobs.lock().fail(key);
            return CombinationStatus::Failed;
        }
        self.order(key, combination)
    }
}
