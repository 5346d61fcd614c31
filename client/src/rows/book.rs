//! What a worker must not forget, in a folder of its chain and account.
//!
//! A worker that signed two rows for one position would lose its bond. So that it has begun to serve a session is on the
//! disk before its first answer, and nobody ever begins twice: not after a restart, nor on another fork, where the session
//! of this number may be another one. Traces are kept until their session is over; what a vote is committed with is on the
//! disk before it is sent.

use std::{
    collections::{BTreeSet, HashSet},
    fs::{self, File, OpenOptions, Permissions},
    io::{ErrorKind, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use codec::{DecodeAll, Encode};
use ensemble_compute::inference::Trace;
use ensemble_tensor::Header;
use parking_lot::Mutex;
use tempfile::NamedTempFile;

use super::ballot::Ballot;
use crate::error::Error;

/// The file that says what was begun: eight bytes for each session and place, in the order of their beginnings.
const BEGUN: &str = "begun";
/// Bytes of an entry.
const ENTRY: usize = 8;
/// How files of traces end.
const TRACE: &str = "trace";

/// What is on the disk.
pub struct Book {
    folder: PathBuf,
    begun: Mutex<Begun>,
    kept: Mutex<BTreeSet<Kept>>,
}

struct Begun {
    file: File,
    known: HashSet<(u32, u32)>,
}

/// A trace that is kept.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Kept {
    /// The session.
    pub session: u32,
    /// The worker's place.
    pub place: u32,
    /// The range.
    pub range: u32,
}

impl Kept {
    fn name(&self) -> String {
        format!("{}-{}-{}", self.session, self.place, self.range)
    }

    fn parse(name: &str) -> Option<Self> {
        let mut numbers = name.strip_suffix(TRACE)?.strip_suffix('.')?.split('-').map(str::parse);
        let mut next = || numbers.next()?.ok();
        let kept = Self { session: next()?, place: next()?, range: next()? };
        numbers.next().is_none().then_some(kept)
    }
}

impl Book {
    /// That of a folder, which is created if need be.
    ///
    /// # Errors
    ///
    /// If it cannot be read or written.
    pub fn open(folder: PathBuf) -> Result<Self, Error> {
        fs::create_dir_all(&folder).map_err(Error::write(&folder))?;
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).map_err(Error::write(&folder))?;
        let begun = Begun::open(&folder.join(BEGUN))?;
        let mut kept = BTreeSet::new();
        for entry in fs::read_dir(&folder).map_err(Error::read(&folder))? {
            let name = entry.map_err(Error::read(&folder))?.file_name();
            kept.extend(name.to_str().and_then(Kept::parse));
        }
        Ok(Self { folder, begun: Mutex::new(begun), kept: Mutex::new(kept) })
    }

    /// Where everything is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Notes that the worker at a place begins to serve a session. It may answer only after this says yes.
    ///
    /// # Errors
    ///
    /// If that cannot be written.
    pub fn begin(&self, session: u32, place: u32) -> Result<bool, Error> {
        let mut begun = self.begun.lock();
        if begun.known.contains(&(session, place)) {
            return Ok(false);
        }
        let path = self.folder.join(BEGUN);
        let entry = (session, place).encode();
        begun.file.write_all(&entry).and_then(|()| begun.file.sync_all()).map_err(Error::write(path))?;
        begun.known.insert((session, place));
        Ok(true)
    }

    /// Keeps the traces that the worker at a place made.
    ///
    /// # Errors
    ///
    /// If they cannot be written.
    pub fn seal(&self, session: u32, place: u32, traces: &[(u32, Trace)]) -> Result<(), Error> {
        for (range, trace) in traces {
            let header = trace.describe().map_err(|error| Error::Other(format!("a trace cannot be kept: {error}")))?.0;
            let kept = Kept { session, place, range: *range };
            self.write(&self.trace(&kept), &[&header.to_bytes(), trace.bytes()])?;
            self.kept.lock().insert(kept);
        }
        Ok(())
    }

    /// All traces that are kept.
    pub fn kept(&self) -> Vec<Kept> {
        self.kept.lock().iter().copied().collect()
    }

    /// The file of a trace, as a tensor.
    pub fn trace(&self, kept: &Kept) -> PathBuf {
        self.folder.join(format!("{}.{TRACE}", kept.name()))
    }

    /// Kind and shape of a trace.
    ///
    /// # Errors
    ///
    /// If its file cannot be read.
    pub fn header(&self, kept: &Kept) -> Result<Header, Error> {
        let (path, mut bytes) = (self.trace(kept), [0; Header::LEN]);
        let read = File::open(&path).and_then(|mut file| file.read_exact(&mut bytes));
        read.map_err(Error::read(&path))?;
        Header::from_bytes(&bytes).map_err(|_| damaged(path))
    }

    /// The file of what is voted for, as a tensor.
    pub fn cut(&self, kept: &Kept, matter: &str) -> PathBuf {
        self.folder.join(format!("{}-{matter}.cut", kept.name()))
    }

    /// What is voted for, if that is known.
    ///
    /// # Errors
    ///
    /// If its file cannot be read.
    pub fn ballot(&self, kept: &Kept, matter: &str) -> Result<Option<Ballot>, Error> {
        let path = self.ballot_path(kept, matter);
        match fs::read(&path) {
            Ok(bytes) => Ballot::decode_all(&mut &bytes[..]).map(Some).map_err(|_| damaged(path)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::read(path)(error)),
        }
    }

    /// Keeps what is voted for, before anything is sent that cannot be opened without it.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn keep_ballot(&self, kept: &Kept, matter: &str, ballot: &Ballot) -> Result<(), Error> {
        self.write(&self.ballot_path(kept, matter), &[&ballot.encode()])
    }

    /// Lets go what is kept for a session. That it was begun is never forgotten.
    ///
    /// # Errors
    ///
    /// If a file cannot be removed.
    pub fn forget(&self, session: u32) -> Result<(), Error> {
        let prefix = format!("{session}-");
        for entry in fs::read_dir(&self.folder).map_err(Error::read(&self.folder))? {
            let entry = entry.map_err(Error::read(&self.folder))?;
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix)) {
                fs::remove_file(entry.path()).map_err(Error::write(entry.path()))?;
            }
        }
        self.kept.lock().retain(|kept| kept.session != session);
        Ok(())
    }

    /// Writes a file whole or not at all, and on the disk before this returns.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&self, path: &Path, parts: &[&[u8]]) -> Result<(), Error> {
        let mut file = NamedTempFile::new_in(&self.folder).map_err(Error::write(path))?;
        for part in parts {
            file.write_all(part).map_err(Error::write(path))?;
        }
        file.as_file().sync_all().map_err(Error::write(path))?;
        file.persist(path).map_err(|error| Error::write(path)(error.error))?;
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(Error::write(path))
    }

    fn ballot_path(&self, kept: &Kept, matter: &str) -> PathBuf {
        self.folder.join(format!("{}-{matter}.ballot", kept.name()))
    }
}

impl Begun {
    fn open(path: &Path) -> Result<Self, Error> {
        let file = OpenOptions::new().create(true).read(true).append(true).open(path);
        let mut file = file.map_err(Error::write(path))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(Error::read(path))?;
        let (entries, rest) = bytes.as_chunks::<ENTRY>();
        if !rest.is_empty() {
            // The machine stopped in the middle of the last one, before anything was answered.
            let whole = bytes.len().saturating_sub(rest.len());
            file.set_len(whole as u64).map_err(Error::write(path))?;
        }
        let known = entries.iter().filter_map(|entry| <(u32, u32)>::decode_all(&mut entry.as_slice()).ok()).collect();
        if let Some(folder) = path.parent() {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::write(path))?;
        }
        Ok(Self { file, known })
    }
}

fn damaged(path: PathBuf) -> Error {
    Error::File {
        path,
        message: "this is not what the miner wrote".into(),
        remedy: "remove it; the miner abstains from the vote that it was for".into(),
    }
}

#[cfg(test)]
mod tests {
    use ensemble_compute::inference::Entry;
    use ensemble_rows::sample::LLAMA;
    use ensemble_tensor::Tensor;

    use super::{super::ballot::tests::ballot, *};

    fn open(folder: &tempfile::TempDir) -> Book {
        Book::open(folder.path().join("rows")).expect("can be opened")
    }

    fn trace(mark: u8) -> Trace {
        let mut trace = Trace::new(&LLAMA);
        assert!(trace.record(1, 0, &Entry { input: [mark; 32], other: [1; 32] }));
        trace
    }

    #[test]
    fn a_session_is_begun_once_for_ever() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let book = open(&folder);
        assert!(book.begin(3, 1).expect("is written"));
        assert!(!book.begin(3, 1).expect("is known"));
        assert!(book.begin(3, 2).expect("is another place"));
        drop(book);
        let again = open(&folder);
        again.forget(3).expect("nothing is kept");
        assert!(!again.begin(3, 1).expect("is known") && !again.begin(3, 2).expect("is known"));
        assert!(again.begin(4, 1).expect("is another session"));
    }

    #[test]
    fn half_an_entry_is_none_and_spoils_no_other() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        assert!(open(&folder).begin(3, 1).expect("is written"));
        let path = folder.path().join("rows").join(BEGUN);
        let mut bytes = fs::read(&path).expect("is there");
        bytes.extend([4, 0, 0]);
        fs::write(&path, bytes).expect("is written");
        assert!(open(&folder).begin(4, 0).expect("was not begun"));
        let again = open(&folder);
        assert!(!again.begin(3, 1).expect("is known") && !again.begin(4, 0).expect("is known"));
    }

    #[test]
    fn traces_and_ballots_are_there_after_a_restart_until_their_session_is_over() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let (first, other) = (Kept { session: 3, place: 1, range: 0 }, Kept { session: 31, place: 1, range: 0 });
        let book = open(&folder);
        book.seal(3, 1, &[(0, trace(1)), (1, trace(2))]).expect("is written");
        book.seal(31, 1, &[(0, trace(3))]).expect("is written");
        book.keep_ballot(&first, "ab", &ballot()).expect("is written");
        drop(book);
        let book = open(&folder);
        assert_eq!(book.kept(), [first, Kept { range: 1, ..first }, other]);
        assert_eq!(book.ballot(&first, "ab").expect("is read"), Some(ballot()));
        assert_eq!(book.ballot(&first, "cd").expect("is none"), None);
        assert_eq!(book.header(&first).expect("is read").rows(), 2);
        let bytes = fs::read(book.trace(&first)).expect("is there");
        let expected = trace(1);
        assert_eq!(Tensor::parse(&bytes).expect("is a tensor").data(), expected.bytes());
        book.forget(3).expect("is removed");
        assert_eq!(book.kept(), [other]);
        assert_eq!(open(&folder).kept(), [other]);
        assert_eq!(book.ballot(&first, "ab").expect("is none"), None);
    }
}
