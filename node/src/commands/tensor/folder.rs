//! A bundle as a folder: its manifest and its members, each in a file named by its id.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ensemble_tensor::{Bundle, Outline, Tensor, TensorId};
use tempfile::{NamedTempFile, TempPath};

use super::{files, Error, Facts};

/// A folder that is being filled. Nothing in it has a name before all of it is there.
pub struct Folder {
    path: PathBuf,
    members: Vec<(String, TensorId)>,
    drafts: Vec<TempPath>,
}

impl Folder {
    /// The folder, which is created if need be.
    pub fn create(path: &Path) -> Result<Self, Error> {
        fs::create_dir_all(path).map_err(Error::write(path))?;
        Ok(Self { path: path.into(), members: Vec::new(), drafts: Vec::new() })
    }

    /// Adds a member, which `write` writes.
    pub fn add<E: From<Error>>(
        &mut self,
        name: &str,
        write: impl FnOnce(&NamedTempFile) -> Result<Outline, E>,
    ) -> Result<(), E> {
        let draft = files::draft(&self.path)?;
        let outline = write(&draft)?;
        self.members.push((name.into(), outline.id()));
        self.drafts.push(draft.into_temp_path());
        Ok(())
    }

    /// Gives all members their names, and writes the manifest.
    pub fn publish(self) -> Result<Facts, Error> {
        let Self { path, members, drafts } = self;
        for (draft, (_, id)) in drafts.into_iter().zip(&members) {
            files::publish(draft, &path.join(id.to_string()))?;
        }
        let invalid = |source| Error::tensor(&path, source);
        let members = members.iter().map(|(name, id)| (name.as_str(), *id));
        let manifest = Bundle::encode(members).map_err(invalid)?;
        let header = Bundle::header(&manifest).map_err(invalid)?;
        let bundle = Tensor::new(header, &manifest).map_err(invalid)?;
        let outline = bundle.outline().map_err(invalid)?;
        let file = path.join(outline.id().to_string());
        files::write(&file, &bundle.encode())?;
        Ok(Facts::new(&outline, file).with_members_of(&bundle))
    }
}
