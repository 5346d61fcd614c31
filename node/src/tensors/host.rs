//! The store as the off-chain worker sees it.

use ensemble_host::{TensorAccess, TensorStatus};
use ensemble_tensor::TensorId;

use super::{TensorService, LOG_TARGET};

impl TensorAccess for TensorService {
    fn status(&self, id: TensorId) -> TensorStatus {
        self.status(&id)
    }

    fn fetch(&self, id: TensorId, max_bytes: u64) {
        if let Err(error) = self.fetch(id, max_bytes) {
            // The worker asks again with the next block.
            tracing::warn!(target: LOG_TARGET, "Not fetching {id}: {error}");
        }
    }

    fn pin(&self, id: TensorId) -> bool {
        self.store.pin(&id).unwrap_or_else(|error| {
            tracing::warn!(target: LOG_TARGET, "Could not pin {id}: {error}");
            false
        })
    }

    fn unpin(&self, id: TensorId) {
        if let Err(error) = self.store.unpin(&id) {
            tracing::warn!(target: LOG_TARGET, "Could not unpin {id}: {error}");
        }
    }
}
