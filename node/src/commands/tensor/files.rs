//! Reading and writing files.

use std::{
    fs::{self, File, Permissions},
    io::{self, BufWriter, ErrorKind, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use ensemble_tensor::{Header, Outline, OutlineBuilder, Tensor};
use memmap2::Mmap;
use tempfile::{Builder, NamedTempFile, TempPath};

use super::{Error, Progress};

/// Bytes that are hashed between two looks at the clock.
const STEP: usize = 1 << 20;
/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 20;

/// Maps a file into memory.
pub fn map(path: &Path) -> Result<Mmap, Error> {
    let file = File::open(path).map_err(Error::read(path))?;
    map_file(&file).map_err(Error::read(path))
}

#[allow(unsafe_code)]
fn map_file(file: &File) -> io::Result<Mmap> {
    // SAFETY: the file must not change while it is mapped. It is the caller's file, named on the command line, and is
    // only read; outputs are written to new files. If another program writes into it meanwhile, the result is that of a
    // file that changes while it is read; if one shortens it, the process ends.
    unsafe { Mmap::map(file) }
}

/// The outline of a tensor, with a bar while it is hashed.
pub fn outline(tensor: &Tensor<'_>, progress: &mut Progress) -> Result<Outline, ensemble_tensor::Error> {
    let mut builder = OutlineBuilder::new(tensor.header());
    for part in tensor.data().chunks(STEP) {
        builder.update(part)?;
        progress.add(part.len());
    }
    builder.finish()
}

/// Writes a tensor to a draft while it is made and hashed, so that no more than a part of it is in memory. `make` gives
/// the data part by part. `path` is what errors are about.
pub fn write_tensor<E: From<Error>>(
    header: &Header,
    draft: &NamedTempFile,
    path: &Path,
    progress: &mut Progress,
    make: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E>,
) -> Result<Outline, E> {
    let mut outline = OutlineBuilder::new(header);
    let mut writer = BufWriter::with_capacity(BUFFER, draft);
    writer.write_all(&header.to_bytes()).map_err(Error::write(path))?;
    make(&mut |part| {
        outline.update(part).map_err(|source| Error::tensor(path, source))?;
        writer.write_all(part).map_err(Error::write(path))?;
        progress.add(part.len());
        Ok(())
    })?;
    writer.flush().map_err(Error::write(path))?;
    Ok(outline.finish().map_err(|source| Error::tensor(path, source))?)
}

/// Reads a text of at most `limit` bytes.
pub fn read_to_string(path: &Path, limit: u64) -> Result<String, Error> {
    let len = fs::metadata(path).map_err(Error::read(path))?.len();
    if len > limit {
        return Err(Error::TooLarge { path: path.into(), len });
    }
    fs::read_to_string(path).map_err(Error::read(path))
}

/// Writes a whole file, or leaves what was there before.
pub fn write(path: &Path, content: &[u8]) -> Result<(), Error> {
    let mut draft = draft(parent(path))?;
    draft.write_all(content).map_err(Error::write(path))?;
    publish(draft.into_temp_path(), path)
}

/// A file in `folder` that is gone at the end unless it is published.
pub fn draft(folder: &Path) -> Result<NamedTempFile, Error> {
    // What the user's umask leaves of it, as for any new file.
    let permissions = Permissions::from_mode(0o666);
    Builder::new().prefix(".tensor-").permissions(permissions).tempfile_in(folder).map_err(Error::write(folder))
}

/// Gives a draft its name. A file of this name is replaced.
pub fn publish(draft: TempPath, path: &Path) -> Result<(), Error> {
    draft.persist(path).map_err(|failed| Error::write(path)(failed.error))
}

/// The folder in which a file lies.
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Prints to standard output. That nobody reads on is no error.
pub fn print(text: &str) -> Result<(), Error> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::Print(error)),
        _ => Ok(()),
    }
}
