//! Models out of GGUF files.

use std::{
    fs,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use ensemble_model::import::{self, Import};
use ensemble_tensor::{read::gguf::Archive, Bundle, Error as TensorError, OutlineBuilder, Tensor, TensorId};
use tempfile::{NamedTempFile, TempPath};

use crate::{error::Error, progress::Progress};

/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 20;

/// Why a member is not written: what the import says, or the system.
#[derive(Debug)]
enum Failure {
    Import(import::Error),
    Tensor(TensorError),
    Write(std::io::Error),
}

impl From<import::Error> for Failure {
    fn from(error: import::Error) -> Self {
        Self::Import(error)
    }
}

/// Makes a bundle of a model in a `.gguf` file: the manifest and all members, each in a file of the folder that is
/// named by its id. The same as `ensemble-node model import`. Returns the manifest's path.
///
/// # Errors
///
/// If the file is no model that can be imported, or the folder cannot be written.
pub fn import(path: &Path, folder: &Path, positions: Option<u32>) -> Result<PathBuf, Error> {
    let bytes = fs::read(path).map_err(Error::read(path))?;
    let refused = |error: import::Error| no_model(path, &error.to_string());
    let archive = Archive::parse(&bytes).map_err(|error| no_model(path, &error.to_string()))?;
    let import = Import::new(&archive, positions).map_err(refused)?;
    let mut total = 0;
    for (_, member) in import.members() {
        total += import.header(member).map_err(refused)?.encoded_len();
    }
    fs::create_dir_all(folder).map_err(Error::write(folder))?;
    let mut progress = Progress::new("importing", total);
    let (mut members, mut drafts, mut done) = (Vec::new(), Vec::new(), 0);
    for (name, member) in import.members() {
        let header = import.header(member).map_err(refused)?;
        let draft = NamedTempFile::new_in(folder).map_err(Error::write(folder))?;
        let mut outline = OutlineBuilder::new(&header);
        let mut writer = BufWriter::with_capacity(BUFFER, &draft);
        writer.write_all(&header.to_bytes()).map_err(Error::write(folder))?;
        let taken = import.encode(member, |part| {
            outline.update(part).map_err(Failure::Tensor)?;
            progress.at(done + outline.taken());
            writer.write_all(part).map_err(Failure::Write)
        });
        taken.map_err(|failure| match failure {
            Failure::Import(error) => refused(error),
            Failure::Tensor(error) => no_model(path, &error.to_string()),
            Failure::Write(error) => Error::write(folder)(error),
        })?;
        writer.flush().map_err(Error::write(folder))?;
        drop(writer);
        let outline = outline.finish().map_err(|error| no_model(path, &error.to_string()))?;
        members.push((name.to_owned(), outline.id()));
        drafts.push(draft.into_temp_path());
        done += header.encoded_len();
    }
    publish(folder, &members, drafts)
}

/// Gives all members their names, and writes the manifest. Nothing has a name before all of it is there.
fn publish(folder: &Path, members: &[(String, TensorId)], drafts: Vec<TempPath>) -> Result<PathBuf, Error> {
    for (draft, (_, id)) in drafts.into_iter().zip(members) {
        let path = folder.join(id.to_string());
        draft.persist(&path).map_err(|failed| Error::write(&path)(failed.error))?;
    }
    let told = |error: TensorError| no_model(folder, &error.to_string());
    let manifest = Bundle::encode(members.iter().map(|(name, id)| (name.as_str(), *id))).map_err(told)?;
    let tensor = Tensor::new(Bundle::header(&manifest).map_err(told)?, &manifest).map_err(told)?;
    let path = folder.join(tensor.id().map_err(told)?.to_string());
    fs::write(&path, tensor.encode()).map_err(Error::write(&path))?;
    Ok(path)
}

fn no_model(path: &Path, message: &str) -> Error {
    Error::File {
        path: path.into(),
        message: message.into(),
        remedy: "give a .gguf file of the architecture llama, of types F32, F16, Q8_0, Q4_0 and Q4_1".into(),
    }
}
