//! `.npy` files.

use ensemble_tensor::{
    read::{npy, Element, Matrix},
    Error, Float, Header, Kind, Tensor,
};
use proptest::{collection::vec, prelude::*, sample::select};

/// A file as `numpy.save` writes it: version 1, the header padded with spaces to a multiple of 64.
fn file(dictionary: &str, elements: &[u8]) -> Vec<u8> {
    let padding = 64 - (10 + dictionary.len() + 1) % 64;
    let header = format!("{dictionary}{}\n", " ".repeat(padding));
    let len = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &len[..], header.as_bytes(), elements].concat()
}

fn dictionary(descr: &str, shape: &str) -> String {
    format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}")
}

fn encode(matrix: &Matrix<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    for row in 0..matrix.header().rows() {
        matrix.encode_row(row, &mut out).unwrap();
    }
    out
}

#[test]
fn integers_are_taken_as_they_are() {
    let elements: Vec<u8> = (0..24).collect();
    let i16s = file(&dictionary("<i2", "(3, 4)"), &elements);
    let matrix = npy::parse(&i16s).unwrap();
    assert_eq!(*matrix.header(), Header::new(Kind::I16, 3, 4).unwrap());
    assert_eq!(encode(&matrix), elements);
    let i32s = file(&dictionary("<i4", "(3, 2)"), &elements);
    let matrix = npy::parse(&i32s).unwrap();
    assert_eq!(*matrix.header(), Header::new(Kind::I32, 3, 2).unwrap());
    assert_eq!(encode(&matrix), elements);
    assert!(matches!(matrix.encode_row(3, &mut Vec::new()), Err(Error::NoSuchLeaf { index: 3, count: 3 })));
}

#[test]
fn floats_become_blocks_that_make_a_valid_tensor() {
    let elements: Vec<u8> = (0..128u8).flat_map(|i| (f32::from(i) - 64.0).to_le_bytes()).collect();
    let file = file(&dictionary("<f4", "(2, 64)"), &elements);
    let matrix = npy::parse(&file).unwrap();
    assert_eq!(matrix.element(), Element::Float(Float::F32));
    assert_eq!(*matrix.header(), Header::new(Kind::Q8_0, 2, 64).unwrap());
    let data = encode(&matrix);
    assert_eq!(Tensor::new(*matrix.header(), &data).unwrap().validate(), Ok(()));
}

#[test]
fn one_dimension_is_one_row() {
    let file = file(&dictionary("<f2", "(32,)"), &[0; 64]);
    assert_eq!(*npy::parse(&file).unwrap().header(), Header::new(Kind::Q8_0, 1, 32).unwrap());
}

#[test]
fn headers_of_all_versions_and_spellings_are_read() {
    let elements = [0; 8];
    let text = br#"  {"shape":(2,2),"fortran_order":False,"descr":"<i2"}  "#;
    for version in [2, 3] {
        let len = u32::try_from(text.len()).unwrap().to_le_bytes();
        let file = [&b"\x93NUMPY"[..], &[version, 0], &len, text, &elements].concat();
        assert_eq!(*npy::parse(&file).unwrap().header(), Header::new(Kind::I16, 2, 2).unwrap());
    }
    let file = [&b"\x93NUMPY\x04\x00\x02\x00{}"[..]].concat();
    assert!(matches!(npy::parse(&file), Err(Error::Npy(reason)) if reason.contains("version")));
}

#[test]
fn what_cannot_be_converted_is_refused_with_a_remedy() {
    let refused = |dictionary: &str, len: usize| npy::parse(&file(dictionary, &vec![0; len])).unwrap_err();
    let fortran = "{'descr': '<f4', 'fortran_order': True, 'shape': (32, 32), }";
    assert_eq!(refused(fortran, 4096), Error::FortranOrder);
    let big = refused(&dictionary(">f4", "(1, 32)"), 128);
    assert_eq!(big, Error::BigEndian(">f4".into(), "<f4".into()));
    assert!(big.to_string().contains(r#".astype("<f4")"#), "{big}");
    for element in ["<f8", "<i8", "|u1", "|i1", "<u2", "<c8", "|O", "<U4", "=f4"] {
        assert_eq!(refused(&dictionary(element, "(1, 32)"), 256), Error::UnsupportedElement(element.into()));
    }
    let structure = "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (32,), }";
    assert_eq!(refused(structure, 128), Error::UnsupportedElement("structure".into()));
    assert_eq!(refused(&dictionary("<f4", "()"), 4), Error::UnsupportedDimensions(0));
    assert_eq!(refused(&dictionary("<f4", "(1, 1, 32)"), 128), Error::UnsupportedDimensions(3));
    assert_eq!(refused(&dictionary("<f4", "(0, 32)"), 0), Error::Empty { rows: 0, cols: 32 });
    assert_eq!(refused(&dictionary("<f4", "(2, 100)"), 800), Error::PartialBlock { kind: Kind::Q8_0, cols: 100 });
    assert_eq!(refused(&dictionary("<i2", "(4294967296, 1)"), 2), Error::DimensionTooLarge(1 << 32));
}

#[test]
fn the_elements_have_to_fill_the_shape() {
    let refused = |len: usize| npy::parse(&file(&dictionary("<i2", "(3, 4)"), &vec![0; len])).unwrap_err();
    assert_eq!(refused(23), Error::WrongElements { expected: 24, found: 23 });
    assert_eq!(refused(25), Error::WrongElements { expected: 24, found: 25 });
    assert_eq!(refused(0), Error::WrongElements { expected: 24, found: 0 });
}

#[test]
fn headers_that_numpy_does_not_write_are_refused() {
    let dictionaries = [
        "",
        "{",
        "[]",
        "{}",
        "{'descr': '<i2'}",
        "{'descr': '<i2', 'fortran_order': False, 'shape': (1, 1)",
        "{'descr': '<i2', 'fortran_order': False, 'shape': (1, 1)} x",
        "{'descr': '<i2', 'fortran_order': False, 'shape': (1, 1), 'more': 1}",
        "{'descr': '<i2', 'descr': '<i2', 'fortran_order': False, 'shape': (1, 1)}",
        "{'descr': '<i2', 'fortran_order': No, 'shape': (1, 1)}",
        "{'descr': '<i2', 'fortran_order': False, 'shape': (1 1)}",
        "{'descr': '<i2', 'fortran_order': False, 'shape': (-1, 1)}",
        "{'descr': '<i2', 'fortran_order': False, 'shape': (1.0, 1)}",
        "{'descr': '<i2', 'fortran_order': False, 'shape': (99999999999999999999, 1)}",
        "{'descr': '<i2', 'fortran_order': False, 'shape': 1}",
        "{'descr': '<i2', 'fortran_order': False 'shape': (1, 1)}",
        "{'descr': '<i2, 'fortran_order': False, 'shape': (1, 1)}",
        "{descr: '<i2', 'fortran_order': False, 'shape': (1, 1)}",
    ];
    for dictionary in dictionaries {
        let result = npy::parse(&file(dictionary, &[0; 2])).map(|_| ());
        assert!(matches!(result, Err(Error::Npy(_))), "{dictionary} gave {result:?}");
    }
    let brackets = npy::parse(&file(&format!("{{'shape': {}", "(".repeat(60_000)), &[])).map(|_| ());
    assert!(matches!(brackets, Err(Error::Npy(_))));
}

#[test]
fn files_that_are_cut_are_refused_everywhere() {
    let whole = file(&dictionary("<i2", "(3, 4)"), &[0; 24]);
    assert!(npy::parse(&whole).is_ok());
    for len in 0..whole.len() {
        assert!(npy::parse(&whole[..len]).is_err(), "{len} bytes of {}", whole.len());
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        kind in select(vec![("<i2", 2u32), ("<i4", 4)]),
        rows in 1u32..20,
        cols in 1u32..20,
        seed in vec(any::<u8>(), 1600),
    ) {
        let (descr, size) = kind;
        let elements = &seed[..(rows * cols * size) as usize];
        let file = file(&dictionary(descr, &format!("({rows}, {cols})")), elements);
        let matrix = npy::parse(&file).unwrap();
        prop_assert_eq!((matrix.header().rows(), matrix.header().cols()), (rows, cols));
        prop_assert_eq!(encode(&matrix), elements);
    }
}
