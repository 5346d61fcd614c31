//! Bundles and their manifests.

use std::collections::BTreeMap;

use codec::Encode;
use ensemble_tensor::{Bundle, Error, Kind, Tensor, TensorId};
use proptest::{collection::btree_map, prelude::*, sample::Index};

const ID: TensorId = TensorId([7; 32]);

fn parse_error(members: &[(&str, TensorId)]) -> Error {
    Bundle::parse(&members.to_vec().encode()).unwrap_err()
}

#[test]
fn a_manifest_is_the_scale_encoding_of_sorted_pairs() {
    let manifest = Bundle::encode([("b", ID), ("a/1", TensorId([8; 32]))]).unwrap();
    assert_eq!(manifest, vec![("a/1", [8u8; 32]), ("b", [7u8; 32])].encode());
    let bundle = Bundle::parse(&manifest).unwrap();
    assert_eq!(bundle.count(), 2);
    assert_eq!(bundle.iter().collect::<Vec<_>>(), [("a/1", TensorId([8; 32])), ("b", ID)]);
    assert_eq!(bundle.get("b"), Some(ID));
    assert_eq!(bundle.get("c"), None);
}

#[test]
fn a_bundle_has_an_id_like_any_tensor() {
    let manifest = Bundle::encode([("a", ID)]).unwrap();
    let header = Bundle::header(&manifest).unwrap();
    assert_eq!((header.kind(), header.rows(), header.cols()), (Kind::Bundle, 35, 1));
    let bundle = Tensor::new(header, &manifest).unwrap();
    assert_eq!(bundle.validate(), Ok(()));
    let bytes = Tensor::new(ensemble_tensor::Header::bytes(35).unwrap(), &manifest).unwrap();
    assert_ne!(bundle.id(), bytes.id());
}

#[test]
fn what_cannot_be_a_bundle_is_refused() {
    assert_eq!(Bundle::encode([]), Err(Error::WrongMemberCount(0)));
    assert_eq!(Bundle::encode([("a", ID), ("a", ID)]), Err(Error::DuplicateName("a".into())));
    assert_eq!(parse_error(&[("b", ID), ("a", ID)]), Error::NamesOutOfOrder("a".into()));
    assert_eq!(parse_error(&[("a", ID), ("a", ID)]), Error::NamesOutOfOrder("a".into()));
    let too_long = "x".repeat(129);
    for name in ["", " ", "a b", "a\n", "ä", "a:b", "a\\b", &too_long] {
        assert!(matches!(Bundle::encode([(name, ID)]), Err(Error::InvalidName(_))), "{name:?}");
        assert!(matches!(parse_error(&[(name, ID)]), Error::InvalidName(_)), "{name:?}");
    }
}

#[test]
fn a_name_is_shown_readably() {
    let error = Bundle::encode([("a\n\"b", ID)]).unwrap_err();
    assert!(error.to_string().starts_with(r#""a\n\"b" is no name"#), "{error}");
}

#[test]
fn the_longest_manifest_has_exactly_the_longest_length() {
    let names: Vec<String> = (0..=Bundle::MAX_MEMBERS).map(|i| format!("{i:0128}")).collect();
    let members = |count: usize| names.iter().take(count).map(|name| (name.as_str(), ID));
    let most = Bundle::MAX_MEMBERS as usize;
    let manifest = Bundle::encode(members(most)).unwrap();
    assert_eq!(manifest.len() as u64, Bundle::MAX_LEN);
    assert_eq!(Bundle::parse(&manifest).unwrap().count(), Bundle::MAX_MEMBERS);
    assert_eq!(Bundle::encode(members(most + 1)), Err(Error::WrongMemberCount(most + 1)));
}

fn members() -> impl Strategy<Value = BTreeMap<String, [u8; 32]>> {
    btree_map("[A-Za-z0-9._/-]{1,128}", any::<[u8; 32]>(), 1..20)
}

fn encode(members: &BTreeMap<String, [u8; 32]>) -> Vec<u8> {
    Bundle::encode(members.iter().rev().map(|(name, id)| (name.as_str(), TensorId(*id)))).unwrap()
}

proptest! {
    #[test]
    fn manifests_are_read_back(members in members()) {
        let manifest = encode(&members);
        let bundle = Bundle::parse(&manifest).unwrap();
        let read: BTreeMap<String, [u8; 32]> = bundle.iter().map(|(name, id)| (name.into(), id.0)).collect();
        prop_assert_eq!(&read, &members);
        prop_assert_eq!(Bundle::encode(bundle.iter()).unwrap(), manifest);
    }

    #[test]
    fn no_other_bytes_are_the_same_bundle(members in members(), byte: Index, bit in 0u8..8) {
        let mut manifest = encode(&members);
        let at = byte.index(manifest.len());
        manifest[at] ^= 1 << bit;
        if let Ok(bundle) = Bundle::parse(&manifest) {
            prop_assert_eq!(Bundle::encode(bundle.iter()).unwrap(), manifest.clone());
            let read: BTreeMap<String, [u8; 32]> = bundle.iter().map(|(name, id)| (name.into(), id.0)).collect();
            prop_assert_ne!(read, members);
        }
    }

    #[test]
    fn cut_and_extended_manifests_are_refused(members in members(), cut: Index, more: u8) {
        let mut manifest = encode(&members);
        prop_assert!(Bundle::parse(&manifest[..cut.index(manifest.len())]).is_err());
        manifest.push(more);
        prop_assert!(Bundle::parse(&manifest).is_err());
    }
}
