//! The thread that computes sessions again.

use std::{sync::Arc, time::Instant};

use ensemble_check::{Claims, Model, Unable, Verdict};
use ensemble_compute::Machine;
use ensemble_core::inference::Evidence;
use ensemble_host::{Check, CheckStatus};
use ensemble_tensor::{Hash, TensorId};

use super::{
    contents,
    jobs::{Desk, Order},
    metrics::Metrics,
    records::Records,
    LOG_TARGET,
};
use crate::{rows::Signed, tensors::Store};

/// How nice the thread is to others, from 0 to 19.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Opens models.
pub trait Models: Send + 'static {
    /// What it opens.
    type Model: Model;

    /// Opens a model that is held, or says why it cannot be.
    fn open(&self, store: &Arc<Store>, id: &TensorId, machine: Machine) -> Result<Self::Model, String>;
}

/// Computes what is ordered.
pub(super) struct Worker<M> {
    /// Where models and traces are.
    pub store: Arc<Store>,
    /// What this node remembers.
    pub records: Arc<dyn Records>,
    /// Opens models.
    pub models: M,
    /// What to check, and what others know of it.
    pub desk: Arc<Desk>,
    /// What Prometheus knows of it.
    pub metrics: Metrics,
    /// What to compute with.
    pub machine: Machine,
}

impl<M: Models> Worker<M> {
    /// Checks one session after the other until there are to be no more.
    pub fn run(self) {
        give_way();
        while let Some(order) = self.desk.next() {
            self.fill(&order);
        }
    }

    /// Checks one session.
    pub fn fill(&self, order: &Order) {
        let start = Instant::now();
        let status = self.check(&order.check);
        let millis = start.elapsed().as_millis();
        self.metrics.busy.inc_by(u64::try_from(millis).unwrap_or(u64::MAX));
        let (session, positions) = (order.check.session, order.check.closing.positions());
        match &status {
            Some(CheckStatus::Right) => {
                tracing::info!(target: LOG_TARGET, "Session {session}: {positions} positions are right ({millis} ms)");
                self.metrics.right.inc();
            },
            Some(CheckStatus::Wrong(found)) => {
                tracing::warn!(target: LOG_TARGET, "Session {session} is wrong in {} ways ({millis} ms)", found.len());
                self.metrics.wrong.inc();
            },
            Some(CheckStatus::Unable(reason)) => {
                tracing::error!(target: LOG_TARGET, "Session {session} cannot be judged: {reason}");
                self.metrics.unable.inc();
            },
            Some(CheckStatus::Pending) | None => {},
        }
        let mut jobs = self.desk.jobs();
        jobs.end(order, status);
        self.metrics.under_way.set(jobs.under_way() as u64);
    }

    /// What comes of a check; nothing if it can begin anew.
    fn check(&self, check: &Check) -> Option<CheckStatus> {
        let ids: Vec<_> = contents::needed(check).collect();
        let _guard = self.store.guard(&ids);
        let claims = match contents::claims(&self.store, check) {
            Ok(claims) => claims,
            Err(error) if error.is_loss() => {
                tracing::warn!(target: LOG_TARGET, "Session {}: cannot be checked now: {error}", check.session);
                return None;
            },
            Err(error) => return Some(CheckStatus::Unable(error.to_string())),
        };
        let signatures = self.signatures(check, &claims);
        if !signatures.is_empty() {
            return Some(CheckStatus::Wrong(signatures));
        }
        let model = match self.models.open(&self.store, &check.model, self.machine) {
            Ok(model) => model,
            Err(error) => return Some(CheckStatus::Unable(error)),
        };
        let goes_on = || self.desk.jobs().is_wanted();
        match ensemble_check::check(&model, &claims, self.machine, goes_on) {
            Ok(Verdict::Right) => Some(CheckStatus::Right),
            Ok(Verdict::Wrong(found)) => Some(CheckStatus::Wrong(found)),
            Err(Unable::GivenUp) => None,
            Err(unable) => Some(CheckStatus::Unable(unable.to_string())),
        }
    }

    /// For each worker that voted for something else than it signed, the first row of that.
    fn signatures(&self, check: &Check, claims: &Claims) -> Vec<Evidence> {
        let of_worker = |Signed { place, range, rows }: Signed| {
            let backers = check.backers.get(range as usize)?;
            let won = claims.won.get(range as usize)?.as_ref()?;
            if backers & 1u32.checked_shl(place)? == 0 {
                return None;
            }
            let differs =
                |(position, (row, _)): &(u32, (Hash, _))| won.row_hash(*position).is_some_and(|won| won != *row);
            let (position, (signed, signature)) = (0..).zip(rows).find(differs)?;
            Some(Evidence::Signature { range, place, signed, signature, trace: won.prove(position).ok()? })
        };
        self.records.signed(check.session).into_iter().filter_map(of_worker).collect()
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
