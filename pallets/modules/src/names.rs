//! Names: lower-case ASCII words, joined by `-` or `_` to labels, joined by `.` to names.
//!
//! `acme.vision.ocr-small` is in the namespace of `acme.vision`. As there are no capitals, no other letters and no
//! separators at ends or in rows, no two names look alike but for what ASCII itself confuses (`0` and `o`, `1` and
//! `l`); `-` and `_` are one and the same when names are compared.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use ensemble_core::modules::{NameError, MAX_NAME_BYTES};
use frame_support::{ensure, traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;

/// Most labels of a name.
pub const MAX_LABELS: usize = 8;
/// Most words of a name.
pub const MAX_WORDS: usize = 16;

const KEY_BYTES: usize = MAX_NAME_BYTES as usize;

/// A name as key: `_` turned into `-`, filled up with zeros. Keys stand in the order of the names, and names with a
/// common beginning stand together, which searches rest on.
pub type NameKey = [u8; KEY_BYTES];

/// A valid name.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Name(BoundedVec<u8, ConstU32<MAX_NAME_BYTES>>);

impl Name {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, NameError> {
        ensure!(!bytes.is_empty(), NameError::Empty);
        let name = BoundedVec::try_from(bytes.to_vec()).map_err(|_| NameError::TooLong)?;
        ensure!(name.iter().all(|byte| is_word(*byte) || is_separator(*byte)), NameError::Character);
        let words = || name.split(|byte| is_separator(*byte));
        ensure!(words().all(|word| !word.is_empty()), NameError::Separator);
        ensure!(name.split(|byte| *byte == b'.').count() <= MAX_LABELS, NameError::TooManyLabels);
        ensure!(words().count() <= MAX_WORDS, NameError::TooManyWords);
        Ok(Self(name))
    }

    /// The name's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key under which the name is stored.
    pub fn key(&self) -> NameKey {
        key(&self.0)
    }

    /// The namespaces that the name is in, and what of the name is below each: the nearest first.
    pub fn namespaces(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let dots = self.0.iter().enumerate().rev().filter(|(_, byte)| **byte == b'.');
        dots.filter_map(move |(at, _)| {
            let (namespace, rest) = self.0.split_at_checked(at)?;
            Some((namespace, rest.get(1..)?))
        })
    }
}

/// The key of a name, or the beginning of the keys of all names that begin with these bytes.
pub fn key(name: &[u8]) -> NameKey {
    let mut key = [0; KEY_BYTES];
    for (to, from) in key.iter_mut().zip(name) {
        *to = if *from == b'_' { b'-' } else { *from };
    }
    key
}

/// The name that a key stands for, with `-` for `_`.
pub fn of_key(key: &NameKey) -> &[u8] {
    key.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// Whether a byte stands between words.
pub(crate) fn is_separator(byte: u8) -> bool {
    matches!(byte, b'-' | b'_' | b'.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(name: &[u8]) -> NameError {
        Name::parse(name).unwrap_err()
    }

    #[test]
    fn words_are_joined_to_labels_and_labels_to_names() {
        for name in ["a", "7", "gpt-4", "a_b-c.d", "stable-diffusion-3.5-large", "x.y.z"] {
            assert_eq!(Name::parse(name.as_bytes()).unwrap().as_bytes(), name.as_bytes());
        }
    }

    #[test]
    fn every_error_names_its_cause() {
        assert_eq!(refused(b""), NameError::Empty);
        assert_eq!(refused(&[b'a'; 65]), NameError::TooLong);
        assert!(Name::parse(&[b'a'; 64]).is_ok());
        for name in ["Llama", "gpt 4", "a/b", "a\0", "\u{430}lpha", "llam\u{430}", "a\u{200b}b", "\u{ff47}pt", "a:b"] {
            assert_eq!(refused(name.as_bytes()), NameError::Character, "{name}");
        }
        for bytes in [&b"\xff"[..], b"a\xc3(", b"\x80abc"] {
            assert_eq!(refused(bytes), NameError::Character, "invalid UTF-8");
        }
        for name in ["-a", "a-", ".a", "a.", "_a", "a__b", "a--b", "a..b", "a-.b", "a._b", "-", "."] {
            assert_eq!(refused(name.as_bytes()), NameError::Separator, "{name}");
        }
        assert!(Name::parse(b"a.b.c.d.e.f.g.h").is_ok());
        assert_eq!(refused(b"a.b.c.d.e.f.g.h.i"), NameError::TooManyLabels);
        let words = |count| vec!["a"; count].join("-");
        assert!(Name::parse(words(16).as_bytes()).is_ok());
        assert_eq!(refused(words(17).as_bytes()), NameError::TooManyWords);
    }

    #[test]
    fn namespaces_come_nearest_first() {
        let name = Name::parse(b"acme.vision.ocr-small").unwrap();
        let expected: Vec<(&[u8], &[u8])> = vec![(b"acme.vision", b"ocr-small"), (b"acme", b"vision.ocr-small")];
        assert_eq!(name.namespaces().collect::<Vec<_>>(), expected);
        assert_eq!(Name::parse(b"acme").unwrap().namespaces().count(), 0);
    }

    #[test]
    fn hyphen_and_underscore_are_one() {
        assert_eq!(Name::parse(b"a_b").unwrap().key(), Name::parse(b"a-b").unwrap().key());
        assert_ne!(Name::parse(b"a.b").unwrap().key(), Name::parse(b"a-b").unwrap().key());
        assert_eq!(of_key(&key(b"a_b.c")), b"a-b.c");
        assert_eq!(of_key(&[b'a'; 64]), [b'a'; 64]);
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(name) = Name::parse(&bytes) {
                prop_assert!(core::str::from_utf8(name.as_bytes()).is_ok());
            }
        }

        #[test]
        fn keys_stand_in_the_order_of_names(one in "[a-z0-9]{1,9}(-[a-z0-9]{1,9}){0,3}(\\.[a-z0-9]{1,9}){0,2}",
                                            two in "[a-z0-9]{1,9}(-[a-z0-9]{1,9}){0,3}(\\.[a-z0-9]{1,9}){0,2}") {
            prop_assert_eq!(key(one.as_bytes()).cmp(&key(two.as_bytes())), one.cmp(&two));
            let key = key(one.as_bytes());
            prop_assert_eq!(of_key(&key), one.as_bytes());
        }
    }
}
