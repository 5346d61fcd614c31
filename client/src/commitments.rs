//! What only its author knows of a commitment: the salt, without which it cannot be opened and its bond is lost. It is
//! on the disk before the commitment is sent.

use std::{
    fs,
    io::{ErrorKind, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use ensemble_tensor::{Header, Kind};
use serde::{de::DeserializeOwned, Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::{
    chain::{types::ensemble_core::tasks::Descriptor, AccountId32, H256},
    error::Error,
    send::blake2_256,
    tensors::{descriptor, Content},
    views::hex_text,
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

/// Scores that a validator committed to, and how they are opened.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ScoresOpening {
    /// The validator's module.
    pub validator: u32,
    /// The epoch.
    pub epoch: u32,
    /// Which of the validator's batches of the epoch.
    pub batch: u32,
    /// Miners in the order of their numbers, with score, quality and availability in millionths and latency in
    /// milliseconds.
    pub scores: Vec<(u32, [u32; 4])>,
    /// What nobody else knows.
    pub salt: String,
}

impl Opening {
    /// That of a commitment to a content, with a salt that nobody else knows.
    ///
    /// # Errors
    ///
    /// If the system gives no random numbers.
    pub fn new(task: u32, account: &AccountId32, content: &Content<'_>, file: &Path) -> Result<Self, Error> {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|error| Error::Other(format!("no random numbers: {error}")))?;
        let header = &content.header;
        Ok(Self {
            task,
            account: account.to_string(),
            content: content.id.to_string(),
            kind: header.kind().name().into(),
            rows: header.rows(),
            cols: header.cols(),
            root: hex_text(&content.root),
            salt: hex_text(&salt),
            file: file.into(),
        })
    }

    /// The hash of content, account, task and salt: what is committed to.
    ///
    /// # Errors
    ///
    /// If the opening is damaged.
    pub fn commitment(&self, account: &AccountId32) -> Result<H256, Error> {
        let content = self.bytes_of(&self.content)?;
        Ok(H256(blake2_256(&[&content, &account.0, &self.task.to_le_bytes(), &self.salt()?])))
    }

    /// What the reveal names the content by.
    ///
    /// # Errors
    ///
    /// If the opening is damaged.
    pub fn descriptor(&self) -> Result<Descriptor, Error> {
        let kind: Kind = self.kind.parse().map_err(|_| self.damaged())?;
        let header = Header::new(kind, self.rows, self.cols).map_err(|_| self.damaged())?;
        Ok(descriptor(&header, self.bytes_of(&self.root)?))
    }

    /// What nobody else knows.
    ///
    /// # Errors
    ///
    /// If the opening is damaged.
    pub fn salt(&self) -> Result<[u8; 32], Error> {
        self.bytes_of(&self.salt)
    }

    fn bytes_of(&self, text: &str) -> Result<[u8; 32], Error> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim_start_matches("0x"), &mut bytes).map_err(|_| self.damaged())?;
        Ok(bytes)
    }

    fn damaged(&self) -> Error {
        Error::Other(format!("the opening of task {} is damaged", self.task))
    }
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
        self.folder.join(format!("{}-task-{task}-{account}.json", chain_part(genesis)))
    }

    /// The tasks to which an account has committed, as far as this machine has their openings.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub fn tasks(&self, genesis: &H256, account: &AccountId32) -> Result<Vec<u32>, Error> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::read(&self.folder)(error)),
        };
        let (prefix, ending) = (format!("{}-task-", chain_part(genesis)), format!("-{account}.json"));
        let mut tasks = Vec::new();
        for entry in entries {
            let name = entry.map_err(Error::read(&self.folder))?.file_name();
            let number: Option<u32> =
                name.to_str().and_then(|name| name.strip_prefix(&prefix)?.strip_suffix(&ending)?.parse().ok());
            tasks.extend(number);
        }
        tasks.sort_unstable();
        Ok(tasks)
    }

    /// The opening of a commitment, if this machine has it.
    ///
    /// # Errors
    ///
    /// If its file cannot be read.
    pub fn get(&self, genesis: &H256, task: u32, account: &AccountId32) -> Result<Option<Opening>, Error> {
        read(self.path(genesis, task, account))
    }

    /// Keeps an opening, for its owner alone. One that is there is never replaced.
    ///
    /// # Errors
    ///
    /// If there is one, or it cannot be written.
    pub fn add(&self, genesis: &H256, account: &AccountId32, opening: &Opening) -> Result<PathBuf, Error> {
        let path = self.path(genesis, opening.task, account);
        self.write(&path, opening)?;
        Ok(path)
    }

    /// Forgets an opening whose commitment was not taken, or whose task is settled.
    ///
    /// # Errors
    ///
    /// If its file cannot be removed.
    pub fn remove(&self, genesis: &H256, task: u32, account: &AccountId32) -> Result<(), Error> {
        let path = self.path(genesis, task, account);
        fs::remove_file(&path).map_err(Error::write(path))
    }

    /// The folder, which is there afterwards, for its owner alone.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn folder(&self) -> Result<&Path, Error> {
        fs::create_dir_all(&self.folder).map_err(Error::write(&self.folder))?;
        let owner_only = fs::Permissions::from_mode(0o700);
        fs::set_permissions(&self.folder, owner_only).map_err(Error::write(&self.folder))?;
        Ok(&self.folder)
    }

    /// Keeps how commitments to scores are opened, for its owner alone. What is there is never replaced.
    ///
    /// # Errors
    ///
    /// If there is something, or it cannot be written.
    pub fn add_scores(&self, genesis: &H256, opening: &ScoresOpening) -> Result<(), Error> {
        self.write(&self.scores_path(genesis, opening.validator, opening.epoch, opening.batch), opening)
    }

    /// How a commitment to scores is opened, if this machine knows it.
    ///
    /// # Errors
    ///
    /// If its file cannot be read.
    pub fn scores(
        &self,
        genesis: &H256,
        validator: u32,
        epoch: u32,
        batch: u32,
    ) -> Result<Option<ScoresOpening>, Error> {
        read(self.scores_path(genesis, validator, epoch, batch))
    }

    /// Forgets the scores that a validator committed to before an epoch.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read, or a file not removed.
    pub fn remove_scores_before(&self, genesis: &H256, validator: u32, epoch: u32) -> Result<(), Error> {
        let prefix = scores_prefix(genesis, validator);
        let folder = self.folder()?;
        for entry in fs::read_dir(folder).map_err(Error::read(folder))? {
            let name = entry.map_err(Error::read(folder))?.file_name();
            let of = name.to_str().and_then(|name| name.strip_prefix(&prefix)?.split('-').next()?.parse::<u32>().ok());
            if of.is_some_and(|of| of < epoch) {
                let path = folder.join(name);
                fs::remove_file(&path).map_err(Error::write(path))?;
            }
        }
        Ok(())
    }

    fn scores_path(&self, genesis: &H256, validator: u32, epoch: u32, batch: u32) -> PathBuf {
        self.folder.join(format!("{}{epoch}-{batch}.json", scores_prefix(genesis, validator)))
    }

    /// Writes a new file to the disk, for its owner alone.
    fn write<T: Serialize>(&self, path: &Path, opening: &T) -> Result<(), Error> {
        self.folder()?;
        let text = serde_json::to_string_pretty(opening).map_err(|error| Error::Other(error.to_string()))?;
        // All of it or nothing: half a file after a crash would be in the way.
        let mut file = NamedTempFile::new_in(&self.folder).map_err(Error::write(&self.folder))?;
        file.write_all(text.as_bytes()).map_err(Error::write(path))?;
        file.as_file().sync_all().map_err(Error::write(path))?;
        file.persist_noclobber(path).map_err(|error| Error::write(path)(error.error))?;
        sync(&self.folder)
    }
}

/// How the names of all files about a validator's scores begin.
fn scores_prefix(genesis: &H256, validator: u32) -> String {
    format!("{}-scores-{validator}-", chain_part(genesis))
}

/// What a file holds, if it is there.
fn read<T: DeserializeOwned>(path: PathBuf) -> Result<Option<T>, Error> {
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

/// By what the files of a chain begin.
pub fn chain_part(genesis: &H256) -> String {
    hex::encode(&genesis.as_bytes()[..8])
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
        assert_eq!(commitments.tasks(&genesis, &account).expect("are read"), [7]);
        assert_eq!(commitments.tasks(&genesis, &AccountId32([3; 32])).expect("are read"), [0; 0], "another account");
        assert!(commitments.add(&genesis, &account, &opening).is_err());
        commitments.remove(&genesis, 7, &account).expect("is removed");
        assert_eq!(commitments.get(&genesis, 7, &account).expect("is read"), None);
    }

    #[test]
    fn scores_are_kept_until_their_epoch_is_over() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let commitments = Commitments::new(folder.path().join("state"));
        let genesis = H256::repeat_byte(1);
        let opening = |validator, epoch| ScoresOpening {
            validator,
            epoch,
            batch: 0,
            scores: vec![(3, [900_000, 1_000_000, 900_000, 12])],
            salt: "0x03".into(),
        };
        for (validator, epoch) in [(7, 9), (7, 10), (70, 9)] {
            commitments.add_scores(&genesis, &opening(validator, epoch)).expect("is kept");
        }
        assert!(commitments.add_scores(&genesis, &opening(7, 9)).is_err(), "never replaced");
        commitments.remove_scores_before(&genesis, 7, 10).expect("are removed");
        let is_there = |validator, epoch| {
            let found = commitments.scores(&genesis, validator, epoch, 0).expect("is read");
            found.is_some_and(|found| found == opening(validator, epoch))
        };
        assert_eq!((is_there(7, 9), is_there(7, 10), is_there(70, 9)), (false, true, true));
    }
}
