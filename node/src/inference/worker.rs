//! The thread that computes sessions again.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use ensemble_check::{Claims, Model, Unable, Verdict};
use ensemble_compute::Machine;
use ensemble_core::{
    attester::AttesterSignature,
    inference::{Evidence, Position, RangeIndex},
};
use ensemble_host::{Check, CheckStatus};
use ensemble_tensor::{Hash, TensorId};

use super::{
    contents,
    jobs::{Desk, Order},
    metrics::Metrics,
    records::{short, Records},
    LOG_TARGET,
};
use crate::{models::Unopened, rows::Signed, tensors::Store};

/// How nice the thread is to others, from 0 to 19.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;
/// Most rows of a worker that are kept to excuse a gateway with.
const MOST_EXCUSES: usize = 32;
/// Most bytes of all of them, if there are several of each worker.
const MOST_EXCUSE_BYTES: usize = 8 << 20;

/// Opens models.
pub trait Models: Send + 'static {
    /// What it opens.
    type Model: Model;

    /// Opens a model that is held, or says why it cannot be.
    fn open(&self, store: &Arc<Store>, id: &TensorId, machine: Machine) -> Result<Self::Model, Unopened>;
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
            Err(error) => {
                tracing::warn!(target: LOG_TARGET, "Session {}: cannot be checked now: {error}", check.session);
                return None;
            },
        };
        let (short, signatures) = (short(&*self.records, check), self.signatures(check, &claims));
        if signatures.iter().any(|evidence| finds_somebody(check, evidence)) {
            return Some(CheckStatus::Wrong(short.into_iter().chain(signatures).collect()));
        }
        let found = self.compute(check, &claims)?;
        let found = match (short, found) {
            (Some(short), Found::Wrong(others)) => Found::Wrong([vec![short], others].concat()),
            (Some(short), Found::Right | Found::Unable(_)) => Found::Wrong(vec![short]),
            (None, found) => found,
        };
        Some(match found {
            Found::Right => CheckStatus::Right,
            Found::Unable(reason) => CheckStatus::Unable(reason),
            Found::Wrong(found) => CheckStatus::Wrong(found.into_iter().chain(signatures).collect()),
        })
    }

    /// What comes of computing a session again; nothing if it can begin anew.
    fn compute(&self, check: &Check, claims: &Claims) -> Option<Found> {
        let model = match self.models.open(&self.store, &check.model, self.machine) {
            Ok(model) => model,
            Err(error) if error.passing => {
                tracing::warn!(target: LOG_TARGET, "Session {}: cannot be checked now: {error}", check.session);
                return None;
            },
            Err(error) => return Some(Found::Unable(error.reason)),
        };
        let goes_on = || self.desk.jobs().is_wanted();
        match ensemble_check::check(&model, claims, self.machine, goes_on) {
            Ok(Verdict::Right) => Some(Found::Right),
            Ok(Verdict::Wrong(found)) => Some(Found::Wrong(found)),
            Err(Unable::GivenUp) => None,
            Err(unable) => Some(Found::Unable(unable.to_string())),
        }
    }

    /// For each worker that signed other rows than won the first of those. One is enough to find a worker that voted
    /// for what won; the others, and those of workers that did not, excuse the gateway at their positions.
    fn signatures(&self, check: &Check, claims: &Claims) -> Vec<Evidence> {
        let won = |range: RangeIndex| claims.won.get(range as usize).and_then(Option::as_ref);
        let mut others = BTreeMap::<u32, Vec<Other>>::new();
        for Signed { place, range, rows } in self.records.signed(check.session) {
            let Some(won) = won(range) else { continue };
            let differ =
                (0..).zip(rows).filter(|(at, (signed, _))| won.row_hash(*at).is_some_and(|won| won != *signed));
            let other = |(position, (signed, signature))| Other { position, range, signed, signature };
            others.entry(place).or_default().extend(differ.map(other));
        }
        let most = most_excuses(claims.gateway.header().row_len(), others.len());
        let of_worker = |(place, mut rows): (u32, Vec<Other>)| {
            rows.sort_by_key(|other| (!is_backer(check, other.range, place), other.position));
            // What finds it comes first, then what excuses at the first positions.
            rows.get_mut(1..).unwrap_or_default().sort_by_key(|other| (other.position, other.range));
            let evidence = move |Other { position, range, signed, signature }| {
                let trace = won(range)?.prove(position).ok()?;
                Some(Evidence::Signature { range, place, signed, signature, trace })
            };
            rows.into_iter().take(most).filter_map(evidence)
        };
        others.into_iter().flat_map(of_worker).collect()
    }
}

/// A row that a worker signed, and that is not the one that won.
struct Other {
    position: Position,
    range: RangeIndex,
    signed: Hash,
    signature: AttesterSignature,
}

/// How many rows of each worker are kept to excuse a gateway with, if each has so many bytes. What comes of a check has
/// to fit into the memory of an off-chain worker, whatever workers signed.
fn most_excuses(row_len: usize, workers: usize) -> usize {
    let fit = MOST_EXCUSE_BYTES / row_len.saturating_mul(workers).max(1);
    fit.clamp(1, MOST_EXCUSES)
}

/// What comes of computing a session again.
enum Found {
    /// Everything is as it was said to be.
    Right,
    /// It cannot be computed, or what is wrong cannot be shown.
    Unable(String),
    /// What shows that it is not.
    Wrong(Vec<Evidence>),
}

/// Whether a signature is of a worker that voted for what won.
fn finds_somebody(check: &Check, evidence: &Evidence) -> bool {
    matches!(evidence, Evidence::Signature { range, place, .. } if is_backer(check, *range, *place))
}

/// Whether a worker voted for what won.
fn is_backer(check: &Check, range: RangeIndex, place: u32) -> bool {
    let backers = check.backers.get(range as usize).copied().unwrap_or(0);
    1u32.checked_shl(place).is_some_and(|bit| backers & bit != 0)
}

/// Has this thread, and those that it starts, run when others do not want to.
fn give_way() {
    // On Linux no process means this thread alone; elsewhere it would be the whole node.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(target: LOG_TARGET, "Could not lower the thread's priority: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excuses_fit_into_the_memory_of_an_offchain_worker() {
        assert_eq!(most_excuses(121 * 64, 32), 32);
        assert_eq!(most_excuses(1025 * 64, 32), 3);
        assert_eq!((most_excuses(1 << 20, 32), most_excuses(0, 0)), (1, 32));
    }
}
