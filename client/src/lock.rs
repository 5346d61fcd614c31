//! A file that one process at a time holds, so that a program does not run twice for the same thing.

use std::{
    fs::{self, File, TryLockError},
    path::Path,
};

use crate::error::Error;

/// The right to run alone. The system gives it back when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock `name` in a folder, for what `what` says.
    ///
    /// # Errors
    ///
    /// If another process has it, or its file cannot be written.
    pub fn take(folder: &Path, name: &str, what: &str) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(Error::write(folder))?;
        let path = folder.join(format!("{name}.lock"));
        let file = File::create(&path).map_err(Error::write(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::Error(error)) => Err(Error::write(path)(error)),
            Err(TryLockError::WouldBlock) => Err(Error::BadKey {
                message: format!("{what} runs on this machine already"),
                remedy: "end that one first, or use another key".into(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn one_has_it_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let take = |name| Lock::take(&folder.path().join("state"), name, "a miner");
        let first = take("one").expect("is free");
        assert_eq!(take("one").expect_err("is taken").kind(), Kind::Key);
        take("another").expect("is free");
        drop(first);
        take("one").expect("is free again");
    }
}
