//! What this node has to say of sessions: the traces of the ranges that it served, and as a gateway the closing and
//! what workers signed.
//!
//! Traces and tokens lie in the tensor store, pinned. What they belong to lies in a file for each session, so that a
//! node that starts again still votes and closes. What workers signed lies in another, which is read only by whoever
//! asks: it is long, and hardly ever needed.
//!
//! A worker that signed two rows for one position would lose its bond. So that it has begun to serve a session is
//! written down before its first answer, and nobody ever begins twice: not after a restart, not after traces could not
//! be kept, and not on another fork, where the session of this number may be another one.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashSet},
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
/// How the files end that say what workers signed.
const SIGNED: &str = "signed";
/// How often a trace is cut to what its gateway closed with, which may be something else on another fork.
const MAX_CUTS: usize = 4;
/// How the names of files begin that are not whole yet.
pub(super) const UNFINISHED: &str = "new-";
/// The file that says below which number sessions were forgotten for want of room.
const FORGOTTEN: &str = "forgotten";

/// What workers and gateways of this node have to say.
pub struct Ledger {
    store: Arc<Store>,
    folder: PathBuf,
    book: Mutex<Book>,
}

/// What is known of all sessions.
#[derive(Default)]
struct Book {
    records: BTreeMap<SessionId, Record>,
    /// Sessions whose files cannot be read: nobody knows what was signed there.
    unreadable: BTreeSet<SessionId>,
    /// Sessions of which a file with signatures was found when the node started.
    signed: BTreeSet<SessionId>,
    /// Sessions below this number may have been forgotten for want of room.
    forgotten: SessionId,
}

/// What there is to say of a session.
#[derive(Clone, Debug, Default, Decode, Encode, PartialEq)]
struct Record {
    /// Places whose workers have begun to serve.
    begun: Vec<u32>,
    /// What workers served, and as far as the gateway closed with it.
    served: Vec<Served>,
    /// The furthest that its gateway asked for.
    asked: Option<Asked>,
    answered: Option<Answered>,
    /// Those of the tensors that somebody else had pinned before, who is to unpin them.
    borrowed: Vec<TensorId>,
}

/// The trace of a range that this node served.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
struct Served {
    place: u32,
    range: RangeIndex,
    trace: Descriptor,
}

/// A position that a gateway asked workers to compute.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct Asked {
    /// The position.
    pub position: Position,
    /// The gateway's signature of [`ask_bytes`](ensemble_core::inference::ask_bytes).
    pub signature: AttesterSignature,
}

/// What there is to say of a session that this node answered.
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
pub struct Answered {
    /// What the gateway says when it closes the session.
    pub closing: Closing,
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
        let mut book = Book::default();
        for entry in fs::read_dir(folder)? {
            book.read(&entry?.path())?;
        }
        let is_answered = |session| book.records.get(session).is_some_and(|record| record.answered.is_some());
        let left = book.signed.iter().filter(|session| !is_answered(session) && !book.unreadable.contains(session));
        for session in left {
            // The node stopped before it was noted that it had answered.
            fs::remove_file(file(folder, *session, SIGNED))?;
        }
        // What was written down may not have been pinned before the node stopped.
        for id in book.records.values().flat_map(Record::tensors).filter(|id| !store.has_pin(id)) {
            match store.pin(&id) {
                Ok(true) => (),
                Ok(false) => tracing::warn!(target: LOG_TARGET, "{id} is not here any more"),
                Err(error) => tracing::warn!(target: LOG_TARGET, "Could not pin {id}: {error}"),
            }
        }
        Ok(Arc::new(Self { store, folder: folder.into(), book: Mutex::new(book) }))
    }

    /// Whether so many bytes more could be kept, by what is there now.
    pub fn check_room(&self, bytes: u64) -> Result<(), Error> {
        Ok(self.store.check_room(bytes)?)
    }

    /// Notes that a worker at a place begins to serve a session. It may answer only after this says yes, and it does so
    /// once for ever: what was signed before is known to nobody who begins anew.
    pub fn begin(&self, session: SessionId, place: u32) -> Result<bool, Error> {
        let mut book = self.book.lock();
        if session < book.forgotten || book.unreadable.contains(&session) {
            return Ok(false);
        }
        self.change(&mut book, session, |record| {
            let is_new = !record.begun.contains(&place);
            record.begun.extend(is_new.then_some(place));
            is_new
        })
    }

    /// Whether the traces of a worker are kept.
    #[cfg(test)]
    pub fn is_served(&self, session: SessionId, place: u32) -> bool {
        let served = |record: &Record| record.served.iter().any(|served| served.place == place);
        self.book.lock().records.get(&session).is_some_and(served)
    }

    /// The longest trace of a range that this node served. It is in the store, pinned.
    #[cfg(test)]
    pub fn trace(&self, session: SessionId, range: RangeIndex) -> Option<Descriptor> {
        self.traces(session, range).first().copied()
    }

    /// The traces of a range that this node served, the longest first: several of its keys may have served it. All are
    /// in the store, pinned.
    pub fn traces(&self, session: SessionId, range: RangeIndex) -> Vec<Descriptor> {
        let book = self.book.lock();
        let served = book.records.get(&session).map(|record| &record.served[..]).unwrap_or_default();
        let mut traces: Vec<_> = served.iter().filter(|one| one.range == range).map(|one| one.trace).collect();
        traces.sort_by_key(|trace| Reverse(trace.header.rows()));
        traces
    }

    /// The furthest position that the gateway of a session asked workers of this node for.
    pub fn asked(&self, session: SessionId) -> Option<Asked> {
        self.book.lock().records.get(&session)?.asked.clone()
    }

    /// What workers signed in a session that this node answered.
    pub fn signed(&self, session: SessionId) -> Vec<Signed> {
        let is_answered = |record: &Record| record.answered.is_some();
        if !self.book.lock().records.get(&session).is_some_and(is_answered) {
            return Vec::new();
        }
        let read = fs::read(self.file(session, SIGNED)).map_err(|error| error.to_string());
        let signed = read.and_then(|bytes| Vec::decode_all(&mut &*bytes).map_err(|error| error.to_string()));
        signed.unwrap_or_else(|error| {
            tracing::warn!(target: LOG_TARGET, "What was signed in session {session} cannot be read: {error}");
            Vec::new()
        })
    }

    /// What this node as the gateway has to say, once the answer is complete.
    pub fn closing(&self, session: SessionId) -> Option<Closing> {
        self.book.lock().records.get(&session)?.answered.as_ref().map(|answered| answered.closing)
    }

    /// What is known of a session that this node has answered, but for what was signed.
    pub fn answered(&self, session: SessionId) -> Option<Answered> {
        self.book.lock().records.get(&session)?.answered.clone()
    }

    /// Keeps the traces that a worker at a place made, and what its gateway asked for last. That stays even where
    /// traces find no room.
    pub fn seal(
        &self,
        session: SessionId,
        place: u32,
        traces: &[(RangeIndex, Trace)],
        asked: Option<Asked>,
    ) -> Result<(), Error> {
        if let Some(asked) = asked {
            self.change(&mut self.book.lock(), session, |record| {
                let is_further = record.asked.as_ref().is_none_or(|known| known.position < asked.position);
                is_further.then(|| record.asked = Some(asked)).is_some()
            })?;
        }
        let mut contents = Vec::new();
        for (_, trace) in traces {
            contents.push((trace.describe()?.0, trace.bytes()));
        }
        self.keep(session, &contents, |record, kept| {
            // What a worker at a place said first is what it says.
            let is_new = record.served.iter().all(|served| served.place != place);
            let served =
                traces.iter().zip(kept).map(|((range, _), trace)| Served { place, range: *range, trace: *trace });
            record.served.extend(served.filter(|_| is_new));
            is_new
        })?;
        Ok(())
    }

    /// A trace that is kept, cut after so many positions, which is kept as well. Nothing if it has not as many.
    pub fn cut(
        &self,
        session: SessionId,
        range: RangeIndex,
        trace: &Descriptor,
        positions: u32,
    ) -> Result<Option<Descriptor>, Error> {
        let served = self.book.lock().records.get(&session).map(|record| record.served.clone()).unwrap_or_default();
        let of_range = served.iter().filter(|served| served.range == range);
        let Some(whole) = of_range.clone().find(|served| served.trace == *trace).copied() else { return Ok(None) };
        let cuts: Vec<_> = of_range.filter(|served| served.place == whole.place).map(|served| served.trace).collect();
        if let Some(known) = cuts.iter().find(|cut| cut.header.rows() == positions) {
            return Ok(Some(*known));
        }
        if trace.header.rows() < positions || cuts.len() > MAX_CUTS {
            return Ok(None);
        }
        let header = Header::new(trace.header.kind(), positions, trace.header.cols())?;
        let tensor = self.store.tensor(&trace.id())?.map()?;
        let end = header.encoded_len();
        let data = usize::try_from(end).ok().and_then(|end| tensor.get(Header::LEN..end));
        let data = data.ok_or_else(|| io::Error::other("the trace is shorter than it says"))?;
        let kept = self.keep(session, &[(header, data)], |record, kept| {
            record.served.extend(kept.iter().map(|cut| Served { trace: *cut, ..whole }));
            true
        })?;
        Ok(kept.first().copied())
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
        let disputed = contested.encode();
        let mut contents = vec![(Header::new(Kind::I32, rows, 1)?, &bytes[..]), (trace.describe()?.0, trace.bytes())];
        if !contested.is_empty() {
            contents.push((Header::bytes(disputed.len() as u64)?, &disputed));
        }
        write(&self.folder, &self.file(session, SIGNED), &signed.encode())?;
        let kept = self.keep(session, &contents, |record, kept| {
            let closing = closing(kept);
            record.answered = closing.map(|closing| Answered { closing, report });
            closing.is_some()
        });
        if kept.is_err() {
            self.remove(session, SIGNED);
        }
        closing(&kept?).ok_or_else(|| io::Error::other("nothing was kept").into())
    }

    /// Lets go all that is kept for a session.
    pub fn forget(&self, session: SessionId) {
        self.let_go(&mut self.book.lock(), session);
    }

    /// Puts contents into the store, notes them for a session, and pins them. Whatever fails, and whenever the node
    /// stops: nothing stays pinned that no session names.
    fn keep(
        &self,
        session: SessionId,
        contents: &[(Header, &[u8])],
        change: impl FnOnce(&mut Record, &[Descriptor]) -> bool,
    ) -> Result<Vec<Descriptor>, Error> {
        let mut kept = Vec::new();
        for (header, data) in contents {
            kept.push(Descriptor { header: *header, root: self.store.put(*header, data)?.root() });
        }
        // As long as this is held nobody forgets a session with the same tensors.
        let mut book = self.book.lock();
        let ids: Vec<_> = kept.iter().map(Descriptor::id).collect();
        let borrowed: Vec<_> = ids.iter().filter(|id| self.is_borrowed(&book, id)).copied().collect();
        let before = book.records.get(&session).cloned();
        let is_changed = self.change(&mut book, session, |record| {
            record.borrowed.extend(&borrowed);
            change(record, &kept)
        })?;
        let mut pinned = ids.iter().filter(|_| is_changed).map(|id| match self.store.pin(id)? {
            true => Ok(()),
            false => Err(Error::Lost(*id)),
        });
        if let Some(error) = pinned.find_map(Result::err) {
            self.restore(&mut book, session, before);
            self.unpin(&book, &ids, &borrowed);
            return Err(error);
        }
        Ok(kept)
    }

    /// Whether a tensor is pinned by somebody else than the sessions here.
    fn is_borrowed(&self, book: &Book, id: &TensorId) -> bool {
        let mut naming = book.records.values().filter(|record| record.tensors().any(|own| own == *id)).peekable();
        match naming.peek() {
            None => self.store.has_pin(id),
            Some(_) => naming.any(|record| record.borrowed.contains(id)),
        }
    }

    /// Takes back what was noted last for a session.
    fn restore(&self, book: &mut Book, session: SessionId, before: Option<Record>) {
        let written = match &before {
            Some(record) => write(&self.folder, &self.file(session, ENDING), &record.encode()),
            None => fs::remove_file(self.file(session, ENDING)),
        };
        if let Err(error) = written {
            tracing::warn!(target: LOG_TARGET, "Could not take back what was noted for session {session}: {error}");
        }
        match before {
            Some(record) => book.records.insert(session, record),
            None => book.records.remove(&session),
        };
    }

    /// Unpins those tensors that no session names. Sessions with the same question have the same tensors.
    fn unpin(&self, book: &Book, tensors: &[TensorId], borrowed: &[TensorId]) {
        let needed: HashSet<_> = book.records.values().flat_map(Record::tensors).collect();
        for id in tensors.iter().filter(|id| !needed.contains(id) && !borrowed.contains(id)) {
            if let Err(error) = self.store.unpin(id) {
                tracing::warn!(target: LOG_TARGET, "Could not unpin {id}: {error}");
            }
        }
    }

    /// Changes a session's record, and writes it, unless nothing is to change. Says whether it was changed.
    fn change(
        &self,
        book: &mut Book,
        session: SessionId,
        change: impl FnOnce(&mut Record) -> bool,
    ) -> Result<bool, Error> {
        let mut record = book.records.get(&session).cloned().unwrap_or_default();
        if !change(&mut record) {
            return Ok(false);
        }
        // What is voted on is not lost with the power.
        write(&self.folder, &self.file(session, ENDING), &record.encode())?;
        book.records.insert(session, record);
        while book.records.len() > MAX_RECORDS {
            let Some(oldest) = book.records.keys().find(|id| **id != session).copied() else { break };
            book.forgotten = book.forgotten.max(oldest.saturating_add(1));
            write(&self.folder, &self.folder.join(FORGOTTEN), &book.forgotten.encode())?;
            self.let_go(book, oldest);
        }
        Ok(true)
    }

    fn let_go(&self, book: &mut Book, session: SessionId) {
        let Some(record) = book.records.remove(&session) else { return };
        self.unpin(book, &record.tensors().collect::<Vec<_>>(), &record.borrowed);
        if record.answered.is_some() {
            self.remove(session, SIGNED);
        }
        self.remove(session, ENDING);
    }

    fn remove(&self, session: SessionId, ending: &str) {
        if let Err(error) = fs::remove_file(self.file(session, ending)) {
            tracing::warn!(target: LOG_TARGET, "Could not remove a file of session {session}: {error}");
        }
    }

    fn file(&self, session: SessionId, ending: &str) -> PathBuf {
        file(&self.folder, session, ending)
    }
}

impl Book {
    /// Reads a file of the folder.
    fn read(&mut self, path: &Path) -> io::Result<()> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with(UNFINISHED) {
            return fs::remove_file(path);
        }
        if name == FORGOTTEN {
            let number = SessionId::decode_all(&mut &*fs::read(path)?);
            self.forgotten = number.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
            return Ok(());
        }
        let numbered = |ending: &str| name.strip_suffix(ending)?.strip_suffix('.')?.parse::<SessionId>().ok();
        if let Some(session) = numbered(SIGNED) {
            self.signed.insert(session);
            return Ok(());
        }
        let Some(session) = numbered(ENDING) else {
            tracing::warn!(target: LOG_TARGET, "{} is no session's file; it is left alone", path.display());
            return Ok(());
        };
        match Record::decode_all(&mut &*fs::read(path)?) {
            Ok(record) => drop(self.records.insert(session, record)),
            Err(error) => {
                tracing::warn!(target: LOG_TARGET, "{} cannot be read: {error}; it is left alone", path.display());
                self.unreadable.insert(session);
            },
        }
        Ok(())
    }
}

/// A closing with tokens, trace, and what was contested, if it was.
fn closing(kept: &[Descriptor]) -> Option<Closing> {
    let [tokens, trace, contested @ ..] = kept else { return None };
    Some(Closing { tokens: *tokens, trace: *trace, contested: contested.first().map(Descriptor::id) })
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

fn file(folder: &Path, session: SessionId, ending: &str) -> PathBuf {
    folder.join(session.to_string()).with_extension(ending)
}

/// Writes a file whole or not at all.
pub(super) fn write(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
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
            Self::with(64 << 20)
        }

        fn with(quota: u64) -> Self {
            let folder = TempDir::new().unwrap();
            let store = testing::store(&folder.path().join("tensors"), quota);
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

    /// A trace of 90 KiB.
    fn long(mark: u8) -> Trace {
        let mut trace = trace(mark);
        trace.record(tiny::LLAMA.positions - 1, 1, &Entry { input: [mark; 32], other: [2; 32] });
        trace
    }

    fn signature(mark: u8) -> AttesterSignature {
        sp_core::sr25519::Signature::from_raw([mark; 64]).into()
    }

    fn trace_id(trace: &Trace) -> TensorId {
        let (header, root) = trace.describe().unwrap();
        Descriptor { header, root }.id()
    }

    #[test]
    fn what_is_kept_is_there_after_a_restart() {
        let home = Home::new();
        let ledger = home.ledger();
        ledger.seal(3, 1, &[(1, trace(1)), (0, trace(2))], None).unwrap();
        ledger.seal(3, 1, &[(1, trace(3))], None).unwrap();
        let signed = vec![Signed { place: 0, range: 0, rows: vec![([7; 32], signature(1))] }];
        let report = Report { tokens: 1, ..Default::default() };
        let contested = [Contested { range: 0, position: 1, stage: 2, outputs: vec![3] }];
        let closing = ledger.close(4, &[1, 2], &trace(1), &contested, signed.clone(), report.clone()).unwrap();
        assert_eq!((closing.positions(), closing.tokens.header.rows()), (3, 2));

        let again = home.ledger();
        assert_eq!(again.trace(3, 1).unwrap().id(), closing.trace.id());
        assert_ne!(again.trace(3, 0), again.trace(3, 1));
        assert_eq!((again.trace(3, 2), again.trace(4, 0)), (None, None));
        assert!(again.is_served(3, 1) && !again.is_served(3, 0) && !again.is_served(4, 1));
        assert_eq!(again.answered(4), Some(Answered { closing, report }));
        assert_eq!((again.signed(4), again.signed(3)), (signed, Vec::new()));
        for id in [closing.trace.id(), closing.tokens.id(), closing.contested.unwrap()] {
            assert!(home.store.has_pin(&id));
        }
    }

    #[test]
    fn forgetting_unpins_what_no_other_session_needs() {
        let home = Home::new();
        let ledger = home.ledger();
        ledger.seal(1, 0, &[(0, trace(1)), (1, trace(2))], None).unwrap();
        ledger.seal(2, 0, &[(0, trace(1))], None).unwrap();
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
        home.ledger().seal(1, 0, &[(0, trace(1))], None).unwrap();
        let folder = home.folder.path().join("rows");
        for (name, bytes) in [("2.session", &b"broken"[..]), ("notes.txt", b"mine"), ("x.session", b"")] {
            fs::write(folder.join(name), bytes).unwrap();
        }
        let ledger = home.ledger();
        assert!(ledger.is_served(1, 0));
        assert_eq!(ledger.trace(2, 0), None);
        assert_eq!(fs::read(folder.join("notes.txt")).unwrap(), b"mine");
        // Nobody knows what was signed in the second session.
        assert!(!ledger.begin(2, 0).unwrap());
        assert!(ledger.begin(3, 0).unwrap());
    }

    #[test]
    fn nobody_begins_twice() {
        let home = Home::new();
        let ledger = home.ledger();
        assert!(ledger.begin(3, 1).unwrap());
        assert!(!ledger.begin(3, 1).unwrap());
        assert!(ledger.begin(3, 2).unwrap());
        fs::write(home.folder.path().join("rows/new-1"), b"half").unwrap();
        let again = home.ledger();
        assert!(!again.begin(3, 1).unwrap() && !again.begin(3, 2).unwrap());
        assert!(again.begin(3, 0).unwrap() && again.begin(2, 1).unwrap());
        assert!(!home.folder.path().join("rows/new-1").exists());
        again.forget(3);
        assert!(home.ledger().begin(3, 1).unwrap());
    }

    #[test]
    fn what_cannot_be_noted_is_neither_begun_nor_kept_nor_pinned() {
        let home = Home::new();
        let ledger = home.ledger();
        let folder = home.folder.path().join("rows");
        fs::remove_dir(&folder).unwrap();
        ledger.begin(1, 0).unwrap_err();
        ledger.seal(1, 0, &[(0, trace(1))], None).unwrap_err();
        ledger.close(1, &[1, 2], &trace(1), &[], Vec::new(), Report::default()).unwrap_err();
        assert_eq!((ledger.trace(1, 0), ledger.closing(1)), (None, None));
        assert!(!home.store.has_pin(&trace_id(&trace(1))));
        fs::create_dir(&folder).unwrap();
        assert!(ledger.begin(1, 0).unwrap());
        ledger.seal(1, 0, &[(0, trace(1))], None).unwrap();
        assert!(home.store.has_pin(&trace_id(&trace(1))));
        // The second time is in vain, and takes nothing along.
        ledger.seal(1, 0, &[(0, trace(2))], None).unwrap();
        assert!(!home.store.has_pin(&trace_id(&trace(2))));
    }

    #[test]
    fn what_cannot_be_pinned_is_not_kept_either() {
        let home = Home::with(1 << 20);
        let ledger = home.ledger();
        // Of ten traces eight can be pinned, which takes four fifths of the store.
        let traces: Vec<_> = (0..10).map(|mark| (0, long(mark))).collect();
        let asked = Asked { position: 9, signature: signature(2) };
        for chunk in [&traces[..], &traces[1..]] {
            let pins = home.store.usage().pinned;
            let sealed = ledger.seal(1, 0, chunk, Some(asked.clone()));
            assert!(matches!(sealed, Err(Error::Store(StoreError::PinsFull { .. }))), "{sealed:?}");
            assert_eq!((home.store.usage().pinned, ledger.traces(1, 0)), (pins, Vec::new()));
            // What the gateway asked for takes no room.
            assert_eq!(home.ledger().asked(1), Some(asked.clone()));
            assert_eq!(home.ledger().traces(1, 0), []);
            // Half of the room is taken by another session.
            ledger.seal(2, 0, &traces[..traces.len() / 2], None).unwrap();
        }
    }

    #[test]
    fn pins_of_others_stay() {
        let home = Home::new();
        let ledger = home.ledger();
        let id = trace_id(&trace(1));
        home.store.put(trace(1).describe().unwrap().0, trace(1).bytes()).unwrap();
        assert!(home.store.pin(&id).unwrap());
        ledger.seal(1, 0, &[(0, trace(1))], None).unwrap();
        ledger.seal(2, 0, &[(0, trace(1))], None).unwrap();
        let ledger = home.ledger();
        ledger.forget(1);
        ledger.forget(2);
        assert!(home.store.has_pin(&id));
        // Whoever had it lets it go, and comes again after the session.
        home.store.unpin(&id).unwrap();
        ledger.seal(3, 0, &[(0, trace(1))], None).unwrap();
        ledger.forget(3);
        assert!(!home.store.has_pin(&id));
    }

    #[test]
    fn what_is_noted_and_not_pinned_is_pinned_after_a_restart() {
        let home = Home::new();
        home.ledger().seal(1, 0, &[(0, trace(1))], None).unwrap();
        home.store.unpin(&trace_id(&trace(1))).unwrap();
        home.ledger();
        assert!(home.store.has_pin(&trace_id(&trace(1))));
    }

    #[test]
    fn traces_are_cut_to_what_was_closed_with() {
        let home = Home::new();
        let ledger = home.ledger();
        let mut long = trace(1);
        long.record(7, 0, &Entry { input: [9; 32], other: [9; 32] });
        ledger.seal(1, 0, &[(0, long.clone()), (1, trace(2))], None).unwrap();
        let whole = ledger.trace(1, 0).unwrap();
        let mut shorter = long.clone();
        shorter.truncate(5);
        let cut = ledger.cut(1, 0, &whole, 5).unwrap().unwrap();
        assert_eq!((cut.id(), cut.header.rows()), (trace_id(&shorter), 5));
        assert_eq!(ledger.cut(1, 0, &whole, 5).unwrap(), Some(cut));
        assert_eq!(ledger.cut(1, 0, &whole, 8).unwrap(), Some(whole));
        assert_eq!((ledger.cut(1, 0, &whole, 9).unwrap(), ledger.cut(1, 1, &whole, 5).unwrap()), (None, None));
        assert_eq!(ledger.traces(1, 0), [whole, cut]);
        assert!(home.store.has_pin(&cut.id()));
        // Only so often.
        let cuts = (1..8).filter(|rows| ledger.cut(1, 0, &whole, *rows).unwrap().is_some());
        assert_eq!(cuts.count(), MAX_CUTS);
        assert_eq!(home.ledger().trace(1, 0), Some(whole));
        home.ledger().forget(1);
        assert!(!home.store.has_pin(&cut.id()) && !home.store.has_pin(&whole.id()));
    }

    #[test]
    fn of_several_keys_the_longest_trace_comes_first() {
        let home = Home::new();
        let ledger = home.ledger();
        let of = |positions: u32| {
            let mut trace = trace(1);
            trace.record(5, 0, &Entry { input: [9; 32], other: [9; 32] });
            trace.truncate(positions);
            trace
        };
        for (place, positions) in [(0, 2), (1, 6), (2, 4)] {
            ledger.seal(1, place, &[(0, of(positions))], None).unwrap();
        }
        let rows = ledger.traces(1, 0).into_iter().map(|trace| trace.header.rows());
        assert_eq!(rows.collect::<Vec<_>>(), [6, 4, 2]);
        assert_eq!(ledger.traces(1, 1), []);
    }

    #[test]
    fn the_furthest_that_was_asked_for_is_remembered() {
        let home = Home::new();
        let ledger = home.ledger();
        let asked = |position| Asked { position, signature: signature(u8::try_from(position).unwrap()) };
        assert_eq!(ledger.asked(1), None);
        ledger.seal(1, 0, &[(0, trace(1))], Some(asked(5))).unwrap();
        ledger.seal(1, 1, &[(1, trace(1))], Some(asked(3))).unwrap();
        assert_eq!(home.ledger().asked(1), Some(asked(5)));
        ledger.seal(1, 2, &[(2, trace(1))], Some(asked(6))).unwrap();
        assert_eq!(home.ledger().asked(1), Some(asked(6)));
    }

    #[test]
    fn signatures_go_with_their_session() {
        let home = Home::with(1 << 20);
        let ledger = home.ledger();
        let signed = || vec![Signed { place: 0, range: 0, rows: vec![([7; 32], signature(1))] }];
        let file = home.folder.path().join("rows/4.signed");
        // There is no room for the trace.
        ledger.seal(1, 0, &(0..8).map(|mark| (0, long(mark))).collect::<Vec<_>>(), None).unwrap();
        ledger.close(4, &[1, 2], &long(9), &[], signed(), Report::default()).unwrap_err();
        assert!(!file.exists() && ledger.signed(4).is_empty());
        ledger.forget(1);
        // The node stops before it notes what it wrote.
        fs::write(&file, signed().encode()).unwrap();
        assert_eq!(ledger.signed(4), []);
        let ledger = home.ledger();
        assert!(!file.exists());
        ledger.close(4, &[1, 2], &trace(1), &[], signed(), Report::default()).unwrap();
        assert!(file.exists());
        assert_eq!(home.ledger().signed(4), signed());
        fs::write(&file, b"broken").unwrap();
        assert_eq!(home.ledger().signed(4), []);
        home.ledger().forget(4);
        assert!(!file.exists());
    }

    #[test]
    fn only_so_many_sessions_are_remembered() {
        let home = Home::new();
        let ledger = home.ledger();
        for session in 0..=u32::try_from(MAX_RECORDS).unwrap() {
            assert!(ledger.begin(session + 5, 0).unwrap());
        }
        assert_eq!(ledger.book.lock().records.len(), MAX_RECORDS);
        assert!(!ledger.book.lock().records.contains_key(&5));
        // Whoever has been forgotten does not begin anew, before a restart or after.
        assert!(!ledger.begin(5, 0).unwrap() && !ledger.begin(4, 0).unwrap());
        (1..100).for_each(|session| ledger.forget(session));
        let again = home.ledger();
        assert!(!again.begin(5, 0).unwrap());
        assert!(again.begin(7000, 0).unwrap());
    }

    #[test]
    fn nothing_is_sealed_of_an_empty_trace() {
        let home = Home::new();
        home.ledger().seal(1, 0, &[(0, Trace::new(&tiny::LLAMA))], None).unwrap_err();
        assert!(!home.ledger().is_served(1, 0));
    }
}
