//! Headers: which there are, and their encodings.

use codec::{Decode, Encode, MaxEncodedLen};
use ensemble_tensor::{Bundle, Error, Header, Kind};
use proptest::prelude::*;

use crate::common::headers;

#[test]
fn lengths_follow_from_kind_and_shape() {
    let lengths = |kind, rows, cols| {
        let header = Header::new(kind, rows, cols).unwrap();
        (header.row_len(), header.leaf_len(), header.leaf_count(), header.data_len())
    };
    assert_eq!(lengths(Kind::Bytes, 8193, 1), (1, 4096, 3, 8193));
    assert_eq!(lengths(Kind::Bundle, 4096, 1), (1, 4096, 1, 4096));
    assert_eq!(lengths(Kind::I16, 3, 5), (10, 10, 3, 30));
    assert_eq!(lengths(Kind::I32, 3, 5), (20, 20, 3, 60));
    assert_eq!(lengths(Kind::Q8_0, 32_000, 256), (272, 272, 32_000, 8_704_000));
    assert_eq!(lengths(Kind::Q4_0, 2, 64), (36, 36, 2, 72));
    assert_eq!(lengths(Kind::Q4_1, 2, 64), (40, 40, 2, 80));
}

#[test]
fn impossible_shapes_are_refused() {
    use Error::{BytesHaveOneColumn, DataTooLong, Empty, PartialBlock, RowTooLong};
    let refused = |kind, rows, cols| Header::new(kind, rows, cols).unwrap_err();
    assert_eq!(refused(Kind::I16, 0, 1), Empty { rows: 0, cols: 1 });
    assert_eq!(refused(Kind::I16, 1, 0), Empty { rows: 1, cols: 0 });
    assert_eq!(refused(Kind::Bytes, 1, 2), BytesHaveOneColumn { kind: Kind::Bytes, cols: 2 });
    assert_eq!(refused(Kind::Q4_1, 1, 48), PartialBlock { kind: Kind::Q4_1, cols: 48 });
    assert_eq!(refused(Kind::I32, 1, 262_145), RowTooLong { len: 1_048_580, limit: 1 << 20 });
    assert_eq!(refused(Kind::I32, u32::MAX, u32::MAX), RowTooLong { len: 17_179_869_180, limit: 1 << 20 });
    assert_eq!(refused(Kind::I32, 32_769, 262_144), DataTooLong { len: (1 << 35) + (1 << 20), limit: 1 << 35 });
    let longest = u32::try_from(Bundle::MAX_LEN).unwrap();
    assert!(Header::new(Kind::Bundle, longest, 1).is_ok());
    assert_eq!(refused(Kind::Bundle, longest + 1, 1), DataTooLong { len: Bundle::MAX_LEN + 1, limit: Bundle::MAX_LEN });
}

#[test]
fn bytes_need_at_least_one_and_at_most_what_32_bits_count() {
    assert_eq!(Header::bytes(5), Header::new(Kind::Bytes, 5, 1));
    assert!(matches!(Header::bytes(0), Err(Error::Empty { .. })));
    assert!(Header::bytes(u32::MAX.into()).is_ok());
    assert!(matches!(Header::bytes(1 << 32), Err(Error::DataTooLong { .. })));
}

#[test]
fn scale_encoding_is_three_fields() {
    let header = Header::new(Kind::Q8_0, 32_000, 256).unwrap();
    assert_eq!(header.encode(), (4u8, 32_000u32, 256u32).encode());
    assert_eq!(Header::max_encoded_len(), header.encode().len());
}

#[test]
fn json_is_three_fields_and_checked() {
    let header = Header::new(Kind::Q4_1, 7, 64).unwrap();
    let json = r#"{"kind":"q4_1","rows":7,"cols":64}"#;
    assert_eq!(serde_json::to_string(&header).unwrap(), json);
    assert_eq!(serde_json::from_str::<Header>(json).unwrap(), header);
    let error = serde_json::from_str::<Header>(r#"{"kind":"q4_1","rows":7,"cols":65}"#).unwrap_err();
    assert!(error.to_string().contains("no multiple of 32"), "{error}");
    assert!(serde_json::from_str::<Header>(r#"{"kind":"q4_1","rows":7,"cols":64,"more":1}"#).is_err());
}

#[test]
fn kinds_have_one_name_everywhere() {
    for kind in Kind::ALL {
        assert_eq!(kind.to_string().parse(), Ok(kind));
        assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
        assert_eq!(kind.encode(), [kind.number()]);
        assert_eq!(Kind::from_number(kind.number()), Some(kind));
    }
    assert_eq!("Q8_0".parse::<Kind>(), Err(Error::UnknownKind("Q8_0".into())));
    assert_eq!(Kind::from_number(7), None);
}

proptest! {
    #[test]
    fn encodings_are_read_back(header in headers()) {
        prop_assert_eq!(Header::from_bytes(&header.to_bytes()), Ok(header));
        prop_assert_eq!(Header::decode(&mut &header.encode()[..]), Ok(header));
    }

    #[test]
    fn what_decodes_is_what_may_be_built(kind in 0u8..9, rows: u32, cols: u32) {
        let may = Kind::from_number(kind).and_then(|kind| Header::new(kind, rows, cols).ok());
        let scale = (kind, rows, cols).encode();
        prop_assert_eq!(Header::decode(&mut &scale[..]).ok(), may);
        let mut bytes = Header::new(Kind::I16, 1, 1).unwrap().to_bytes();
        bytes[5] = kind;
        bytes[8..12].copy_from_slice(&rows.to_le_bytes());
        bytes[12..].copy_from_slice(&cols.to_le_bytes());
        prop_assert_eq!(Header::from_bytes(&bytes).ok(), may);
    }

    #[test]
    fn leaves_cover_the_data_in_order(header in headers()) {
        let mut end = 0;
        for index in 0..header.leaf_count() {
            let range = header.leaf_range(index);
            prop_assert_eq!(range.start, end);
            prop_assert!(range.end > range.start);
            prop_assert!(range.end - range.start <= header.leaf_len() as u64);
            end = range.end;
        }
        prop_assert_eq!(end, header.data_len());
        prop_assert_eq!(header.leaf_range(header.leaf_count()), end..end);
        prop_assert_eq!(header.leaf_range(u32::MAX), end..end);
    }
}
