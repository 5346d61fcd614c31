//! Import of a model.

use std::{fmt, path::PathBuf};

use ensemble_compute::inference::Llama;
use ensemble_tensor::{read::gguf::Archive, TensorId};
use serde::Serialize;

use super::{
    super::tensor::{self, files, folder::Folder, Facts, Progress},
    Error, ImportCmd,
};
use crate::models::import::{self, Import};

/// What a file has become.
#[derive(Debug, Serialize)]
pub struct Imported {
    id: TensorId,
    file: PathBuf,
    /// Length of the canonical encodings of all members.
    bytes: u64,
    layers: u32,
    width: u32,
    heads: u32,
    kv_heads: u32,
    hidden: u32,
    vocabulary: u32,
    positions: u32,
    /// Multiplications for one token.
    products: u64,
    members: Vec<Named>,
}

#[derive(Debug, Serialize)]
struct Named {
    name: String,
    id: TensorId,
}

/// Imports a file, and says what it has become.
pub fn run(command: &ImportCmd) -> Result<Imported, Error> {
    let map = files::map(&command.file)?;
    let file = Archive::parse(&map).map_err(|source| tensor::Error::tensor(&command.file, source))?;
    let import = Import::new(&file, command.context)?;
    let headers = import.members().map(|(name, member)| Ok((name, member, import.header(member)?)));
    let headers = headers.collect::<Result<Vec<_>, import::Error>>()?;
    let total = headers.iter().map(|(_, _, header)| header.encoded_len()).fold(0, u64::saturating_add);
    let mut progress = Progress::new("importing", total);
    let mut folder = Folder::create(&command.out)?;
    for (name, member, header) in headers {
        let encoded = |write: &mut dyn FnMut(&[u8]) -> Result<(), Error>| import.encode(member, write);
        folder.add(name, |draft| files::write_tensor(&header, draft, &command.out, &mut progress, encoded))?;
    }
    Ok(Imported::new(&folder.publish()?, import.llama(), total))
}

impl Imported {
    fn new(facts: &Facts, llama: &Llama, bytes: u64) -> Self {
        let members = facts.members().iter().map(|member| Named { name: member.name.clone(), id: member.id });
        Self {
            id: facts.id(),
            file: facts.file().into(),
            bytes,
            layers: llama.layers,
            width: llama.width,
            heads: llama.heads,
            kv_heads: llama.kv_heads,
            hidden: llama.hidden,
            vocabulary: llama.vocabulary,
            positions: llama.positions,
            products: llama.products(),
            members: members.collect(),
        }
    }
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, file, bytes, layers, width, heads, kv_heads, hidden, vocabulary, positions, .. } = self;
        writeln!(f, "id          {id}")?;
        writeln!(f, "members     {}", self.members.len())?;
        writeln!(f, "bytes       {bytes}")?;
        writeln!(f, "layers      {layers}")?;
        writeln!(f, "width       {width}")?;
        writeln!(f, "heads       {heads}, {kv_heads} of keys and values")?;
        writeln!(f, "hidden      {hidden}")?;
        writeln!(f, "vocabulary  {vocabulary}")?;
        writeln!(f, "positions   {positions}")?;
        writeln!(f, "products    {} for one token", self.products)?;
        writeln!(f, "file        {}", file.display())
    }
}
