//! Where the tensors of a model lie.

use std::{collections::HashMap, path::Path, sync::Arc};

use ensemble_model::{members_of, Folder, Mapped, OpenError, Source, MAX_MANIFEST};
use ensemble_tensor::{Header, Kind, TensorId};

use super::Error;
use crate::tensors::{Guard, Store};

/// The members of a model's bundle by name.
pub enum Members {
    /// In the store, which keeps them as long as they are used.
    Store {
        /// The store.
        store: Arc<Store>,
        /// The ids of the members.
        ids: HashMap<String, TensorId>,
        /// Keeps them.
        _guard: Guard,
    },
    /// In a folder, each in a file named by its id.
    Folder(Folder),
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
            return Err(OpenError::NoBundle(*id).into());
        }
        let manifest = store.tensor(id)?.map().map_err(OpenError::from)?;
        let ids = members_of(manifest.get(Header::LEN..).unwrap_or_default())?;
        // The guard of a bundle keeps its manifest alone.
        let all: Vec<TensorId> = ids.values().copied().chain([*id]).collect();
        let members = Self::Store { store: store.clone(), ids, _guard: store.guard(&all) };
        drop(guard);
        Ok(members)
    }

    /// The members of a bundle in a folder, as the import writes it.
    pub fn in_folder(folder: &Path, id: &TensorId) -> Result<Self, Error> {
        Ok(Self::Folder(Folder::open(folder, id)?))
    }

    /// Whether there is a member of this name.
    pub fn has(&self, name: &str) -> bool {
        self.id(name).is_some()
    }

    /// The id of a member.
    pub fn id(&self, name: &str) -> Option<TensorId> {
        match self {
            Self::Store { ids, .. } => ids.get(name).copied(),
            Self::Folder(folder) => folder.id(name),
        }
    }
}

impl Source for Members {
    type Error = Error;

    fn map(&self, name: &str) -> Result<Mapped, Error> {
        match self {
            Self::Store { store, ids, .. } => {
                let id = ids.get(name).ok_or_else(|| OpenError::Missing(name.into()))?;
                let tensor = store.tensor(id)?;
                let map = tensor.map().map_err(OpenError::from)?;
                Ok(Mapped::new(map, *tensor.header()).ok_or(OpenError::Damaged(*id))?)
            },
            Self::Folder(folder) => Ok(folder.map(name)?),
        }
    }
}
