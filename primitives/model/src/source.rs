//! Where the members of a model's bundle lie.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use ensemble_compute::inference::Shape;
use ensemble_tensor::{Bundle, Kind, TensorId};

use crate::{Mapped, OpenError};

/// Most bytes of a manifest: a model has a few thousand members.
pub const MAX_MANIFEST: u64 = 1 << 20;

/// The members of a bundle, wherever they lie.
pub trait Source {
    /// Why a member cannot be had.
    type Error: From<OpenError>;

    /// A member, mapped.
    ///
    /// # Errors
    ///
    /// If there is none of this name, or it cannot be read.
    fn map(&self, name: &str) -> Result<Mapped, Self::Error>;

    /// A member of bytes, of which there may be so many.
    ///
    /// # Errors
    ///
    /// If there is none of this name, it is something else, or it cannot be read.
    fn bytes(&self, name: &str, limit: u64) -> Result<Vec<u8>, Self::Error> {
        let mapped = self.map(name)?;
        let header = mapped.header();
        if header.kind() != Kind::Bytes || header.data_len() > limit {
            return Err(OpenError::Bytes { name: name.into(), limit }.into());
        }
        Ok(mapped.data().to_vec())
    }

    /// A member of a shape, and of one of these kinds.
    ///
    /// # Errors
    ///
    /// If there is none of this name, it is something else, or it cannot be read.
    fn shaped(&self, shape: Shape, kinds: &[Kind]) -> Result<Mapped, Self::Error> {
        let mapped = self.map(&shape.name)?;
        let header = mapped.header();
        if !kinds.contains(&header.kind()) || (header.rows(), header.cols()) != (shape.rows, shape.cols) {
            return Err(OpenError::Shape(shape.name).into());
        }
        Ok(mapped)
    }
}

/// A bundle in a folder, as the import writes it: each tensor in a file named by its id.
pub struct Folder {
    folder: PathBuf,
    ids: HashMap<String, TensorId>,
}

impl Folder {
    /// The bundle of an id.
    ///
    /// # Errors
    ///
    /// If its manifest is not there, or is none.
    pub fn open(folder: &Path, id: &TensorId) -> Result<Self, OpenError> {
        let manifest = Mapped::in_folder(folder, id)?;
        if manifest.header().kind() != Kind::Bundle || manifest.header().data_len() > MAX_MANIFEST {
            return Err(OpenError::NoBundle(*id));
        }
        Ok(Self { folder: folder.into(), ids: members_of(manifest.data())? })
    }

    /// The id of a member.
    pub fn id(&self, name: &str) -> Option<TensorId> {
        self.ids.get(name).copied()
    }
}

impl Source for Folder {
    type Error = OpenError;

    fn map(&self, name: &str) -> Result<Mapped, OpenError> {
        let id = self.id(name).ok_or_else(|| OpenError::Missing(name.into()))?;
        Mapped::in_folder(&self.folder, &id)
    }
}

/// The members of a manifest by name.
///
/// # Errors
///
/// If the bytes are no manifest.
pub fn members_of(manifest: &[u8]) -> Result<HashMap<String, TensorId>, OpenError> {
    Ok(Bundle::parse(manifest)?.iter().map(|(name, id)| (name.into(), id)).collect())
}
