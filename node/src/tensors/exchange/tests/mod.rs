//! The exchange without a network: fetching from scripted peers, and serving hostile ones.

mod fetching;
mod script;
mod serving;

pub use script::{Manner, Script};

use std::{sync::Arc, time::Duration};

use ensemble_tensor::{Bundle, Header, Outline, Tensor, TensorId};
use tempfile::TempDir;

use super::{fetcher::Fetcher, transfer::Patience};
use crate::tensors::{metrics::Metrics, store::Store};

pub const PIECE: usize = 1 << 20;

/// A tensor, as a peer has it.
#[derive(Clone)]
pub struct Sample {
    pub id: TensorId,
    pub header: Header,
    pub data: Vec<u8>,
    pub outline: Outline,
}

impl Sample {
    pub fn new(header: Header, data: Vec<u8>) -> Self {
        let outline = Tensor::new(header, &data).unwrap().outline().unwrap();
        Self { id: outline.id(), header, data, outline }
    }

    pub fn bytes(len: usize, seed: u8) -> Self {
        let data = (0..len).map(|at| (at / 7) as u8 ^ (seed << 1) | 1).collect();
        Self::new(Header::bytes(len as u64).unwrap(), data)
    }

    pub fn bundle(members: &[&Sample]) -> Self {
        let names: Vec<_> = (0..members.len()).map(|number| format!("member/{number}")).collect();
        let members = names.iter().map(String::as_str).zip(members.iter().map(|member| member.id));
        let manifest = Bundle::encode(members).unwrap();
        Self::new(Bundle::header(&manifest).unwrap(), manifest)
    }

    pub fn piece(&self, index: u32) -> &[u8] {
        let range = Outline::piece_range(&self.header, index);
        &self.data[range.start as usize..range.end as usize]
    }

    pub fn encoding(&self) -> Vec<u8> {
        [&self.header.to_bytes(), &self.data[..]].concat()
    }
}

/// A store in a folder that goes with it.
pub struct Home {
    pub store: Arc<Store>,
    pub metrics: Metrics,
    _folder: TempDir,
}

impl Home {
    pub fn new(quota: u64) -> Self {
        let folder = TempDir::new().unwrap();
        let metrics = Metrics::new(None).unwrap();
        let store = Store::open(folder.path(), quota, metrics.clone()).unwrap();
        Self { store, metrics, _folder: folder }
    }

    pub fn put(&self, sample: &Sample) {
        assert!(self.store.upload(sample.id, 0, &sample.encoding()).unwrap().is_complete());
    }

    pub fn holds(&self, sample: &Sample) -> bool {
        self.store.tensor(&sample.id).is_ok_and(|tensor| tensor.data() == sample.data)
    }
}

/// Short deadlines; those that end a request are much longer than any answer takes.
pub const PATIENCE: Patience = Patience {
    offer: Duration::from_millis(400),
    late: Duration::from_millis(200),
    answer: Duration::from_millis(800),
    pause: Duration::from_millis(10),
    rounds: 1,
};

/// A fetcher whose jobs run on the current runtime.
pub fn fetcher(home: &Home, script: Arc<Script>) -> Fetcher {
    let (fetcher, worker) = Fetcher::new(home.store.clone(), script, home.metrics.clone(), PATIENCE);
    tokio::spawn(worker.run());
    fetcher
}
