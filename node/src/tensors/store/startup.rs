//! Finding out what is there when the node starts.
//!
//! Cheap on purpose: a file with the right name, header and length is taken for what it says, and its bytes are checked
//! in the background (or at once, for the manifests of bundles). What a crash left behind is removed or taken up again.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use ensemble_tensor::{Bundle, Header, Kind, Tensor as Encoded, TensorId};

use super::{
    files::{self, Name},
    index::Index,
    Store, LOG_TARGET,
};

/// A download that was not continued for this long is dropped when the node starts.
const PARTIAL_MAX_AGE: Duration = Duration::from_secs(7 * 24 * 3600);

impl Store {
    /// Fills the index from the folders.
    pub(super) fn scan(&self, index: &mut Index) -> io::Result<()> {
        for (_, path) in self.uploads.entries()? {
            files::remove(&path)?;
        }
        for (name, _) in self.pins.entries()? {
            if let Name::Tensor(id) = name {
                index.pins.insert(id);
            }
        }
        self.scan_held(index)?;
        self.scan_partial(index)?;
        self.scan_marks(index)
    }

    fn scan_held(&self, index: &mut Index) -> io::Result<()> {
        let mut found = Vec::new();
        for (name, path) in self.held.entries()? {
            match name {
                Name::Tensor(id) => match header_of(&path) {
                    Some(header) => found.push((last_use(&path), id, header)),
                    None => {
                        tracing::warn!(target: LOG_TARGET, "The file of tensor {id} is damaged and is removed");
                        self.held.remove(&id)?;
                    },
                },
                Name::Outline(id) if !self.held.tensor(&id).exists() => files::remove(&path)?,
                Name::Temporary => files::remove(&path)?,
                Name::Outline(_) | Name::Foreign => {},
            }
        }
        found.sort_unstable_by_key(|(used, ..)| *used);
        for (_, id, header) in found {
            self.take_in(index, id, header)?;
        }
        Ok(())
    }

    fn take_in(&self, index: &mut Index, id: TensorId, header: Header) -> io::Result<()> {
        let bundle = header.kind() == Kind::Bundle;
        let members = match bundle {
            false => Arc::default(),
            true => match read_bundle(&self.held.tensor(&id), &id) {
                Some(members) => members,
                None => {
                    tracing::warn!(target: LOG_TARGET, "The manifest of bundle {id} is damaged and is removed");
                    return self.held.remove(&id);
                },
            },
        };
        index.take(&header);
        index.insert(id, header, members, bundle);
        Ok(())
    }

    fn scan_partial(&self, index: &mut Index) -> io::Result<()> {
        let mut found = Vec::new();
        for (name, path) in self.partial.entries()? {
            match name {
                Name::Tensor(id) => found.push((last_use(&path), id)),
                Name::Outline(id) if self.partial.tensor(&id).exists() => {},
                Name::Outline(_) | Name::Temporary => files::remove(&path)?,
                Name::Foreign => {},
            }
        }
        found.sort_unstable_by_key(|(used, _)| *used);
        for (used, id) in found {
            let fresh = used.elapsed().is_ok_and(|age| age < PARTIAL_MAX_AGE);
            match header_of(&self.partial.tensor(&id)).filter(|_| fresh && !index.held.contains_key(&id)) {
                Some(header) => {
                    index.take(&header);
                    index.insert_partial(id, header);
                },
                None => self.partial.remove(&id)?,
            }
        }
        Ok(())
    }

    /// Makes the store fit into its quota, which may be smaller than when the node ran before.
    pub(super) fn shrink(&self, index: &mut Index) {
        if let Err(error) = self.collect(index, 0, self.room.quota) {
            tracing::warn!(target: LOG_TARGET, "The store takes {} bytes: {error}", index.used());
        }
    }
}

/// The header of a tensor's file, if the file has the length that the header says.
fn header_of(path: &Path) -> Option<Header> {
    let mut head = [0; Header::LEN];
    let mut file = File::open(path).ok()?;
    file.read_exact(&mut head).ok()?;
    let header = Header::from_bytes(&head).ok()?;
    (file.metadata().ok()?.len() == header.encoded_len()).then_some(header)
}

/// The distinct members of a bundle from its file, if the file belongs to the id.
fn read_bundle(path: &Path, id: &TensorId) -> Option<Arc<[TensorId]>> {
    let bytes = fs::read(path).ok()?;
    let manifest = Encoded::parse(&bytes).ok()?;
    if manifest.id().ok()? != *id {
        return None;
    }
    members(manifest.data()).ok()
}

/// The distinct members of a bundle.
pub(super) fn members(manifest: &[u8]) -> Result<Arc<[TensorId]>, ensemble_tensor::Error> {
    let mut members: Vec<_> = Bundle::parse(manifest)?.iter().map(|(_, id)| id).collect();
    members.sort_unstable();
    members.dedup();
    Ok(members.into())
}

fn last_use(path: &Path) -> SystemTime {
    fs::metadata(path).and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
}
