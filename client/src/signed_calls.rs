//! How many calls of a ticket this machine has signed for, so that the next receipt is for one more.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use crate::{chain::H256, error::Error};

/// A folder with a file for each ticket.
#[derive(Clone, Debug)]
pub struct SignedCalls {
    folder: PathBuf,
    chain: String,
}

/// The right to count on, which one process has at one time.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "it is unlocked when it goes")] File);

impl SignedCalls {
    /// The counts in a folder, of tickets of the chain that begins with this block.
    pub fn new(folder: PathBuf, genesis: &H256) -> Self {
        Self { folder, chain: hex::encode(&genesis.as_bytes()[..8]) }
    }

    /// Waits until no other process counts.
    ///
    /// # Errors
    ///
    /// If the folder cannot be written.
    pub fn turn(&self) -> Result<Turn, Error> {
        fs::create_dir_all(&self.folder).map_err(Error::write(&self.folder))?;
        let path = self.folder.join(format!("{}-tickets.lock", self.chain));
        let file = File::create(&path).map_err(Error::write(&path))?;
        file.lock().map_err(Error::write(&path))?;
        Ok(Turn(file))
    }

    /// How many calls of a ticket were signed for.
    ///
    /// # Errors
    ///
    /// If there is a file that cannot be read, or is no number.
    pub fn get(&self, ticket: u64) -> Result<u32, Error> {
        let path = self.path(ticket);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(Error::read(path)(error)),
        };
        text.trim().parse().map_err(|_| Error::File {
            path,
            message: "it is no number of calls".into(),
            remedy: "remove it, and say with --calls for how many to sign".into(),
        })
    }

    /// Writes how many calls of a ticket were signed for; it is never fewer than before.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn set(&self, _: &Turn, ticket: u64, calls: u32) -> Result<(), Error> {
        if calls <= self.get(ticket)? {
            return Ok(());
        }
        let mut file = tempfile::NamedTempFile::new_in(&self.folder).map_err(Error::write(&self.folder))?;
        let path = self.path(ticket);
        writeln!(file, "{calls}").map_err(Error::write(&path))?;
        file.as_file().sync_all().map_err(Error::write(&path))?;
        file.persist(&path).map_err(|error| Error::write(&path)(error.error))?;
        Ok(())
    }

    fn path(&self, ticket: u64) -> PathBuf {
        Path::new(&self.folder).join(format!("{}-ticket-{ticket}", self.chain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_grow_and_are_of_one_chain() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let counts = SignedCalls::new(folder.path().join("state"), &H256::repeat_byte(1));
        assert_eq!(counts.get(3).expect("is read"), 0);
        let turn = counts.turn().expect("is free");
        for (calls, expected) in [(2, 2), (5, 5), (1, 5)] {
            counts.set(&turn, 3, calls).expect("is written");
            assert_eq!(counts.get(3).expect("is read"), expected);
        }
        assert_eq!(counts.get(4).expect("is read"), 0);
        let other = SignedCalls::new(folder.path().join("state"), &H256::repeat_byte(2));
        assert_eq!(other.get(3).expect("is read"), 0);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let counts = SignedCalls::new(folder.path().into(), &H256::zero());
        fs::write(counts.path(1), "many").expect("is written");
        assert!(counts.get(1).is_err());
    }
}
