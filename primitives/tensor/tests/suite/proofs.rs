//! Row proofs: any row's proof verifies, and no other row's does.

use codec::{Decode, DecodeAll, Encode};
use ensemble_tensor::{Error, Header, Kind, RowProof, TensorId};
use proptest::{prelude::*, sample::Index};

use crate::common::{patterned, tensors};

fn five_rows() -> (RowProof, TensorId) {
    let owned = patterned(Kind::I16, 5, 4);
    (owned.tensor().prove(2).unwrap(), owned.tensor().id().unwrap())
}

#[test]
fn a_proof_is_small() {
    // The table of the demonstration: 32,000 rows of 256 numbers.
    let owned = patterned(Kind::Q8_0, 32_000, 256);
    let proof = owned.tensor().prove(31_999).unwrap();
    assert_eq!(proof.verify(&owned.tensor().id().unwrap()), Ok(()));
    assert!(proof.encode().len() < 272 + 15 * 32 + 20);
}

#[test]
fn every_flaw_has_its_own_error() {
    let (proof, id) = five_rows();
    assert_eq!(proof.verify(&id), Ok(()));
    let flawed = |change: fn(&mut RowProof)| {
        let mut flawed = proof.clone();
        change(&mut flawed);
        flawed.verify(&id).unwrap_err()
    };
    assert_eq!(flawed(|proof| proof.index = 5), Error::NoSuchLeaf { index: 5, count: 5 });
    assert_eq!(flawed(|proof| proof.leaf.push(0)), Error::WrongLeafLength { index: 2, expected: 8, found: 9 });
    assert_eq!(flawed(|proof| proof.siblings.push([0; 32])), Error::WrongSiblingCount { expected: 3, found: 4 });
    assert_eq!(flawed(|proof| proof.siblings.truncate(2)), Error::WrongSiblingCount { expected: 3, found: 2 });
    assert_eq!(flawed(|proof| proof.leaf[0] ^= 1), Error::ProofMismatch(id));
    assert_eq!(proof.verify(&TensorId::default()), Err(Error::ProofMismatch(TensorId::default())));
}

#[test]
fn a_row_that_is_not_there_has_no_proof() {
    let owned = patterned(Kind::I16, 5, 4);
    assert_eq!(owned.tensor().prove(5), Err(Error::NoSuchLeaf { index: 5, count: 5 }));
    assert_eq!(owned.tensor().prove(u32::MAX), Err(Error::NoSuchLeaf { index: u32::MAX, count: 5 }));
}

#[test]
fn bytes_are_proved_in_pieces_of_4096() {
    let owned = patterned(Kind::Bytes, 10_000, 1);
    let proof = owned.tensor().prove(2).unwrap();
    assert_eq!(proof.leaf, owned.data[8192..]);
    assert_eq!(proof.verify(&owned.tensor().id().unwrap()), Ok(()));
}

#[test]
fn json_of_a_proof_takes_no_other_fields_and_no_other_hexadecimal() {
    let (proof, _) = five_rows();
    let json = serde_json::to_string(&proof).unwrap();
    let reread = |json: &str| serde_json::from_str::<RowProof>(json);
    assert_eq!(reread(&json).unwrap(), proof);
    assert!(reread(&json.replacen('{', r#"{"more":1,"#, 1)).is_err());
    assert!(reread(&json.replace(r#""leaf":"0x"#, r#""leaf":""#)).is_err());
    assert!(reread(&json.replace(r#""leaf":"0x"#, r#""leaf":"0x0"#)).is_err());
    assert!(reread(&json.replacen(r#""siblings":["0x"#, r#""siblings":["0x00"#, 1)).is_err());
}

proptest! {
    #[test]
    fn the_proof_of_any_row_verifies(owned in tensors(), row: Index) {
        let tensor = owned.tensor();
        let row = u32::try_from(row.index(owned.header.leaf_count() as usize)).unwrap();
        let proof = tensor.prove(row).unwrap();
        prop_assert_eq!(Some(&proof.leaf[..]), tensor.leaf(row));
        prop_assert_eq!(proof.verify(&tensor.id().unwrap()), Ok(()));
        prop_assert_eq!(RowProof::decode_all(&mut &proof.encode()[..]), Ok(proof.clone()));
        prop_assert_eq!(serde_json::from_str::<RowProof>(&serde_json::to_string(&proof).unwrap()).unwrap(), proof);
    }

    #[test]
    fn no_other_row_verifies(owned in tensors(), row: Index, other: Index) {
        let tensor = owned.tensor();
        let (id, count) = (tensor.id().unwrap(), owned.header.leaf_count() as usize);
        let [row, other] = [row, other].map(|index| u32::try_from(index.index(count)).unwrap());
        prop_assume!(row != other);
        let (proof, others) = (tensor.prove(row).unwrap(), tensor.prove(other).unwrap());
        let mut forgeries = vec![
            RowProof { index: other, ..proof.clone() },
            RowProof { siblings: others.siblings, ..proof.clone() },
        ];
        if others.leaf != proof.leaf {
            forgeries.push(RowProof { leaf: others.leaf, ..proof });
        }
        prop_assert!(forgeries.iter().all(|forgery| forgery.verify(&id).is_err()));
    }

    #[test]
    fn a_flipped_bit_anywhere_in_a_proof_fails(owned in tensors(), row: Index, byte: Index, bit in 0u8..8) {
        let tensor = owned.tensor();
        let row = u32::try_from(row.index(owned.header.leaf_count() as usize)).unwrap();
        let mut encoded = tensor.prove(row).unwrap().encode();
        let at = byte.index(encoded.len());
        encoded[at] ^= 1 << bit;
        if let Ok(proof) = RowProof::decode(&mut &encoded[..]) {
            prop_assert!(proof.verify(&tensor.id().unwrap()).is_err());
        }
    }

    #[test]
    fn truncated_and_extended_siblings_fail(owned in tensors(), row: Index, more: [u8; 32]) {
        let tensor = owned.tensor();
        let id = tensor.id().unwrap();
        let row = u32::try_from(row.index(owned.header.leaf_count() as usize)).unwrap();
        let proof = tensor.prove(row).unwrap();
        let truncated = (0..proof.siblings.len()).map(|len| proof.siblings[..len].to_vec());
        let extended = (0..=proof.siblings.len()).map(|at| {
            let mut siblings = proof.siblings.clone();
            siblings.insert(at, more);
            siblings
        });
        for siblings in truncated.chain(extended) {
            let forgery = RowProof { siblings, ..proof.clone() };
            prop_assert!(forgery.verify(&id).is_err());
        }
    }

    #[test]
    fn an_inner_node_does_not_pass_for_a_row(rows in 2u32..60) {
        // Rows as long as the two hashes below a node: the node's contents must not verify as a row.
        let owned = patterned(Kind::I16, rows, 32);
        let id = owned.tensor().id().unwrap();
        let proof = owned.tensor().prove(0).unwrap();
        let own = ensemble_tensor::merkle::leaf_hash(&proof.leaf);
        let node = [own, proof.siblings[0]].concat();
        let forged = Header::new(Kind::I16, rows.div_ceil(2), 32).unwrap();
        let forged = RowProof { header: forged, index: 0, leaf: node, siblings: proof.siblings[1..].to_vec() };
        prop_assert!(forged.verify(&id).is_err());
    }
}
