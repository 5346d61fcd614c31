//! The `tensor` subcommand: works on files, without a node and without a network.
//!
//! Results go to standard output, as text or with `--json` as one JSON object. Errors are one line on standard error
//! and a non-zero exit code.

mod convert;
mod error;
mod facts;
pub(super) mod files;
pub(super) mod folder;
mod progress;

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use ensemble_tensor::{Kind, RowProof, Tensor, TensorId};
use serde::Serialize;

pub(super) use error::Error;
pub(super) use facts::Facts;
pub(super) use progress::Progress;

/// Largest file that is read as a proof, in bytes: a row of 1 MiB in hexadecimal, 32 hashes, and white space.
const MAX_PROOF_LEN: u64 = 4 << 20;

/// Convert, inspect, prove and verify tensor files.
#[derive(Debug, clap::Parser)]
pub struct TensorCmd {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,

    /// Print the result as JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// What can be done with tensor files.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// Convert a file to a tensor
    ///
    /// Files ending in .npy and .safetensors hold matrices: floating point becomes q8_0, integers become i16 or i32.
    /// Any other file becomes bytes. The same file always becomes the same tensor.
    Convert(ConvertCmd),

    /// Print id, kind, shape and Merkle root of a tensor
    Inspect {
        /// The tensor
        file: PathBuf,
    },

    /// Prove that a row belongs to a tensor
    Prove {
        /// The tensor
        file: PathBuf,
        /// Number of the row, counted from 0; for bytes and bundles, of the piece of 4096 bytes
        row: u32,
        /// Where to write the proof; without it, it is printed
        #[arg(short, long)]
        output: Option<PathBuf>,
    },

    /// Check that a file is a valid tensor
    Verify {
        /// The tensor
        file: PathBuf,
        /// The id that it has to have
        #[arg(long)]
        id: Option<TensorId>,
    },

    /// Check that a proof leads to a tensor
    VerifyProof {
        /// The proof, as `prove` writes it and `ensemble_tensorProof` returns it
        proof: PathBuf,
        /// The id of the tensor
        #[arg(long)]
        id: TensorId,
    },
}

/// What to convert, and to what.
#[derive(Debug, clap::Args)]
pub struct ConvertCmd {
    /// The file to convert
    pub input: PathBuf,

    /// Where to write the tensor
    ///
    /// If the input holds several tensors they become a bundle, and this is the folder for its manifest and its
    /// members, each in a file named by its id.
    pub output: PathBuf,

    /// Convert only the tensor with this name in a .safetensors file
    #[arg(long)]
    pub name: Option<String>,

    /// Fail if the result is of another kind; `bytes` takes any file as it is
    #[arg(long, value_parser = kind_parser())]
    pub kind: Option<Kind>,
}

fn kind_parser() -> impl TypedValueParser<Value = Kind> {
    let kinds = [Kind::Q8_0, Kind::I16, Kind::I32, Kind::Bytes];
    PossibleValuesParser::new(kinds.map(Kind::name)).try_map(|name| name.parse::<Kind>())
}

impl TensorCmd {
    /// Does what the command line says.
    pub fn run(&self) -> sc_cli::Result<()> {
        let output = match &self.action {
            Action::Convert(command) => self.show(&convert::run(command)?)?,
            Action::Inspect { file } => self.show(&inspect(file.clone())?)?,
            Action::Prove { file, row, output: None } => json(&prove(file, *row)?)?,
            Action::Prove { file, row, output: Some(path) } => {
                let proof = prove(file, *row)?;
                files::write(path, json(&proof)?.as_bytes())?;
                self.show(&ProofWritten { index: proof.index, file: path.clone() })?
            },
            Action::Verify { file, id } => self.show(&verify(file.clone(), id.as_ref())?)?,
            Action::VerifyProof { proof, id } => self.show(&verify_proof(proof.clone(), *id)?)?,
        };
        Ok(files::print(&output)?)
    }

    fn show<T: Serialize + ToString>(&self, result: &T) -> Result<String, Error> {
        if self.json {
            json(result)
        } else {
            Ok(format!("{}\n", result.to_string().trim_end()))
        }
    }
}

fn json<T: Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(Error::Json)
}

fn inspect(path: PathBuf) -> Result<Facts, Error> {
    let map = files::map(&path)?;
    read_facts(path, &map)
}

/// Reads a tensor's file and hashes it.
fn read_facts(path: PathBuf, encoded: &[u8]) -> Result<Facts, Error> {
    let tensor = Tensor::parse(encoded).map_err(|source| Error::tensor(&path, source))?;
    let mut progress = Progress::new("hashing", tensor.header().data_len());
    let outline = files::outline(&tensor, &mut progress).map_err(|source| Error::tensor(&path, source))?;
    Ok(Facts::new(&outline, path).with_members_of(&tensor))
}

fn prove(path: &Path, row: u32) -> Result<RowProof, Error> {
    let map = files::map(path)?;
    let tensor = Tensor::parse(&map).map_err(|source| Error::tensor(path, source))?;
    tensor.prove(row).map_err(|source| Error::tensor(path, source))
}

fn verify(path: PathBuf, id: Option<&TensorId>) -> Result<Facts, Error> {
    let map = files::map(&path)?;
    let facts = read_facts(path.clone(), &map)?;
    if let Some(expected) = id.filter(|id| **id != facts.id()) {
        return Err(Error::OtherId { path, expected: *expected, actual: facts.id() });
    }
    let tensor = Tensor::parse(&map).map_err(|source| Error::tensor(&path, source))?;
    tensor.validate().map_err(|source| Error::tensor(&path, source))?;
    Ok(facts)
}

fn verify_proof(path: PathBuf, id: TensorId) -> Result<ProofHolds, Error> {
    let text = files::read_to_string(&path, MAX_PROOF_LEN)?;
    let proof: RowProof =
        serde_json::from_str(&text).map_err(|source| Error::NoProof { path: path.clone(), source })?;
    proof.verify(&id).map_err(|source| Error::tensor(&path, source))?;
    Ok(ProofHolds { id, kind: proof.header.kind(), index: proof.index, leaf: format!("0x{}", hex::encode(proof.leaf)) })
}

/// A proof was written to a file.
#[derive(Serialize)]
struct ProofWritten {
    index: u32,
    file: PathBuf,
}

impl std::fmt::Display for ProofWritten {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the proof of row {} is in {}", self.index, self.file.display())
    }
}

/// A proof leads to the tensor.
#[derive(Serialize)]
struct ProofHolds {
    id: TensorId,
    kind: Kind,
    index: u32,
    leaf: String,
}

impl std::fmt::Display for ProofHolds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, kind, index, leaf } = self;
        let bytes = leaf.len() / 2 - 1;
        write!(f, "row {index} of {id} has these {bytes} bytes of kind {kind}:\n{leaf}")
    }
}
