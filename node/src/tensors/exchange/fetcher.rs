//! Fetch jobs: what is wanted, what is being fetched, and what came of it.
//!
//! A job fetches one tensor, or a bundle: first the manifest, then the members, a few at a time. Jobs wait in a queue
//! of limited length and run a few at a time. A job that fails leaves its reason behind until it is asked for again.

use std::{
    collections::HashMap,
    sync::{
        atomic::{AtomicU64, AtomicUsize, Ordering},
        Arc, Weak,
    },
};

use ensemble_host::FetchError;
use ensemble_tensor::{Kind, TensorId};
use futures::{
    future::{AbortHandle, AbortRegistration, Abortable, Aborted},
    stream::{self, FuturesUnordered, StreamExt, TryStreamExt},
};
use parking_lot::Mutex;
use sc_network_types::PeerId;
use schnellru::{ByLength, LruMap};
use tokio::sync::{mpsc, OwnedMutexGuard};

use super::{
    network::Network,
    transfer::{Patience, Transfer},
};
use crate::tensors::{metrics::Metrics, store::Store, LOG_TARGET};

/// Jobs that run at the same time.
pub const MAX_RUNNING: usize = 4;
/// Jobs that wait for their turn.
pub const MAX_QUEUED: usize = 1024;
/// Failed jobs whose reason is remembered.
pub const MAX_FAILED: u32 = 1024;
/// Members of a bundle that are fetched at the same time.
const MEMBERS_AT_ONCE: usize = 4;

/// What a job works with.
pub(super) struct Context {
    /// Where tensors go.
    pub store: Arc<Store>,
    /// Where they come from.
    pub network: Arc<dyn Network>,
    /// What is counted.
    pub metrics: Metrics,
    /// How long to wait.
    pub patience: Patience,
    /// One transfer per tensor at a time, whichever jobs want it.
    transfers: Mutex<HashMap<TensorId, Weak<tokio::sync::Mutex<()>>>>,
}

/// Takes orders for tensors. Clones share the jobs.
#[derive(Clone)]
pub struct Fetcher {
    orders: mpsc::Sender<Order>,
    jobs: Arc<Mutex<Jobs>>,
}

/// Runs the jobs.
pub struct Worker {
    orders: mpsc::Receiver<Order>,
    jobs: Arc<Mutex<Jobs>>,
    context: Arc<Context>,
}

struct Order {
    id: TensorId,
    max_bytes: u64,
    progress: Arc<Progress>,
    abort: AbortRegistration,
}

struct Jobs {
    active: HashMap<TensorId, Job>,
    failed: LruMap<TensorId, FetchError, ByLength>,
}

struct Job {
    progress: Arc<Progress>,
    abort: AbortHandle,
}

/// What became of the last job for a tensor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum JobStatus {
    /// There was none, or it succeeded.
    None,
    /// It waits or runs.
    Active {
        /// Verified bytes so far.
        received: u64,
        /// Bytes in all, once every header is known.
        total: Option<u64>,
    },
    /// It failed.
    Failed(FetchError),
}

/// The queue is full.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{MAX_QUEUED} tensors wait to be fetched, which is the limit; try again later")]
pub struct QueueFull;

/// How far a job has come.
pub(super) struct Progress {
    received: AtomicU64,
    total: AtomicU64,
    /// Tensors whose size is not known yet.
    unknown: AtomicUsize,
}

/// Bytes of data that a job may still take.
pub(super) struct Budget(AtomicU64);

impl Fetcher {
    /// A fetcher, and the worker that runs its jobs.
    pub fn new(store: Arc<Store>, network: Arc<dyn Network>, metrics: Metrics, patience: Patience) -> (Self, Worker) {
        let (sender, orders) = mpsc::channel(MAX_QUEUED);
        let failed = LruMap::new(ByLength::new(MAX_FAILED));
        let jobs = Arc::new(Mutex::new(Jobs { active: HashMap::new(), failed }));
        let context = Arc::new(Context { store, network, metrics, patience, transfers: Mutex::default() });
        (Self { orders: sender, jobs: jobs.clone() }, Worker { orders, jobs, context })
    }

    /// Orders a tensor, for a bundle with its members, of at most `max_bytes` of data. Nothing happens if a job for it
    /// is under way.
    pub fn fetch(&self, id: TensorId, max_bytes: u64) -> Result<(), QueueFull> {
        let mut jobs = self.jobs.lock();
        if jobs.active.contains_key(&id) {
            return Ok(());
        }
        let (abort, registration) = AbortHandle::new_pair();
        let progress = Arc::new(Progress::new());
        let order = Order { id, max_bytes, progress: progress.clone(), abort: registration };
        self.orders.try_send(order).map_err(|_| QueueFull)?;
        jobs.failed.remove(&id);
        jobs.active.insert(id, Job { progress, abort });
        Ok(())
    }

    /// What became of the last job for a tensor.
    pub fn status(&self, id: &TensorId) -> JobStatus {
        let jobs = self.jobs.lock();
        if let Some(Job { progress, .. }) = jobs.active.get(id) {
            return JobStatus::Active { received: progress.received.load(Ordering::Relaxed), total: progress.total() };
        }
        jobs.failed.peek(id).map_or(JobStatus::None, |error| JobStatus::Failed(*error))
    }

    /// Ends the job for a tensor. Returns whether there is one.
    pub fn cancel(&self, id: &TensorId) -> bool {
        let jobs = self.jobs.lock();
        let job = jobs.active.get(id);
        job.inspect(|job| job.abort.abort()).is_some()
    }
}

impl Worker {
    /// Runs jobs until no fetcher is left and the last job has ended.
    pub async fn run(mut self) {
        let mut running = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some((id, outcome)) = running.next() => self.on_ended(id, outcome, running.len()),
                order = self.orders.recv(), if running.len() < MAX_RUNNING => match order {
                    Some(order) => {
                        running.push(run(self.context.clone(), order));
                        self.context.metrics.jobs_running.set(running.len() as u64);
                    },
                    None if running.is_empty() => return,
                    None => {
                        let ended = running.next().await;
                        ended.into_iter().for_each(|(id, outcome)| self.on_ended(id, outcome, running.len()));
                    },
                },
            }
        }
    }

    fn on_ended(&self, id: TensorId, outcome: Result<Result<(), FetchError>, Aborted>, still_running: usize) {
        self.context.metrics.jobs_running.set(still_running as u64);
        let mut jobs = self.jobs.lock();
        jobs.active.remove(&id);
        match outcome {
            Ok(Ok(())) => tracing::info!(target: LOG_TARGET, "Fetched {id}"),
            Ok(Err(error)) => {
                tracing::info!(target: LOG_TARGET, "Could not fetch {id}: {error:?}");
                jobs.failed.insert(id, error);
            },
            Err(Aborted) => tracing::debug!(target: LOG_TARGET, "Stopped fetching {id}"),
        }
    }
}

async fn run(context: Arc<Context>, order: Order) -> (TensorId, Result<Result<(), FetchError>, Aborted>) {
    let Order { id, max_bytes, progress, abort } = order;
    let budget = Budget::new(max_bytes);
    let job = context.fetch(id, &budget, &progress);
    (id, Abortable::new(job, abort).await)
}

impl Context {
    /// Fetches a tensor, for a bundle with its members.
    async fn fetch(&self, id: TensorId, budget: &Budget, progress: &Progress) -> Result<(), FetchError> {
        let _guard = self.store.guard(&[id]);
        let known = self.fetch_one(id, budget, progress, &[]).await?;
        let members = self.store.members(&id);
        let _guard = self.store.guard(&members);
        progress.expect(members.len());
        stream::iter(members.to_vec())
            .map(|member| self.fetch_member(member, budget, progress, &known))
            .buffer_unordered(MEMBERS_AT_ONCE)
            .try_collect()
            .await
    }

    /// Fetches a member of a bundle, which is no bundle itself.
    async fn fetch_member(
        &self,
        id: TensorId,
        budget: &Budget,
        progress: &Progress,
        known: &[PeerId],
    ) -> Result<(), FetchError> {
        self.fetch_one(id, budget, progress, known).await?;
        match self.store.header(&id) {
            Some(header) if header.kind() == Kind::Bundle => Err(FetchError::Invalid),
            Some(_) => Ok(()),
            None => Err(FetchError::Storage),
        }
    }

    /// Fetches one tensor, unless it is held. Returns the peers known to have it.
    async fn fetch_one(
        &self,
        id: TensorId,
        budget: &Budget,
        progress: &Progress,
        known: &[PeerId],
    ) -> Result<Vec<PeerId>, FetchError> {
        let _turn = self.turn(id).await;
        let Some(header) = self.store.header(&id) else {
            return Transfer::new(self, id, budget, progress, known).run().await;
        };
        let len = header.data_len();
        if !budget.take(len) {
            return Err(FetchError::TooLarge);
        }
        progress.size_known(len);
        progress.received(len);
        Ok(Vec::new())
    }

    /// Waits until no other job transfers the tensor.
    async fn turn(&self, id: TensorId) -> OwnedMutexGuard<()> {
        let turn = {
            let mut transfers = self.transfers.lock();
            transfers.retain(|_, turn| turn.strong_count() > 0);
            let turn = transfers.get(&id).and_then(Weak::upgrade).unwrap_or_default();
            transfers.insert(id, Arc::downgrade(&turn));
            turn
        };
        turn.lock_owned().await
    }
}

impl Progress {
    fn new() -> Self {
        Self { received: AtomicU64::new(0), total: AtomicU64::new(0), unknown: AtomicUsize::new(1) }
    }

    /// Notes that further tensors belong to the job.
    fn expect(&self, tensors: usize) {
        self.unknown.fetch_add(tensors, Ordering::Relaxed);
    }

    /// Notes the size of a tensor.
    pub fn size_known(&self, len: u64) {
        self.total.fetch_add(len, Ordering::Relaxed);
        self.unknown.fetch_sub(1, Ordering::Relaxed);
    }

    /// Notes verified bytes.
    pub fn received(&self, len: u64) {
        self.received.fetch_add(len, Ordering::Relaxed);
    }

    fn total(&self) -> Option<u64> {
        (self.unknown.load(Ordering::Relaxed) == 0).then(|| self.total.load(Ordering::Relaxed))
    }
}

impl Budget {
    pub fn new(max_bytes: u64) -> Self {
        Self(AtomicU64::new(max_bytes))
    }

    /// Takes bytes out, if there are as many.
    pub fn take(&self, bytes: u64) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
    }
}

/// Runs what may block on the disk or the processor on a thread of its own.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, FetchError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::warn!(target: LOG_TARGET, "A task of the tensor store ended early: {error}");
        FetchError::Storage
    })
}
