//! Arbitrary bytes, plain and after a beginning that parsers accept: no parser panics.

use codec::Decode;
use ensemble_tensor::{
    blocks::Block,
    merkle::root_of_path,
    quantise::{dequantise_row, quantise_row},
    read::{gguf, npy, safetensors::Archive, Matrix},
    validate, validate_rows, Bundle, Float, Hash, Header, Kind, Outline, OutlineBuilder, RowProof, Tensor, TensorId,
};
use proptest::{collection::vec, prelude::*, sample::select};

/// Bytes that begin like something that is read.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let beginnings: Vec<&'static [u8]> = vec![
        b"",
        b"ENST\x01",
        b"ENST\x01\x04\x00\x00\x01\x00\x00\x00\x20\x00\x00\x00",
        b"ENST\x01\x01\x00\x00\x26\x00\x00\x00\x01\x00\x00\x00\x04\x04a",
        b"\x04\x04a",
        b"\xfe\xff\xff\xff",
        b"\x03\xff\xff\xff\xff",
        b"\x93NUMPY\x01\x00\x40\x00{'descr': '<i2', 'fortran_order': False, 'shape': (",
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff{",
        b"\x20\x00\x00\x00\x00\x00\x00\x00{\"a\":{\"dtype\":\"I16\",\"shape\":[",
        b"\xff\xff\xff\xff\xff\xff\xff\xff{",
        b"GGUF\x03\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0a",
        b"GGUF\x03\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0a",
    ];
    (select(beginnings), vec(any::<u8>(), 0..200)).prop_map(|(beginning, rest)| [beginning, &rest].concat())
}

fn read_all(matrix: &Matrix<'_>) {
    let mut out = Vec::new();
    for row in 0..matrix.header().rows().min(10) {
        // A row may be refused, for what it holds.
        let _ = matrix.encode_row(row, &mut out);
    }
}

fn use_proof(proof: &RowProof) {
    let _ = proof.verify(&TensorId::default());
    let _ = root_of_path([0; 32], proof.index, proof.header.leaf_count(), &proof.siblings);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn parsers_do_not_panic(bytes in hostile()) {
        let _ = Header::from_bytes(&bytes);
        let _ = Header::decode(&mut &bytes[..]);
        if let Ok(tensor) = Tensor::parse(&bytes) {
            let _ = tensor.validate();
            tensor.id().unwrap();
        }
        if let Ok(bundle) = Bundle::parse(&bytes) {
            prop_assert_eq!(bundle.iter().count(), bundle.count() as usize);
        }
        if let Ok(proof) = RowProof::decode(&mut &bytes[..]) {
            use_proof(&proof);
        }
        if let Ok(matrix) = npy::parse(&bytes) {
            read_all(&matrix);
        }
        if let Ok(archive) = Archive::parse(&bytes) {
            archive.names().filter_map(|name| archive.matrix(name).ok()).for_each(|matrix| read_all(&matrix));
        }
        if let Ok(archive) = gguf::Archive::parse(&bytes) {
            archive.names().filter_map(|name| archive.matrix(name).ok()).for_each(|matrix| read_all(&matrix));
            let _ = archive.keys().filter_map(|key| archive.value(key)?.text()).count();
        }
        for kind in Kind::ALL {
            let _ = Block::read(kind, &bytes);
            let _ = dequantise_row(kind, u32::MAX, &bytes, &mut Vec::new());
        }
        for float in [Float::F16, Float::F32] {
            let _ = quantise_row(float, u32::MAX, &bytes, &mut Vec::new());
        }
    }

    #[test]
    fn texts_do_not_panic(text in ".{0,100}") {
        let _ = text.parse::<TensorId>();
        let _ = text.parse::<Kind>();
        let _ = serde_json::from_str::<RowProof>(&text);
    }

    #[test]
    fn any_header_with_any_data_does_not_panic(
        kind in 0usize..7,
        rows: u32,
        cols in 1u32..2048,
        index: u32,
        data in vec(any::<u8>(), 0..300),
    ) {
        let kind = Kind::ALL[kind];
        let cols = if kind.is_bytes() { 1 } else { cols.next_multiple_of(kind.group_cols()) };
        let Ok(header) = Header::new(kind, rows, cols) else { return Ok(()) };
        let _ = validate(&header, &data);
        let _ = validate_rows(&header, index, &data);
        let _ = Tensor::new(header, &data).map(|tensor| tensor.prove(index));
        let _ = Outline::piece_range(&header, index);
        let _ = Outline::piece_hash(&header, &data);
        let mut builder = OutlineBuilder::new(&header);
        let _ = builder.update(&data);
        let _ = builder.finish().map(|outline| outline.prove(index, &data));
        let hashes: Vec<Hash> = data.chunks_exact(32).map(|hash| hash.try_into().unwrap()).collect();
        if let Ok(outline) = Outline::verify(&TensorId::default(), &header, hashes.clone()) {
            let _ = outline.verify_piece(index, &data);
        }
        use_proof(&RowProof { header, index, leaf: data, siblings: hashes });
    }
}
