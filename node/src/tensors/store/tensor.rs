//! A tensor that is held, mapped into memory.

use std::{fs::File, io, ops::Range, path::Path};

use ensemble_tensor::{Header, Outline, TensorId};
use memmap2::Mmap;

/// A tensor's file, mapped for reading: its pages come from the disk when they are looked at and go when memory is
/// wanted elsewhere. It stays readable after the store has removed the file.
#[derive(Debug)]
pub struct Tensor {
    id: TensorId,
    header: Header,
    file: File,
    map: Mmap,
}

impl Tensor {
    /// Maps the file of the tensor `id`, which has the length that `header` says.
    pub(super) fn open(path: &Path, id: TensorId, header: Header) -> io::Result<Self> {
        let file = File::open(path)?;
        check_len(&file, &header)?;
        let map = map(&file)?;
        Ok(Self { id, header, file, map })
    }

    /// Whether the file still has its length. Looking at a page beyond the end of a file ends the process, so this is
    /// asked whenever the store gives the tensor out.
    pub(super) fn is_whole(&self) -> bool {
        check_len(&self.file, &self.header).is_ok()
    }

    /// The id.
    pub fn id(&self) -> TensorId {
        self.id
    }

    /// Kind and shape.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The canonical encoding: header and data.
    pub fn encoding(&self) -> &[u8] {
        &self.map
    }

    /// The data, without the header.
    pub fn data(&self) -> &[u8] {
        self.map.get(Header::LEN..).unwrap_or_default()
    }

    /// Part of the data, or nothing if it is not all there.
    pub fn slice(&self, range: Range<u64>) -> Option<&[u8]> {
        self.data().get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
    }

    /// A piece of the data as it is transferred, or nothing if there is no such piece.
    pub fn piece(&self, index: u32) -> Option<&[u8]> {
        if index >= Outline::piece_count(&self.header) {
            return None;
        }
        self.slice(Outline::piece_range(&self.header, index))
    }
}

fn check_len(file: &File, header: &Header) -> io::Result<()> {
    if file.metadata()?.len() == header.encoded_len() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "the file has another length than its header says"))
}

#[allow(unsafe_code)]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the file must not change while it is mapped. The store's files are complete, synced and renamed into
    // place before they are mapped, and from then on nothing in this program writes to them; removing one leaves the
    // mapping as it was. The folder lies in the node's base path, which belongs to the node alone. Should somebody
    // write into it all the same, the bytes read are checked against hashes by whoever relies on them, and a shortened
    // file is noticed by `is_whole` before it is looked at.
    unsafe { Mmap::map(file) }
}
