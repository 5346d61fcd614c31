//! A tensor that is held, as a file to read from.

use std::{fs::File, io, ops::Range, os::unix::fs::FileExt, path::Path};

use ensemble_tensor::{Header, Outline, TensorId};
use memmap2::Mmap;

/// A tensor's file, open for reading. It stays readable after the store has removed it.
///
/// It is read and not mapped into memory, where a sector that cannot be read would end the process instead of being an
/// error; but what is computed on may be mapped, once it was checked.
#[derive(Debug)]
pub struct Tensor {
    id: TensorId,
    header: Header,
    file: File,
}

impl Tensor {
    /// Opens the file of the tensor `id`, which has the length that `header` says.
    pub(super) fn open(path: &Path, id: TensorId, header: Header) -> io::Result<Self> {
        let file = File::open(path)?;
        if file.metadata()?.len() != header.encoded_len() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the file has another length than its header says"));
        }
        Ok(Self { id, header, file })
    }

    /// The id.
    pub fn id(&self) -> TensorId {
        self.id
    }

    /// Kind and shape.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The canonical encoding, mapped into memory. Whoever asks for it has the tensor checked before.
    #[allow(unsafe_code)]
    pub fn map(&self) -> io::Result<Mmap> {
        // SAFETY: the file must not change while it is mapped. The store never writes into a file that it holds; it
        // replaces and removes whole files, which leaves those that are mapped as they are.
        unsafe { Mmap::map(&self.file) }
    }

    /// Part of the canonical encoding, which the caller knows to be there.
    pub(super) fn read(&self, range: Range<u64>) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(range.end - range.start).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut bytes, range.start)?;
        Ok(bytes)
    }

    /// A piece of the data as it is transferred; empty if there is no such piece.
    pub(super) fn piece(&self, index: u32) -> io::Result<Vec<u8>> {
        let range = Outline::piece_range(&self.header, index);
        self.read(Header::LEN as u64 + range.start..Header::LEN as u64 + range.end)
    }
}
