//! What the off-chain worker is told.

use std::{
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::Duration,
};

use codec::Encode;
use ensemble_check::{
    sample::{table, Lie, Play, Tiny, LLAMA},
    Claims, Table,
};
use ensemble_compute::{
    inference::{Entry, Trace},
    Machine,
};
use ensemble_core::{
    attester::AttesterSignature,
    inference::{Closing, Evidence, RangeIndex, SessionId},
    tasks::Descriptor,
};
use ensemble_host::{CameAs, Check, CheckStatus, InferenceAccess, Pinning, TensorAccess, TensorStatus, TraceStatus};
use ensemble_tensor::{Header, Kind, Tensor, TensorId};
use parking_lot::Mutex;
use tempfile::TempDir;

use super::{
    jobs::{FAILURE_LIFETIME, LIFETIME, QUEUE},
    worker::{Models, Worker},
    Metrics, Records, Sessions,
};
use crate::{
    models::Unopened,
    rows::Signed,
    tensors::{testing, Store},
};

const PROMPT: [u32; 3] = [9, 8, 7];
const SESSION: SessionId = 4;

/// What a node remembers, as a test says.
#[derive(Default)]
struct Memory {
    traces: Mutex<Vec<(SessionId, RangeIndex, Descriptor)>>,
    closing: Mutex<Option<Closing>>,
    signed: Mutex<Vec<Signed>>,
    forgotten: Mutex<Vec<SessionId>>,
}

impl Records for Memory {
    fn trace(&self, session: SessionId, range: RangeIndex) -> Option<Descriptor> {
        let traces = self.traces.lock();
        traces.iter().find(|(of, at, _)| (*of, *at) == (session, range)).map(|(.., trace)| *trace)
    }

    fn closing(&self, _: SessionId) -> Option<Closing> {
        *self.closing.lock()
    }

    fn signed(&self, _: SessionId) -> Vec<Signed> {
        self.signed.lock().clone()
    }

    fn forget(&self, session: SessionId) {
        self.forgotten.lock().push(session);
    }
}

/// Notes what is fetched.
#[derive(Default)]
struct Orders(Mutex<Vec<(TensorId, u64)>>);

impl TensorAccess for Orders {
    fn status(&self, _: TensorId) -> TensorStatus {
        TensorStatus::Absent
    }

    fn fetch(&self, id: TensorId, max_bytes: u64) {
        self.0.lock().push((id, max_bytes));
    }

    fn read(&self, _: TensorId, _: u32) -> Option<Vec<u8>> {
        None
    }

    fn pin(&self, _: TensorId) -> Pinning {
        Pinning::Refused
    }

    fn unpin(&self, _: TensorId) {}

    fn restrict(&self, _: TensorId, _: u32) -> bool {
        panic!("models and traces are public")
    }

    fn came_as(&self, _: TensorId) -> Option<Vec<CameAs>> {
        panic!("models and traces are public")
    }

    fn reopen(&self, _: TensorId, _: u64, _: Vec<CameAs>) {
        panic!("models and traces are public")
    }
}

/// Opens the tiny model whatever the id, as often as it is asked to.
#[derive(Clone, Default)]
struct Library {
    opened: Arc<AtomicUsize>,
    is_empty: bool,
    /// Whether it is still being checked.
    is_new: bool,
}

impl Models for Library {
    type Model = Tiny;

    fn open(&self, _: &Arc<Store>, _: &TensorId, _: Machine) -> Result<Tiny, Unopened> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        if self.is_new {
            return Err(Unopened { reason: "the model is still being checked".into(), passing: true });
        }
        match self.is_empty {
            true => Err("the model is none".into()),
            false => Ok(Tiny::default()),
        }
    }
}

struct Lab {
    _folder: TempDir,
    store: Arc<Store>,
    memory: Arc<Memory>,
    orders: Arc<Orders>,
    library: Library,
    sessions: Sessions,
    worker: Worker<Library>,
}

impl Lab {
    fn new() -> Self {
        Self::with(Library::default())
    }

    fn with(library: Library) -> Self {
        let folder = TempDir::new().unwrap();
        let store = testing::store(folder.path(), 1 << 30);
        let (memory, orders) = (Arc::<Memory>::default(), Arc::<Orders>::default());
        let metrics = Metrics::new(None).unwrap();
        let sessions = Sessions::new(store.clone(), orders.clone(), memory.clone(), metrics);
        let worker = sessions.worker(library.clone(), Machine::ONE_CORE);
        Self { _folder: folder, store, memory, orders, library, sessions, worker }
    }

    fn put(&self, table: &Table) -> Descriptor {
        let outline = self.store.put(*table.header(), table.data()).unwrap();
        Descriptor { header: *table.header(), root: outline.root() }
    }

    fn bytes(&self, bytes: &[u8]) -> TensorId {
        self.store.put(Header::bytes(bytes.len() as u64).unwrap(), bytes).unwrap().id()
    }

    /// A check of a session whose contents are here.
    fn session(&self, lies: &[(u32, u32, Lie)]) -> (Check, Claims) {
        let model = Tiny::default();
        let claims = Play { model: &model, prompt: &PROMPT, positions: 5, ranges: 3, lies, publishes: true }.run();
        let contested = (!claims.contested.is_empty()).then(|| self.bytes(&claims.contested.encode()));
        let closing = Closing { tokens: self.put(&claims.tokens), trace: self.put(&claims.gateway), contested };
        let won = claims.won.iter().map(|won| won.as_ref().map(|won| self.put(won).id())).collect();
        let (prompt, prompt_tokens) = (claims.prompt, claims.prompt_tokens);
        let model = self.bytes(b"a model");
        (Check { session: SESSION, model, prompt, prompt_tokens, closing, won, backers: vec![0b111; 3] }, claims)
    }

    /// Has the next order done.
    fn fill(&self) {
        let order = self.sessions.desk.jobs().take_first().unwrap();
        self.worker.fill(&order);
    }
}

#[test]
fn a_right_session_is_computed_once() {
    let lab = Lab::new();
    let (check, _) = lab.session(&[]);
    assert_eq!(lab.sessions.check(check.clone()), CheckStatus::Pending);
    assert_eq!(lab.sessions.check(check.clone()), CheckStatus::Pending);
    lab.fill();
    assert_eq!(lab.sessions.check(check.clone()), CheckStatus::Right);
    assert_eq!(lab.sessions.check(check), CheckStatus::Right);
    assert_eq!(lab.library.opened.load(Ordering::Relaxed), 1);
    assert_eq!(lab.sessions.desk.jobs().under_way(), 0);
}

#[test]
fn a_wrong_row_comes_back_as_evidence() {
    let lab = Lab::new();
    let (check, _) = lab.session(&[(3, 2, Lie::Output { range: 1, output: 4 })]);
    lab.sessions.check(check.clone());
    lab.fill();
    let CheckStatus::Wrong(found) = lab.sessions.check(check) else { panic!("a row is wrong") };
    let [Evidence::Row { range: 1, stage: 2, output: 4, .. }] = &found[..] else { panic!("{found:?}") };
}

#[test]
fn a_check_waits_until_everything_is_here() {
    let lab = Lab::new();
    let (check, _) = lab.session(&[]);
    for id in [check.model, check.closing.tokens.id(), check.closing.trace.id(), check.won[2].unwrap()] {
        let (header, data) = (lab.store.header(&id).unwrap(), {
            let mut data = Vec::new();
            lab.store.read_pieces(&id, |piece| data.extend_from_slice(piece)).unwrap();
            data
        });
        lab.store.remove(&id).unwrap();
        assert_eq!(lab.sessions.check(check.clone()), CheckStatus::Pending);
        assert!(lab.sessions.desk.jobs().take_first().is_none());
        lab.store.put(header, &data).unwrap();
    }
    lab.sessions.check(check);
    assert!(lab.sessions.desk.jobs().take_first().is_some());
}

#[test]
fn what_goes_while_it_waits_is_asked_for_again() {
    let lab = Lab::new();
    let (check, _) = lab.session(&[]);
    lab.sessions.check(check.clone());
    lab.store.remove(&check.closing.trace.id()).unwrap();
    lab.fill();
    assert_eq!(lab.sessions.check(check), CheckStatus::Pending);
    assert_eq!(lab.library.opened.load(Ordering::Relaxed), 0);
}

#[test]
fn a_model_that_is_none_is_remembered_for_a_while() {
    let lab = Lab::with(Library { is_empty: true, ..Library::default() });
    let (check, _) = lab.session(&[]);
    lab.sessions.check(check.clone());
    lab.fill();
    assert_eq!(lab.sessions.check(check.clone()), CheckStatus::Unable("the model is none".into()));
    lab.sessions.desk.jobs().age(FAILURE_LIFETIME);
    assert_eq!(lab.sessions.check(check), CheckStatus::Pending);
    assert_eq!(lab.sessions.desk.jobs().under_way(), 1);
}

#[test]
fn a_model_that_is_still_being_checked_is_opened_again() {
    let lab = Lab::with(Library { is_new: true, ..Library::default() });
    let (check, _) = lab.session(&[]);
    lab.sessions.check(check.clone());
    lab.fill();
    assert_eq!(lab.sessions.check(check), CheckStatus::Pending);
    assert_eq!(lab.sessions.desk.jobs().under_way(), 1);
}

#[test]
fn a_check_that_nobody_asks_about_is_dropped() {
    let lab = Lab::new();
    let (check, _) = lab.session(&[]);
    lab.sessions.check(check.clone());
    lab.sessions.desk.jobs().age(LIFETIME);
    assert!(lab.sessions.desk.jobs().take_first().is_none());
    // One that is under way ends.
    lab.sessions.check(check.clone());
    let order = lab.sessions.desk.jobs().take_first().unwrap();
    lab.sessions.desk.jobs().age(LIFETIME);
    lab.worker.fill(&order);
    assert_eq!(lab.sessions.desk.jobs().under_way(), 0);
    assert_eq!(lab.sessions.check(check), CheckStatus::Pending, "and can begin anew");
}

#[test]
fn only_so_many_checks_wait() {
    let lab = Lab::new();
    let (check, _) = lab.session(&[]);
    for session in 0..20 {
        assert_eq!(lab.sessions.check(Check { session, ..check.clone() }), CheckStatus::Pending);
    }
    assert_eq!(lab.sessions.desk.jobs().under_way(), QUEUE);
}

#[test]
fn signatures_come_before_everything_else() {
    let lab = Lab::new();
    // Even if the gateway seems to be wrong.
    let (check, claims) = lab.session(&[(3, 2, Lie::Input)]);
    let won = claims.won[1].as_ref().unwrap();
    let signature = || AttesterSignature::from(sp_core::sr25519::Signature::default());
    let mut rows: Vec<_> = (0..5).map(|position| (won.row_hash(position).unwrap(), signature())).collect();
    let same = Signed { place: 1, range: 1, rows: rows.clone() };
    rows[2].0[0] ^= 1;
    rows[4].0[0] ^= 1;
    let other = Signed { place: 2, range: 1, rows };
    // Who was outvoted has lost its bond already.
    let outvoted = Signed { place: 3, ..other.clone() };
    let signed = other.rows[2].0;
    *lab.memory.signed.lock() = vec![same, other, outvoted];
    lab.sessions.check(check.clone());
    lab.fill();
    let evidence =
        Evidence::Signature { range: 1, place: 2, signed, signature: signature(), trace: won.prove(2).unwrap() };
    assert_eq!(lab.sessions.check(check), CheckStatus::Wrong(vec![evidence]));
    assert_eq!(lab.library.opened.load(Ordering::Relaxed), 0);
}

#[test]
fn contested_outputs_that_are_none_are_as_good_as_none() {
    let lab = Lab::new();
    let (mut check, _) = lab.session(&[(3, 2, Lie::Output { range: 1, output: 4 })]);
    check.closing.contested = Some(lab.bytes(&[0xff; 9]));
    lab.sessions.check(check.clone());
    lab.fill();
    let CheckStatus::Unable(reason) = lab.sessions.check(check) else { panic!("it cannot be shown") };
    assert!(reason.contains("withholds"), "{reason}");
}

#[test]
fn forgetting_a_session_lets_go_what_is_known() {
    let lab = Lab::new();
    let (check, _) = lab.session(&[]);
    lab.sessions.check(check.clone());
    lab.fill();
    lab.sessions.check(Check { prompt_tokens: 2, ..check.clone() });
    lab.sessions.forget(SESSION);
    assert_eq!(lab.sessions.desk.jobs().under_way(), 0);
    assert_eq!(*lab.memory.forgotten.lock(), [SESSION]);
    assert_eq!(lab.sessions.check(check), CheckStatus::Pending);
}

/// A trace of which one entry is as the test says.
fn trace(position: u32, stage: u32, entry: Entry) -> Table {
    let mut trace = Trace::new(&LLAMA);
    for at in 0..3 {
        trace.record(at, 0, &Entry { input: [1; 32], other: [2; 32] });
    }
    trace.record(position, stage, &entry);
    table(&trace)
}

#[test]
fn a_trace_is_ready_if_the_gateway_gave_the_same_inputs() {
    let lab = Lab::new();
    let closing = |gateway: Descriptor| Closing { tokens: gateway, trace: gateway, contested: None };
    let own = lab.put(&trace(2, 4, Entry { input: [3; 32], other: [4; 32] }));
    lab.memory.traces.lock().push((SESSION, 1, own));

    // The states in a gateway's trace are nothing to workers.
    let same = lab.put(&trace(2, 4, Entry { input: [3; 32], other: [5; 32] }));
    assert_eq!(lab.sessions.trace(SESSION, 1, closing(same)), TraceStatus::Ready(own));
    assert_eq!(lab.sessions.trace(SESSION, 0, closing(same)), TraceStatus::Absent);
    assert_eq!(lab.sessions.trace(SESSION + 1, 1, closing(same)), TraceStatus::Absent);

    let other = lab.put(&trace(2, 4, Entry { input: [6; 32], other: [5; 32] }));
    assert_eq!(lab.sessions.trace(SESSION, 1, closing(other)), TraceStatus::Differs);
    let longer = lab.put(&trace(3, 4, Entry { input: [3; 32], other: [5; 32] }));
    assert_eq!(lab.sessions.trace(SESSION, 1, closing(longer)), TraceStatus::Differs);
    assert_eq!(*lab.orders.0.lock(), []);
}

#[test]
fn the_gateways_trace_is_fetched() {
    let lab = Lab::new();
    lab.memory.traces.lock().push((SESSION, 0, lab.put(&trace(0, 0, Entry::default()))));
    let header = Header::new(Kind::I32, 2, 2).unwrap();
    let absent = Descriptor { header, root: Tensor::new(header, &[0; 16]).unwrap().outline().unwrap().root() };
    let closing = Closing { tokens: absent, trace: absent, contested: None };
    assert_eq!(lab.sessions.trace(SESSION, 0, closing), TraceStatus::Waiting);
    assert_eq!(*lab.orders.0.lock(), [(absent.id(), 16)]);
}

#[test]
fn a_thread_takes_the_orders_and_ends() {
    let lab = Lab::new();
    let sessions = Sessions::start(
        lab.store.clone(),
        lab.orders.clone(),
        lab.memory.clone(),
        lab.library.clone(),
        Metrics::new(None).unwrap(),
        Machine::ONE_CORE,
    )
    .unwrap();
    let (check, _) = lab.session(&[]);
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while sessions.check(check.clone()) == CheckStatus::Pending {
        assert!(std::time::Instant::now() < deadline, "it takes too long");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(sessions.check(check), CheckStatus::Right);
}
