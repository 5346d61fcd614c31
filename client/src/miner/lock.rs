//! One miner per key: two would answer the same tasks with different salts.

use std::{
    fs::{self, File},
    path::Path,
};

use rustix::fs::{flock, FlockOperation};

use crate::{
    chain::{AccountId32, H256},
    commitments::chain_part,
    error::Error,
};

/// Held while a miner runs. The system gives it back when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of an account on a chain.
    ///
    /// # Errors
    ///
    /// If another process has it, or its file cannot be written.
    pub fn take(folder: &Path, genesis: &H256, account: &AccountId32) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(Error::write(folder))?;
        let path = folder.join(format!("{}-miner-{account}.lock", chain_part(genesis)));
        let file = File::create(&path).map_err(Error::write(&path))?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| Error::BadKey {
            message: format!("a miner of {account} runs on this machine already"),
            remedy: "end that one first, or use another key".into(),
        })?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn a_key_has_one_miner_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let (genesis, account) = (H256::repeat_byte(1), AccountId32([2; 32]));
        let first = Lock::take(folder.path(), &genesis, &account).expect("is free");
        let error = Lock::take(folder.path(), &genesis, &account).expect_err("is taken");
        assert_eq!(error.kind(), Kind::Key);
        Lock::take(folder.path(), &genesis, &AccountId32([3; 32])).expect("another key");
        drop(first);
        Lock::take(folder.path(), &genesis, &account).expect("is free again");
    }
}
