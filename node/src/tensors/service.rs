//! The tensors of a running node, as the off-chain worker and the RPC see them.

use std::sync::Arc;

use ensemble_host::{FetchError, TensorAccess, TensorStatus};
use ensemble_tensor::TensorId;
use jsonrpsee::RpcModule;

use super::{
    exchange::{Fetcher, JobStatus, QueueFull, Terms},
    gate::Gate,
    rpc::TensorRpc,
    store::{Error, Holding, Mark, Store},
};

/// The tensors of a running node.
pub struct TensorService {
    pub(super) store: Arc<Store>,
    pub(super) gate: Arc<Gate>,
    pub(super) rpc_writes: bool,
    fetcher: Fetcher,
}

impl TensorService {
    /// The tensors in `store`, and what `fetcher` brings.
    pub(super) fn new(store: Arc<Store>, gate: Arc<Gate>, fetcher: Fetcher, rpc_writes: bool) -> Self {
        Self { store, gate, rpc_writes, fetcher }
    }

    /// What the off-chain worker may do.
    pub fn access(self: &Arc<Self>) -> Arc<dyn TensorAccess> {
        self.clone()
    }

    /// Where they lie.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The RPC methods.
    pub fn rpc(self: &Arc<Self>) -> RpcModule<TensorRpc> {
        TensorRpc::module(self.clone())
    }

    /// What the node has of a tensor. What was on the disk when the node started counts as held once it is checked;
    /// asking has that done first. A job for it counts as still wanted.
    pub(super) fn status(&self, id: &TensorId) -> TensorStatus {
        self.fetcher.renew(id);
        match self.look_up(id) {
            Found::Held(holding) if holding.is_verified() => {
                let Holding { header, bytes, restricted, .. } = holding;
                TensorStatus::Held { header, bytes, restricted }
            },
            Found::Held(holding) => {
                self.store.hurry(id);
                TensorStatus::Fetching { received: holding.verified, total: Some(holding.bytes) }
            },
            Found::Job(JobStatus::None) => TensorStatus::Absent,
            Found::Job(JobStatus::Active { received, total }) => TensorStatus::Fetching { received, total },
            Found::Job(JobStatus::Failed(error)) => TensorStatus::Failed(error),
        }
    }

    pub(super) fn look_up(&self, id: &TensorId) -> Found {
        // The job comes first: it ends after the store has the tensor, so that a tensor never seems lost in between.
        let job = self.fetcher.status(id);
        self.store.holding(id).map_or(Found::Job(job), Found::Held)
    }

    /// Starts to fetch a tensor that is neither held nor being fetched.
    pub(super) fn fetch(&self, id: TensorId, terms: Terms) -> Result<(), QueueFull> {
        match self.store.holding(&id) {
            Some(_) => Ok(()),
            None => self.fetcher.fetch(id, terms),
        }
    }

    /// Starts to look for others who serve openly what came as these.
    pub(super) fn reopen(&self, id: TensorId, terms: Terms, came_as: Vec<Mark>) -> Result<(), QueueFull> {
        self.fetcher.reopen(id, terms, came_as)
    }

    /// Ends the fetch of a tensor and drops what has arrived, or, if none is under way, removes the tensor.
    pub(super) fn remove(&self, id: &TensorId) -> Result<(), Error> {
        if self.fetcher.cancel(id) {
            self.store.give_up(id);
            return Ok(());
        }
        self.store.remove(id)
    }
}

/// Where a tensor was found.
pub(super) enum Found {
    /// In the store.
    Held(Holding),
    /// With the jobs, if anywhere.
    Job(JobStatus),
}

/// The reason for a failed fetch as a sentence with what to do about it.
pub fn reason(error: FetchError) -> &'static str {
    match error {
        FetchError::NotFound => "no reachable peer has all of it; connect to one that does and fetch again",
        FetchError::TooLarge => "it is larger than was allowed; fetch again with a larger maxBytes",
        FetchError::StoreFull => {
            "it does not fit into the store or on the disk; make room or raise --tensor-quota, then fetch again"
        },
        FetchError::Invalid => "the bytes belong to the id, but are no valid tensor or bundle",
        FetchError::Restricted => {
            "it is restricted, and those who have it serve it to none of this node's keys; name its task to \
             ensemble_fetchTensor, and insert the sr25519 key of an entitled account as type xchg"
        },
        FetchError::Storage => "the store could not read or write; see the node's log",
    }
}
