//! What only its author knows of a commitment: the salt, without which it cannot be opened and its bond is lost. It is
//! on the disk before the commitment is sent.

use std::{
    fs,
    io::{ErrorKind, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    chain::{AccountId32, H256},
    error::Error,
};

/// A folder with a file for each commitment.
#[derive(Clone, Debug)]
pub struct Commitments {
    folder: PathBuf,
}

/// What was committed to, and how it is opened.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Opening {
    /// The task.
    pub task: u32,
    /// Who committed.
    pub account: String,
    /// The id of the content.
    pub content: String,
    /// Its kind.
    pub kind: String,
    /// Its rows.
    pub rows: u32,
    /// Its columns.
    pub cols: u32,
    /// Its Merkle root.
    pub root: String,
    /// What nobody else knows.
    pub salt: String,
    /// The file that it was made of.
    pub file: PathBuf,
}

impl Commitments {
    /// The commitments in a folder, which is made when the first one is.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where they are unless somebody says otherwise: `~/.local/state/ensemble`, or what `XDG_STATE_HOME` says.
    pub fn default_folder() -> PathBuf {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let state = variable("XDG_STATE_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/state")));
        state.unwrap_or_default().join("ensemble")
    }

    /// The file of an opening, whether it is there or not.
    pub fn path(&self, genesis: &H256, task: u32, account: &AccountId32) -> PathBuf {
        let chain = hex::encode(&genesis.as_bytes()[..8]);
        self.folder.join(format!("{chain}-task-{task}-{account}.json"))
    }

    /// The opening of a commitment, if this machine has it.
    ///
    /// # Errors
    ///
    /// If its file cannot be read.
    pub fn get(&self, genesis: &H256, task: u32, account: &AccountId32) -> Result<Option<Opening>, Error> {
        let path = self.path(genesis, task, account);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::read(path)(error)),
        };
        serde_json::from_str(&text).map(Some).map_err(|error| Error::File {
            path,
            message: format!("it is no opening of a commitment: {error}"),
            remedy: "bring it back from a copy".into(),
        })
    }

    /// Keeps an opening, for its owner alone. One that is there is never replaced.
    ///
    /// # Errors
    ///
    /// If there is one, or it cannot be written.
    pub fn add(&self, genesis: &H256, account: &AccountId32, opening: &Opening) -> Result<PathBuf, Error> {
        fs::create_dir_all(&self.folder).map_err(Error::write(&self.folder))?;
        let owner_only = fs::Permissions::from_mode(0o700);
        fs::set_permissions(&self.folder, owner_only).map_err(Error::write(&self.folder))?;
        let path = self.path(genesis, opening.task, account);
        let text = serde_json::to_string_pretty(opening).map_err(|error| Error::Other(error.to_string()))?;
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(Error::write(&path))?;
        file.write_all(text.as_bytes()).map_err(Error::write(&path))?;
        file.sync_all().map_err(Error::write(&path))?;
        sync(&self.folder)?;
        Ok(path)
    }

    /// Forgets an opening whose commitment was not taken.
    ///
    /// # Errors
    ///
    /// If its file cannot be removed.
    pub fn remove(&self, genesis: &H256, task: u32, account: &AccountId32) -> Result<(), Error> {
        let path = self.path(genesis, task, account);
        fs::remove_file(&path).map_err(Error::write(path))
    }
}

/// Has the system write a folder, so that a file in it is still there after a power cut.
fn sync(folder: &Path) -> Result<(), Error> {
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::write(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_is_kept_until_it_is_forgotten_and_never_replaced() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let commitments = Commitments::new(folder.path().join("state"));
        let (genesis, account) = (H256::repeat_byte(1), AccountId32([2; 32]));
        assert_eq!(commitments.get(&genesis, 7, &account).expect("is read"), None);
        let opening = Opening {
            task: 7,
            account: account.to_string(),
            content: "0x01".into(),
            kind: "bytes".into(),
            rows: 3,
            cols: 1,
            root: "0x02".into(),
            salt: "0x03".into(),
            file: "a".into(),
        };
        let path = commitments.add(&genesis, &account, &opening).expect("is kept");
        assert_eq!(fs::metadata(&path).expect("is there").permissions().mode() & 0o777, 0o600);
        assert_eq!(commitments.get(&genesis, 7, &account).expect("is read"), Some(opening.clone()));
        assert_eq!(commitments.get(&H256::repeat_byte(3), 7, &account).expect("is read"), None, "another chain");
        assert!(commitments.add(&genesis, &account, &opening).is_err());
        commitments.remove(&genesis, 7, &account).expect("is removed");
        assert_eq!(commitments.get(&genesis, 7, &account).expect("is read"), None);
    }
}
