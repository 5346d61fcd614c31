//! What this node has to say of sessions: the traces of the ranges that it served, and as a gateway the closing and
//! what workers signed.
//!
//! Traces and tokens lie in the tensor store, pinned. What they belong to lies in a file for each session, so that a
//! node that starts again still votes and closes.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use codec::{Decode, DecodeAll, Encode};
use ensemble_compute::inference::Trace;
use ensemble_core::{
    attester::AttesterSignature,
    inference::{Closing, Contested, Position, RangeIndex, SessionId},
    tasks::Descriptor,
};
use ensemble_tensor::{Hash, Header, Kind, TensorId};
use parking_lot::Mutex;

use super::LOG_TARGET;
use crate::tensors::{Store, StoreError};

/// Sessions that are remembered. The oldest make way: by then they are long over.
const MAX_RECORDS: usize = 1024;
/// How the files of sessions end.
const ENDING: &str = "session";

/// What workers and gateways of this node have to say.
pub struct Ledger {
    store: Arc<Store>,
    folder: PathBuf,
    records: Mutex<BTreeMap<SessionId, Record>>,
}

/// What there is to say of a session.
#[derive(Clone, Debug, Default, Decode, Encode, PartialEq)]
struct Record {
    served: Vec<Served>,
    answered: Option<Answered>,
}

/// The trace of a range that this node served.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
struct Served {
    place: u32,
    range: RangeIndex,
    trace: Descriptor,
}

/// What there is to say of a session that this node answered.
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
pub struct Answered {
    /// What the gateway says when it closes the session.
    pub closing: Closing,
    /// What workers signed.
    pub signed: Vec<Signed>,
    /// How far workers agreed.
    pub report: Report,
}

/// What a worker signed for one of its ranges.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct Signed {
    /// The worker's place.
    pub place: u32,
    /// The range.
    pub range: RangeIndex,
    /// For each position, from 0, the leaf hash of the row of its trace, and the signature.
    pub rows: Vec<(Hash, AttesterSignature)>,
}

/// How far the workers of a session agreed.
#[derive(Clone, Debug, Default, Decode, Encode, Eq, PartialEq)]
pub struct Report {
    /// Tokens of the answer.
    pub tokens: u32,
    /// Outputs of ranges that all replicas gave alike: one for each range and call.
    pub full: u64,
    /// Outputs of ranges that most replicas gave alike.
    pub majority: u64,
    /// Outputs of ranges that too few replicas gave to be sure.
    pub unverified: u64,
    /// Where workers differed from what was taken, at most the first thousand.
    pub disagreements: Vec<Disagreement>,
    /// Workers that were dropped, and why.
    pub dropped: Vec<(u32, String)>,
}

/// A place at which a worker differed from what was taken.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
pub struct Disagreement {
    /// The worker's place.
    pub place: u32,
    /// The range.
    pub range: RangeIndex,
    /// The stage.
    pub stage: u32,
    /// The position.
    pub position: Position,
}

/// Why something cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is too little room to pin it.
    #[error("{0} was removed before it could be pinned")]
    Lost(TensorId),
    /// The file of the session cannot be written.
    #[error("cannot write the session's file: {0}")]
    Io(#[from] io::Error),
}

impl From<ensemble_tensor::Error> for Error {
    fn from(error: ensemble_tensor::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Ledger {
    /// What was written in a folder, which is created if need be.
    pub fn open(folder: &Path, store: Arc<Store>) -> io::Result<Arc<Self>> {
        fs::create_dir_all(folder)?;
        let mut records = BTreeMap::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            match read(&path) {
                Some((session, record)) => drop(records.insert(session, record)),
                None => tracing::warn!(target: LOG_TARGET, "{} is no session's file; it is left alone", path.display()),
            }
        }
        Ok(Arc::new(Self { store, folder: folder.into(), records: Mutex::new(records) }))
    }

    /// Whether a worker's part in a session is over on this node.
    pub fn is_served(&self, session: SessionId, place: u32) -> bool {
        let served = |record: &Record| record.served.iter().any(|served| served.place == place);
        self.records.lock().get(&session).is_some_and(served)
    }

    /// The trace of a range that this node served. It is in the store, pinned.
    pub fn trace(&self, session: SessionId, range: RangeIndex) -> Option<Descriptor> {
        let records = self.records.lock();
        let mut served = records.get(&session)?.served.iter();
        served.find(|served| served.range == range).map(|served| served.trace)
    }

    /// What this node as the gateway has to say, once the answer is complete.
    pub fn closing(&self, session: SessionId) -> Option<Closing> {
        self.answered(session).map(|answered| answered.closing)
    }

    /// All that is known of a session that this node has answered.
    pub fn answered(&self, session: SessionId) -> Option<Answered> {
        self.records.lock().get(&session)?.answered.clone()
    }

    /// Keeps the traces that a worker at a place made.
    pub fn seal(&self, session: SessionId, place: u32, traces: &[(RangeIndex, Trace)]) -> Result<(), Error> {
        let mut served = Vec::new();
        for (range, trace) in traces {
            let (header, _) = trace.describe()?;
            served.push(Served { place, range: *range, trace: self.keep(header, trace.bytes())? });
        }
        self.change(session, |record| {
            // What a worker at a place said first is what it says.
            if record.served.iter().all(|served| served.place != place) {
                record.served.extend(served);
            }
        })
    }

    /// Keeps what comes of an answer: all tokens, the gateway's trace, what was contested and what was signed.
    pub fn close(
        &self,
        session: SessionId,
        tokens: &[u32],
        trace: &Trace,
        contested: &[Contested],
        signed: Vec<Signed>,
        report: Report,
    ) -> Result<Closing, Error> {
        let bytes: Vec<_> = tokens.iter().flat_map(|token| token.to_le_bytes()).collect();
        let rows = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
        let tokens = self.keep(Header::new(Kind::I32, rows, 1)?, &bytes)?;
        let trace = self.keep(trace.describe()?.0, trace.bytes())?;
        let contested = match contested {
            [] => None,
            contested => {
                let bytes = contested.encode();
                Some(self.keep(Header::bytes(bytes.len() as u64)?, &bytes)?.id())
            },
        };
        let closing = Closing { tokens, trace, contested };
        self.change(session, |record| record.answered = Some(Answered { closing, signed, report }))?;
        Ok(closing)
    }

    /// Lets go all that is kept for a session.
    pub fn forget(&self, session: SessionId) {
        let mut records = self.records.lock();
        let Some(record) = records.remove(&session) else { return };
        // Sessions with the same question have the same tensors.
        let others: HashSet<_> = records.values().flat_map(Record::tensors).collect();
        drop(records);
        for id in record.tensors().filter(|id| !others.contains(id)) {
            if let Err(error) = self.store.unpin(&id) {
                tracing::warn!(target: LOG_TARGET, "Could not unpin {id} of session {session}: {error}");
            }
        }
        if let Err(error) = fs::remove_file(self.file(session)) {
            tracing::warn!(target: LOG_TARGET, "Could not remove the file of session {session}: {error}");
        }
    }

    fn keep(&self, header: Header, data: &[u8]) -> Result<Descriptor, Error> {
        let outline = self.store.put(header, data)?;
        match self.store.pin(&outline.id())? {
            true => Ok(Descriptor { header, root: outline.root() }),
            false => Err(Error::Lost(outline.id())),
        }
    }

    fn change(&self, session: SessionId, change: impl FnOnce(&mut Record)) -> Result<(), Error> {
        let mut records = self.records.lock();
        let record = records.entry(session).or_default();
        change(record);
        let bytes = record.encode();
        let oldest = records.first_key_value().map(|(oldest, _)| *oldest).filter(|_| records.len() > MAX_RECORDS);
        // What is voted on is not lost with the power.
        write(&self.folder, &self.file(session), &bytes)?;
        drop(records);
        if let Some(oldest) = oldest {
            self.forget(oldest);
        }
        Ok(())
    }

    fn file(&self, session: SessionId) -> PathBuf {
        self.folder.join(session.to_string()).with_extension(ENDING)
    }
}

impl Record {
    fn tensors(&self) -> impl Iterator<Item = TensorId> + '_ {
        let closings = self.answered.iter().map(|answered| answered.closing);
        let of_closing = |closing: Closing| {
            [Some(closing.tokens.id()), Some(closing.trace.id()), closing.contested].into_iter().flatten()
        };
        self.served.iter().map(|served| served.trace.id()).chain(closings.flat_map(of_closing))
    }
}

fn read(path: &Path) -> Option<(SessionId, Record)> {
    let session = path.file_stem()?.to_str()?.parse().ok()?;
    if path.extension()? != ENDING {
        return None;
    }
    let record = Record::decode_all(&mut &*fs::read(path).ok()?).ok()?;
    Some((session, record))
}

/// Writes a file whole or not at all.
fn write(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix("new-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use ensemble_compute::inference::Entry;
    use tempfile::TempDir;

    use super::*;
    use crate::{rows::tests::tiny, tensors::testing};

    struct Home {
        folder: TempDir,
        store: Arc<Store>,
    }

    impl Home {
        fn new() -> Self {
            let folder = TempDir::new().unwrap();
            let store = testing::store(&folder.path().join("tensors"), 64 << 20);
            Self { folder, store }
        }

        fn ledger(&self) -> Arc<Ledger> {
            Ledger::open(&self.folder.path().join("rows"), self.store.clone()).unwrap()
        }
    }

    fn trace(mark: u8) -> Trace {
        let mut trace = Trace::new(&tiny::LLAMA);
        trace.record(2, 0, &Entry { input: [mark; 32], other: [1; 32] });
        trace
    }

    #[test]
    fn what_is_kept_is_there_after_a_restart() {
        let home = Home::new();
        let ledger = home.ledger();
        ledger.seal(3, 1, &[(1, trace(1)), (0, trace(2))]).unwrap();
        ledger.seal(3, 1, &[(1, trace(3))]).unwrap();
        let signed = vec![Signed { place: 0, range: 0, rows: Vec::new() }];
        let report = Report { tokens: 1, ..Default::default() };
        let contested = [Contested { range: 0, position: 1, stage: 2, outputs: vec![3] }];
        let closing = ledger.close(4, &[1, 2], &trace(1), &contested, signed.clone(), report.clone()).unwrap();
        assert_eq!((closing.positions(), closing.tokens.header.rows()), (3, 2));

        let again = home.ledger();
        assert_eq!(again.trace(3, 1).unwrap().id(), closing.trace.id());
        assert_ne!(again.trace(3, 0), again.trace(3, 1));
        assert_eq!((again.trace(3, 2), again.trace(4, 0)), (None, None));
        assert!(again.is_served(3, 1) && !again.is_served(3, 0) && !again.is_served(4, 1));
        assert_eq!(again.answered(4), Some(Answered { closing, signed, report }));
        for id in [closing.trace.id(), closing.tokens.id(), closing.contested.unwrap()] {
            assert!(home.store.has_pin(&id));
        }
    }

    #[test]
    fn forgetting_unpins_what_no_other_session_needs() {
        let home = Home::new();
        let ledger = home.ledger();
        ledger.seal(1, 0, &[(0, trace(1)), (1, trace(2))]).unwrap();
        ledger.seal(2, 0, &[(0, trace(1))]).unwrap();
        let (both, one) = (ledger.trace(1, 0).unwrap().id(), ledger.trace(1, 1).unwrap().id());
        ledger.forget(1);
        assert!(home.store.has_pin(&both) && !home.store.has_pin(&one));
        ledger.forget(2);
        ledger.forget(2);
        assert!(!home.store.has_pin(&both));
        assert_eq!(home.ledger().trace(2, 0), None);
    }

    #[test]
    fn files_that_are_no_sessions_are_left_alone() {
        let home = Home::new();
        home.ledger().seal(1, 0, &[(0, trace(1))]).unwrap();
        let folder = home.folder.path().join("rows");
        for (name, bytes) in [("2.session", &b"broken"[..]), ("notes.txt", b"mine"), ("x.session", b"")] {
            fs::write(folder.join(name), bytes).unwrap();
        }
        let ledger = home.ledger();
        assert!(ledger.is_served(1, 0));
        assert_eq!(ledger.trace(2, 0), None);
        assert_eq!(fs::read(folder.join("notes.txt")).unwrap(), b"mine");
    }

    #[test]
    fn only_so_many_sessions_are_remembered() {
        let home = Home::new();
        let ledger = home.ledger();
        for session in 0..=MAX_RECORDS as u32 {
            ledger.change(session, |record| record.served.clear()).unwrap();
        }
        assert_eq!(ledger.records.lock().len(), MAX_RECORDS);
        assert!(!ledger.records.lock().contains_key(&0));
    }

    #[test]
    fn nothing_is_sealed_of_an_empty_trace() {
        let home = Home::new();
        home.ledger().seal(1, 0, &[(0, Trace::new(&tiny::LLAMA))]).unwrap_err();
        assert!(!home.ledger().is_served(1, 0));
    }
}
