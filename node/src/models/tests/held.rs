//! Models out of the tensor store.

use std::{fs, sync::Arc};

use ensemble_model::OpenError;
use ensemble_tensor::{Bundle, Kind, Tensor, TensorId};
use tempfile::tempdir;

use super::model::folder;
use crate::{
    models::{Error, Model},
    tensors::{testing, Store},
};

const PLENTY: u64 = 1 << 30;

/// Puts what lies in a folder into a store, but the member with this name.
fn put(store: &Arc<Store>, folder: &std::path::Path, id: &TensorId, but: &str) {
    let read = |id: &TensorId| fs::read(folder.join(id.to_string())).unwrap();
    let manifest = read(id);
    let manifest = Tensor::parse(&manifest).unwrap();
    let members = Bundle::parse(manifest.data()).unwrap();
    for (_, member) in members.iter().filter(|(name, _)| *name != but) {
        let bytes = read(&member);
        let tensor = Tensor::parse(&bytes).unwrap();
        assert_eq!(store.put(*tensor.header(), tensor.data()).unwrap().id(), member);
    }
    store.put(*manifest.header(), manifest.data()).unwrap();
}

#[test]
fn a_model_that_is_held_whole_is_opened() {
    let (folder, id) = folder(|_| {});
    let place = tempdir().unwrap();
    let store = testing::store(place.path(), PLENTY);
    put(&store, folder.path(), &id, "rope");
    assert!(matches!(Model::held(&store, &id), Err(Error::NotHeld(missing)) if missing == id));
    put(&store, folder.path(), &id, "");
    let model = Model::held(&store, &id).unwrap();
    let other = Model::in_folder(folder.path(), &id).unwrap();
    for stage in 0..model.llama().stages() {
        assert_eq!(model.row(stage, 0, 7).unwrap(), other.row(stage, 0, 7).unwrap());
    }
    // What is in use is not collected, nor removed.
    assert!(store.remove(&model.member("rope").unwrap()).is_err());
    drop(model);
    store.remove(&other.member("rope").unwrap()).unwrap();
}

#[test]
fn a_model_is_opened_only_when_it_was_checked() {
    let (folder, id) = folder(|_| {});
    let place = tempdir().unwrap();
    put(&testing::store(place.path(), PLENTY), folder.path(), &id, "");
    let store = testing::store(place.path(), PLENTY);
    assert!(matches!(Model::held(&store, &id), Err(Error::Unchecked(unchecked)) if unchecked == id));
    while let Some(id) = store.next_doubtful() {
        let mut check = store.check(&id).unwrap();
        while check.step().unwrap() {}
    }
    assert!(Model::held(&store, &id).is_ok());
}

#[test]
fn what_is_no_bundle_is_no_model() {
    let place = tempdir().unwrap();
    let store = testing::store(place.path(), PLENTY);
    let header = ensemble_tensor::Header::new(Kind::I16, 1, 1).unwrap();
    let id = store.put(header, &[1, 2]).unwrap().id();
    assert!(matches!(Model::held(&store, &id), Err(Error::Open(OpenError::NoBundle(other))) if other == id));
}
