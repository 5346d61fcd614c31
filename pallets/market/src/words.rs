//! The words by which listings are found: runs of ASCII letters and digits, in lower case.
//!
//! Everything else stands between words. Of a longer word the first [`MAX_WORD_BYTES`] count, in texts as in searches.

use alloc::{collections::BTreeSet, vec::Vec};

use frame_support::{traits::ConstU32, BoundedVec};

/// Most bytes of a word.
pub const MAX_WORD_BYTES: u32 = 16;

/// A word.
pub type Word = BoundedVec<u8, ConstU32<MAX_WORD_BYTES>>;

/// The different words of some texts in alphabetical order; none if there are more than `most`.
pub fn words<'a>(texts: impl IntoIterator<Item = &'a [u8]>, most: u32) -> Option<Vec<Word>> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut words = BTreeSet::new();
    for word in texts.into_iter().flat_map(split) {
        words.insert(word);
        if words.len() > most {
            return None;
        }
    }
    Some(words.into_iter().collect())
}

fn split(text: &[u8]) -> impl Iterator<Item = Word> + '_ {
    let parts = text.split(|byte| !byte.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let width = usize::try_from(MAX_WORD_BYTES).unwrap_or(usize::MAX);
    parts.map(move |part| BoundedVec::truncate_from(part.iter().take(width).map(u8::to_ascii_lowercase).collect()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(texts: &[&str], most: u32) -> Option<Vec<String>> {
        let words = words(texts.iter().map(|text| text.as_bytes()), most)?;
        Some(words.into_iter().map(|word| String::from_utf8(word.into_inner()).unwrap()).collect())
    }

    fn some(words: &[&str]) -> Option<Vec<String>> {
        Some(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn words_are_what_letters_and_digits_make() {
        assert_eq!(
            of(&["acme.vision-OCR_2", "Reads  text; in 40 languages!"], 16),
            some(&["2", "40", "acme", "in", "languages", "ocr", "reads", "text", "vision"])
        );
        assert_eq!(of(&["", " .-"], 16), some(&[]));
        assert_eq!(of(&["Größe", "ÄÖÜ"], 16), some(&["e", "gr"]));
    }

    #[test]
    fn a_word_counts_once_and_its_beginning_only() {
        assert_eq!(of(&["a A a", "a"], 1), some(&["a"]));
        assert_eq!(of(&["internationalisation", "internationalisations"], 1), some(&["internationalisa"]));
    }

    #[test]
    fn more_words_than_may_be_are_none() {
        assert_eq!(of(&["a b", "c"], 3), some(&["a", "b", "c"]));
        assert_eq!(of(&["a b", "c"], 2), None);
    }

    proptest! {
        #[test]
        fn whatever_is_in_a_text_is_found_in_it(text in any::<Vec<u8>>(), other in any::<Vec<u8>>()) {
            let all = words([&text[..], &other[..]], u32::MAX).unwrap();
            prop_assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
            for word in words([&text[..]], u32::MAX).unwrap() {
                prop_assert!(all.contains(&word) && !word.is_empty());
                prop_assert_eq!(words([&word[..]], 1), Some(vec![word]));
            }
        }
    }
}
