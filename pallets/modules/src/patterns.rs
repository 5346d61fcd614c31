//! Patterns: what the words of a name say of the kind of model. Pure, without storage.
//!
//! A pattern matches at the start of a word of the name: `sd` matches `sdxl-turbo` and `my-sd` but not `ssd`. It is
//! written with `-`, which stands for any of the separators `-`, `_` and `.`. The name is read as if a separator
//! followed it, so that a pattern that ends in `-` matches whole words only: `e5-` matches `e5` and `e5-large`, but not
//! `e500`.
//!
//! The longest pattern that matches wins; a pattern that is all of the name is therefore always first. Of two patterns of
//! the same length the later in the name wins, because the later word of a compound says what it is: an
//! `embed-tts` is a `tts`.

use alloc::vec::Vec;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use ensemble_core::ModelType;
use frame_support::{ensure, traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;

use crate::names::is_separator;

/// Most bytes of a pattern.
pub const MAX_BYTES: u32 = 32;

/// The first bytes of a pattern, by which patterns are stored together.
pub type Start = [u8; 2];

/// A valid pattern.
#[derive(
    Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, Ord, PartialEq, PartialOrd, TypeInfo,
)]
pub struct Pattern(BoundedVec<u8, ConstU32<MAX_BYTES>>);

/// Why bytes are no pattern.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PatternError {
    /// There are fewer than two.
    TooShort,
    /// There are more than [`MAX_BYTES`].
    TooLong,
    /// They are not words of `a-z` and `0-9` joined by `-`.
    Character,
}

/// A pattern and the type that it stands for.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Rule {
    /// What to look for.
    pub pattern: Pattern,
    /// The type of a name in which it is found; 0 makes an exception from shorter patterns.
    pub model_type: ModelType,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, PatternError> {
        ensure!(bytes.len() >= 2, PatternError::TooShort);
        let pattern = BoundedVec::try_from(bytes.to_vec()).map_err(|_| PatternError::TooLong)?;
        // One `-` at the end is well formed.
        let words = bytes.strip_suffix(b"-").unwrap_or(bytes).split(|byte| *byte == b'-');
        let is_word = |word: &[u8]| {
            !word.is_empty() && word.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        ensure!(words.into_iter().all(is_word), PatternError::Character);
        Ok(Self(pattern))
    }

    /// The pattern's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The first bytes.
    pub fn start(&self) -> Start {
        start(&self.0)
    }
}

fn start(bytes: &[u8]) -> Start {
    let mut start = Start::default();
    start.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    start
}

/// The type that a name has by the rules. `rules_at` gives at least those whose patterns begin with the given bytes; it
/// is asked once for each word.
pub fn type_of<R: AsRef<[Rule]>>(name: &[u8], mut rules_at: impl FnMut(Start) -> R) -> Option<ModelType> {
    let text = readable(name);
    let mut best: Option<(usize, ModelType)> = None;
    for word in words(&text) {
        let rules = rules_at(start(word));
        for rule in rules.as_ref().iter().filter(|rule| word.starts_with(rule.pattern.as_bytes())) {
            let length = rule.pattern.as_bytes().len();
            if best.is_none_or(|(longest, _)| length >= longest) {
                best = Some((length, rule.model_type));
            }
        }
    }
    best.map(|(_, model_type)| model_type)
}

/// The name with `-` for every separator and one at its end.
fn readable(name: &[u8]) -> Vec<u8> {
    let letters = name.iter().map(|byte| if is_separator(*byte) { b'-' } else { *byte });
    letters.chain(core::iter::once(b'-')).collect()
}

/// What follows from the start of each word on.
fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let first = core::iter::once(text);
    let others = text.iter().enumerate().filter(|(_, byte)| **byte == b'-');
    let others = others.filter_map(move |(at, _)| text.get(at.saturating_add(1)..));
    first.chain(others).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rules(patterns: &[(&str, ModelType)]) -> Vec<Rule> {
        let rule = |(pattern, model_type): &(&str, ModelType)| Rule {
            pattern: Pattern::parse(pattern.as_bytes()).unwrap(),
            model_type: *model_type,
        };
        patterns.iter().map(rule).collect()
    }

    fn found(name: &str, patterns: &[(&str, ModelType)]) -> Option<ModelType> {
        let rules = rules(patterns);
        type_of(name.as_bytes(), |_| &rules)
    }

    #[test]
    fn at_the_start_of_a_word_only() {
        for name in ["sd", "sd-1", "sdxl-turbo", "my-sd", "my_sd3", "my.sd"] {
            assert_eq!(found(name, &[("sd", 1)]), Some(1), "{name}");
        }
        for name in ["ssd-mobilenet", "usd", "s-d", "asdf"] {
            assert_eq!(found(name, &[("sd", 1)]), None, "{name}");
        }
    }

    #[test]
    fn the_longest_wins_wherever_it_stands() {
        let patterns = [("video", 1), ("video-llama", 2), ("llama", 3)];
        assert_eq!(found("video-llama-2", &patterns), Some(2));
        assert_eq!(found("llama-video-llama", &patterns), Some(2));
        assert_eq!(found("video_llama", &patterns), Some(2));
        assert_eq!(found("my.video.llama", &patterns), Some(2));
        // A pattern that is all of the name is the longest there can be.
        assert_eq!(found("llama", &patterns), Some(3));
    }

    #[test]
    fn of_equals_the_later_wins() {
        assert_eq!(found("gpt-tts", &[("gpt", 1), ("tts", 2)]), Some(2));
        assert_eq!(found("tts-gpt", &[("gpt", 1), ("tts", 2)]), Some(1));
    }

    #[test]
    fn a_hyphen_at_the_end_asks_for_the_whole_word() {
        for name in ["e5", "e5-large", "multilingual-e5", "e5.base"] {
            assert_eq!(found(name, &[("e5-", 1)]), Some(1), "{name}");
        }
        assert_eq!(found("e500", &[("e5-", 1)]), None);
    }

    #[test]
    fn patterns_are_words() {
        for pattern in ["sd", "sd-", "a-b-c", "7b", "x-"] {
            assert!(Pattern::parse(pattern.as_bytes()).is_ok(), "{pattern}");
        }
        for pattern in ["", "a", "-"] {
            assert_eq!(Pattern::parse(pattern.as_bytes()), Err(PatternError::TooShort), "{pattern}");
        }
        assert_eq!(Pattern::parse(&[b'a'; 33]), Err(PatternError::TooLong));
        for pattern in ["-a", "a--b", "a--", "a.b", "a_b", "Ab", "\u{430}b", "a b", "--"] {
            assert_eq!(Pattern::parse(pattern.as_bytes()), Err(PatternError::Character), "{pattern}");
        }
        assert_eq!(Pattern::parse(b"a\xff"), Err(PatternError::Character));
    }

    /// The definition, written down anew: of all places where a pattern stands, the longest, then the last.
    fn by_definition(name: &str, patterns: &[Rule]) -> Option<ModelType> {
        let text = format!("-{}-", name.replace(['_', '.'], "-"));
        let mut places = Vec::new();
        for rule in patterns {
            let pattern = format!("-{}", core::str::from_utf8(rule.pattern.as_bytes()).unwrap());
            for at in 0..text.len() {
                if text[at..].starts_with(&pattern) {
                    places.push((pattern.len(), at, rule.model_type));
                }
            }
        }
        places.into_iter().max().map(|(_, _, model_type)| model_type)
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let rules = rules(&[("ab", 1)]);
            type_of(&bytes, |_| &rules);
            let _ = Pattern::parse(&bytes);
        }

        /// Few letters, so that much matches. Patterns are looked up by their first bytes, as in storage.
        #[test]
        fn agrees_with_the_definition(
            name in "[ab]{1,3}([-_.][ab]{1,3}){0,5}",
            patterns in prop::collection::btree_map("[ab]{2,3}(-[ab]{1,3}){0,2}-?|[ab]-", 0u16..9, 0..12),
        ) {
            let patterns: Vec<_> = patterns.iter().map(|(pattern, kind)| (pattern.as_str(), *kind)).collect();
            let rules = rules(&patterns);
            let by_start = |start: Start| -> Vec<Rule> {
                rules.iter().filter(|rule| rule.pattern.start() == start).cloned().collect()
            };
            prop_assert_eq!(type_of(name.as_bytes(), by_start), by_definition(&name, &rules));
        }
    }
}
