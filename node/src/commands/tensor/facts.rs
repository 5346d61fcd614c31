//! What there is to say about a tensor.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use ensemble_tensor::{Bundle, Kind, Outline, Tensor, TensorId};
use serde::Serialize;

/// Identity and shape of a tensor in a file.
#[derive(Debug, Serialize)]
pub struct Facts {
    id: TensorId,
    kind: Kind,
    rows: u32,
    cols: u32,
    /// Length of the canonical encoding.
    bytes: u64,
    root: String,
    leaves: u32,
    file: PathBuf,
    /// The members of a bundle.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    members: Vec<Member>,
}

/// A member of a bundle.
#[derive(Debug, Serialize)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: TensorId,
}

impl Facts {
    /// The facts of the tensor with this outline, which lies in `file`.
    pub fn new(outline: &Outline, file: PathBuf) -> Self {
        let header = outline.header();
        Self {
            id: outline.id(),
            kind: header.kind(),
            rows: header.rows(),
            cols: header.cols(),
            bytes: header.encoded_len(),
            root: format!("0x{}", hex::encode(outline.root())),
            leaves: header.leaf_count(),
            file,
            members: Vec::new(),
        }
    }

    /// Adds the members, if `tensor` is a bundle with a canonical manifest.
    pub fn with_members_of(mut self, tensor: &Tensor<'_>) -> Self {
        if let (Kind::Bundle, Ok(bundle)) = (self.kind, Bundle::parse(tensor.data())) {
            self.members = bundle.iter().map(|(name, id)| Member { name: name.into(), id }).collect();
        }
        self
    }

    /// The file in which it lies.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The members, if it is a bundle.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The id.
    pub fn id(&self) -> TensorId {
        self.id
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, kind, rows, cols, bytes, root, leaves, file, members } = self;
        writeln!(f, "id      {id}")?;
        writeln!(f, "kind    {kind}")?;
        writeln!(f, "rows    {rows}")?;
        writeln!(f, "cols    {cols}")?;
        writeln!(f, "bytes   {bytes}")?;
        writeln!(f, "root    {root}")?;
        writeln!(f, "leaves  {leaves}")?;
        writeln!(f, "file    {}", file.display())?;
        members.iter().try_for_each(|member| writeln!(f, "member  {} {}", member.id, member.name))
    }
}
