//! What makes data invalid, although its hash is right.

use ensemble_tensor::{validate, validate_rows, Error, Header, Kind};
use proptest::prelude::*;

/// Binary16 bits that are no finite number.
const NOT_FINITE: [u16; 4] = [0x7c00, 0xfc00, 0x7e00, 0x7c01];

#[test]
fn scales_and_minimums_have_to_be_finite() {
    for (kind, numbers) in [(Kind::Q8_0, 1), (Kind::Q4_0, 1), (Kind::Q4_1, 2)] {
        let header = Header::new(kind, 3, 64).unwrap();
        let valid = vec![0; usize::try_from(header.data_len()).unwrap()];
        assert_eq!(validate(&header, &valid), Ok(()));
        for (bits, number) in NOT_FINITE.into_iter().flat_map(|bits| (0..numbers).map(move |number| (bits, number))) {
            let mut data = valid.clone();
            // Row 1, block 1.
            let at = header.row_len() + kind.group_len() as usize + 2 * number;
            data[at..at + 2].copy_from_slice(&bits.to_le_bytes());
            assert_eq!(validate(&header, &data), Err(Error::ScaleNotFinite { row: 1, block: 1 }));
            let rest = &data[header.row_len()..];
            assert_eq!(validate_rows(&header, 1, rest), Err(Error::ScaleNotFinite { row: 1, block: 1 }));
        }
    }
}

#[test]
fn quants_may_be_anything() {
    let header = Header::new(Kind::Q8_0, 1, 32).unwrap();
    let data = [&[0; 2][..], &[0xff; 32]].concat();
    assert_eq!(validate(&header, &data), Ok(()));
}

#[test]
fn integers_and_bytes_may_be_anything() {
    for (kind, rows, cols) in [(Kind::I16, 2, 3), (Kind::I32, 2, 3), (Kind::Bytes, 9, 1)] {
        let header = Header::new(kind, rows, cols).unwrap();
        assert_eq!(validate(&header, &vec![0xff; usize::try_from(header.data_len()).unwrap()]), Ok(()));
    }
}

#[test]
fn manifests_have_to_be_canonical() {
    let header = Header::new(Kind::Bundle, 35, 1).unwrap();
    assert_eq!(validate(&header, &[0xff; 35]), Err(Error::ManifestMalformed));
    assert_eq!(validate_rows(&header, 0, &[0xff; 35]), Ok(()), "checked as a whole only");
}

#[test]
fn lengths_have_to_be_right() {
    let header = Header::new(Kind::Q8_0, 2, 32).unwrap();
    assert_eq!(validate(&header, &[0; 67]), Err(Error::WrongLength { expected: 68, found: 67 }));
    assert_eq!(validate_rows(&header, 0, &[0; 35]), Err(Error::WrongLength { expected: 68, found: 35 }));
    assert_eq!(validate_rows(&header, 0, &[]), Ok(()));
    assert_eq!(validate_rows(&header, 1, &[0; 68]), Err(Error::NoSuchLeaf { index: 2, count: 2 }));
    assert_eq!(validate_rows(&header, u32::MAX, &[0; 34]), Err(Error::NoSuchLeaf { index: 2, count: 2 }));
}

proptest! {
    #[test]
    fn pieces_are_valid_exactly_if_the_whole_is(
        rows in 1u32..6,
        groups in 1u32..4,
        flaw in proptest::option::of((any::<u32>(), any::<u32>())),
    ) {
        let header = Header::new(Kind::Q4_1, rows, groups * 32).unwrap();
        let mut data = vec![0x11; usize::try_from(header.data_len()).unwrap()];
        if let Some((row, block)) = flaw {
            let at = (row % rows) as usize * header.row_len() + (block % groups) as usize * 20 + 2;
            data[at..at + 2].copy_from_slice(&0x7c00u16.to_le_bytes());
        }
        let whole = validate(&header, &data);
        prop_assert_eq!(whole.is_err(), flaw.is_some());
        let pieces = (0..).zip(data.chunks(header.row_len()));
        let first = pieces.map(|(row, bytes)| validate_rows(&header, row, bytes)).find(Result::is_err);
        prop_assert_eq!(whole, first.unwrap_or(Ok(())));
    }
}
