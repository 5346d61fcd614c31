//! The exchange without a network: fetching from scripted peers, and serving hostile ones.

mod admission;
mod fetching;
mod script;
mod serving;

pub use script::{Manner, Script, DRIP};

use std::{path::PathBuf, sync::Arc, time::Duration};

use ensemble_tensor::{Header, TensorId};
use sc_network_types::PeerId;
use tempfile::TempDir;

use super::{fetcher::Fetcher, network::Network, transfer::Patience};
use crate::tensors::{
    gate::{
        tests::{Nobody, Rules, GENESIS},
        Identity,
    },
    metrics::Metrics,
    samples::{Sample, PIECE},
    store::{Room, Store, Uploader},
};

/// A store in a folder that goes with it.
pub struct Home {
    pub store: Arc<Store>,
    pub metrics: Metrics,
    folder: TempDir,
}

impl Home {
    pub fn new(quota: u64) -> Self {
        let folder = TempDir::new().unwrap();
        let metrics = Metrics::new(None).unwrap();
        let store = Store::open(folder.path(), Room { quota, min_free: 0 }, metrics.clone()).unwrap();
        Self { store, metrics, folder }
    }

    pub fn put(&self, sample: &Sample) {
        assert!(self.store.upload(Uploader::Operator, sample.id, 0, &sample.encoding()).unwrap().is_complete());
    }

    /// Where a held tensor lies.
    pub fn file(&self, sample: &Sample) -> PathBuf {
        self.folder.path().join("held").join(hex::encode(sample.id.0))
    }

    pub fn holds(&self, sample: &Sample) -> bool {
        self.store.tensor(&sample.id).is_ok_and(|tensor| {
            self.store.read(&tensor, 0..sample.header.encoded_len()).is_ok_and(|bytes| bytes == sample.encoding())
        })
    }
}

/// Short deadlines; those that end a request are much longer than any answer takes.
pub const PATIENCE: Patience = Patience {
    offer: Duration::from_millis(400),
    late: Duration::from_millis(200),
    answer: Duration::from_millis(800),
    pause: Duration::from_millis(10),
    rounds: 1,
    busy: Duration::from_millis(600),
    preference: Duration::from_millis(600),
    window: Duration::from_secs(20),
    turn: Duration::from_secs(20),
};

/// A fetcher whose jobs run on the current runtime.
pub fn fetcher(home: &Home, script: Arc<Script>) -> Fetcher {
    fetcher_with(home, script, PATIENCE)
}

/// A fetcher with other deadlines.
pub fn fetcher_with(home: &Home, script: Arc<Script>, patience: Patience) -> Fetcher {
    let chain = Arc::new(Rules::default());
    let identity = Identity { genesis: GENESIS, node: PeerId::random(), signer: Arc::new(Nobody), chain };
    fetcher_as(home, script, identity, patience)
}

/// A fetcher that asks as somebody.
pub fn fetcher_as(home: &Home, network: Arc<dyn Network>, identity: Identity, patience: Patience) -> Fetcher {
    let (fetcher, worker) = Fetcher::new(home.store.clone(), network, identity, home.metrics.clone(), patience);
    tokio::spawn(worker.run());
    fetcher
}
