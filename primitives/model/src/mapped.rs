//! Tensors whose files are mapped into memory.

use std::{fs::File, io, path::Path};

use ensemble_tensor::{Header, Tensor, TensorId};
use memmap2::Mmap;

use crate::OpenError;

/// A tensor whose file is mapped into memory: what is not touched is not read.
pub struct Mapped {
    header: Header,
    map: Mmap,
}

impl Mapped {
    /// A tensor's file, mapped. Fails unless it begins with this header and has the length that follows from it.
    pub fn new(map: Mmap, header: Header) -> Option<Self> {
        (Header::from_bytes(&map) == Ok(header) && map.len() as u64 == header.encoded_len())
            .then_some(Self { header, map })
    }

    /// Maps a file of a folder that is named by the id of its tensor, and holds it against that. The file must not change
    /// afterwards.
    ///
    /// # Errors
    ///
    /// If there is none, or it is not what it is named.
    pub fn in_folder(folder: &Path, id: &TensorId) -> Result<Self, OpenError> {
        let map = map(&File::open(folder.join(id.to_string()))?)?;
        let tensor = Tensor::parse(&map)?;
        tensor.validate()?;
        if tensor.id()? != *id {
            return Err(OpenError::Damaged(*id));
        }
        let header = *tensor.header();
        Self::new(map, header).ok_or(OpenError::Damaged(*id))
    }

    /// Kind and shape.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The data.
    pub fn data(&self) -> &[u8] {
        self.map.get(Header::LEN..).unwrap_or_default()
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        self.data()
    }
}

#[allow(unsafe_code)]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the file must not change while it is mapped. Whoever writes such files gives them names that say what they
    // hold, and never writes into one again.
    unsafe { Mmap::map(file) }
}
