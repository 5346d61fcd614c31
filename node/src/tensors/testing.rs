//! A store for the tests of what works on one.

use std::{path::Path, sync::Arc};

use super::{
    metrics::Metrics,
    store::{Mark, Room, Store},
};
use ensemble_tensor::TensorId;

/// The store in a folder.
pub fn store(folder: &Path, quota: u64) -> Arc<Store> {
    Store::open(folder, Room { quota, min_free: 0 }, Metrics::new(None).unwrap()).unwrap()
}

/// Has a tensor served to those alone who are entitled to it.
pub fn restrict(store: &Store, id: TensorId) {
    store.restrict(&id, Mark { task: 0, content: id }).unwrap();
}
