//! Nodes that are connected in memory.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        atomic::{AtomicU64, AtomicUsize, Ordering},
        Arc, OnceLock, Weak,
    },
    time::{Duration, Instant},
};

use codec::Encode;
use ensemble_compute::{
    inference::{Architecture, Local, Next, Run, Trace},
    Machine,
};
use ensemble_core::{
    inference::{Payment, Quote, SessionId, SessionPhase},
    AttesterId,
};
use ensemble_runtime::{AccountId, Balance, BlockNumber, Hash};
use ensemble_tensor::TensorId;
use parking_lot::{Mutex, RwLock};
use sc_network::ReputationChange;
use sc_network_types::PeerId;
use sp_core::Pair;
use sp_io::hashing::blake2_256;
use tempfile::TempDir;

use super::tiny::{Shelf, Tiny, LLAMA};
use crate::{
    rows::{
        chain::{Bonded, Chain, Model as ModelView, Participant, Session, Unavailable},
        gateway::{Consents, Error, Item, News, Progress, Summary},
        keys::{AttesterPair, Keyring},
        limits::Faults,
        metrics::Metrics,
        model::Model,
        network::{Delivery, Network},
        post::Post,
        protocol::{Call, Message, RangeReply, Reply},
        relays::Relays,
        Context, Hub, Ledger, Patience,
    },
    tensors::{testing, Store},
};

/// The session of most tests.
pub const SESSION: SessionId = 7;
/// Its prompt.
pub const PROMPT: [u32; 5] = [1, 20, 3, 14, 5];
/// The most that its answer may have.
pub const MAX_TOKENS: u32 = 12;

/// To how many workers a node hands messages on.
pub const RELAYS: usize = 1;

/// Short enough for tests, and long enough for a busy machine.
pub const PATIENCE: Patience = Patience {
    first: Duration::from_secs(2),
    call: Duration::from_millis(1500),
    retry: Duration::from_millis(50),
    drain: Duration::from_secs(5),
    grace: Duration::from_millis(20),
    alone: Duration::from_secs(3),
    position: Duration::from_millis(20),
    room: Duration::from_millis(300),
    leisure: Duration::from_millis(600),
    idle: Duration::from_millis(200),
};

/// What becomes of the messages of a node.
#[derive(Clone, Debug, Default)]
pub enum Manner {
    /// They arrive.
    #[default]
    Honest,
    /// They are lost.
    Silent,
    /// Sending one takes so long.
    Slow(Duration),
    /// Those that it sends are not taken.
    Stuck,
    /// This one takes so long, and no other.
    PausesAt(usize, Duration),
    /// Signatures are altered.
    Forged,
    /// Outputs are altered where they are signed, and the signatures too.
    LiesUnsigned,
    /// Outputs are altered from this message on, and signatures too.
    LiesUnsignedFrom(usize),
    /// The session is another one.
    Elsewhere,
    /// They are no messages.
    Garbled,
    /// They are too long.
    Oversized,
    /// Ranges have an output too few.
    Short,
    /// They come many times over.
    Flooding(usize),
    /// From this message on they are lost, and the connection with them.
    DiesAt(usize),
    /// At this message the connection is lost, once, before it arrives.
    BreaksAt(usize),
}

/// What the chain says to all nodes.
#[derive(Default)]
pub struct World {
    pub sessions: Mutex<HashMap<SessionId, Session>>,
    blocks: AtomicU64,
    /// Who has a bond.
    pub bonded: Mutex<Vec<Bonded>>,
    /// What everybody could pay.
    pub means: Mutex<Balance>,
    /// How often all sessions were looked through.
    pub scans: AtomicUsize,
    /// What nodes were to fetch, and of how many bytes at most.
    pub fetched: Mutex<Vec<(TensorId, u64)>>,
}

impl World {
    /// There is another block.
    pub fn next_block(&self) {
        self.blocks.fetch_add(1, Ordering::SeqCst);
    }
}

impl Chain for World {
    fn best(&self) -> Hash {
        Hash::from_low_u64_be(self.blocks.load(Ordering::SeqCst))
    }

    fn best_number(&self) -> BlockNumber {
        BlockNumber::try_from(self.blocks.load(Ordering::SeqCst)).unwrap()
    }

    fn session(&self, id: SessionId) -> Result<Option<Session>, Unavailable> {
        Ok(self.sessions.lock().get(&id).cloned())
    }

    fn sessions(&self) -> Result<Vec<Session>, Unavailable> {
        self.scans.fetch_add(1, Ordering::SeqCst);
        Ok(self.sessions.lock().values().cloned().collect())
    }

    fn model(&self, id: u32) -> Result<Option<ModelView>, Unavailable> {
        let model = ModelView {
            id,
            registrant: [0; 32].into(),
            task: 0,
            content: TensorId([1; 32]),
            architecture: Architecture::Llama(LLAMA),
            workers: 0,
        };
        Ok((id == 0).then_some(model))
    }

    fn quote(
        &self,
        _: u32,
        positions: u32,
        workers: u32,
        replicas: u32,
    ) -> Result<Option<Quote<Balance>>, Unavailable> {
        let price = Balance::from(positions * workers * replicas);
        let is_possible = (1..=5).contains(&replicas) && replicas <= workers;
        Ok(is_possible.then_some(Quote { price, workers: price, gateway: 0, credits: 0, burnt: 0 }))
    }

    fn worker_of_key(&self, key: &AttesterId) -> Result<Option<Bonded>, Unavailable> {
        Ok(self.bonded.lock().iter().find(|worker| worker.party.key == *key).cloned())
    }

    fn means(&self, _: &AccountId, _: u32, payment: Payment) -> Result<Balance, Unavailable> {
        Ok(match payment {
            Payment::Tune => *self.means.lock(),
            Payment::Credits => 0,
        })
    }
}

struct Ring(Vec<AttesterPair>);

impl Keyring for Ring {
    fn keys(&self) -> Vec<AttesterId> {
        self.0.iter().map(Pair::public).collect()
    }

    fn has(&self, key: &AttesterId) -> bool {
        self.pair(key).is_some()
    }

    fn pair(&self, key: &AttesterId) -> Option<AttesterPair> {
        self.0.iter().find(|pair| pair.public() == *key).cloned()
    }
}

/// Who is connected to whom.
#[derive(Default)]
struct Switch {
    hubs: RwLock<HashMap<PeerId, Weak<Hub>>>,
    links: RwLock<HashSet<(PeerId, PeerId)>>,
}

impl Switch {
    fn hub(&self, peer: &PeerId) -> Option<Arc<Hub>> {
        self.hubs.read().get(peer).and_then(Weak::upgrade)
    }

    fn connect(&self, from: PeerId, to: PeerId) {
        let (Some(gateway), Some(worker)) = (self.hub(&from), self.hub(&to)) else { return };
        if worker.admits(&from) && self.links.write().insert((from, to)) {
            gateway.opened(to);
            worker.opened(from);
        }
    }

    fn disconnect(&self, one: PeerId, other: PeerId) {
        let pair = |from, to| self.links.write().remove(&(from, to));
        if pair(one, other) | pair(other, one) {
            for (peer, gone) in [(one, other), (other, one)] {
                if let Some(hub) = self.hub(&peer) {
                    hub.closed(gone);
                }
            }
        }
    }

    fn are_linked(&self, one: PeerId, other: PeerId) -> bool {
        let links = self.links.read();
        links.contains(&(one, other)) || links.contains(&(other, one))
    }
}

/// Alters the outputs of some ranges, always alike, and their signatures.
fn alter(reply: &mut Reply, is_altered: impl Fn(&RangeReply) -> bool) {
    let mut ranges = std::mem::take(&mut reply.ranges).into_inner();
    for range in ranges.iter_mut().filter(|range| is_altered(range)) {
        let middle = range.outputs.len() / 2;
        range.outputs[middle] += 1 << 30;
        range.signatures.iter_mut().for_each(|signature| signature[5] ^= 1);
    }
    reply.ranges = ranges.try_into().unwrap();
}

/// A node's end of the network.
pub struct Wire {
    local: PeerId,
    switch: Arc<Switch>,
    manner: Mutex<Manner>,
    sent: AtomicUsize,
    pub kept: Mutex<HashSet<PeerId>>,
    pub reported: Mutex<Vec<PeerId>>,
    /// Messages that were refused, with their reasons.
    pub refusals: Mutex<Vec<String>>,
    /// Calls that were sent.
    pub calls: Mutex<Vec<Call>>,
}

impl Wire {
    /// What arrives instead of a message, and how often; nothing if it is lost.
    fn altered(&self, peer: &PeerId, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        let number = self.sent.fetch_add(1, Ordering::SeqCst);
        let manner = self.manner.lock().clone();
        let Ok(Message::Reply(mut reply)) = Message::read(&bytes) else { return vec![bytes] };
        match manner {
            Manner::Honest => return vec![bytes],
            Manner::Silent | Manner::Stuck => return Vec::new(),
            Manner::Slow(pause) => {
                std::thread::sleep(pause);
                return vec![bytes];
            },
            Manner::PausesAt(message, pause) => {
                if number == message {
                    std::thread::sleep(pause);
                }
                return vec![bytes];
            },
            Manner::Forged => {
                let mut ranges = reply.ranges.into_inner();
                let signatures = ranges.iter_mut().flat_map(|range| range.signatures.iter_mut());
                signatures.for_each(|signature| signature[5] ^= 1);
                reply.ranges = ranges.try_into().unwrap();
            },
            Manner::LiesUnsigned => alter(&mut reply, |range| !range.signatures.is_empty()),
            Manner::LiesUnsignedFrom(message) => alter(&mut reply, |_| number >= message),
            Manner::Elsewhere => reply.session += 1,
            Manner::Garbled => return vec![vec![9; 50]],
            Manner::Oversized => return vec![vec![0; crate::rows::protocol::MAX_MESSAGE_LEN + 1]],
            Manner::Short => {
                let mut ranges = reply.ranges.into_inner();
                ranges[0].outputs.pop();
                reply.ranges = ranges.try_into().unwrap();
            },
            Manner::Flooding(times) => return vec![bytes; times],
            Manner::DiesAt(message) => {
                if number >= message {
                    self.switch.disconnect(self.local, *peer);
                    self.switch.hubs.write().remove(&self.local);
                    return Vec::new();
                }
                return vec![bytes];
            },
            Manner::BreaksAt(message) => {
                if number == message {
                    self.switch.disconnect(self.local, *peer);
                    self.switch.connect(*peer, self.local);
                    return Vec::new();
                }
                return vec![bytes];
            },
        }
        vec![Message::Reply(reply).encode()]
    }
}

impl Network for Wire {
    fn local(&self) -> PeerId {
        self.local
    }

    fn keep(&self, peer: PeerId) {
        self.kept.lock().insert(peer);
        self.switch.connect(self.local, peer);
    }

    fn release(&self, peer: PeerId) {
        assert!(self.kept.lock().remove(&peer));
    }

    fn send(&self, peer: &PeerId, message: Vec<u8>) -> bool {
        if !self.switch.are_linked(self.local, *peer) {
            return false;
        }
        match Message::read(&message) {
            Ok(Message::Refused(refused)) => self.refusals.lock().push(refused.reason()),
            Ok(Message::Call(call)) => self.calls.lock().push(call),
            _ => (),
        }
        for bytes in self.altered(peer, message) {
            if let Some(hub) = self.switch.hub(peer) {
                hub.received(self.local, &bytes);
            }
        }
        true
    }

    fn deliver(&self, peer: &PeerId, message: Vec<u8>, patience: Duration) -> Delivery {
        if let Manner::Stuck = *self.manner.lock() {
            std::thread::sleep(patience);
            return Delivery::Stuck;
        }
        match self.send(peer, message) {
            true => Delivery::Sent,
            false => Delivery::Gone,
        }
    }

    fn report(&self, peer: PeerId, _: ReputationChange) {
        self.reported.lock().push(peer);
        self.switch.disconnect(self.local, peer);
    }
}

/// A node.
pub struct Node {
    pub peer: PeerId,
    pub hub: Arc<Hub>,
    pub wire: Arc<Wire>,
    pub ledger: Arc<Ledger>,
    pub store: Arc<Store>,
    pub shelf: Arc<Shelf>,
    pub pair: AttesterPair,
    other: AttesterPair,
    _folder: TempDir,
}

impl Node {
    /// How its messages travel from now on.
    pub fn behaves(&self, manner: Manner) {
        self.wire.sent.store(0, Ordering::SeqCst);
        *self.wire.manner.lock() = manner;
    }

    /// The model that it has from now on.
    pub fn has(&self, model: Tiny) {
        *self.shelf.0.lock() = Ok(Arc::new(model));
    }

    /// What the chain says of it.
    pub fn participant(&self) -> Participant {
        Participant {
            account: self.pair.public().into_inner().0.into(),
            key: self.pair.public(),
            peer: self.peer.to_bytes().try_into().unwrap(),
        }
    }

    /// What the chain says of it under its other key.
    pub fn other(&self) -> Participant {
        let key = self.other.public();
        Participant { account: [77; 32].into(), key, ..self.participant() }
    }

    /// Begins the answer of the session, as its gateway.
    pub fn generate(&self, prompt: &[u32]) -> Result<Arc<Progress>, Error> {
        self.hub.gateway.generate(SESSION, prompt.to_vec())
    }
}

/// A network of nodes: the first is the gateway, the others are workers.
pub struct Net {
    pub world: Arc<World>,
    pub gateway: Node,
    pub workers: Vec<Node>,
    pub model: Tiny,
    switch: Arc<Switch>,
}

impl Net {
    /// A gateway and so many workers, all with the same model.
    pub fn new(workers: u32, replicas: u32) -> Self {
        let (world, switch, model) = (Arc::<World>::default(), Arc::<Switch>::default(), Tiny::new(3));
        let node = |seed: u8| node(seed, &world, &switch, &model);
        let gateway = node(100);
        let workers: Vec<_> = (0..workers).map(|place| node(u8::try_from(place).unwrap())).collect();
        let net = Self { world, gateway, workers, model, switch };
        *net.world.means.lock() = 1_000_000;
        net.bond(net.gateway.participant(), 1_000_000);
        net.open(SESSION, replicas);
        net
    }

    /// Opens a session that the workers are drawn for in their order.
    pub fn open(&self, id: SessionId, replicas: u32) {
        let workers = self.workers.iter().map(Node::participant).collect();
        let session = Session { id, ..session(self.gateway.participant(), replicas, workers) };
        self.world.sessions.lock().insert(id, session);
        self.world.next_block();
    }

    /// Says that somebody has a bond.
    pub fn bond(&self, party: Participant, bond: Balance) {
        let worker = Bonded { party, model: 0, bond, pledged: 0, sessions: 0, leaves_at: None };
        self.world.bonded.lock().push(worker);
    }

    /// Opens a session of another gateway.
    pub fn open_for(&self, id: SessionId, gateway: PeerId) {
        self.open(id, 1);
        let mut sessions = self.world.sessions.lock();
        sessions.get_mut(&id).unwrap().gateway.peer = gateway.to_bytes().try_into().unwrap();
    }

    /// That the workers are drawn.
    pub fn assigned(&self) -> SessionPhase<ensemble_runtime::AccountId, ensemble_runtime::BlockNumber> {
        SessionPhase::Assigned { workers: self.workers.iter().map(Node::participant).collect(), until: 100 }
    }

    /// Changes what the chain says of the session.
    pub fn change(&self, change: impl FnOnce(&mut Session)) {
        change(self.world.sessions.lock().get_mut(&SESSION).unwrap());
        self.world.next_block();
    }

    /// Has the session be asked something else.
    pub fn ask(&self, prompt: &[u32], max_tokens: u32) {
        self.change(|session| {
            session.prompt = blake2_256(&prompt.to_vec().encode()).into();
            session.prompt_tokens = prompt.len() as u32;
            session.max_tokens = max_tokens;
        });
    }

    /// Opens a substream from the gateway to a worker.
    pub fn connect(&self, place: usize) {
        self.switch.connect(self.gateway.peer, self.workers[place].peer);
    }

    /// The whole answer.
    pub fn answer(&self) -> (Vec<Item>, Result<Summary, String>) {
        follow(&self.gateway.generate(&PROMPT).unwrap())
    }

    /// The answer as one process alone gives it: all tokens, the gateway's trace, and those of all ranges.
    pub fn alone(&self, prompt: &[u32], most: u32, ranges: u32) -> Alone {
        alone(&self.model, prompt, most, ranges)
    }
}

fn node(seed: u8, world: &Arc<World>, switch: &Arc<Switch>, model: &Tiny) -> Node {
    let (peer, home) = (PeerId::random(), Home::new(seed, model));
    let wire = Arc::new(Wire {
        local: peer,
        switch: switch.clone(),
        manner: Mutex::default(),
        sent: AtomicUsize::new(0),
        kept: Mutex::default(),
        reported: Mutex::default(),
        refusals: Mutex::default(),
        calls: Mutex::default(),
    });
    let hub = home.hub(world, wire.clone(), PATIENCE);
    switch.hubs.write().insert(peer, Arc::downgrade(&hub));
    let Home { folder, store, ledger, shelf, pair, other } = home;
    Node { peer, hub, wire, ledger, store, shelf, pair, other, _folder: folder }
}

/// All of a node but its network.
pub struct Home {
    folder: TempDir,
    store: Arc<Store>,
    ledger: Arc<Ledger>,
    shelf: Arc<Shelf>,
    pair: AttesterPair,
    other: AttesterPair,
}

impl Home {
    /// With a key of this seed.
    pub fn new(seed: u8, model: &Tiny) -> Self {
        let folder = TempDir::new().unwrap();
        let store = testing::store(&folder.path().join("tensors"), 256 << 20);
        let ledger = Ledger::open(&folder.path().join("rows"), store.clone()).unwrap();
        let shelf = Arc::new(Shelf(Mutex::new(Ok(Arc::new(model.clone())))));
        let [pair, other] = [seed, seed + 50].map(|seed| AttesterPair::from_seed(&[seed; 32]));
        Self { folder, store, ledger, shelf, pair, other }
    }

    /// Connects it.
    pub fn hub(&self, world: &Arc<World>, network: Arc<dyn Network>, patience: Patience) -> Arc<Hub> {
        let all = world.clone();
        Hub::new(Arc::new(Context {
            genesis: Hash::repeat_byte(5),
            chain: world.clone(),
            keyring: Arc::new(Ring(vec![self.pair.clone(), self.other.clone()])),
            models: self.shelf.clone(),
            ledger: self.ledger.clone(),
            consents: Consents::open(&self.folder.path().join("consents")).unwrap(),
            gateway_replicas: 1,
            post: Post::new(network),
            metrics: Metrics::new(None).unwrap(),
            machine: Machine::PORTABLE,
            patience,
            faults: Mutex::new(Faults::default()),
            relays: Relays::new(RELAYS),
            fetch: Box::new(move |id, max_bytes| all.fetched.lock().push((id, max_bytes))),
        }))
    }

    /// What the chain says of it.
    pub fn participant(&self, peer: PeerId) -> Participant {
        Participant {
            account: self.pair.public().into_inner().0.into(),
            key: self.pair.public(),
            peer: peer.to_bytes().try_into().unwrap(),
        }
    }
}

/// The session of most tests.
pub fn session(gateway: Participant, replicas: u32, workers: Vec<Participant>) -> Session {
    Session {
        id: SESSION,
        requester: [9; 32].into(),
        model: 0,
        gateway,
        prompt: blake2_256(&PROMPT.to_vec().encode()).into(),
        prompt_tokens: PROMPT.len() as u32,
        max_tokens: MAX_TOKENS,
        workers: workers.len() as u32,
        replicas,
        price: 1,
        payment: Payment::Tune,
        phase: SessionPhase::Assigned { workers, until: 100 },
    }
}

/// Waits for all of an answer.
pub fn follow(progress: &Progress) -> (Vec<Item>, Result<Summary, String>) {
    let mut items = Vec::new();
    loop {
        let news = block_on(progress.after(items.len()));
        match news {
            News::Item(item) => items.push(item),
            News::End(end) => return (items, *end),
        }
    }
}

/// Waits for a future, and not for ever.
pub fn block_on<F: std::future::Future>(future: F) -> F::Output {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| tokio::runtime::Runtime::new().unwrap());
    let within = async { tokio::time::timeout(Duration::from_secs(60), future).await };
    runtime.block_on(within).expect("this takes too long")
}

/// Waits until something holds.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "{what} in vain");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What one process alone comes to.
pub struct Alone {
    pub tokens: Vec<u32>,
    pub trace: Trace,
    pub ranges: Vec<Trace>,
}

/// The answer as one process alone gives it.
pub fn alone(model: &Tiny, prompt: &[u32], most: u32, ranges: u32) -> Alone {
    let machine = Machine::PORTABLE;
    let all = Local::new(&LLAMA, machine, |name| model.named(name)).unwrap();
    let parts = (0..ranges).map(|range| Local::of_range(&LLAMA, machine, range, ranges, |name| model.named(name)));
    let parts: Vec<_> = parts.collect::<Result<_, _>>().unwrap();
    let mut run = Run::new(&LLAMA, model, true, machine).unwrap();
    let (mut tokens, mut next) = (prompt.to_vec(), prompt.to_vec());
    let mut trace = Trace::new(&LLAMA);
    let mut traces = vec![Trace::new(&LLAMA); ranges as usize];
    for _ in 0..most {
        let mut call = run.begin(&next, true).unwrap();
        let token = loop {
            assert!(trace.record_call(&call));
            for (part, trace) in parts.iter().zip(&mut traces) {
                assert!(trace.record_answer(&call, &part.compute(&call).unwrap()));
            }
            match run.supply(&all.compute(&call).unwrap()).unwrap() {
                Next::Call(next) => call = next,
                Next::Token(token) => break token,
                Next::Stored => unreachable!(),
            }
        };
        tokens.push(token);
        next = vec![token];
        if model.is_end(token) {
            break;
        }
    }
    Alone { tokens, trace, ranges: traces }
}
