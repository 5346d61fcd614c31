//! The folder of keys.

use std::{
    fs,
    io::{ErrorKind, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use secrecy::SecretString;

use super::{json, Key, KeyFile};
use crate::error::Error;

/// Only the owner reads keys.
const FOLDER_MODE: u32 = 0o700;
/// Ending of key files.
const ENDING: &str = "json";

/// A folder with a file for each key, named by the key.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The keys in a folder, which is made when the first key is.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where keys are unless somebody says otherwise: `~/.config/ensemble/keys`, or what `XDG_CONFIG_HOME` says.
    pub fn default_folder() -> PathBuf {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let config = variable("XDG_CONFIG_HOME").or_else(|| variable("HOME").map(|home| home.join(".config")));
        config.unwrap_or_default().join("ensemble").join("keys")
    }

    /// All keys with their names, in the order of the names.
    ///
    /// # Errors
    ///
    /// If the folder or a file cannot be read.
    pub fn list(&self) -> Result<Vec<(String, KeyFile)>, Error> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::read(&self.folder)(error)),
        };
        let mut keys = Vec::new();
        for entry in entries {
            let path = entry.map_err(Error::read(&self.folder))?.path();
            let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
            if path.extension().is_some_and(|ending| ending == ENDING) && check_name(&name).is_ok() {
                keys.push((name.clone(), self.get(&name)?));
            }
        }
        keys.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(keys)
    }

    /// A key, still encrypted.
    ///
    /// # Errors
    ///
    /// If there is none of this name, or its file is none.
    pub fn get(&self, name: &str) -> Result<KeyFile, Error> {
        check_name(name)?;
        let path = self.path(name);
        match fs::read_to_string(&path) {
            Ok(text) => KeyFile::parse(&text),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(Error::NoSuchKey { name: name.into(), folder: self.folder.clone() })
            },
            Err(error) => Err(Error::read(path)(error)),
        }
    }

    /// Opens a key.
    ///
    /// # Errors
    ///
    /// As [`Self::get`], and if the password is wrong.
    pub fn open(&self, name: &str, password: &SecretString) -> Result<Key, Error> {
        json::decrypt(&self.get(name)?, name, password)
    }

    /// Whether a new key can have a name.
    ///
    /// # Errors
    ///
    /// If it is no name, or another key has it.
    pub fn check_free(&self, name: &str) -> Result<(), Error> {
        check_name(name)?;
        if self.path(name).exists() {
            return Err(Error::KeyExists { name: name.into() });
        }
        Ok(())
    }

    /// Keeps a key. Another of this name is never replaced.
    ///
    /// # Errors
    ///
    /// If there is one, or it cannot be written.
    pub fn add(&self, name: &str, file: &KeyFile) -> Result<PathBuf, Error> {
        self.check_free(name)?;
        let path = self.path(name);
        fs::create_dir_all(&self.folder).map_err(Error::write(&self.folder))?;
        let owner_only = fs::Permissions::from_mode(FOLDER_MODE);
        fs::set_permissions(&self.folder, owner_only).map_err(Error::write(&self.folder))?;
        write_new(&path, file)?;
        Ok(path)
    }

    /// Removes a key for good.
    ///
    /// # Errors
    ///
    /// If there is none, or it cannot be removed.
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        self.get(name)?;
        let path = self.path(name);
        fs::remove_file(&path).map_err(Error::write(path))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.{ENDING}"))
    }
}

/// Writes a key file that only its owner may read, all of it or nothing, and never over another.
pub fn write_new(path: &Path, file: &KeyFile) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(file).map_err(|error| Error::Other(error.to_string()))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A temporary file is its owner's alone from the beginning.
    let mut draft = tempfile::NamedTempFile::new_in(folder).map_err(Error::write(folder))?;
    draft.write_all(text.as_bytes()).map_err(Error::write(path))?;
    draft.as_file().sync_all().map_err(Error::write(path))?;
    draft.persist_noclobber(path).map_err(|failed| Error::write(path)(failed.error))?;
    Ok(())
}

/// A name is one to 64 letters, digits, hyphens and underscores, so that it is a file's name everywhere.
fn check_name(name: &str) -> Result<(), Error> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=64).contains(&name.len()) && name.bytes().all(is_allowed) {
        return Ok(());
    }
    Err(Error::BadKey {
        message: format!("`{}` is no name of a key", name.escape_default()),
        remedy: "use letters, digits, hyphens and underscores".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        error::Kind,
        keys::{encrypt, parse_uri, Scheme},
    };

    fn stored(name: &str) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let store = Store::new(folder.path().join("keys"));
        let key = Key::from_uri(Scheme::Sr25519, &parse_uri("//Alice").expect("is a secret")).expect("is a key");
        store.add(name, &encrypt(&key, name, &"secret".into()).expect("is encrypted")).expect("is kept");
        (folder, store)
    }

    #[test]
    fn keys_are_kept_for_their_owner_alone() {
        let (_folder, store) = stored("miner");
        let mode = |path: &Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
        assert_eq!((mode(&store.folder), mode(&store.path("miner"))), (0o700, 0o600));
        assert_eq!(store.list().expect("is read")[0].0, "miner");
        assert!(store.open("miner", &"secret".into()).is_ok());
        assert_eq!(store.open("miner", &"other".into()).expect_err("is wrong").kind(), Kind::WrongPassword);
    }

    #[test]
    fn a_key_is_never_replaced() {
        let (_folder, store) = stored("miner");
        let file = store.get("miner").expect("is there");
        assert!(matches!(store.add("miner", &file), Err(Error::KeyExists { .. })));
        store.remove("miner").expect("is removed");
        assert!(matches!(store.remove("miner"), Err(Error::NoSuchKey { .. })));
        assert!(store.list().expect("is read").is_empty());
    }

    #[test]
    fn names_lead_nowhere_else() {
        let (_folder, store) = stored("miner");
        for name in ["", "../miner", "a/b", "a.b", &"a".repeat(65)] {
            assert_eq!(store.get(name).expect_err("is no name").kind(), Kind::Key, "{name}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_keys() {
        assert!(Store::new("/nowhere/keys".into()).list().expect("is empty").is_empty());
    }
}
