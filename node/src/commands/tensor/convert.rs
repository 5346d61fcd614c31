//! Conversion of files to tensors.

use std::path::Path;

use ensemble_tensor::{
    read::{npy, safetensors::Archive, Matrix},
    Bundle, Header, Kind, Outline, Tensor, TensorId,
};
use tempfile::NamedTempFile;

use super::{files, folder::Folder, ConvertCmd, Error, Facts, Progress};

/// Converts a file, and says what it has become.
pub fn run(command: &ConvertCmd) -> Result<Facts, Error> {
    let input = &command.input;
    let map = files::map(input)?;
    refuse_input(input, &command.output)?;
    match (format(input, command.kind), &command.name) {
        (Format::Safetensors, _) => from_archive(command, &map),
        (_, Some(_)) => Err(Error::NameWithoutNames { path: input.clone() }),
        (Format::Npy, None) => {
            let matrix = npy::parse(&map).map_err(|source| Error::tensor(input, source))?;
            to_file(command, &Source::Rows(matrix))
        },
        (Format::Other, None) if map.is_empty() => Err(Error::EmptyFile { path: input.clone() }),
        (Format::Other, None) => {
            let header = Header::bytes(map.len() as u64).map_err(|source| Error::tensor(input, source))?;
            to_file(command, &Source::Bytes(header, &map))
        },
    }
}

/// What a file is taken for.
enum Format {
    Npy,
    Safetensors,
    Other,
}

fn format(path: &Path, kind: Option<Kind>) -> Format {
    let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
    match ending.as_ref().and_then(|ending| ending.to_str()) {
        _ if kind == Some(Kind::Bytes) => Format::Other,
        Some("npy") => Format::Npy,
        Some("safetensors") => Format::Safetensors,
        _ => Format::Other,
    }
}

/// Refuses an output that is the input by another name.
fn refuse_input(input: &Path, output: &Path) -> Result<(), Error> {
    match (input.canonicalize(), output.canonicalize()) {
        (Ok(input), Ok(same)) if input == same => Err(Error::SameFile { path: output.into() }),
        _ => Ok(()),
    }
}

fn from_archive(command: &ConvertCmd, file: &[u8]) -> Result<Facts, Error> {
    let path = &command.input;
    let archive = Archive::parse(file).map_err(|source| Error::tensor(path, source))?;
    let names: Vec<&str> = archive.names().collect();
    let name = match (command.name.as_deref(), names.as_slice()) {
        (Some(name), names) if names.contains(&name) => name,
        (Some(name), _) => return Err(Error::no_such_name(path, name, &names)),
        (None, []) => return Err(Error::NoTensors { path: path.clone() }),
        (None, [only]) => only,
        (None, names) => return to_folder(command, &archive, names),
    };
    to_file(command, &Source::Rows(member(command, &archive, name)?))
}

fn member<'a>(command: &ConvertCmd, archive: &Archive<'a>, name: &str) -> Result<Matrix<'a>, Error> {
    archive.matrix(name).map_err(|source| Error::Member { path: command.input.clone(), name: name.into(), source })
}

/// Converts to the file that the command names.
fn to_file(command: &ConvertCmd, source: &Source<'_>) -> Result<Facts, Error> {
    let draft = files::draft(files::parent(&command.output))?;
    let mut progress = Progress::new("converting", source.header().data_len());
    let outline = encode(command, source, &draft, &mut progress)?;
    files::publish(draft.into_temp_path(), &command.output)?;
    Ok(Facts::new(&outline, command.output.clone()))
}

/// Converts several matrices to a bundle: a manifest and its members, each in a file named by its id.
fn to_folder(command: &ConvertCmd, archive: &Archive<'_>, names: &[&str]) -> Result<Facts, Error> {
    let folder = &command.output;
    // All names and shapes are looked at before anything is written, and all elements before anything is named.
    Bundle::encode(names.iter().map(|name| (*name, TensorId::default())))
        .map_err(|source| Error::tensor(&command.input, source))?;
    let matrices: Vec<_> = names.iter().map(|name| member(command, archive, name)).collect::<Result<_, _>>()?;
    let total = matrices.iter().map(|matrix| matrix.header().data_len()).fold(0, u64::saturating_add);
    let mut progress = Progress::new("converting", total);
    let mut folder = Folder::create(folder)?;
    for (name, matrix) in names.iter().zip(matrices) {
        let source = Source::Rows(matrix);
        folder.add(name, |draft| encode(command, &source, draft, &mut progress)).map_err(|error| named(error, name))?;
    }
    folder.publish()
}

/// Says which of several tensors an error is about.
fn named(error: Error, name: &str) -> Error {
    match error {
        Error::Tensor { path, source } => Error::Member { path, name: name.into(), source },
        other => other,
    }
}

/// What becomes a tensor, part by part.
enum Source<'a> {
    Rows(Matrix<'a>),
    Bytes(Header, &'a [u8]),
}

impl Source<'_> {
    fn header(&self) -> &Header {
        match self {
            Self::Rows(matrix) => matrix.header(),
            Self::Bytes(header, _) => header,
        }
    }

    /// Number of parts: rows, or leaves of bytes.
    fn parts(&self) -> u32 {
        self.header().leaf_count()
    }

    /// Appends a part to `out`.
    fn encode(&self, part: u32, out: &mut Vec<u8>) -> Result<(), ensemble_tensor::Error> {
        match self {
            Self::Rows(matrix) => matrix.encode_row(part, out)?,
            Self::Bytes(header, bytes) => out.extend(Tensor::new(*header, bytes)?.leaf(part).unwrap_or_default()),
        }
        Ok(())
    }
}

/// Writes the tensor to a draft while it is converted and hashed, so that no more than a part of it is in memory.
fn encode(
    command: &ConvertCmd,
    source: &Source<'_>,
    draft: &NamedTempFile,
    progress: &mut Progress,
) -> Result<Outline, Error> {
    let (header, path) = (source.header(), &command.input);
    if let Some(expected) = command.kind.filter(|kind| *kind != header.kind()) {
        return Err(Error::OtherKind { path: path.clone(), expected, actual: header.kind() });
    }
    files::write_tensor(header, draft, &command.output, progress, |write| {
        let mut buffer = Vec::new();
        for part in 0..source.parts() {
            buffer.clear();
            source.encode(part, &mut buffer).map_err(|source| Error::tensor(path, source))?;
            write(&buffer)?;
        }
        Ok(())
    })
}
