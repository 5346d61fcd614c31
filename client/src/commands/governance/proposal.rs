//! What a referendum would do: its call, as far as the chain has it, in words.

use std::fmt;

use subxt::{
    ext::scale_value::{scale::decode_as_type, stringify, Composite, Primitive, Value, ValueDef},
    Metadata,
};

use crate::{
    chain::{ensemble, hash_text, types::frame_support::traits::preimages::Bounded, At},
    error::Error,
    send::blake2_256,
    views::hex_text,
};

/// Most bytes of a call that is told with what it is given: calls can be nested, and each level takes stack.
const MAX_TOLD: usize = 512;

/// What a referendum would do.
pub struct Proposal {
    /// Hash of the call.
    pub hash: String,
    /// The call, such as `Modules.add_type`; none if nobody has given it to the chain.
    pub call: Option<String>,
    /// The same with what it is given, if it is short.
    pub told: Option<String>,
}

impl Proposal {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// If the node does not answer.
    pub async fn of<Call, Hash>(at: &At, bounded: &Bounded<Call, Hash>) -> Result<Self, Error> {
        let metadata = at.metadata();
        match bounded {
            Bounded::Inline(bytes) => Ok(Self::told(&metadata, hex_text(&blake2_256(&[&bytes.0])), &bytes.0)),
            Bounded::Lookup { hash, len } => {
                let address = ensemble::storage().preimage().preimage_for();
                let entry = at.storage().try_fetch(address, ((*hash, *len),)).await.map_err(Error::chain)?;
                let Some(entry) = entry else {
                    return Ok(Self { hash: hash_text(hash), call: None, told: None });
                };
                let bytes = entry.decode().map_err(Error::chain)?.0;
                Ok(Self::told(&metadata, hash_text(hash), &bytes))
            },
            Bounded::Legacy { hash, .. } => Ok(Self { hash: hash_text(hash), call: None, told: None }),
            Bounded::__Ignore(_) => Err(Error::OldMetadata("the record of proposals".into())),
        }
    }

    fn told(metadata: &Metadata, hash: String, bytes: &[u8]) -> Self {
        Self { hash, call: name(metadata, bytes), told: tell(metadata, bytes) }
    }
}

/// The name of a call, of which the first two bytes are the numbers of pallet and call.
fn name(metadata: &Metadata, bytes: &[u8]) -> Option<String> {
    let [pallet, call, ..] = bytes else { return None };
    let pallet = metadata.pallet_by_call_index(*pallet)?;
    let call = pallet.call_variant_by_index(*call)?;
    Some(format!("{}.{}", pallet.name(), call.name))
}

/// A call with what it is given.
#[expect(clippy::redundant_closure, reason = "the function itself is not general enough in its lifetimes")]
fn tell(metadata: &Metadata, bytes: &[u8]) -> Option<String> {
    if bytes.len() > MAX_TOLD {
        return None;
    }
    let kind = metadata.outer_enums().call_enum_ty();
    let value = decode_as_type(&mut &*bytes, kind, metadata.types()).ok()?;
    let mut told = String::new();
    stringify::to_writer_custom()
        .add_custom_formatter(|value, out| write_bytes(value, out))
        .write(&value, &mut told)
        .ok()?;
    Some(told)
}

/// Writes what is nothing but bytes: as a text if it is one, otherwise in hexadecimal.
fn write_bytes<T, W: fmt::Write>(value: &Value<T>, out: &mut W) -> Option<fmt::Result> {
    let ValueDef::Composite(Composite::Unnamed(values)) = &value.value else { return None };
    let byte = |value: &Value<T>| match value.value {
        ValueDef::Primitive(Primitive::U128(number)) => u8::try_from(number).ok(),
        _ => None,
    };
    let bytes = values.iter().map(byte).collect::<Option<Vec<u8>>>().filter(|bytes| bytes.len() > 1)?;
    let is_text = bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    Some(match is_text {
        true => write!(out, "\"{}\"", String::from_utf8_lossy(&bytes)),
        false => write!(out, "{}", hex_text(&bytes)),
    })
}

#[cfg(test)]
mod tests {
    use codec::Decode;

    use super::*;

    fn metadata() -> Metadata {
        Metadata::decode(&mut &*crate::chain::METADATA).expect("is metadata")
    }

    /// `System.remark` of some bytes.
    fn remark(metadata: &Metadata, bytes: &[u8]) -> Vec<u8> {
        let system = metadata.pallet_by_name("System").expect("is there");
        let call = system.call_variant_by_name("remark").expect("is there");
        let length = u8::try_from(bytes.len() * 4).expect("is short");
        [&[system.call_index(), call.index, length], bytes].concat()
    }

    #[test]
    fn calls_are_told_with_what_they_are_given() {
        let metadata = metadata();
        for (given, shown) in [(b"hello".as_slice(), "\"hello\""), (&[1, 2, 0xff], "0x0102ff")] {
            let bytes = remark(&metadata, given);
            assert_eq!(name(&metadata, &bytes).as_deref(), Some("System.remark"));
            let told = tell(&metadata, &bytes).expect("is told");
            assert!(told.contains("remark") && told.contains(shown), "{told}");
        }
    }

    #[test]
    fn what_is_no_call_has_no_name() {
        let metadata = metadata();
        for bytes in [&[][..], &[0], &[255, 0], &[0, 255]] {
            assert_eq!(name(&metadata, bytes), None, "{bytes:?}");
            assert_eq!(tell(&metadata, bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn calls_in_calls_in_calls_do_not_take_all_of_the_stack() {
        let metadata = metadata();
        let utility = metadata.pallet_by_name("Utility").expect("is there");
        let batch = utility.call_variant_by_name("batch").expect("is there");
        // Each is a batch of one: the number 1 as a compact length.
        let nested = |bytes: usize| [utility.call_index(), batch.index, 4].repeat(bytes / 3);
        let deepest = nested(MAX_TOLD);
        assert_eq!(tell(&metadata, &deepest), None, "nothing is in the last of them");
        assert_eq!(name(&metadata, &nested(4 << 20)).as_deref(), Some("Utility.batch"));
        assert_eq!(tell(&metadata, &nested(4 << 20)), None);
    }
}
