//! Fetch jobs: what is wanted, what is being fetched, and what came of it.
//!
//! A job fetches one tensor, or a bundle: first the manifest, then the members, a few at a time. Jobs wait in a queue
//! of limited length and run a few at a time. While others wait, a job runs for a while and then goes to the back of the
//! queue: what has arrived stays, so a slow job costs the others nothing but their turn. A job that nobody asks for any
//! more ends. A job that fails leaves its reason behind until it is asked for again.

use std::{
    collections::HashMap,
    sync::{
        atomic::{AtomicU64, AtomicUsize, Ordering},
        Arc, Weak,
    },
    time::{Duration, Instant},
};

use ensemble_host::FetchError;
use ensemble_tensor::{Header, Kind, TensorId};
use futures::stream::{self, FuturesUnordered, StreamExt, TryStreamExt};
use parking_lot::Mutex;
use sc_network_types::PeerId;
use schnellru::{ByLength, LruMap};
use tokio::sync::{mpsc, Notify, OwnedMutexGuard};

use super::{
    network::Network,
    reopen::Reopening,
    transfer::{Known, Patience, Transfer, Wanted},
};
use crate::tensors::{
    gate::Identity,
    metrics::Metrics,
    store::{footprint, Mark, Store},
    LOG_TARGET,
};

/// Jobs that run at the same time.
pub const MAX_RUNNING: usize = 4;
/// Jobs that run or wait for their turn.
pub const MAX_JOBS: usize = 1024;
/// Failed jobs whose reason is remembered.
pub const MAX_FAILED: u32 = 1024;
/// Peers that a job remembers as those who did not do as they said.
const MAX_DOUBTED: u32 = 1024;
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
    /// As whom to ask.
    pub identity: Identity,
    /// How long to wait.
    pub patience: Patience,
    /// One transfer per tensor at a time, whichever jobs want it.
    transfers: Mutex<HashMap<TensorId, Weak<tokio::sync::Mutex<()>>>>,
}

/// Takes orders for tensors. Clones share the jobs.
#[derive(Clone)]
pub struct Fetcher {
    orders: mpsc::UnboundedSender<Order>,
    jobs: Arc<Mutex<Jobs>>,
}

/// Runs the jobs.
pub struct Worker {
    orders: mpsc::UnboundedReceiver<Order>,
    /// The back of the queue, as long as there is a fetcher.
    back: mpsc::WeakUnboundedSender<Order>,
    jobs: Arc<Mutex<Jobs>>,
    context: Arc<Context>,
}

/// What a job may take.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Bytes of data, for a bundle of the manifest and all members.
    pub data: u64,
    /// Bytes on the disk, likewise.
    pub disk: u64,
    /// How long the job goes on after it was last asked for; without end if nothing is said.
    pub lease: Option<Duration>,
}

struct Order {
    id: TensorId,
    terms: Terms,
    progress: Arc<Progress>,
    doubted: Doubted,
    reopening: Reopening,
    cancel: Arc<Notify>,
}

struct Jobs {
    active: HashMap<TensorId, Job>,
    failed: LruMap<TensorId, FetchError, ByLength>,
}

struct Job {
    progress: Arc<Progress>,
    cancel: Arc<Notify>,
    lease: Option<Duration>,
    wanted_until: Option<Instant>,
}

/// How a job's turn ended.
enum Turn {
    /// With the job.
    Done(Result<(), FetchError>),
    /// Nobody wants the tensor any more.
    Stopped,
    /// It is somebody else's turn.
    Over,
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
#[error("{MAX_JOBS} tensors are being fetched or wait for it, which is the limit; try again later")]
pub struct QueueFull;

/// How far a job has come.
pub(super) struct Progress {
    received: AtomicU64,
    total: AtomicU64,
    /// Tensors whose size is not known yet.
    unknown: AtomicUsize,
}

/// Bytes that a job may still take.
pub(super) struct Budget {
    data: AtomicU64,
    disk: AtomicU64,
}

/// Peers that said to serve a tensor of the job openly, and kept it waiting while others would have given it. For none of
/// its tensors are they waited for again, until they give a piece.
pub(super) struct Doubted(Mutex<LruMap<PeerId, (), ByLength>>);

/// What the transfers of a job share.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    pub budget: &'a Budget,
    pub progress: &'a Progress,
    pub doubted: &'a Doubted,
    pub reopening: &'a Reopening,
}

impl Terms {
    /// So many bytes of data, and whatever disk they take.
    pub fn of_data(data: u64) -> Self {
        Self { data, disk: u64::MAX, lease: None }
    }
}

impl Fetcher {
    /// A fetcher, and the worker that runs its jobs.
    pub fn new(
        store: Arc<Store>,
        network: Arc<dyn Network>,
        identity: Identity,
        metrics: Metrics,
        patience: Patience,
    ) -> (Self, Worker) {
        // Unbounded, because the jobs are counted before they are queued.
        let (sender, orders) = mpsc::unbounded_channel();
        let failed = LruMap::new(ByLength::new(MAX_FAILED));
        let jobs = Arc::new(Mutex::new(Jobs { active: HashMap::new(), failed }));
        let context = Arc::new(Context { store, network, metrics, identity, patience, transfers: Mutex::default() });
        let back = sender.downgrade();
        (Self { orders: sender, jobs: jobs.clone() }, Worker { orders, back, jobs, context })
    }

    /// Orders a tensor, for a bundle with its members. A job for it that is under way goes on as it began, but for as
    /// long as anybody wants.
    pub fn fetch(&self, id: TensorId, terms: Terms) -> Result<(), QueueFull> {
        self.begin(id, terms, Vec::new())
    }

    /// As [`Self::fetch`], of what is held. What came as these alone is looked for at those who serve it openly, and is
    /// open if it can be had from them.
    pub fn reopen(&self, id: TensorId, terms: Terms, came_as: Vec<Mark>) -> Result<(), QueueFull> {
        self.begin(id, terms, came_as)
    }

    fn begin(&self, id: TensorId, terms: Terms, came_as: Vec<Mark>) -> Result<(), QueueFull> {
        let mut jobs = self.jobs.lock();
        if let Some(job) = jobs.active.get_mut(&id) {
            job.lease = job.lease.and(terms.lease);
            job.renew();
            return Ok(());
        }
        if jobs.active.len() >= MAX_JOBS {
            return Err(QueueFull);
        }
        let (progress, cancel) = (Arc::new(Progress::new()), Arc::new(Notify::new()));
        let (doubted, cancel_too) = (Doubted::default(), cancel.clone());
        let reopening = Reopening::new(came_as);
        let order = Order { id, terms, progress: progress.clone(), doubted, reopening, cancel: cancel_too };
        self.orders.send(order).map_err(|_| QueueFull)?;
        jobs.failed.remove(&id);
        let mut job = Job { progress, cancel, lease: terms.lease, wanted_until: None };
        job.renew();
        jobs.active.insert(id, job);
        Ok(())
    }

    /// Notes that a tensor is still wanted.
    pub fn renew(&self, id: &TensorId) {
        if let Some(job) = self.jobs.lock().active.get_mut(id) {
            job.renew();
        }
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
        job.inspect(|job| job.cancel.notify_one()).is_some()
    }
}

impl Worker {
    /// Runs jobs until no fetcher is left and the last job has ended.
    pub async fn run(mut self) {
        let mut running = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some((order, turn)) = running.next() => self.on_turn(order, turn, running.len()),
                order = self.orders.recv(), if running.len() < MAX_RUNNING => match order {
                    Some(order) => {
                        running.push(run(self.context.clone(), self.jobs.clone(), order));
                        self.context.metrics.jobs_running.set(running.len() as u64);
                    },
                    None if running.is_empty() => return,
                    None => {
                        let ended = running.next().await;
                        ended.into_iter().for_each(|(order, turn)| self.on_turn(order, turn, running.len()));
                    },
                },
            }
        }
    }

    fn on_turn(&self, order: Order, turn: Turn, still_running: usize) {
        self.context.metrics.jobs_running.set(still_running as u64);
        let id = order.id;
        let mut jobs = self.jobs.lock();
        if matches!(turn, Turn::Over) && self.back.upgrade().is_some_and(|back| back.send(order).is_ok()) {
            return;
        }
        match turn {
            Turn::Done(Ok(())) => tracing::info!(target: LOG_TARGET, "Fetched {id}"),
            Turn::Done(Err(error)) => {
                tracing::info!(target: LOG_TARGET, "Could not fetch {id}: {error:?}");
                jobs.failed.insert(id, error);
            },
            Turn::Stopped | Turn::Over => tracing::debug!(target: LOG_TARGET, "Stopped fetching {id}"),
        }
        // In this order, so that the next job's orders stay.
        self.context.store.forget_orders(&id);
        jobs.active.remove(&id);
    }
}

async fn run(context: Arc<Context>, jobs: Arc<Mutex<Jobs>>, order: Order) -> (Order, Turn) {
    if !jobs.lock().wants(&order.id) {
        return (order, Turn::Stopped);
    }
    order.progress.restart();
    let budget = Budget::new(&order.terms);
    let Order { progress, doubted, reopening, .. } = &order;
    let shared = Shared { budget: &budget, progress, doubted, reopening };
    let turn = tokio::select! {
        biased;
        turn = end_of_turn(&jobs, &order, context.patience.turn) => turn,
        outcome = context.fetch(order.id, shared) => Turn::Done(outcome),
    };
    (order, turn)
}

/// Waits until a job has to stop, or to make way for others.
async fn end_of_turn(jobs: &Mutex<Jobs>, order: &Order, length: Duration) -> Turn {
    while tokio::time::timeout(length, order.cancel.notified()).await.is_err() {
        let jobs = jobs.lock();
        if !jobs.wants(&order.id) {
            return Turn::Stopped;
        }
        if jobs.active.len() > MAX_RUNNING {
            return Turn::Over;
        }
    }
    Turn::Stopped
}

impl Jobs {
    /// Whether somebody still wants the tensor.
    fn wants(&self, id: &TensorId) -> bool {
        self.active.get(id).is_some_and(|job| job.wanted_until.is_none_or(|until| Instant::now() < until))
    }
}

impl Job {
    fn renew(&mut self) {
        self.wanted_until = self.lease.map(|lease| Instant::now() + lease);
    }
}

impl Context {
    /// Fetches a tensor, for a bundle with its members.
    async fn fetch(&self, id: TensorId, shared: Shared<'_>) -> Result<(), FetchError> {
        let _guard = self.store.guard(&[id]);
        let known = self.fetch_one(Wanted { id, part_of: None }, shared, &[]).await?;
        let members = self.store.members(&id);
        let _guard = self.store.guard(&members);
        shared.progress.expect(members.len());
        stream::iter(members.to_vec())
            .map(|member| Wanted { id: member, part_of: Some(id) })
            .map(|wanted| self.fetch_member(wanted, shared, &known))
            .buffer_unordered(MEMBERS_AT_ONCE)
            .try_collect()
            .await
    }

    /// Fetches a member of a bundle, which is no bundle itself.
    async fn fetch_member(&self, wanted: Wanted, shared: Shared<'_>, known: &[Known]) -> Result<(), FetchError> {
        self.fetch_one(wanted, shared, known).await?;
        match self.store.header(&wanted.id) {
            Some(header) if header.kind() == Kind::Bundle => Err(FetchError::Invalid),
            Some(_) => Ok(()),
            None => Err(FetchError::Storage),
        }
    }

    /// Fetches one tensor, unless it is held. Returns the peers known to have it.
    async fn fetch_one(&self, wanted: Wanted, shared: Shared<'_>, known: &[Known]) -> Result<Vec<Known>, FetchError> {
        let _turn = self.turn(wanted.id).await;
        let Some(header) = self.store.header(&wanted.id) else {
            return Transfer::new(self, wanted, shared).run(known).await;
        };
        if !shared.budget.take(&header) {
            return Err(FetchError::TooLarge);
        }
        self.reopen(wanted.id, shared.reopening).await?;
        let len = header.data_len();
        shared.progress.size_known(len);
        shared.progress.received(len);
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

    /// Begins to count anew.
    fn restart(&self) {
        self.received.store(0, Ordering::Relaxed);
        self.total.store(0, Ordering::Relaxed);
        self.unknown.store(1, Ordering::Relaxed);
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

impl Default for Doubted {
    fn default() -> Self {
        Self(Mutex::new(LruMap::new(ByLength::new(MAX_DOUBTED))))
    }
}

impl Doubted {
    /// Notes that a peer keeps the job waiting.
    pub fn insert(&self, peer: PeerId) {
        self.0.lock().insert(peer, ());
    }

    /// Notes that a peer does as it says.
    pub fn remove(&self, peer: &PeerId) {
        self.0.lock().remove(peer);
    }

    /// Whether a peer is not waited for.
    pub fn contains(&self, peer: &PeerId) -> bool {
        self.0.lock().peek(peer).is_some()
    }
}

impl Budget {
    pub fn new(terms: &Terms) -> Self {
        Self { data: AtomicU64::new(terms.data), disk: AtomicU64::new(terms.disk) }
    }

    /// Takes out what a tensor needs, if there is as much.
    pub fn take(&self, header: &Header) -> bool {
        let take = |from: &AtomicU64, bytes| {
            from.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
        };
        take(&self.data, header.data_len()) && take(&self.disk, footprint(header))
    }
}

/// Runs what may block on the disk or the processor on a thread of its own.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, FetchError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::warn!(target: LOG_TARGET, "A task of the tensor store ended early: {error}");
        FetchError::Storage
    })
}
