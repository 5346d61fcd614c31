//! A model as `ensemble-node model import` writes it: a manifest, and in the same folder a file for each member, named by its
//! id.

use std::{collections::HashMap, fs, io, path::Path};

use codec::DecodeAll;
use ensemble_compute::{
    inference::{config::ROPE, Architecture, Llama, Local, Norm, Rows, Tables},
    Machine,
};
use ensemble_tensor::{validate, Bundle, Header, Kind, Tensor};

/// All members of a model's bundle in memory.
pub struct Model {
    llama: Llama,
    members: HashMap<String, (Header, Vec<u8>)>,
    /// Members of kind `i32` as numbers.
    tables: HashMap<String, Vec<i32>>,
}

impl Model {
    /// Reads the manifest and all members. Refuses what is no valid tensor, and a shape that no model has.
    pub fn open(manifest: &Path) -> io::Result<Self> {
        let (_, bundle) = tensor(manifest)?;
        let mut members = HashMap::new();
        for (name, id) in Bundle::parse(&bundle).map_err(io::Error::other)?.iter() {
            members.insert(name.to_string(), tensor(&manifest.with_file_name(id.to_string()))?);
        }
        let config = members.get("config").map(|(_, bytes)| &bytes[..]).unwrap_or_default();
        let Architecture::Llama(llama) = Architecture::decode_all(&mut &config[..]).map_err(io::Error::other)?;
        llama.check().map_err(io::Error::other)?;
        let numbers = |data: &[u8]| data.as_chunks().0.iter().map(|bytes| i32::from_le_bytes(*bytes)).collect();
        let tables = members
            .iter()
            .filter(|(_, (header, _))| header.kind() == Kind::I32)
            .map(|(name, (_, data))| (name.clone(), numbers(data)))
            .collect();
        Ok(Self { llama, members, tables })
    }

    /// The model's shape.
    pub fn llama(&self) -> &Llama {
        &self.llama
    }

    /// A member's data.
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.members.get(name).map(|(_, data)| &data[..])
    }

    /// The matrix of this name.
    pub fn matrix(&self, name: &str) -> Option<Rows<'_>> {
        let (header, data) = self.members.get(name)?;
        Rows::new(header.kind(), header.cols() as usize, data).ok()
    }

    /// All matrices, to multiply by.
    pub fn local(&self, machine: Machine) -> io::Result<Local<'_>> {
        Local::new(&self.llama, machine, |name| self.matrix(name)).map_err(io::Error::other)
    }
}

impl Tables for Model {
    fn norm(&self, norm: Norm) -> Option<&[i32]> {
        self.tables.get(&norm.name()).map(|table| &table[..])
    }

    fn rope(&self, position: u32) -> Option<&[i32]> {
        self.tables.get(ROPE)?.chunks(self.llama.head_width as usize).nth(position as usize)
    }

    fn embedding(&self, token: u32) -> Option<(Kind, &[u8])> {
        let (header, data) = self.members.get(&self.llama.embedding().name)?;
        data.chunks(header.row_len()).nth(token as usize).map(|row| (header.kind(), row))
    }
}

fn tensor(path: &Path) -> io::Result<(Header, Vec<u8>)> {
    let mut encoded = fs::read(path)?;
    let header = *Tensor::parse(&encoded).map_err(io::Error::other)?.header();
    let data = encoded.split_off(Header::LEN);
    validate(&header, &data).map_err(io::Error::other)?;
    Ok((header, data))
}
