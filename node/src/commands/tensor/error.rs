//! What can go wrong, each a sentence that says what to do.

use std::{
    io,
    path::{Path, PathBuf},
};

use ensemble_tensor::{Kind, TensorId};

/// Why a file could not be converted, proved or verified.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Standard output cannot be written.
    #[error("cannot write the result: {0}")]
    Print(io::Error),
    /// A result cannot be put into JSON.
    #[error("cannot write the result as JSON: {0}")]
    Json(serde_json::Error),
    /// The file is not what it should be.
    #[error("{}: {source}", path.display())]
    Tensor {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ensemble_tensor::Error,
    },
    /// One tensor of several cannot be converted.
    #[error("{}: tensor {name}: {source}; or choose another tensor with --name", path.display())]
    Member {
        /// The file.
        path: PathBuf,
        /// The name of the tensor.
        name: String,
        /// What is wrong.
        source: ensemble_tensor::Error,
    },
    /// The file has no tensor of this name.
    #[error("{}: there is no tensor named {name:?}; the file has {}", path.display(), listed(names))]
    NoSuchName {
        /// The file.
        path: PathBuf,
        /// The name asked for.
        name: String,
        /// The names that there are.
        names: Vec<String>,
    },
    /// The file holds nothing.
    #[error("{}: the file is empty, but a tensor has at least one byte", path.display())]
    EmptyFile {
        /// The file.
        path: PathBuf,
    },
    /// The file holds no tensors at all.
    #[error("{}: the file holds no tensors", path.display())]
    NoTensors {
        /// The file.
        path: PathBuf,
    },
    /// A name given for a file without names.
    #[error("{}: --name chooses a tensor of a .safetensors file, which this is not; leave it out", path.display())]
    NameWithoutNames {
        /// The file.
        path: PathBuf,
    },
    /// Elements that become another kind than the one asked for.
    #[error(
        "{}: this becomes kind {actual}, not {expected}; leave out --kind or convert the elements first",
        path.display()
    )]
    OtherKind {
        /// The file.
        path: PathBuf,
        /// The kind asked for.
        expected: Kind,
        /// The kind that it would become.
        actual: Kind,
    },
    /// A tensor with another id than the one asked for.
    #[error("{}: this is the tensor {actual}, not {expected}; get the file again", path.display())]
    OtherId {
        /// The file.
        path: PathBuf,
        /// The id asked for.
        expected: TensorId,
        /// The id that it has.
        actual: TensorId,
    },
    /// The output would replace the input.
    #[error("{}: this is the input, which is never overwritten; name another output", path.display())]
    SameFile {
        /// The file.
        path: PathBuf,
    },
    /// A file that is no proof.
    #[error("{}: this is no row proof: {source}; make one with `tensor prove`", path.display())]
    NoProof {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// A file too large for what it should be.
    #[error("{}: {len} bytes are too many for a row proof; make one with `tensor prove`", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        len: u64,
    },
}

impl Error {
    /// Something is wrong with the content of `path`.
    pub fn tensor(path: &Path, source: ensemble_tensor::Error) -> Self {
        Self::Tensor { path: path.into(), source }
    }

    /// `path` has `names`, but not `name`.
    pub fn no_such_name(path: &Path, name: &str, names: &[&str]) -> Self {
        let names = names.iter().map(ToString::to_string).collect();
        Self::NoSuchName { path: path.into(), name: name.into(), names }
    }

    /// `path` cannot be read.
    pub fn read(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |source| Self::Read { path: path.into(), source }
    }

    /// `path` cannot be written.
    pub fn write(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |source| Self::Write { path: path.into(), source }
    }
}

impl From<Error> for sc_cli::Error {
    fn from(error: Error) -> Self {
        Self::Application(Box::new(error))
    }
}

/// The first few names.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 10;
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..SHOWN].join(", ")),
    }
}
