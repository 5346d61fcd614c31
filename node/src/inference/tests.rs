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
    sample::{table, table_of_tokens, Lie, Play, Tiny, LLAMA},
    Claims, Table,
};
use ensemble_compute::{
    inference::{Entry, Trace},
    Machine,
};
use ensemble_core::{
    attester::AttesterSignature,
    inference::{Closing, Evidence, Position, RangeIndex, SessionId},
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
    rows::{Asked, LedgerError, Signed},
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
    asked: Mutex<Option<Asked>>,
    /// What traces become if they are cut, and where they were.
    cut: Mutex<Option<Descriptor>>,
    cuts: Mutex<Vec<(Descriptor, u32)>>,
    forgotten: Mutex<Vec<SessionId>>,
}

impl Records for Memory {
    fn traces(&self, session: SessionId, range: RangeIndex) -> Vec<Descriptor> {
        let traces = self.traces.lock();
        traces.iter().filter(|(of, at, _)| (*of, *at) == (session, range)).map(|(.., trace)| *trace).collect()
    }

    fn cut(
        &self,
        _: SessionId,
        _: RangeIndex,
        trace: &Descriptor,
        positions: u32,
    ) -> Result<Option<Descriptor>, LedgerError> {
        self.cuts.lock().push((*trace, positions));
        Ok(Some(self.cut.lock().unwrap_or(*trace)))
    }

    fn asked(&self, _: SessionId, beyond: Position) -> Option<Asked> {
        self.asked.lock().clone().filter(|asked| asked.position > beyond)
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
        self.session_of(5, lies)
    }

    /// The same of so many positions.
    fn session_of(&self, positions: u32, lies: &[(u32, u32, Lie)]) -> (Check, Claims) {
        let model = Tiny::default();
        let claims = Play { model: &model, prompt: &PROMPT, positions, ranges: 3, lies, publishes: true }.run();
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

fn signature() -> AttesterSignature {
    sp_core::sr25519::Signature::from_raw([0; 64]).into()
}

#[test]
fn who_asked_for_more_than_was_closed_with_is_shown_first() {
    let short = |position| Evidence::Short { position, signature: signature() };
    let status = |lies: &[(u32, u32, Lie)], asked, library: Library| {
        let lab = Lab::with(library);
        let (check, _) = lab.session(lies);
        assert_eq!(check.closing.positions(), 5);
        *lab.memory.asked.lock() = Some(Asked { position: asked, signature: signature() });
        lab.sessions.check(check.clone());
        lab.fill();
        lab.sessions.check(check)
    };
    let empty = Library { is_empty: true, ..Library::default() };
    // It is the last position, or broke off at the next.
    for asked in [4, 5] {
        assert_eq!(status(&[], asked, Library::default()), CheckStatus::Right);
        assert!(matches!(status(&[], asked, empty.clone()), CheckStatus::Unable(_)));
    }
    assert_eq!(status(&[], 6, Library::default()), CheckStatus::Wrong(vec![short(6)]));
    assert_eq!(status(&[], 7, empty), CheckStatus::Wrong(vec![short(7)]));
    // Others are found all the same.
    let lie = (3, 2, Lie::Output { range: 1, output: 4 });
    let CheckStatus::Wrong(found) = status(&[lie], 6, Library::default()) else { panic!("a row is wrong") };
    let [first, Evidence::Row { range: 1, .. }] = &found[..] else { panic!("{found:?}") };
    assert_eq!(*first, short(6));
}

#[test]
fn who_withholds_what_it_says_is_shown_to_have_asked_for_more() {
    let lab = Lab::new();
    let (check, _) = lab.session(&[]);
    lab.store.remove(&check.closing.tokens.id()).unwrap();
    for (asked, status) in [
        (5, CheckStatus::Pending),
        (6, CheckStatus::Wrong(vec![Evidence::Short { position: 6, signature: signature() }])),
    ] {
        *lab.memory.asked.lock() = Some(Asked { position: asked, signature: signature() });
        assert_eq!(lab.sessions.check(check.clone()), status);
    }
    assert!(lab.sessions.desk.jobs().take_first().is_none());
}

#[test]
fn signatures_that_find_nobody_come_last_and_are_so_many() {
    let lab = Lab::new();
    let (check, claims) = lab.session_of(40, &[(3, 2, Lie::Output { range: 1, output: 4 })]);
    let won = claims.won[1].as_ref().unwrap();
    // Nobody who voted for what won signed anything else; one who did not vote signed another row at each position.
    let rows =
        (0..40).map(|position| (won.row_hash(position).map(|hash| hash.map(|byte| !byte)).unwrap(), signature()));
    let silent = Signed { place: 4, range: 1, rows: rows.collect() };
    *lab.memory.signed.lock() = vec![silent.clone()];
    lab.sessions.check(check.clone());
    lab.fill();
    let CheckStatus::Wrong(found) = lab.sessions.check(check.clone()) else { panic!("a row is wrong") };
    let (first, others) = found.split_first().unwrap();
    assert!(matches!(first, Evidence::Row { .. }));
    let positions = others.iter().map(|evidence| match evidence {
        Evidence::Signature { range: 1, place: 4, trace, .. } => trace.index,
        other => panic!("{other:?}"),
    });
    assert_eq!(positions.collect::<Vec<_>>(), (0..32).collect::<Vec<_>>());
    // Where nothing is wrong there is nothing to excuse.
    let (check, _) = lab.session(&[]);
    lab.sessions.check(check.clone());
    lab.fill();
    assert_eq!(lab.sessions.check(check), CheckStatus::Right);
}

#[test]
fn what_finds_a_worker_is_among_the_first_of_its_rows() {
    let lab = Lab::new();
    let (mut check, claims) = lab.session_of(40, &[]);
    // It voted in range 2 alone, where it signed other rows only in the end.
    check.backers = vec![0, 0, 1];
    let signed = |range: u32, from: u32| {
        let won = claims.won[range as usize].as_ref().unwrap();
        let row = |position| won.row_hash(position).map(|hash| if position < from { hash } else { [7; 32] }).unwrap();
        Signed { place: 0, range, rows: (0..40).map(|position| (row(position), signature())).collect() }
    };
    *lab.memory.signed.lock() = vec![signed(0, 3), signed(2, 30), signed(1, 3)];
    lab.sessions.check(check.clone());
    lab.fill();
    let CheckStatus::Wrong(found) = lab.sessions.check(check) else { panic!("a worker is found") };
    let at = |evidence: &Evidence| match evidence {
        Evidence::Signature { range, place: 0, trace, .. } => (trace.index, *range),
        other => panic!("{other:?}"),
    };
    let found: Vec<_> = found.iter().map(at).collect();
    assert_eq!((found[0], found.len()), ((30, 2), 32));
    assert_eq!(found[1..5], [(3, 0), (3, 1), (4, 0), (4, 1)]);
}

#[test]
fn a_range_whose_vote_is_void_is_left_out() {
    let lab = Lab::new();
    let (mut check, claims) = lab.session(&[(3, 2, Lie::Output { range: 1, output: 4 })]);
    (check.won[0], check.backers[0]) = (None, 0);
    let rows = (0..5).map(|_| ([7; 32], signature())).collect();
    *lab.memory.signed.lock() = vec![Signed { place: 0, range: 0, rows }];
    lab.sessions.check(check.clone());
    lab.fill();
    let CheckStatus::Wrong(found) = lab.sessions.check(check) else { panic!("a row is wrong") };
    let [Evidence::Row { range: 1, trace, .. }] = &found[..] else { panic!("{found:?}") };
    assert_eq!(*trace, claims.won[1].as_ref().unwrap().prove(3).unwrap());
}

#[test]
fn contents_are_mapped_and_not_before_they_were_checked() {
    let lab = Lab::new();
    let (check, _) = lab.session(&[]);
    let Lab { _folder, store, .. } = lab;
    drop(store);
    // A node that starts again has not looked at its files.
    let store = testing::store(_folder.path(), 1 << 30);
    let trace = check.closing.trace.id();
    let table = || super::contents::table(&store, &trace);
    assert!(matches!(table(), Err(super::contents::Error::Unchecked(id)) if id == trace));
    while store.check(&trace).unwrap().step().unwrap() {}
    let mut data = Vec::new();
    store.read_pieces(&trace, |piece| data.extend_from_slice(piece)).unwrap();
    assert_eq!((table().unwrap().data(), table().unwrap().header()), (&data[..], &check.closing.trace.header));
    store.remove(&trace).unwrap();
    assert!(table().is_err());
}

#[test]
fn signatures_come_before_everything_else() {
    let lab = Lab::new();
    // Even if the gateway seems to be wrong.
    let (check, claims) = lab.session(&[(3, 2, Lie::Input)]);
    let won = claims.won[1].as_ref().unwrap();
    let mut rows: Vec<_> = (0..5).map(|position| (won.row_hash(position).unwrap(), signature())).collect();
    let same = Signed { place: 1, range: 1, rows: rows.clone() };
    rows[2].0[0] ^= 1;
    rows[4].0[0] ^= 1;
    let other = Signed { place: 2, range: 1, rows };
    // Who was outvoted is not found, but may excuse the gateway.
    let outvoted = Signed { place: 3, ..other.clone() };
    let signed = [2, 4].map(|position| (position, other.rows[position as usize].0));
    *lab.memory.signed.lock() = vec![same, other, outvoted];
    lab.sessions.check(check.clone());
    lab.fill();
    let evidence = [2, 3].into_iter().flat_map(|place| {
        signed.map(|(position, signed)| {
            let trace = won.prove(position).unwrap();
            Evidence::Signature { range: 1, place, signed, signature: signature(), trace }
        })
    });
    assert_eq!(lab.sessions.check(check), CheckStatus::Wrong(evidence.collect()));
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
    let tokens = lab.put(&table_of_tokens(&[1, 2]));
    let closing = |gateway: Descriptor| Closing { tokens, trace: gateway, contested: None };
    let own = lab.put(&trace(2, 4, Entry { input: [3; 32], other: [4; 32] }));
    lab.memory.traces.lock().push((SESSION, 1, own));

    // The states in a gateway's trace are nothing to workers.
    let same = lab.put(&trace(2, 4, Entry { input: [3; 32], other: [5; 32] }));
    assert_eq!(lab.sessions.trace(SESSION, 1, closing(same)), TraceStatus::Ready(own));
    assert_eq!(lab.sessions.trace(SESSION, 0, closing(same)), TraceStatus::Absent);
    assert_eq!(lab.sessions.trace(SESSION + 1, 1, closing(same)), TraceStatus::Absent);

    let other = lab.put(&trace(2, 4, Entry { input: [6; 32], other: [5; 32] }));
    assert_eq!(lab.sessions.trace(SESSION, 1, closing(other)), TraceStatus::Differs);
    assert_eq!(*lab.memory.cuts.lock(), [(own, 3)]);
    let longer = lab.put(&trace(3, 4, Entry { input: [3; 32], other: [5; 32] }));
    assert_eq!(lab.sessions.trace(SESSION, 1, closing(longer)), TraceStatus::Differs);
    assert_eq!(*lab.orders.0.lock(), []);
    assert_eq!(lab.memory.cuts.lock().len(), 1);
}

#[test]
fn a_trace_is_cut_to_what_the_gateway_closed_with() {
    let lab = Lab::new();
    let tokens = lab.put(&table_of_tokens(&[1, 2]));
    let closing = |gateway: Descriptor| Closing { tokens, trace: gateway, contested: None };
    // What comes after the gateway's end is nothing to it.
    let own = lab.put(&trace(7, 4, Entry { input: [3; 32], other: [4; 32] }));
    lab.memory.traces.lock().push((SESSION, 1, own));
    let cut = lab.put(&trace(2, 4, Entry { input: [9; 32], other: [9; 32] }));
    *lab.memory.cut.lock() = Some(cut);
    let shorter = lab.put(&trace(2, 0, Entry { input: [1; 32], other: [5; 32] }));
    assert_eq!(lab.sessions.trace(SESSION, 1, closing(shorter)), TraceStatus::Ready(cut));
    assert_eq!(*lab.memory.cuts.lock(), [(own, 3)]);
    let other = lab.put(&trace(1, 4, Entry { input: [3; 32], other: [5; 32] }));
    assert_eq!(lab.sessions.trace(SESSION, 1, closing(other)), TraceStatus::Differs);
    // Another table is no shorter trace.
    assert_eq!(lab.sessions.trace(SESSION, 1, closing(tokens)), TraceStatus::Differs);
    assert_eq!(lab.memory.cuts.lock().len(), 1);
}

#[test]
fn keys_that_signed_different_rows_abstain() {
    let lab = Lab::new();
    let tokens = lab.put(&table_of_tokens(&[1, 2]));
    let own = lab.put(&trace(7, 4, Entry { input: [3; 32], other: [4; 32] }));
    let closing = Closing { tokens, trace: own, contested: None };
    let shorter = lab.put(&trace(2, 0, Entry { input: [1; 32], other: [2; 32] }));
    lab.memory.traces.lock().extend([(SESSION, 1, own), (SESSION, 1, shorter)]);
    assert_eq!(lab.sessions.trace(SESSION, 1, closing), TraceStatus::Ready(own));
    // The inputs were the same, and its outputs are not.
    let other = lab.put(&trace(2, 0, Entry { input: [1; 32], other: [5; 32] }));
    lab.memory.traces.lock().push((SESSION, 1, other));
    assert_eq!(lab.sessions.trace(SESSION, 1, closing), TraceStatus::Differs);
}

#[test]
fn nobody_votes_without_the_tokens() {
    let lab = Lab::new();
    let own = lab.put(&trace(2, 4, Entry { input: [3; 32], other: [4; 32] }));
    lab.memory.traces.lock().push((SESSION, 1, own));
    let tokens = table_of_tokens(&[1, 2, 3]);
    let root = Tensor::new(*tokens.header(), tokens.data()).unwrap().outline().unwrap().root();
    let closing = Closing { tokens: Descriptor { header: *tokens.header(), root }, trace: own, contested: None };
    assert_eq!(lab.sessions.trace(SESSION, 1, closing), TraceStatus::Waiting);
    assert_eq!(*lab.orders.0.lock(), [(closing.tokens.id(), 12)]);
    lab.put(&tokens);
    assert_eq!(lab.sessions.trace(SESSION, 1, closing), TraceStatus::Ready(own));
}

#[test]
fn the_gateways_trace_is_fetched() {
    let lab = Lab::new();
    lab.memory.traces.lock().push((SESSION, 0, lab.put(&trace(0, 0, Entry::default()))));
    let header = Header::new(Kind::I32, 2, 2).unwrap();
    let absent = Descriptor { header, root: Tensor::new(header, &[0; 16]).unwrap().outline().unwrap().root() };
    let closing = Closing { tokens: absent, trace: absent, contested: None };
    assert_eq!(lab.sessions.trace(SESSION, 0, closing), TraceStatus::Waiting);
    assert_eq!(*lab.orders.0.lock(), [(absent.id(), 16), (absent.id(), 16)]);
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
