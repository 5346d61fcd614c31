//! A file that one process at a time may hold, so that a program does not run twice for the same thing.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
};

use crate::error::Error;

/// The right to go on alone. It ends with the process, however that ends.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code, reason = "the lock lasts as long as the file is open")] File);

impl Lock {
    /// Takes a lock.
    ///
    /// # Errors
    ///
    /// If another process holds it, of which `what` says what it does, or the file cannot be made.
    pub fn take(path: &Path, what: &str) -> Result<Self, Error> {
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(Error::write(path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::Error(error)) => Err(Error::write(path)(error)),
            Err(TryLockError::WouldBlock) => Err(Error::File {
                path: path.into(),
                message: format!("{what} runs already on this machine"),
                remedy: "end the other one first, or name another folder with --state".into(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn one_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("lock");
        let lock = Lock::take(&path, "it").expect("is free");
        assert_eq!(Lock::take(&path, "it").expect_err("is held").kind(), Kind::File);
        drop(lock);
        Lock::take(&path, "it").expect("is free again");
    }
}
