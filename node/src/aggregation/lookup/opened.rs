//! What was read from the store, kept in memory as long as it is asked for.

use std::sync::Arc;

use ensemble_tensor::TensorId;
use parking_lot::Mutex;
use schnellru::{ByLength, LruMap};

use super::Error;

/// Things by the ids of the tensors that they were read from. The one that was not used for longest makes way.
pub struct Opened<T>(Mutex<LruMap<TensorId, Arc<T>, ByLength>>);

impl<T> Opened<T> {
    /// Nothing yet, and never more than `most` things.
    pub fn new(most: u32) -> Self {
        Self(Mutex::new(LruMap::new(ByLength::new(most))))
    }

    /// What is known by an id, or else what `open` makes of it. Others wait meanwhile, so that nothing is read twice.
    pub fn get(&self, id: &TensorId, open: impl FnOnce() -> Result<T, Error>) -> Result<Arc<T>, Error> {
        let mut opened = self.0.lock();
        if let Some(known) = opened.get(id) {
            return Ok(known.clone());
        }
        let new = Arc::new(open()?);
        opened.insert(*id, new.clone());
        Ok(new)
    }
}
