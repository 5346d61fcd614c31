//! The test vectors of `docs/numerics.md`, which were computed without this crate.

use ensemble_tensor::{
    blocks::{Block, Dyadic},
    merkle,
    quantise::{dequantise_row, quantise_row},
    Bundle, Error, Float, Header, Kind, Outline, RowProof, Tensor, TensorId,
};
use serde::{Deserialize, Deserializer};

use crate::common::patterned;

/// Bytes in hexadecimal.
#[derive(Debug)]
struct Hex(Vec<u8>);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(Self(hex::decode(text.strip_prefix("0x").expect("bytes begin with 0x")).expect("bytes are hexadecimal")))
    }
}

impl Hex {
    fn hash(&self) -> merkle::Hash {
        self.0.as_slice().try_into().expect("hashes have 32 bytes")
    }

    /// Two bytes written as a number, the high digits first.
    fn number(&self) -> u16 {
        u16::from_be_bytes(self.0.as_slice().try_into().expect("numbers of binary16 have 2 bytes"))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vectors {
    headers: Vec<HeaderVector>,
    invalid_headers: Vec<Invalid>,
    tensors: Vec<TensorVector>,
    outlines: Vec<OutlineVector>,
    bundle: BundleVector,
    invalid_manifests: Vec<Invalid>,
    f16: Vec<F16Vector>,
    f16_not_finite: Vec<Hex>,
    blocks: Vec<BlockVector>,
    quantise: Vec<QuantiseVector>,
    not_quantisable: Vec<NotQuantisable>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeaderVector {
    #[serde(flatten)]
    header: Header,
    bytes: Hex,
    row_len: usize,
    data_len: u64,
    leaf_count: u32,
}

#[derive(Deserialize)]
struct Invalid {
    why: String,
    bytes: Hex,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TensorVector {
    name: String,
    kind: Kind,
    rows: u32,
    cols: u32,
    header: Hex,
    data: Hex,
    leaf_hashes: Vec<Hex>,
    root: Hex,
    id: TensorId,
    proof: RowProof,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OutlineVector {
    name: String,
    kind: Kind,
    rows: u32,
    cols: u32,
    leaves_per_piece: u32,
    pieces: Vec<Hex>,
    root: Hex,
    id: TensorId,
    proof: RowProof,
}

#[derive(Deserialize)]
struct BundleVector {
    members: Vec<Member>,
    manifest: Hex,
    root: Hex,
    id: TensorId,
}

#[derive(Deserialize)]
struct Member {
    name: String,
    id: TensorId,
}

#[derive(Deserialize)]
struct F16Vector {
    bits: Hex,
    mantissa: i16,
    exponent: i32,
}

#[derive(Deserialize)]
struct BlockVector {
    kind: Kind,
    block: Hex,
    units: Vec<i64>,
    f32: Hex,
}

#[derive(Deserialize)]
struct QuantiseVector {
    name: String,
    from: String,
    input: Hex,
    output: Hex,
}

#[derive(Deserialize)]
struct NotQuantisable {
    why: String,
    from: String,
    input: Hex,
    column: Option<u32>,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../vectors.json")).expect("the vectors are well formed")
}

fn float(name: &str) -> Float {
    match name {
        "f16" => Float::F16,
        "f32" => Float::F32,
        other => panic!("there is no format {other}"),
    }
}

#[test]
fn headers_are_as_written_down() {
    for HeaderVector { header, bytes, row_len, data_len, leaf_count } in vectors().headers {
        assert_eq!(header.to_bytes(), *bytes.0);
        assert_eq!(Header::from_bytes(&bytes.0), Ok(header));
        assert_eq!((header.row_len(), header.data_len(), header.leaf_count()), (row_len, data_len, leaf_count));
    }
    for Invalid { why, bytes } in vectors().invalid_headers {
        assert!(Header::from_bytes(&bytes.0).is_err(), "{why}");
    }
}

#[test]
fn tensors_have_the_ids_written_down() {
    for vector in vectors().tensors {
        let name = &vector.name;
        let encoded = [vector.header.0.as_slice(), &vector.data.0].concat();
        let tensor = Tensor::parse(&encoded).unwrap();
        assert_eq!(*tensor.header(), Header::new(vector.kind, vector.rows, vector.cols).unwrap(), "{name}");
        let hashes = vector.data.0.chunks(tensor.header().leaf_len()).map(merkle::leaf_hash);
        assert!(hashes.eq(vector.leaf_hashes.iter().map(Hex::hash)), "{name}");
        assert_eq!(tensor.outline().unwrap().root(), vector.root.hash(), "{name}");
        assert_eq!(tensor.id(), Ok(vector.id), "{name}");
        assert_eq!(tensor.validate(), Ok(()), "{name}");
        assert_eq!(tensor.prove(vector.proof.index).as_ref(), Ok(&vector.proof), "{name}");
        assert_eq!(vector.proof.verify(&vector.id), Ok(()), "{name}");
    }
}

#[test]
fn outlines_are_as_written_down() {
    for vector in vectors().outlines {
        let owned = patterned(vector.kind, vector.rows, vector.cols);
        let outline = owned.tensor().outline().unwrap();
        assert_eq!(Outline::piece_leaves(&owned.header), vector.leaves_per_piece, "{}", vector.name);
        assert!(outline.pieces().iter().copied().eq(vector.pieces.iter().map(Hex::hash)), "{}", vector.name);
        assert_eq!((outline.root(), outline.id()), (vector.root.hash(), vector.id), "{}", vector.name);
        assert_eq!(owned.tensor().prove(vector.proof.index), Ok(vector.proof), "{}", vector.name);
    }
}

#[test]
fn bundles_are_as_written_down() {
    let BundleVector { members, manifest, root, id } = vectors().bundle;
    let encoded = Bundle::encode(members.iter().rev().map(|member| (member.name.as_str(), member.id))).unwrap();
    assert_eq!(encoded, manifest.0);
    let read = Bundle::parse(&manifest.0).unwrap();
    assert!(read.iter().eq(members.iter().map(|member| (member.name.as_str(), member.id))));
    let tensor = Tensor::new(Bundle::header(&manifest.0).unwrap(), &manifest.0).unwrap();
    assert_eq!((tensor.outline().unwrap().root(), tensor.id().unwrap()), (root.hash(), id));
    for Invalid { why, bytes } in vectors().invalid_manifests {
        assert!(Bundle::parse(&bytes.0).is_err(), "{why}");
    }
}

#[test]
fn binary16_numbers_are_as_written_down() {
    for F16Vector { bits, mantissa, exponent } in vectors().f16 {
        let number = Dyadic::from_f16(bits.number()).unwrap();
        assert_eq!((number.mantissa(), number.exponent()), (mantissa, exponent), "{bits:?}");
    }
    for bits in vectors().f16_not_finite {
        assert_eq!(Dyadic::from_f16(bits.number()), None, "{bits:?}");
    }
}

#[test]
fn blocks_are_as_written_down() {
    for BlockVector { kind, block, units, f32 } in vectors().blocks {
        assert_eq!(Block::read(kind, &block.0).unwrap().units(), *units);
        let mut floats = Vec::new();
        dequantise_row(kind, 0, &block.0, &mut floats).unwrap();
        let bytes: Vec<u8> = floats.iter().flat_map(|float| float.to_le_bytes()).collect();
        assert_eq!(bytes, f32.0);
    }
}

#[test]
fn quantisation_is_as_written_down() {
    for QuantiseVector { name, from, input, output } in vectors().quantise {
        let mut out = Vec::new();
        quantise_row(float(&from), 0, &input.0, &mut out).unwrap();
        assert_eq!(out, output.0, "{name}");
    }
    for NotQuantisable { why, from, input, column } in vectors().not_quantisable {
        let error = quantise_row(float(&from), 0, &input.0, &mut Vec::new()).unwrap_err();
        let named = match error {
            Error::NotFinite { col, .. } | Error::TooLarge { col, .. } => Some(col),
            _ => None,
        };
        assert_eq!(named, column, "{why}");
    }
}
