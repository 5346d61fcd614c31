//! Where the tensors of a model lie.

use std::{
    collections::HashMap,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use ensemble_tensor::{Bundle, Header, Kind, Tensor, TensorId};
use memmap2::Mmap;

use super::Error;
use crate::tensors::{Guard, Store};

/// Most bytes of a manifest: a model has a few thousand members.
const MAX_MANIFEST: u64 = 1 << 20;

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

/// The members of a model's bundle by name.
pub struct Members {
    ids: HashMap<String, TensorId>,
    place: Place,
}

/// Where they lie.
enum Place {
    /// In the store, which keeps them as long as they are used.
    Store { store: Arc<Store>, _guard: Guard },
    /// In a folder, each in a file named by its id.
    Folder(PathBuf),
}

impl Members {
    /// The members of a bundle in the store, all of which have to be held and checked.
    pub fn held(store: &Arc<Store>, id: &TensorId) -> Result<Self, Error> {
        let guard = store.guard(&[*id]);
        let holding = store.holding(id).ok_or(Error::NotHeld(*id))?;
        if holding.verified < holding.bytes {
            store.hurry(id);
            return Err(Error::Unchecked(*id));
        }
        if holding.header.kind() != Kind::Bundle || holding.header.data_len() > MAX_MANIFEST {
            return Err(Error::NoBundle(*id));
        }
        let manifest = store.tensor(id)?.map()?;
        let ids = named(manifest.get(Header::LEN..).unwrap_or_default())?;
        // The guard of a bundle keeps its manifest alone.
        let all: Vec<TensorId> = ids.values().copied().chain([*id]).collect();
        let place = Place::Store { store: store.clone(), _guard: store.guard(&all) };
        drop(guard);
        Ok(Self { ids, place })
    }

    /// The members of a bundle in a folder, as the import writes it.
    pub fn in_folder(folder: &Path, id: &TensorId) -> Result<Self, Error> {
        let manifest = open(folder, id)?;
        if manifest.header().kind() != Kind::Bundle || manifest.header().data_len() > MAX_MANIFEST {
            return Err(Error::NoBundle(*id));
        }
        Ok(Self { ids: named(manifest.data())?, place: Place::Folder(folder.into()) })
    }

    /// Whether there is a member of this name.
    pub fn has(&self, name: &str) -> bool {
        self.ids.contains_key(name)
    }

    /// The id of a member.
    pub fn id(&self, name: &str) -> Option<TensorId> {
        self.ids.get(name).copied()
    }

    /// A member, mapped.
    pub fn map(&self, name: &str) -> Result<Mapped, Error> {
        let id = self.id(name).ok_or_else(|| Error::Missing(name.into()))?;
        match &self.place {
            Place::Store { store, .. } => {
                let tensor = store.tensor(&id)?;
                Mapped::new(tensor.map()?, *tensor.header()).ok_or(Error::Damaged(id))
            },
            Place::Folder(folder) => open(folder, &id),
        }
    }

    /// A member of bytes, of which there may be so many.
    pub fn bytes(&self, name: &str, limit: u64) -> Result<Vec<u8>, Error> {
        let mapped = self.map(name)?;
        let header = mapped.header();
        if header.kind() != Kind::Bytes || header.data_len() > limit {
            return Err(Error::Bytes { name: name.into(), limit });
        }
        Ok(mapped.data().to_vec())
    }
}

fn named(manifest: &[u8]) -> Result<HashMap<String, TensorId>, Error> {
    Ok(Bundle::parse(manifest)?.iter().map(|(name, id)| (name.into(), id)).collect())
}

/// Opens a file of a folder and holds it against the id that it is named by.
fn open(folder: &Path, id: &TensorId) -> Result<Mapped, Error> {
    let map = map(&File::open(folder.join(id.to_string()))?)?;
    let tensor = Tensor::parse(&map)?;
    tensor.validate()?;
    if tensor.id()? != *id {
        return Err(Error::Damaged(*id));
    }
    let header = *tensor.header();
    Mapped::new(map, header).ok_or(Error::Damaged(*id))
}

#[allow(unsafe_code)]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the file must not change while it is mapped. The import writes new files under names that say what they
    // hold, and never writes into one again.
    unsafe { Mmap::map(file) }
}
