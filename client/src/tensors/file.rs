//! What files become.

use std::{
    borrow::Cow,
    fs,
    future::Future,
    path::{Path, PathBuf},
};

use ensemble_tensor::{
    read::{gguf, npy, safetensors, Matrix},
    Bundle, Error as TensorError, Hash, Header, Kind, OutlineBuilder, Tensor, TensorId,
};

use crate::{chain::types::ensemble_core::tasks::Content as Asked, error::Error, progress::Progress};

/// What tensors begin with that are encoded already.
const MAGIC: &[u8] = b"ENST";

/// A file that is to become a tensor.
pub struct File {
    path: PathBuf,
    bytes: Vec<u8>,
    /// The members of a bundle that is encoded already, from the same folder.
    members: Vec<(String, Vec<u8>)>,
}

/// A tensor out of a file. A bundle has members.
pub struct Content<'a> {
    /// Its identity.
    pub id: TensorId,
    /// Kind and shape.
    pub header: Header,
    /// The Merkle root.
    pub root: Hash,
    /// The members of a bundle, by their names.
    pub members: Vec<(String, Content<'a>)>,
    source: Source<'a>,
}

/// Where the data is.
enum Source<'a> {
    /// Rows that are converted one by one.
    Rows(Matrix<'a>),
    /// The data as it is.
    Data(Cow<'a, [u8]>),
}

impl File {
    /// Reads a file, and the members beside it if it is the manifest of a bundle.
    ///
    /// # Errors
    ///
    /// If one of them cannot be read, or is no tensor.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let bytes = fs::read(path).map_err(Error::read(path))?;
        if bytes.is_empty() {
            return Err(no_tensor(path, "the file is empty", "a tensor has at least one byte"));
        }
        let mut members = Vec::new();
        if let Some(tensor) = encoded(path, &bytes)?.filter(|tensor| tensor.header().kind() == Kind::Bundle) {
            let bundle = Bundle::parse(tensor.data()).map_err(|error| invalid(path, &error))?;
            let folder = path.parent().unwrap_or(Path::new("."));
            for (name, id) in bundle.iter() {
                let member = folder.join(id.to_string());
                members.push((name.to_owned(), fs::read(&member).map_err(Error::read(member))?));
            }
        }
        Ok(Self { path: path.into(), bytes, members })
    }

    /// What the file becomes: matrices of `.npy`, `.safetensors` and `.gguf` files, a bundle if there are several; a
    /// tensor that is encoded already itself; any other file its bytes. `name` chooses one of several matrices,
    /// `as_bytes` takes any file as it is.
    ///
    /// # Errors
    ///
    /// If the file is not what its ending says, or what is in it can become no tensor.
    pub fn content(&self, name: Option<&str>, as_bytes: bool) -> Result<Content<'_>, Error> {
        let path = self.path.as_path();
        let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
        match ending.as_ref().and_then(|ending| ending.to_str()) {
            _ if as_bytes => self.as_bytes(),
            Some("npy") => self.matrix(npy::parse(&self.bytes)),
            Some("safetensors") => {
                let archive = safetensors::Archive::parse(&self.bytes).map_err(|error| invalid(path, &error))?;
                self.archive(archive.names().collect(), name, |name| archive.matrix(name))
            },
            Some("gguf") => {
                let archive = gguf::Archive::parse(&self.bytes).map_err(|error| invalid(path, &error))?;
                self.archive(archive.names().collect(), name, |name| archive.matrix(name))
            },
            _ => match encoded(path, &self.bytes)? {
                Some(tensor) => self.encoded(&tensor),
                None => self.as_bytes(),
            },
        }
    }

    fn as_bytes(&self) -> Result<Content<'_>, Error> {
        let header = Header::bytes(self.bytes.len() as u64).map_err(|error| invalid(&self.path, &error))?;
        Content::new(header, Source::Data(Cow::Borrowed(&self.bytes)), Vec::new())
            .map_err(|error| invalid(&self.path, &error))
    }

    fn matrix<'a>(&self, matrix: Result<Matrix<'a>, TensorError>) -> Result<Content<'a>, Error> {
        let content = matrix.and_then(|matrix| Content::new(*matrix.header(), Source::Rows(matrix), Vec::new()));
        content.map_err(|error| invalid(&self.path, &error))
    }

    fn archive<'a>(
        &self,
        names: Vec<&'a str>,
        wanted: Option<&str>,
        matrix: impl Fn(&str) -> Result<Matrix<'a>, TensorError>,
    ) -> Result<Content<'a>, Error> {
        match (wanted, names.as_slice()) {
            (Some(name), names) if names.contains(&name) => self.matrix(matrix(name)),
            (Some(name), names) => {
                let shown = names.iter().take(10).copied().collect::<Vec<_>>().join(", ");
                Err(no_tensor(&self.path, &format!("there is no tensor `{name}`"), &format!("the file has {shown}")))
            },
            (None, []) => Err(no_tensor(&self.path, "the file holds no tensors", "choose another file")),
            (None, [only]) => self.matrix(matrix(only)),
            (None, names) => {
                let mut members = Vec::new();
                for name in names {
                    let content = matrix(name)
                        .and_then(|matrix| Content::new(*matrix.header(), Source::Rows(matrix), Vec::new()))
                        .map_err(|error| {
                            no_tensor(&self.path, &format!("tensor {name}: {error}"), "choose one with --name")
                        })?;
                    members.push(((*name).to_owned(), content));
                }
                Content::bundle(members).map_err(|error| invalid(&self.path, &error))
            },
        }
    }

    fn encoded<'a>(&'a self, tensor: &Tensor<'a>) -> Result<Content<'a>, Error> {
        let take = |tensor: &Tensor<'a>, members| {
            tensor.validate()?;
            Content::new(*tensor.header(), Source::Data(Cow::Borrowed(tensor.data())), members)
        };
        let mut members = Vec::new();
        for (name, bytes) in &self.members {
            let member = Tensor::parse(bytes).and_then(|tensor| take(&tensor, Vec::new()));
            members.push((name.clone(), member.map_err(|error| invalid(&self.path, &error))?));
        }
        let content = take(tensor, members).map_err(|error| invalid(&self.path, &error))?;
        let bundle = Bundle::parse(tensor.data());
        let is_whole = |(name, member): &(String, Content<'_>)| {
            bundle.as_ref().is_ok_and(|bundle| bundle.get(name) == Some(member.id))
        };
        if !content.members.iter().all(is_whole) {
            return Err(no_tensor(
                &self.path,
                "a member is not the one that the manifest names",
                "make the bundle anew",
            ));
        }
        Ok(content)
    }
}

/// The tensor that a file is already, if it says so.
fn encoded<'a>(path: &Path, bytes: &'a [u8]) -> Result<Option<Tensor<'a>>, Error> {
    if !bytes.starts_with(MAGIC) {
        return Ok(None);
    }
    Tensor::parse(bytes).map(Some).map_err(|error| invalid(path, &error))
}

fn invalid(path: &Path, error: &TensorError) -> Error {
    no_tensor(path, &error.to_string(), "choose another file, or take it as it is with --bytes")
}

fn no_tensor(path: &Path, message: &str, remedy: &str) -> Error {
    Error::File { path: path.into(), message: message.into(), remedy: remedy.into() }
}

impl<'a> Content<'a> {
    fn new(header: Header, source: Source<'a>, members: Vec<(String, Self)>) -> Result<Self, TensorError> {
        let mut builder = OutlineBuilder::new(&header);
        let mut progress = Progress::new("hashing", header.data_len());
        source.each_part(&header, |part| {
            progress.at(builder.taken());
            builder.update(part)
        })?;
        let outline = builder.finish()?;
        Ok(Self { id: outline.id(), header, root: outline.root(), members, source })
    }

    fn bundle(members: Vec<(String, Self)>) -> Result<Self, TensorError> {
        let manifest = Bundle::encode(members.iter().map(|(name, member)| (name.as_str(), member.id)))?;
        let header = Bundle::header(&manifest)?;
        Self::new(header, Source::Data(Cow::Owned(manifest)), members)
    }

    /// Whether it is what a task asks for.
    pub fn fits(&self, asked: &Asked) -> bool {
        let header = &self.header;
        match asked {
            Asked::Tensor { kind, rows, cols } => {
                super::kind_name(kind) == header.kind().name() && (*rows, *cols) == (header.rows(), header.cols())
            },
            Asked::Bytes { max_len } => header.kind() == Kind::Bytes && header.data_len() <= u64::from(*max_len),
            Asked::Bundle { max_bytes } => header.kind() == Kind::Bundle && self.bytes() <= *max_bytes,
        }
    }

    /// Bytes of data, of a bundle those of the manifest and all members.
    pub fn bytes(&self) -> u64 {
        let members = self.members.iter().map(|(_, member)| member.header.data_len());
        members.fold(self.header.data_len(), u64::saturating_add)
    }

    /// The data of what is not made of rows: plain bytes, manifests, tensors that were encoded already.
    pub fn data(&self) -> Option<&[u8]> {
        match &self.source {
            Source::Data(data) => Some(data),
            Source::Rows(_) => None,
        }
    }

    /// Gives the canonical encoding to `take`, in parts of at most [`PART`](super::PART) bytes.
    ///
    /// # Errors
    ///
    /// Those of `take`, and if a row cannot be converted.
    pub async fn encode<Taken: Future<Output = Result<(), Error>>>(
        &self,
        mut take: impl FnMut(u64, Vec<u8>) -> Taken,
    ) -> Result<(), Error> {
        let (mut at, mut buffer) = (0, self.header.to_bytes().to_vec());
        let told = |error: TensorError| Error::Other(format!("a row cannot be converted: {error}"));
        for part in 0..self.source.parts(&self.header) {
            self.source.part(part, &self.header, &mut buffer).map_err(told)?;
            while buffer.len() >= super::PART {
                let rest = buffer.split_off(super::PART);
                let len = buffer.len() as u64;
                take(at, std::mem::replace(&mut buffer, rest)).await?;
                at += len;
            }
        }
        if buffer.is_empty() {
            Ok(())
        } else {
            take(at, buffer).await
        }
    }
}

/// Bytes that are taken at once from data that has no rows of its own here.
const STEP: usize = 1 << 20;

impl Source<'_> {
    /// Number of parts: rows, or mebibytes.
    fn parts(&self, header: &Header) -> usize {
        match self {
            Self::Rows(_) => header.leaf_count() as usize,
            Self::Data(data) => data.len().div_ceil(STEP),
        }
    }

    /// Appends a part to `out`.
    fn part(&self, part: usize, _: &Header, out: &mut Vec<u8>) -> Result<(), TensorError> {
        match self {
            Self::Rows(matrix) => matrix.encode_row(u32::try_from(part).unwrap_or(u32::MAX), out),
            Self::Data(data) => {
                out.extend(data.chunks(STEP).nth(part).unwrap_or_default());
                Ok(())
            },
        }
    }

    fn each_part(
        &self,
        header: &Header,
        mut take: impl FnMut(&[u8]) -> Result<(), TensorError>,
    ) -> Result<(), TensorError> {
        let mut buffer = Vec::new();
        for part in 0..self.parts(header) {
            buffer.clear();
            self.part(part, header, &mut buffer)?;
            take(&buffer)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind as ErrorKind;

    fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, Result<File, Error>) {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("it can be written");
        let file = File::open(&path);
        (folder, file)
    }

    /// A matrix of two rows and two columns, as NumPy writes it.
    fn npy(kind: &str, elements: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': (2, 2), }}");
        let header = format!("{header:<117}\n");
        [b"\x93NUMPY\x01\x00\x76\x00", header.as_bytes(), elements].concat()
    }

    fn encoding(content: &Content<'_>) -> Vec<u8> {
        let whole = std::cell::RefCell::new(Vec::new());
        let take = |at: u64, part: Vec<u8>| {
            assert_eq!(at, whole.borrow().len() as u64);
            whole.borrow_mut().extend(part);
            std::future::ready(Ok(()))
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("can wait");
        runtime.block_on(content.encode(take)).expect("is encoded");
        whole.into_inner()
    }

    #[test]
    fn any_file_becomes_its_bytes() {
        let bytes = b"What three people agree on.".repeat(200_000);
        let (_folder, file) = file("text.txt", &bytes);
        let file = file.expect("is read");
        let content = file.content(None, false).expect("is a tensor");
        let header = Header::bytes(bytes.len() as u64).expect("is short enough");
        assert_eq!(content.id, Tensor::new(header, &bytes).and_then(|tensor| tensor.id()).expect("has one"));
        assert_eq!(encoding(&content), [&header.to_bytes(), bytes.as_slice()].concat());
    }

    #[test]
    fn matrices_are_converted_row_by_row() {
        let elements = [1_i32, -2, 3, -4].map(i32::to_le_bytes).concat();
        let (_folder, file) = file("table.npy", &npy("<i4", &elements));
        let file = file.expect("is read");
        let content = file.content(None, false).expect("is a tensor");
        assert_eq!((content.header.kind(), content.header.rows(), content.header.cols()), (Kind::I32, 2, 2));
        let tensor = encoding(&content);
        assert_eq!(Tensor::parse(&tensor).and_then(|tensor| tensor.id()).expect("is a tensor"), content.id);
    }

    #[test]
    fn what_is_encoded_already_stays_as_it_is() {
        let header = Header::bytes(3).expect("is short enough");
        let tensor = [&header.to_bytes(), b"abc".as_slice()].concat();
        let (_folder, file) = file("any.bin", &tensor);
        let file = file.expect("is read");
        assert_eq!(encoding(&file.content(None, false).expect("is a tensor")), tensor);
        let as_bytes = file.content(None, true).expect("is bytes");
        assert_eq!(as_bytes.header.data_len(), tensor.len() as u64);
    }

    #[test]
    fn what_is_no_tensor_is_refused_with_the_file_s_name() {
        let files = [("a.npy", "no table"), ("a.safetensors", "{}"), ("a.gguf", "GGUF"), ("a", "ENST")];
        for (name, bytes) in files {
            let (_folder, file) = file(name, bytes.as_bytes());
            let error = match file {
                Ok(file) => file.content(None, false).err().expect("is refused"),
                Err(error) => error,
            };
            assert_eq!(error.kind(), ErrorKind::File, "{name}");
            assert!(error.line().contains(name), "{}", error.line());
        }
        let (_folder, file) = file("empty", b"");
        assert_eq!(file.err().expect("is refused").kind(), ErrorKind::File);
    }
}
