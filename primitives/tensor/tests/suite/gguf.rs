//! `.gguf` files, written here byte by byte.

use ensemble_tensor::{
    quantise::fix_row,
    read::gguf::{Archive, Value},
    Error, Float, Header, Kind,
};
use proptest::{collection::vec, prelude::*, sample::Index};

/// What the tests need of GGML's numbers of types.
const F32: u32 = 0;
const F16: u32 = 1;
const Q4_0: u32 = 2;
const Q4_1: u32 = 3;
const Q8_0: u32 = 8;
const Q6_K: u32 = 14;

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

/// A key and its value.
fn key(key: &str, number: u32, value: &[u8]) -> Vec<u8> {
    [&text(key)[..], &number.to_le_bytes(), value].concat()
}

fn list(element: u32, count: u64, values: &[u8]) -> Vec<u8> {
    [&element.to_le_bytes()[..], &count.to_le_bytes(), values].concat()
}

/// The description of a tensor.
fn tensor(name: &str, dimensions: &[u64], ggml_type: u32, start: u64) -> Vec<u8> {
    let count = u32::try_from(dimensions.len()).unwrap();
    let dimensions: Vec<u8> = dimensions.iter().flat_map(|dimension| dimension.to_le_bytes()).collect();
    [&text(name)[..], &count.to_le_bytes(), &dimensions, &ggml_type.to_le_bytes(), &start.to_le_bytes()].concat()
}

fn file(keys: &[Vec<u8>], tensors: &[Vec<u8>], elements: &[u8]) -> Vec<u8> {
    let counts = [tensors.len() as u64, keys.len() as u64].map(u64::to_le_bytes).concat();
    let mut file = [b"GGUF", &3u32.to_le_bytes()[..], &counts, &keys.concat(), &tensors.concat()].concat();
    file.resize(file.len().next_multiple_of(32), 0);
    [&file[..], elements].concat()
}

fn refused(file: &[u8]) -> String {
    Archive::parse(file).unwrap_err().to_string()
}

#[test]
fn values_of_every_type_are_read() {
    let texts = list(8, 2, &[text("a"), text("bc")].concat());
    let file = file(
        &[
            key("u8", 0, &[200]),
            key("i8", 1, &[0xff]),
            key("u16", 2, &[1, 2]),
            key("i16", 3, &[0xfe, 0xff]),
            key("u32", 4, &[1, 0, 0, 1]),
            key("i32", 5, &[0xff; 4]),
            key("f32", 6, &1.5f32.to_le_bytes()),
            key("flag", 7, &[1]),
            key("text", 8, &text("ä")),
            key("list", 9, &texts),
            key("u64", 10, &[0xff; 8]),
            key("i64", 11, &[0xff; 8]),
            key("f64", 12, &1.5f64.to_le_bytes()),
            key("none", 9, &list(4, 0, &[])),
        ],
        &[],
        &[],
    );
    let archive = Archive::parse(&file).unwrap();
    assert_eq!(archive.keys().len(), 14);
    let numbers = ["u8", "u16", "u32", "u64"].map(|key| archive.number(key).unwrap().unwrap());
    assert_eq!(numbers, [200, 513, 0x0100_0001, u64::MAX]);
    let signed = ["i8", "i16", "i32", "i64"].map(|key| archive.value(key).unwrap());
    assert_eq!(signed, [-1, -2, -1, -1].map(Value::Signed));
    assert_eq!(archive.single("f32"), Ok(Some(1.5f32.to_bits())));
    assert_eq!(archive.value("f64"), Some(Value::Double(1.5f64.to_bits())));
    assert_eq!(archive.flag("flag"), Ok(Some(true)));
    assert_eq!(archive.text("text"), Ok(Some("ä")));
    let list = archive.list("list").unwrap().unwrap();
    assert_eq!((list.count(), list.iter().filter_map(|value| value.text()).collect::<Vec<_>>()), (2, vec!["a", "bc"]));
    assert_eq!(archive.list("none").unwrap().unwrap().iter().count(), 0);
}

#[test]
fn a_key_that_is_absent_is_no_error_and_one_of_another_type_is() {
    let file = file(&[key("negative", 5, &[0xff; 4]), key("latin", 8, &[1, 0, 0, 0, 0, 0, 0, 0, 0xe4])], &[], &[]);
    let archive = Archive::parse(&file).unwrap();
    assert_eq!(archive.number("absent"), Ok(None));
    let wrong = |key: &str, expected| Error::GgufValue { key: key.into(), expected };
    assert_eq!(archive.number("negative"), Err(wrong("negative", "whole number")));
    assert_eq!(archive.flag("negative"), Err(wrong("negative", "yes or no")));
    assert_eq!(archive.single("negative"), Err(wrong("negative", "floating-point number of 32 bits")));
    assert_eq!(archive.text("latin"), Err(wrong("latin", "text")));
    assert!(archive.list("latin").is_err());
}

#[test]
fn tensors_keep_their_blocks_and_their_first_dimension_is_the_columns() {
    let mut elements = vec![0; 64 + 64 + 128];
    elements[..18].copy_from_slice(&[1; 18]);
    elements[18..36].copy_from_slice(&[2; 18]);
    elements[64..84].copy_from_slice(&[3; 20]);
    elements[128..132].copy_from_slice(&127f32.to_le_bytes());
    let tensors =
        [tensor("zero", &[32, 2], Q4_0, 0), tensor("one", &[32, 1, 1], Q4_1, 64), tensor("float", &[32], F32, 128)];
    let file = file(&[], &tensors, &elements);
    let archive = Archive::parse(&file).unwrap();
    assert_eq!(archive.names().collect::<Vec<_>>(), ["float", "one", "zero"]);
    let row = |name: &str, row| {
        let mut out = Vec::new();
        archive.matrix(name).unwrap().encode_row(row, &mut out).map(|()| out)
    };
    assert_eq!(*archive.matrix("zero").unwrap().header(), Header::new(Kind::Q4_0, 2, 32).unwrap());
    assert_eq!(row("zero", 1).unwrap(), [2; 18]);
    assert_eq!(row("one", 0).unwrap(), [3; 20]);
    // One as binary16, and the quant 127.
    assert_eq!(row("float", 0).unwrap()[..3], [0x00, 0x3c, 127]);
    assert_eq!(archive.matrix("two"), Err(Error::NoSuchTensor("two".into())));
}

#[test]
fn a_block_without_a_finite_scale_is_refused_when_it_is_encoded() {
    let mut elements = [0; 64];
    elements[35] = 0x7c;
    let file = file(&[], &[tensor("bad", &[32, 2], Q8_0, 0)], &[&elements[..], &[0; 64]].concat());
    let matrix = Archive::parse(&file).unwrap().matrix("bad").unwrap();
    assert_eq!(matrix.encode_row(0, &mut Vec::new()), Ok(()));
    assert_eq!(matrix.encode_row(1, &mut Vec::new()), Err(Error::ScaleNotFinite { row: 1, block: 0 }));
}

#[test]
fn what_cannot_be_converted_does_not_hinder_the_others() {
    let tensors = [
        tensor("k", &[256], Q6_K, 0),
        tensor("new", &[256], 99, 32),
        tensor("cube", &[32, 2, 2], F16, 64),
        tensor("narrow", &[31], F32, 96),
        tensor("none", &[0], F32, 128),
        tensor("good", &[32], F16, 160),
    ];
    let file = file(&[], &tensors, &[0; 224]);
    let archive = Archive::parse(&file).unwrap();
    assert_eq!(archive.matrix("k"), Err(Error::GgufType("Q6_K".into())));
    assert_eq!(archive.matrix("new"), Err(Error::GgufType("number 99 of GGML's".into())));
    assert_eq!(archive.matrix("cube"), Err(Error::UnsupportedDimensions(3)));
    assert_eq!(archive.matrix("narrow"), Err(Error::PartialBlock { kind: Kind::Q8_0, cols: 31 }));
    assert_eq!(archive.matrix("none"), Err(Error::Empty { rows: 1, cols: 0 }));
    assert!(archive.matrix("good").is_ok());
}

#[test]
fn other_formats_and_versions_are_refused() {
    assert!(refused(b"GGML").contains("does not begin with GGUF"));
    let with_version = |version: [u8; 4]| refused(&[b"GGUF", &version[..], &[0; 16]].concat());
    assert!(with_version([1, 0, 0, 0]).contains("version 1, but this software reads versions 2 and 3"));
    assert!(with_version([4, 0, 0, 0]).contains("version 4"));
    assert!(with_version([0, 0, 0, 3]).contains("big endian"));
    assert!(Archive::parse(&[b"GGUF", &[2u8, 0, 0, 0][..], &[0; 16]].concat()).is_ok());
}

#[test]
fn claims_are_bounded() {
    let counts = |tensors: u64, keys: u64| {
        refused(&[b"GGUF", &3u32.to_le_bytes()[..], &tensors.to_le_bytes(), &keys.to_le_bytes()].concat())
    };
    assert!(counts(65_537, 0).contains("65537 tensors, more than the limit of 65536"));
    assert!(counts(0, u64::MAX).contains("18446744073709551615 keys"));
    assert!(counts(0, 65_536).contains("ends before its descriptions do"));
    let long_text = file(&[key("a", 8, &u64::MAX.to_le_bytes())], &[], &[]);
    assert!(refused(&long_text).contains("was it cut?"));
    let long_list = file(&[key("a", 9, &list(8, u64::MAX, &[]))], &[], &[]);
    assert!(refused(&long_list).contains("was it cut?"));
}

#[test]
fn what_is_not_well_formed_is_refused() {
    let keys = |keys: &[Vec<u8>]| refused(&file(keys, &[], &[]));
    assert!(keys(&[key("a", 0, &[1]), key("a", 0, &[2])]).contains("two keys named \"a\""));
    assert!(keys(&[key("a", 13, &[1])]).contains("unknown type 13"));
    assert!(keys(&[key("a", 7, &[2])]).contains("a flag is 2"));
    assert!(keys(&[key("a", 9, &list(9, 1, &[]))]).contains("lists of lists"));
    assert!(keys(&[key("general.alignment", 4, &[24, 0, 0, 0])]).contains("alignment 24"));
    assert!(keys(&[key("general.alignment", 4, &[0, 0, 32, 0])]).contains("alignment 2097152"));
    let tensors = |tensors: &[Vec<u8>], len| refused(&file(&[], tensors, &vec![0; len]));
    let twice = [tensor("a", &[32], F32, 0), tensor("a", &[32], F32, 128)];
    assert!(tensors(&twice, 256).contains("two tensors named \"a\""));
    assert!(tensors(&[tensor("a", &[], F32, 0)], 0).contains("has 0 dimensions"));
    assert!(tensors(&[tensor("a", &[1; 5], F32, 0)], 0).contains("has 5 dimensions"));
    assert!(tensors(&[tensor("a", &[1 << 32], F32, 0)], 0).contains("a dimension of 4294967296 is too large"));
    assert!(tensors(&[tensor("a", &[32], F32, 16)], 256).contains("multiple of 32"));
    assert!(tensors(&[tensor("a", &[32], F32, 32)], 128).contains("goes beyond its end"));
    assert!(tensors(&[tensor("a", &[32], F32, u64::MAX - 31)], 128).contains("goes beyond its end"));
    let overlapping = [tensor("a", &[32, 2], F32, 0), tensor("b", &[32], F32, 128)];
    assert!(tensors(&overlapping, 256).contains("the tensor \"b\" overlaps another"));
}

#[test]
fn another_alignment_moves_the_elements() {
    let keys = [key("general.alignment", 4, &[0, 1, 0, 0])];
    let mut bytes = file(&keys, &[tensor("a", &[32], F32, 0)], &[]);
    bytes.resize(256, 0);
    bytes.extend([7; 128]);
    assert_eq!(Archive::parse(&bytes).unwrap().matrix("a").unwrap().row(0).unwrap(), [7; 128]);
}

#[test]
fn floating_point_becomes_fixed_point() {
    let fixed = |number: f32, fraction| Float::F32.fixed(number.to_bits(), fraction);
    assert_eq!(fixed(1.0, 20), Some(1 << 20));
    assert_eq!(fixed(-1.5, 20), Some(-3 << 19));
    assert_eq!([0.5, 1.5, 2.5, -0.5, -1.5].map(|number| fixed(number, 0).unwrap()), [0, 2, 2, 0, -2]);
    assert_eq!(fixed(f32::from_bits(0.5f32.to_bits() + 1), 0), Some(1));
    assert_eq!(fixed(1e-5, 40), Some(10_995_116));
    assert_eq!([f32::NAN, f32::INFINITY, f32::MAX].map(|number| fixed(number, 0)), [None; 3]);
    assert_eq!(fixed(f32::from_bits(1), 20), Some(0));
    assert_eq!(Float::F16.fixed(0x3c00, 20), Some(1 << 20));
    let mut out = Vec::new();
    fix_row(Float::F32, 0, 20, &[1.0f32, -2_047.5].map(f32::to_le_bytes).concat(), &mut out).unwrap();
    assert_eq!(out[..4], (1i32 << 20).to_le_bytes());
    let refused = fix_row(Float::F32, 3, 20, &[1.0f32, 2048.0].map(f32::to_le_bytes).concat(), &mut out);
    assert_eq!(refused, Err(Error::NotFixed { row: 3, col: 1, fraction: 20 }));
}

proptest! {
    #[test]
    fn fixed_point_is_what_rounding_gives(bits: u32, fraction in 0u32..=40) {
        let number = f64::from(f32::from_bits(bits));
        // Exact: 24 bits of mantissa and a power of two.
        let expected = (number * (1u64 << fraction) as f64).round_ties_even();
        match Float::F32.fixed(bits, fraction) {
            Some(fixed) => prop_assert_eq!(fixed as f64, expected),
            None => prop_assert!(!number.is_finite() || expected.abs() >= 2f64.powi(62)),
        }
    }

    #[test]
    fn a_damaged_file_is_refused_or_read(at: Index, byte: u8, cut: Index, dimensions in vec(0u64..100, 1..4)) {
        let keys = [key("general.alignment", 4, &[32, 0, 0, 0]), key("list", 9, &list(8, 1, &text("token")))];
        let mut file = file(&keys, &[tensor("a", &dimensions, F16, 0)], &[0; 200]);
        let len = file.len();
        file[at.index(len)] = byte;
        for bytes in [&file[..], &file[..cut.index(len)]] {
            let Ok(archive) = Archive::parse(bytes) else { continue };
            for name in archive.names() {
                if let Ok(matrix) = archive.matrix(name) {
                    let _ = matrix.encode_row(0, &mut Vec::new());
                }
            }
            for key in archive.keys() {
                let _ = archive.list(key).map(|list| list.map(|list| list.iter().count()));
            }
        }
    }
}
