//! Encoding and identity of tensors: the same bytes have the same id, and any other bytes another.

use codec::{Decode, Encode, MaxEncodedLen};
use ensemble_tensor::{Error, Header, Tensor, TensorId};
use proptest::{prelude::*, sample::Index};

use crate::common::tensors;

#[test]
fn ids_are_written_as_hexadecimal_digits() {
    let id = TensorId(core::array::from_fn(|i| u8::try_from(i * 8).unwrap()));
    let text = "0x0008101820283038404850586068707880889098a0a8b0b8c0c8d0d8e0e8f0f8";
    assert_eq!(id.to_string(), text);
    assert_eq!(format!("{id:?}"), text);
    assert_eq!(text.parse(), Ok(id));
    assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{text}\""));
    assert_eq!(serde_json::from_str::<TensorId>(&format!("\"{text}\"")).unwrap(), id);
    assert_eq!(id.encode(), id.0);
    assert_eq!(TensorId::max_encoded_len(), 32);
}

#[test]
fn other_texts_are_no_ids() {
    let digits = "00".repeat(32);
    for text in
        ["", "0x", &digits, &format!("0x{digits}00"), &format!("0x{}", &digits[2..]), &format!("0x{} ", &digits[1..])]
    {
        assert_eq!(text.parse::<TensorId>(), Err(Error::InvalidId(text.into())));
        assert!(serde_json::from_str::<TensorId>(&format!("\"{text}\"")).is_err());
    }
}

#[test]
fn too_much_and_too_little_data_is_refused() {
    let header = Header::bytes(10).unwrap();
    assert_eq!(Tensor::new(header, &[0; 9]), Err(Error::WrongLength { expected: 10, found: 9 }));
    assert_eq!(Tensor::new(header, &[0; 11]), Err(Error::WrongLength { expected: 10, found: 11 }));
    assert_eq!(Tensor::parse(&header.to_bytes()), Err(Error::WrongLength { expected: 10, found: 0 }));
    assert_eq!(Tensor::parse(b"ENST"), Err(Error::HeaderTooShort(4)));
}

proptest! {
    #[test]
    fn tensors_are_read_back(owned in tensors()) {
        let encoded = owned.tensor().encode();
        prop_assert_eq!(encoded.len() as u64, owned.header.encoded_len());
        let decoded = Tensor::parse(&encoded).unwrap();
        prop_assert_eq!(decoded, owned.tensor());
        prop_assert_eq!(decoded.id(), owned.tensor().id());
    }

    #[test]
    fn a_flipped_bit_anywhere_is_refused_or_another_tensor(owned in tensors(), byte: Index, bit in 0u8..8) {
        let mut encoded = owned.tensor().encode();
        let id = Tensor::parse(&encoded).unwrap().id().unwrap();
        // Every bit of the header is flipped, and one somewhere in the data.
        let places = (0..Header::LEN).chain([Header::LEN + byte.index(owned.data.len())]);
        for (place, bit) in places.flat_map(|place| [(place, bit), (place, (bit + 3) % 8)]) {
            encoded[place] ^= 1 << bit;
            if let Ok(tensor) = Tensor::parse(&encoded) {
                prop_assert_ne!(tensor.id().unwrap(), id);
            }
            encoded[place] ^= 1 << bit;
        }
    }

    #[test]
    fn the_same_data_in_another_shape_is_another_tensor(owned in tensors(), kind in 0usize..7) {
        let other = ensemble_tensor::Kind::ALL[kind];
        let len = u32::try_from(owned.data.len()).unwrap();
        let rows = if other.is_bytes() { len } else { 1 };
        let cols = if other.is_bytes() { 1 } else { len / other.group_len() * other.group_cols() };
        let Ok(header) = Header::new(other, rows, cols) else { return Ok(()) };
        prop_assume!(header != owned.header);
        if let Ok(reshaped) = Tensor::new(header, &owned.data) {
            prop_assert_ne!(reshaped.id(), owned.tensor().id());
        }
    }

    #[test]
    fn ids_are_read_back(bytes: [u8; 32]) {
        let id = TensorId(bytes);
        prop_assert_eq!(id.to_string().parse(), Ok(id));
        prop_assert_eq!(TensorId::decode(&mut &id.encode()[..]), Ok(id));
    }
}
