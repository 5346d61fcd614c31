//! `.safetensors` files, written by the `safetensors` crate.

use std::collections::BTreeMap;

use ensemble_tensor::{
    read::{safetensors::Archive, Element},
    Error, Float, Header, Kind,
};
use proptest::{
    collection::{btree_map, vec},
    prelude::*,
    sample::{select, Index},
};
use safetensors::{tensor::TensorView, Dtype, SafeTensors};

fn write(tensors: &[(&str, Dtype, &[usize], &[u8])]) -> Vec<u8> {
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, data)| (name.to_string(), TensorView::new(*dtype, shape.to_vec(), data).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

/// A file with this text for a header.
fn file(header: &str, elements: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), elements].concat()
}

fn refused(file: &[u8]) -> String {
    Archive::parse(file).unwrap_err().to_string()
}

#[test]
fn tensors_are_found_by_name_in_ascending_order() {
    let file = write(&[
        ("w.b", Dtype::F32, &[2, 32], &[0; 256]),
        ("w.a", Dtype::F16, &[32], &[0; 64]),
        ("table", Dtype::I32, &[3, 1], &[1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]),
    ]);
    let archive = Archive::parse(&file).unwrap();
    assert_eq!(archive.names().collect::<Vec<_>>(), ["table", "w.a", "w.b"]);
    let shape = |name| *archive.matrix(name).unwrap().header();
    assert_eq!(shape("w.a"), Header::new(Kind::Q8_0, 1, 32).unwrap());
    assert_eq!(shape("w.b"), Header::new(Kind::Q8_0, 2, 32).unwrap());
    assert_eq!(archive.matrix("w.a").unwrap().element(), Element::Float(Float::F16));
    let mut row = Vec::new();
    archive.matrix("table").unwrap().encode_row(2, &mut row).unwrap();
    assert_eq!(row, [3, 0, 0, 0]);
    assert_eq!(archive.matrix("w.c"), Err(Error::NoSuchTensor("w.c".into())));
}

#[test]
fn an_unsupported_tensor_does_not_hinder_the_others() {
    let file = write(&[
        ("bf", Dtype::BF16, &[32], &[0; 64]),
        ("cube", Dtype::F32, &[1, 1, 32], &[0; 128]),
        ("good", Dtype::I16, &[1, 1], &[0; 2]),
        ("narrow", Dtype::F32, &[1, 31], &[0; 124]),
        ("none", Dtype::F32, &[0, 32], &[]),
        ("scalar", Dtype::F32, &[], &[0; 4]),
    ]);
    let archive = Archive::parse(&file).unwrap();
    assert!(archive.matrix("good").is_ok());
    assert_eq!(archive.matrix("bf"), Err(Error::UnsupportedElement("BF16".into())));
    assert_eq!(archive.matrix("cube"), Err(Error::UnsupportedDimensions(3)));
    assert_eq!(archive.matrix("narrow"), Err(Error::PartialBlock { kind: Kind::Q8_0, cols: 31 }));
    assert_eq!(archive.matrix("none"), Err(Error::Empty { rows: 0, cols: 32 }));
    assert_eq!(archive.matrix("scalar"), Err(Error::UnsupportedDimensions(0)));
}

#[test]
fn what_a_file_says_of_itself_is_passed_over() {
    let header =
        r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"I16","shape":[1],"data_offsets":[0,2],"more":[]}}   "#;
    let file = file(header, &[5, 0]);
    assert_eq!(Archive::parse(&file).unwrap().names().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn malformed_headers_are_refused() {
    let entry = |dtype: &str, shape: &str, place: &str| {
        file(&format!(r#"{{"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{place}}}}}"#), &[0; 4])
    };
    assert!(Archive::parse(&entry("I16", "[2]", "[0,4]")).is_ok());
    assert!(refused(&entry("I17", "[2]", "[0,4]")).contains("I17"));
    assert!(refused(&entry("I16", "2", "[0,4]")).contains("list of dimensions"));
    assert!(refused(&entry("I16", "[-2]", "[0,4]")).contains("-2"));
    assert!(refused(&entry("I16", "[2]", "[0]")).contains("invalid length"));
    assert!(refused(&entry("I16", "[3]", "[0,4]")).contains("not as long"));
    assert!(refused(&entry("I16", "[2]", "[4,0]")).contains("not as long"));
    assert!(refused(&entry("I16", "[4294967296]", "[0,4]")).contains("too large"));
    assert!(refused(&entry("I16", "[65536,65536,65536,65536]", "[0,4]")).contains("too large"));
    assert!(refused(&entry("I16", "[0,4294967295,4294967295,4294967295]", "[0,4]")).contains("not as long"));
    for header in ["", "[]", "{", "{}{}", r#"{"a":1}"#, r#"{"a":{}}"#, r#"{"a":{"dtype":"I16"}}"#, "\u{1}"] {
        assert!(matches!(Archive::parse(&file(header, &[])), Err(Error::Safetensors(_))), "{header}");
    }
    assert!(matches!(Archive::parse(&file("{}", &[0])), Err(Error::WrongElements { expected: 0, found: 1 })));
}

#[test]
fn names_are_unique_and_places_fill_the_file() {
    let entry = |name: &str, start: u64, end: u64| {
        format!(r#""{name}":{{"dtype":"I8","shape":[{}],"data_offsets":[{start},{end}]}}"#, end - start)
    };
    let parse = |entries: &[String], len: usize| {
        Archive::parse(&file(&format!("{{{}}}", entries.join(",")), &vec![0; len])).map(|_| ())
    };
    assert_eq!(parse(&[entry("b", 2, 4), entry("a", 0, 2), entry("empty", 2, 2)], 4), Ok(()));
    assert_eq!(parse(&[entry("a", 0, 2)], 3), Err(Error::WrongElements { expected: 2, found: 3 }));
    assert_eq!(parse(&[entry("a", 0, 2)], 1), Err(Error::WrongElements { expected: 2, found: 1 }));
    for flawed in [
        [entry("a", 0, 2), entry("b", 3, 4)],
        [entry("a", 0, 2), entry("b", 1, 4)],
        [entry("a", 1, 2), entry("b", 2, 4)],
        [entry("a", 0, 2), entry("a", 2, 4)],
    ] {
        assert!(matches!(parse(&flawed, 4), Err(Error::Safetensors(_))), "{flawed:?}");
    }
}

#[test]
fn places_at_the_end_of_the_number_range_are_refused() {
    // Eight tensors that together claim nearly 2^64 bytes.
    let step = 4_294_967_295u64 * 536_870_912;
    let entries: Vec<String> = (0..8)
        .map(|i| {
            let (start, end) = (i * step, (i + 1) * step);
            format!(r#""{i}":{{"dtype":"I8","shape":[4294967295,536870912],"data_offsets":[{start},{end}]}}"#)
        })
        .collect();
    let hostile = file(&format!("{{{}}}", entries.join(",")), &[]);
    assert_eq!(Archive::parse(&hostile).err(), Some(Error::WrongElements { expected: 8 * step, found: 0 }));
    let whole = format!(r#"{{"a":{{"dtype":"F64","shape":[],"data_offsets":[{},{}]}}}}"#, u64::MAX - 8, u64::MAX);
    assert!(Archive::parse(&file(&whole, &[])).is_err());
}

#[test]
fn claimed_lengths_beyond_the_file_are_refused() {
    for claim in [1, 100_000_001, u64::from(u32::MAX), u64::MAX - 8, u64::MAX] {
        assert!(refused(&claim.to_le_bytes()).contains("ends before"));
    }
    assert!(refused(&[]).contains("ends before"));
}

/// A file of any tensors of supported types.
fn files() -> impl Strategy<Value = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>> {
    let dtype = select(vec![(Dtype::I16, 2usize), (Dtype::I32, 4), (Dtype::F16, 2), (Dtype::F32, 4)]);
    let tensor = (dtype, 1usize..4, 1usize..3, any::<u8>()).prop_map(|((dtype, size), rows, groups, byte)| {
        let cols = groups * 32;
        (dtype, vec![rows, cols], vec![byte & 0x3f; rows * cols * size])
    });
    btree_map("[a-z.]{1,8}", tensor, 1..6)
}

fn write_all(tensors: &BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>) -> Vec<u8> {
    let tensors: Vec<_> = tensors
        .iter()
        .map(|(name, (dtype, shape, data))| (name.as_str(), *dtype, shape.as_slice(), data.as_slice()))
        .collect();
    write(&tensors)
}

proptest! {
    #[test]
    fn both_readers_agree(tensors in files()) {
        let file = write_all(&tensors);
        let (ours, theirs) = (Archive::parse(&file).unwrap(), SafeTensors::deserialize(&file).unwrap());
        prop_assert_eq!(ours.names().len(), theirs.len());
        for name in ours.names() {
            let (matrix, view) = (ours.matrix(name).unwrap(), theirs.tensor(name).unwrap());
            let shape = [matrix.header().rows() as usize, matrix.header().cols() as usize];
            prop_assert_eq!(&shape[..], view.shape());
            if let Element::I16 | Element::I32 = matrix.element() {
                let mut data = Vec::new();
                (0..matrix.header().rows()).for_each(|row| matrix.encode_row(row, &mut data).unwrap());
                prop_assert_eq!(&data[..], view.data());
            }
        }
    }

    #[test]
    fn altered_files_are_read_by_both_or_refused(
        tensors in files(),
        changes in vec((any::<Index>(), any::<u8>()), 1..3),
    ) {
        let mut file = write_all(&tensors);
        let header = 8 + usize::from(u16::from_le_bytes([file[0], file[1]]));
        for (at, byte) in changes {
            file[8 + at.index(header - 8)] = byte;
        }
        if let Ok(archive) = Archive::parse(&file) {
            let theirs = SafeTensors::deserialize(&file).unwrap();
            prop_assert_eq!(archive.names().len(), theirs.len());
            prop_assert!(archive.names().all(|name| theirs.tensor(name).is_ok()));
        }
    }

    #[test]
    fn cut_files_are_refused(tensors in files(), cut: Index) {
        let file = write_all(&tensors);
        prop_assert!(Archive::parse(&file[..cut.index(file.len())]).is_err());
    }
}
