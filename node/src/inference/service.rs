//! Sessions as the off-chain worker sees them.

use std::{io, sync::Arc, thread};

use codec::Encode;
use ensemble_check::Table;
use ensemble_compute::Machine;
use ensemble_core::{
    inference::{Closing, RangeIndex, SessionId},
    tasks::Descriptor,
};
use ensemble_host::{Check, CheckStatus, InferenceAccess, TensorAccess, TraceStatus};
use ensemble_tensor::{Header, TensorId};
use sp_io::hashing::blake2_256;

use super::{
    contents,
    jobs::{Desk, Order},
    metrics::Metrics,
    records::{short, Records},
    worker::{Models, Worker},
    LOG_TARGET,
};
use crate::{rows::LedgerError, tensors::Store};

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

    /// Has a content fetched that is not held and checked. Says whether it is.
    fn fetched(&self, content: &Descriptor) -> bool {
        let is_ready = self.is_ready(&content.id());
        if !is_ready && !self.store.has(&content.id()) {
            self.tensors.fetch(content.id(), content.header.data_len());
        }
        is_ready
    }

    /// What to vote for, if a gateway says that it gave what keys of this node say that they were given.
    fn agreed(&self, session: SessionId, range: RangeIndex, own: &[Descriptor], gateway: &Descriptor) -> Agreed {
        let Some((longest, others)) = own.split_first() else { return Ok(None) };
        let difference = match shapes(&longest.header, &gateway.header) {
            Some(difference) => Some(difference),
            None => {
                let longest = contents::table(&self.store, &longest.id())?;
                let gateway = contents::table(&self.store, &gateway.id())?;
                let conflict = others.iter().find_map(|other| self.conflict(&longest, other).transpose());
                conflict.transpose()?.or_else(|| difference(&longest, &gateway))
            },
        };
        if let Some(difference) = difference {
            tracing::warn!(target: LOG_TARGET, "Session {session}: the gateway's trace is not this node's: {difference}");
            return Ok(None);
        }
        Ok(self.records.cut(session, range, longest, gateway.header.rows())?)
    }

    /// Where another key of this node signed something else than the one whose trace is longest: it would vote for what
    /// it did not sign.
    fn conflict(&self, longest: &Table, other: &Descriptor) -> Result<Option<String>, contents::Error> {
        let other = contents::table(&self.store, &other.id())?;
        let differs = |position: &u32| longest.row(*position) != other.row(*position);
        let position = (0..other.header().rows()).find(differs);
        Ok(position.map(|position| format!("keys of this node signed different rows at position {position}")))
    }
}

/// What to vote for, if there is anything; or why that cannot be said now.
type Agreed = Result<Option<Descriptor>, Unread>;

/// Why two traces cannot be compared now.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error(transparent)]
    Contents(#[from] contents::Error),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Why a gateway cannot have given as much as this node was given, by the shapes of the traces. It may say that it gave
/// less: what it asked for beyond that is held against it.
fn shapes(own: &Header, gateway: &Header) -> Option<String> {
    let (here, there) = (own.rows(), gateway.rows());
    let fits = here >= there && (own.kind(), own.cols()) == (gateway.kind(), gateway.cols());
    (!fits).then(|| format!("{here} positions here, {there} there"))
}

/// Where the inputs in two traces differ first, as far as the gateway's goes.
fn difference(own: &Table, gateway: &Table) -> Option<String> {
    for position in 0..gateway.header().rows() {
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
        let own = self.records.traces(session, range);
        if own.is_empty() {
            return TraceStatus::Absent;
        }
        // Nobody could show that tokens are false which nobody has.
        let [has_trace, has_tokens] = [closing.trace, closing.tokens].map(|content| self.fetched(&content));
        if !has_trace || !has_tokens || !own.iter().all(|trace| self.is_ready(&trace.id())) {
            return TraceStatus::Waiting;
        }
        match self.agreed(session, range, &own, &closing.trace) {
            Ok(Some(trace)) => TraceStatus::Ready(trace),
            Ok(None) => TraceStatus::Differs,
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
            // A gateway that withholds what it says is not spared what needs nothing of it.
            return match short(&*self.records, &check) {
                Some(short) => CheckStatus::Wrong(vec![short]),
                None => CheckStatus::Pending,
            };
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
