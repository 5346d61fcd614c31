//! File operations that leave either the old or the new state behind, also when the power fails in between.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    ops::Range,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use ensemble_tensor::{Header, TensorId};

/// Ending of the files that hold outlines.
const OUTLINE: &str = "outline";
/// Ending of files that are being written. Whatever has it after a start is left over from a crash.
const TEMPORARY: &str = "tmp";

/// A folder with one file, or one file and its outline, per tensor.
#[derive(Debug)]
pub struct Folder(PathBuf);

/// Numbers the files that are being written, so that two that write the same one do not write into each other's.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// What the name of a file says.
#[derive(Debug, Eq, PartialEq)]
pub enum Name {
    /// The tensor itself.
    Tensor(TensorId),
    /// The outline of a tensor.
    Outline(TensorId),
    /// A file that was being written when the node stopped.
    Temporary,
    /// Nothing that the store writes.
    Foreign,
}

impl Folder {
    /// Opens the folder, which is created if need be.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// Where the tensor lies.
    pub fn tensor(&self, id: &TensorId) -> PathBuf {
        self.0.join(hex::encode(id.0))
    }

    /// Where the outline of the tensor lies.
    pub fn outline(&self, id: &TensorId) -> PathBuf {
        self.tensor(id).with_extension(OUTLINE)
    }

    /// Every file in the folder.
    pub fn entries(&self) -> io::Result<Vec<(Name, PathBuf)>> {
        fs::read_dir(&self.0)?
            .map(|entry| {
                let path = entry?.path();
                Ok((Name::of(&path), path))
            })
            .collect()
    }

    /// Removes the tensor and its outline, as far as they are there.
    pub fn remove(&self, id: &TensorId) -> io::Result<()> {
        remove(&self.tensor(id))?;
        remove(&self.outline(id))
    }

    /// Makes names that were added, changed or removed survive a power failure.
    pub fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }

    /// Writes a whole file, or leaves what was there before.
    pub fn write(&self, path: &Path, parts: &[&[u8]]) -> io::Result<()> {
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let temporary = path.with_extension(format!("{number}.{TEMPORARY}"));
        let mut file = File::create(&temporary)?;
        parts.iter().try_for_each(|part| file.write_all(part))?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        self.sync()
    }
}

impl Name {
    fn of(path: &Path) -> Self {
        let extension = path.extension().map(|extension| extension.to_str());
        if extension == Some(Some(TEMPORARY)) {
            return Self::Temporary;
        }
        let Some(id) = path.file_stem().and_then(|stem| stem.to_str()).and_then(parse) else {
            return Self::Foreign;
        };
        match extension {
            None => Self::Tensor(id),
            Some(Some(OUTLINE)) => Self::Outline(id),
            Some(_) => Self::Foreign,
        }
    }
}

/// Removes a file that may be gone already.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Reads a range of the data of a tensor's file into `buffer`, which becomes as long as the range.
pub fn read_range(file: &File, range: &Range<u64>, buffer: &mut Vec<u8>) -> io::Result<()> {
    let len = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
    buffer.resize(len, 0);
    file.read_exact_at(buffer, Header::LEN as u64 + range.start)
}

fn parse(stem: &str) -> Option<TensorId> {
    let mut id = [0; 32];
    hex::decode_to_slice(stem, &mut id).ok()?;
    // One name per tensor: upper-case digits would be a second one.
    (stem == hex::encode(id)).then_some(TensorId(id))
}
