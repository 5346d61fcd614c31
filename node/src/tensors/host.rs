//! The store as the off-chain worker sees it.

use std::time::Duration;

use ensemble_host::{CameAs, Pinning, TensorAccess, TensorStatus};
use ensemble_tensor::{Header, TensorId};

use super::{exchange::Terms, store::Mark, TensorService, LOG_TARGET};

/// How long a fetch goes on after the worker last asked for its status, which it does at every block.
const LEASE: Duration = Duration::from_secs(300);
/// The part of the quota, one in so many, that one content may take: what a task asks for is chosen by strangers.
const SHARE: u64 = 8;

impl TensorAccess for TensorService {
    fn status(&self, id: TensorId) -> TensorStatus {
        self.status(&id)
    }

    fn fetch(&self, id: TensorId, max_bytes: u64) {
        if let Err(error) = self.fetch(id, self.workers_terms(max_bytes)) {
            // The worker asks again with the next block.
            tracing::warn!(target: LOG_TARGET, "Not fetching {id}: {error}");
        }
    }

    fn read(&self, id: TensorId, max_bytes: u32) -> Option<Vec<u8>> {
        let header = self.store.holding(&id)?.header;
        if header.data_len() > max_bytes.into() {
            return None;
        }
        let read = self
            .store
            .tensor(&id)
            .and_then(|tensor| self.store.read(&tensor, Header::LEN as u64..header.encoded_len()));
        read.inspect_err(|error| tracing::warn!(target: LOG_TARGET, "Could not read {id}: {error}")).ok()
    }

    fn pin(&self, id: TensorId) -> Pinning {
        let was_pinned = self.store.has_pin(&id);
        match self.store.pin(&id) {
            Ok(true) if was_pinned => Pinning::Known,
            Ok(true) => Pinning::Begun,
            Ok(false) => Pinning::Refused,
            Err(error) => {
                tracing::warn!(target: LOG_TARGET, "Could not pin {id}: {error}");
                Pinning::Refused
            },
        }
    }

    fn unpin(&self, id: TensorId) {
        if let Err(error) = self.store.unpin(&id) {
            tracing::warn!(target: LOG_TARGET, "Could not unpin {id}: {error}");
        }
    }

    fn restrict(&self, id: TensorId, task: u32) -> bool {
        let mark = Mark { task, content: id };
        self.store.serves(&id, &mark).unwrap_or_else(|| self.store.order(&id, mark))
    }

    fn came_as(&self, id: TensorId) -> Option<Vec<CameAs>> {
        let marks = self.store.came_as(&id)?;
        Some(marks.into_iter().map(|Mark { task, content }| (task, content)).collect())
    }

    fn reopen(&self, id: TensorId, max_bytes: u64, came_as: Vec<CameAs>) {
        let came_as = came_as.into_iter().map(|(task, content)| Mark { task, content }).collect();
        if let Err(error) = self.reopen(id, self.workers_terms(max_bytes), came_as) {
            tracing::warn!(target: LOG_TARGET, "Not looking for others who serve {id}: {error}");
        }
    }
}

impl TensorService {
    fn workers_terms(&self, max_bytes: u64) -> Terms {
        Terms { data: max_bytes, disk: self.store.quota() / SHARE, lease: Some(LEASE) }
    }
}
