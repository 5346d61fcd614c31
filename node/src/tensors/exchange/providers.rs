//! The DHT: telling others what this node holds, and finding who holds what it wants.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use ensemble_tensor::TensorId;
use futures::{Stream, StreamExt};
use sc_network::{service::traits::NetworkService, DhtEvent, Event, KademliaKey};
use sc_network_types::PeerId;
use tokio::sync::mpsc;

use crate::tensors::{metrics::Metrics, store::Store, LOG_TARGET};

/// Most tensors that are announced. The DHT keeps at most 10,000 keys per node, and every one is announced again within
/// hours.
const MAX_ANNOUNCED: usize = 2048;
/// Announcements that may be on their way.
const MAX_ANNOUNCING: usize = 16;
/// How often announcements that failed, or had to wait for peers, are tried again.
const RETRY: Duration = Duration::from_secs(15);
/// After how long a tensor is announced again. Peers forget after ten hours, and the network may have dropped it.
const RENEWAL: Duration = Duration::from_secs(3 * 60 * 60);
/// How long announcing waits for more to announce: it looks at everything that is held.
const GATHERING: Duration = Duration::from_secs(1);
/// Most lookups that wait for the DHT.
const MAX_LOOKUPS: usize = 64;

/// A question for the DHT.
pub struct Lookup {
    /// The tensor wanted.
    pub id: TensorId,
    /// Takes the providers; it closes when there are no more.
    pub found: mpsc::Sender<PeerId>,
}

/// Speaks with the DHT.
pub struct Providers {
    network: Arc<dyn NetworkService>,
    store: Arc<Store>,
    metrics: Metrics,
    lookups: mpsc::Receiver<Lookup>,
    waiting: HashMap<KademliaKey, Vec<mpsc::Sender<PeerId>>>,
    announcing: HashSet<TensorId>,
    announced: HashMap<TensorId, Instant>,
    /// When to announce what changed in the store.
    due: Option<tokio::time::Instant>,
}

impl Providers {
    /// Answers the lookups that come through the returned channel.
    pub fn new(network: Arc<dyn NetworkService>, store: Arc<Store>, metrics: Metrics) -> (Self, mpsc::Sender<Lookup>) {
        let (sender, lookups) = mpsc::channel(MAX_LOOKUPS);
        let (waiting, announcing, announced, due) = Default::default();
        (Self { network, store, metrics, lookups, waiting, announcing, announced, due }, sender)
    }

    /// Runs until nobody asks any more or the network ends.
    pub async fn run(mut self) {
        let mut events = self.network.event_stream("tensors");
        let mut retry = tokio::time::interval(RETRY);
        while self.step(&mut events, &mut retry).await {}
    }

    async fn step(
        &mut self,
        events: &mut (impl Stream<Item = Event> + Unpin),
        retry: &mut tokio::time::Interval,
    ) -> bool {
        tokio::select! {
            event = events.next() => match event {
                Some(Event::Dht(event)) => self.on_dht(event),
                Some(_) => {},
                None => return false,
            },
            lookup = self.lookups.recv() => match lookup {
                Some(lookup) => self.look_up(lookup),
                None => return false,
            },
            () = self.store.changed(), if self.due.is_none() => self.due = Some(tokio::time::Instant::now() + GATHERING),
            () = until(self.due) => self.announce(),
            _ = retry.tick() => {
                // Who gave up waiting is forgotten.
                self.waiting.retain(|_, waiting| waiting.iter().any(|found| !found.is_closed()));
                self.announce();
            },
        }
        true
    }

    fn look_up(&mut self, Lookup { id, found }: Lookup) {
        let key = KademliaKey::new(&id);
        let waiting = self.waiting.entry(key.clone()).or_default();
        waiting.retain(|found| !found.is_closed());
        if waiting.is_empty() {
            self.network.get_providers(key);
        }
        waiting.push(found);
    }

    fn on_dht(&mut self, event: DhtEvent) {
        match event {
            DhtEvent::ProvidersFound(key, peers) => {
                for found in self.waiting.get(&key).into_iter().flatten() {
                    // A full channel has as many as anybody asks.
                    peers.iter().take_while(|peer| found.try_send(**peer).is_ok()).for_each(drop);
                }
            },
            DhtEvent::NoMoreProviders(key) | DhtEvent::ProvidersNotFound(key) => {
                self.waiting.remove(&key);
            },
            DhtEvent::StartedProviding(key) => {
                if let Some(id) = self.end_announcing(&key) {
                    tracing::debug!(target: LOG_TARGET, "Announced tensor {id}");
                    self.announced.insert(id, Instant::now());
                    self.metrics.announced.set(self.announced.len() as u64);
                    self.announce();
                }
            },
            DhtEvent::StartProvidingFailed(key) => {
                self.end_announcing(&key);
            },
            _ => {},
        }
    }

    fn end_announcing(&mut self, key: &KademliaKey) -> Option<TensorId> {
        let id = TensorId(key.as_ref().try_into().ok()?);
        self.announcing.take(&id)
    }

    /// Announces what the store has gained and withdraws what it has lost.
    fn announce(&mut self) {
        self.due = None;
        let held = self.store.announceable(MAX_ANNOUNCED);
        let keep: HashSet<_> = held.iter().copied().collect();
        let withdraw = |id: &TensorId, _: &mut Instant| {
            let keep = keep.contains(id);
            if !keep {
                self.network.stop_providing(KademliaKey::new(id));
            }
            keep
        };
        self.announced.retain(withdraw);
        self.metrics.announced.set(self.announced.len() as u64);
        if self.network.sync_num_connected() == 0 {
            return;
        }
        for id in held {
            if self.announcing.len() >= MAX_ANNOUNCING {
                return;
            }
            let current = self.announced.get(&id).is_some_and(|since| since.elapsed() < RENEWAL);
            if !current && self.announcing.insert(id) {
                self.network.start_providing(KademliaKey::new(&id));
            }
        }
    }
}

/// Waits until then, for ever if that is never.
async fn until(due: Option<tokio::time::Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
