//! Checking in the background what the store found on the disk when the node started.

use std::sync::Arc;

use ensemble_tensor::TensorId;

use super::{
    store::{Error, Store},
    LOG_TARGET,
};

/// Checks tensors as long as there are unchecked ones, then waits until somebody asks for more. Reads and hashes, so it
/// wants a thread on which it may block.
pub async fn run(store: Arc<Store>) {
    loop {
        match store.next_doubtful() {
            Some(id) => match check(&store, &id).await {
                Ok(()) => tracing::debug!(target: LOG_TARGET, "Checked tensor {id}"),
                // The store has said so.
                Err(Error::Damaged(_)) => {},
                Err(error) => tracing::warn!(target: LOG_TARGET, "Could not check tensor {id}: {error}"),
            },
            None => store.hurried().await,
        }
    }
}

async fn check(store: &Arc<Store>, id: &TensorId) -> Result<(), Error> {
    let mut check = store.check(id)?;
    while check.step()? {
        // The node may want to stop in the middle of a large file.
        tokio::task::yield_now().await;
    }
    Ok(())
}
