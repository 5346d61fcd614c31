//! Import of a GGUF file: what becomes of it, member by member, without holding more than a row in memory.
//!
//! | member | from |
//! |---|---|
//! | `config` | the metadata of the architecture |
//! | matrices, under GGUF's names | the tensors: blocks as they are, floating point in 8-bit blocks |
//! | norms, under GGUF's names | the tensors, in units of 2^-20 |
//! | `rope` | the base of the rotations, rounded correctly |
//! | `tokenizer`, `special`, `template` | the metadata of the tokenizer |
//!
//! Everything is looked at before the first byte is written, but the elements themselves.

mod config;
mod error;
mod rope;
mod tokens;

use codec::Encode;
use ensemble_compute::inference::{config::ROPE, Architecture, Llama};
use ensemble_tensor::{
    quantise::fix_row,
    read::{gguf::Archive, Element, Matrix},
    Header, Kind,
};

pub use error::Error;

use crate::{members, template};
use rope::{Base, Rotations};

/// Units of norms: 2^-20.
const NORM_FRACTION: u32 = 20;

/// A file that can be imported.
pub struct Import<'a> {
    llama: Llama,
    base: Base,
    /// In ascending order of the names.
    members: Vec<(String, Member<'a>)>,
}

/// What becomes one member of the bundle.
pub enum Member<'a> {
    /// Bytes as they are.
    Bytes(Vec<u8>),
    /// A matrix, whose blocks are kept or made.
    Matrix(Matrix<'a>),
    /// The weights of a norm.
    Norm(Matrix<'a>),
    /// The rotations of these many positions.
    Rope(u32),
}

impl<'a> Import<'a> {
    /// Reads all of a file but its elements. `positions` is the most positions wanted. Fails unless the file is a model
    /// of a known architecture with exactly its tensors, all of the right type and shape, and a known tokenizer.
    pub fn new(file: &Archive<'a>, positions: Option<u32>) -> Result<Self, Error> {
        let tied = !file.names().any(|name| name == "output.weight");
        let (llama, base) = config::read(file, positions, tied)?;
        let definition = tokens::definition(file)?;
        let special = tokens::special(file, &definition)?;
        let special = serde_json::to_vec(&special).map_err(|error| Error::Tokenizer(error.into()))?;
        let mut members = tensors(file, &llama)?;
        members.extend([
            (members::CONFIG.into(), Member::Bytes(Architecture::Llama(llama).encode())),
            (members::TOKENIZER.into(), Member::Bytes(definition.to_bytes()?)),
            (members::SPECIAL.into(), Member::Bytes(special)),
            (ROPE.into(), Member::Rope(llama.positions)),
        ]);
        if let Some(source) = file.text("tokenizer.chat_template")?.filter(|source| !source.is_empty()) {
            template::check(source)?;
            members.push((members::TEMPLATE.into(), Member::Bytes(source.into())));
        }
        members.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        Ok(Self { llama, base, members })
    }

    /// The shape of the model.
    pub fn llama(&self) -> &Llama {
        &self.llama
    }

    /// Name, kind and shape of the members, in ascending order of their names.
    pub fn members(&self) -> impl ExactSizeIterator<Item = (&str, &Member<'a>)> {
        self.members.iter().map(|(name, member)| (name.as_str(), member))
    }

    /// Kind and shape of a member.
    pub fn header(&self, member: &Member<'_>) -> Result<Header, Error> {
        Ok(match member {
            Member::Bytes(bytes) => Header::bytes(bytes.len() as u64)?,
            Member::Matrix(matrix) => *matrix.header(),
            Member::Norm(norm) => Header::new(Kind::I32, 1, norm.header().cols())?,
            Member::Rope(positions) => Header::new(Kind::I32, *positions, self.llama.head_width)?,
        })
    }

    /// Gives the data of a member to `write`, part by part.
    pub fn encode<E: From<Error>>(
        &self,
        member: &Member<'_>,
        mut write: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut row = Vec::new();
        match member {
            Member::Bytes(bytes) => write(bytes)?,
            Member::Matrix(matrix) => {
                for number in 0..matrix.header().rows() {
                    row.clear();
                    matrix.encode_row(number, &mut row).map_err(Error::from)?;
                    write(&row)?;
                }
            },
            Member::Norm(norm) => {
                if let Element::Float(float) = norm.element() {
                    let elements = norm.row(0).map_err(Error::from)?;
                    fix_row(float, 0, NORM_FRACTION, elements, &mut row).map_err(Error::from)?;
                }
                write(&row)?;
            },
            Member::Rope(positions) => {
                let mut rotations = Rotations::new(self.base, self.llama.head_width);
                for _ in 0..*positions {
                    let numbers = rotations.next_row().ok_or(Error::Undecided)?;
                    row.clear();
                    row.extend(numbers.into_iter().flat_map(i32::to_le_bytes));
                    write(&row)?;
                }
            },
        }
        Ok(())
    }
}

/// The tensors of the file under their names, if they are those of the architecture.
fn tensors<'a>(file: &Archive<'a>, llama: &Llama) -> Result<Vec<(String, Member<'a>)>, Error> {
    let mut members = Vec::new();
    for shape in members::matrices(llama) {
        let matrix = tensor(file, &shape.name, shape.rows, shape.cols)?;
        if matches!(matrix.element(), Element::I16 | Element::I32) {
            return Err(Error::NoMatrix(shape.name));
        }
        members.push((shape.name, Member::Matrix(matrix)));
    }
    for shape in members::norms(llama) {
        let norm = tensor(file, &shape.name, shape.rows, shape.cols)?;
        if !matches!(norm.element(), Element::Float(_)) {
            return Err(Error::NoNorm(shape.name));
        }
        members.push((shape.name, Member::Norm(norm)));
    }
    let known: std::collections::HashSet<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    match file.names().find(|name| !known.contains(name)) {
        Some(name) if name == "rope_freqs.weight" => Err(Error::RopeScaling(name.into())),
        Some(name) => Err(Error::UnknownTensor(name.chars().take(80).collect())),
        None => Ok(members),
    }
}

fn tensor<'a>(file: &Archive<'a>, name: &str, rows: u32, cols: u32) -> Result<Matrix<'a>, Error> {
    let matrix = file.matrix(name).map_err(|source| Error::Tensor { name: name.into(), source })?;
    let found = (matrix.header().rows(), matrix.header().cols());
    if found != (rows, cols) {
        return Err(Error::Shape { name: name.into(), rows, cols, found });
    }
    Ok(matrix)
}
