//! Sessions as the off-chain worker sees them.

use std::{io, sync::Arc, thread};

use codec::Encode;
use ensemble_check::Table;
use ensemble_compute::Machine;
use ensemble_core::inference::{Closing, RangeIndex, SessionId};
use ensemble_host::{Check, CheckStatus, InferenceAccess, TensorAccess, TraceStatus};
use ensemble_tensor::TensorId;
use sp_io::hashing::blake2_256;

use super::{
    contents,
    jobs::{Desk, Order},
    metrics::Metrics,
    records::Records,
    worker::{Models, Worker},
    LOG_TARGET,
};
use crate::tensors::Store;

/// What this node has to say of sessions. Ends its thread when it is dropped, after the step that is being computed.
pub struct Sessions {
    store: Arc<Store>,
    tensors: Arc<dyn TensorAccess>,
    records: Arc<dyn Records>,
    pub(super) desk: Arc<Desk>,
    metrics: Metrics,
}

impl Sessions {
    /// Starts the thread that computes sessions again, out of what is in `store`.
    pub fn start<M: Models>(
        store: Arc<Store>,
        tensors: Arc<dyn TensorAccess>,
        records: Arc<dyn Records>,
        models: M,
        metrics: Metrics,
        machine: Machine,
    ) -> io::Result<Arc<Self>> {
        let sessions = Self::new(store, tensors, records, metrics);
        let worker = sessions.worker(models, machine);
        thread::Builder::new().name("inference-checks".into()).spawn(move || worker.run())?;
        Ok(Arc::new(sessions))
    }

    /// Sessions that whoever takes the orders computes again.
    pub(super) fn new(
        store: Arc<Store>,
        tensors: Arc<dyn TensorAccess>,
        records: Arc<dyn Records>,
        metrics: Metrics,
    ) -> Self {
        Self { store, tensors, records, desk: Arc::new(Desk::new()), metrics }
    }

    /// Who takes the orders.
    pub(super) fn worker<M: Models>(&self, models: M, machine: Machine) -> Worker<M> {
        Worker {
            store: self.store.clone(),
            records: self.records.clone(),
            models,
            desk: self.desk.clone(),
            metrics: self.metrics.clone(),
            machine,
        }
    }

    /// Whether a content is held, every byte of it checked. Has it checked if it is not.
    fn is_ready(&self, content: &TensorId) -> bool {
        match self.store.holding(content) {
            Some(holding) if holding.is_verified() => true,
            Some(_) => {
                self.store.hurry(content);
                false
            },
            None => false,
        }
    }

    /// Whether a gateway says that it gave what this node says that it was given.
    fn agree(&self, session: SessionId, own: &TensorId, gateway: &TensorId) -> Result<bool, contents::Error> {
        let (own, gateway) = (contents::table(&self.store, own)?, contents::table(&self.store, gateway)?);
        let difference = difference(&own, &gateway);
        if let Some(difference) = &difference {
            tracing::warn!(target: LOG_TARGET, "Session {session}: the gateway's trace is not this node's: {difference}");
        }
        Ok(difference.is_none())
    }
}

/// Where the inputs in two traces differ first.
fn difference(own: &Table, gateway: &Table) -> Option<String> {
    if own.header() != gateway.header() {
        let positions = [own, gateway].map(|table| table.header().rows());
        return Some(format!("{} positions here, {} there", positions[0], positions[1]));
    }
    for position in 0..own.header().rows() {
        let stages = (0..).map_while(|stage| {
            let entry = |table: &Table| table.entry(position, stage).ok().map(|entry| entry.input);
            Some((stage, entry(own)?, entry(gateway)?))
        });
        for (stage, here, there) in stages {
            if here != there {
                return Some(format!("the input of stage {stage} at position {position}"));
            }
        }
    }
    None
}

impl Drop for Sessions {
    fn drop(&mut self) {
        self.desk.close();
    }
}

impl InferenceAccess for Sessions {
    fn trace(&self, session: SessionId, range: RangeIndex, closing: Closing) -> TraceStatus {
        let Some(own) = self.records.trace(session, range) else { return TraceStatus::Absent };
        let gateway = closing.trace.id();
        if !self.is_ready(&gateway) {
            self.tensors.fetch(gateway, closing.trace.header.data_len());
            return TraceStatus::Waiting;
        }
        match self.agree(session, &own.id(), &gateway) {
            Ok(true) => TraceStatus::Ready(own),
            Ok(false) => TraceStatus::Differs,
            Err(error) => {
                tracing::warn!(target: LOG_TARGET, "Session {session}: cannot compare traces now: {error}");
                TraceStatus::Waiting
            },
        }
    }

    fn closing(&self, session: SessionId) -> Option<Closing> {
        self.records.closing(session)
    }

    fn check(&self, check: Check) -> CheckStatus {
        let key = blake2_256(&check.encode());
        if let Some(status) = self.desk.jobs().status(&key) {
            return status;
        }
        if !contents::needed(&check).all(|content| self.is_ready(&content)) {
            return CheckStatus::Pending;
        }
        let mut jobs = self.desk.jobs();
        // Another worker may have been quicker.
        if let Some(status) = jobs.status(&key) {
            return status;
        }
        if jobs.order(Order { key, check }) {
            self.metrics.under_way.set(jobs.under_way() as u64);
            self.desk.ring();
        }
        CheckStatus::Pending
    }

    fn forget(&self, session: SessionId) {
        self.desk.jobs().forget(session);
        self.records.forget(session);
    }
}
