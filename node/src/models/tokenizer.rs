//! Texts to tokens, and tokens to texts.

use tokenizers::Tokenizer as Inner;

use super::{
    definition::{Added, Definition, Refusal},
    special::Special,
};

/// Most bytes of a text that becomes tokens.
pub const MAX_TEXT: usize = 1 << 20;

/// A model's tokenizer.
pub struct Tokenizer {
    inner: Inner,
    special: Special,
    /// The bytes of all tokens, one after the other.
    bytes: Vec<u8>,
    /// Where in them each token ends.
    ends: Vec<usize>,
    /// The texts of the tokens at the beginning and the end.
    marks: [String; 2],
}

/// Why there is no tokenizer, or why a text does not become tokens.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The definition is refused.
    #[error("the tokenizer is refused: {0}")]
    Refused(#[from] Refusal),
    /// The crate finds fault with the definition.
    #[error("the tokenizer cannot be used: {0}")]
    Unusable(String),
    /// Not the vocabulary of the model.
    #[error("the tokenizer has {found} tokens, but the model {expected}")]
    Vocabulary {
        /// Tokens of the model.
        expected: u32,
        /// Tokens of the tokenizer.
        found: usize,
    },
    /// The special tokens are no JSON, or none of the vocabulary.
    #[error("the special tokens are not as the import writes them, or beyond the vocabulary")]
    Special,
    /// A text that is too long.
    #[error("a text of {0} bytes is too long to become tokens: {MAX_TEXT} are allowed; shorten it")]
    TooLong(usize),
    /// The crate could not do it.
    #[error("the text cannot become tokens: {0}")]
    Failed(String),
}

impl Tokenizer {
    /// Reads the `tokenizer` and `special` members of a model with so many tokens.
    pub fn parse(definition: &[u8], special: &[u8], vocabulary: u32) -> Result<Self, Error> {
        let read = Definition::parse(definition)?;
        let tokens = &read.model.vocab.0;
        if tokens.len() != vocabulary as usize {
            return Err(Error::Vocabulary { expected: vocabulary, found: tokens.len() });
        }
        let special: Special = serde_json::from_slice(special).map_err(|_| Error::Special)?;
        let named = [special.beginning, special.end].into_iter().flatten().chain(special.ends.iter().copied());
        if named.into_iter().any(|token| token >= vocabulary) || special.ends.len() > tokens.len() {
            return Err(Error::Special);
        }
        let text_of = |token: Option<u32>| {
            let token = token.and_then(|token| tokens.get(token as usize));
            token.cloned().unwrap_or_default()
        };
        let marks = [text_of(special.beginning), text_of(special.end)];
        let (bytes, ends) = token_bytes(tokens, &read.added_tokens);
        // The crate reads all of it once more.
        drop(read);
        let inner = Inner::from_bytes(definition).map_err(|error| Error::Unusable(error.to_string()))?;
        Ok(Self { inner, special, bytes, ends, marks })
    }

    /// The tokens of a text, in which special tokens may be written out.
    pub fn tokens(&self, text: &str) -> Result<Vec<u32>, Error> {
        if text.len() > MAX_TEXT {
            return Err(Error::TooLong(text.len()));
        }
        let encoding = self.inner.encode_fast(text, false).map_err(|error| Error::Failed(error.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The bytes of a token: none of one that stands for something else than its text, or of one that is not there.
    pub fn bytes(&self, token: u32) -> &[u8] {
        let token = token as usize;
        let start = token.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(token).copied().unwrap_or(start);
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// The text of some tokens. Bytes that are no text are replaced.
    pub fn text(&self, tokens: &[u32]) -> String {
        let bytes: Vec<u8> = tokens.iter().flat_map(|token| self.bytes(*token)).copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Makes text of tokens as they come.
    pub fn stream(&self) -> Stream<'_> {
        Stream { tokenizer: self, pending: Vec::new() }
    }

    /// Whether a token ends an answer.
    pub fn ends(&self, token: u32) -> bool {
        self.special.ends.contains(&token)
    }

    /// The texts of the tokens at the beginning and at the end, empty where there is none.
    pub fn marks(&self) -> &[String; 2] {
        &self.marks
    }
}

/// Makes text of tokens as they come: a character whose bytes are spread over several tokens waits for the last of
/// them.
pub struct Stream<'a> {
    tokenizer: &'a Tokenizer,
    /// The beginning of a character.
    pending: Vec<u8>,
}

impl Stream<'_> {
    /// The text that a further token brings; often a word, sometimes none.
    pub fn push(&mut self, token: u32) -> String {
        self.pending.extend_from_slice(self.tokenizer.bytes(token));
        let mut text = String::new();
        loop {
            match std::str::from_utf8(&self.pending) {
                Ok(whole) => {
                    text.push_str(whole);
                    self.pending.clear();
                    return text;
                },
                Err(error) => {
                    let (valid, rest) = self.pending.split_at(error.valid_up_to());
                    text.push_str(&String::from_utf8_lossy(valid));
                    let Some(bad) = error.error_len() else {
                        self.pending = rest.to_vec();
                        return text;
                    };
                    text.push(char::REPLACEMENT_CHARACTER);
                    self.pending = rest.get(bad..).unwrap_or_default().to_vec();
                },
            }
        }
    }

    /// What is left of a character that was never finished.
    pub fn finish(self) -> String {
        String::from_utf8_lossy(&self.pending).into_owned()
    }
}

/// The bytes of all tokens, and where each ends.
fn token_bytes(tokens: &[String], added: &[Added]) -> (Vec<u8>, Vec<usize>) {
    let added: std::collections::HashMap<u32, &Added> = added.iter().map(|token| (token.id, token)).collect();
    let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(tokens.len()));
    for (number, token) in (0..).zip(tokens) {
        match added.get(&number) {
            Some(token) if token.special => {},
            Some(token) => bytes.extend_from_slice(token.content.as_bytes()),
            None => bytes.extend(token.chars().flat_map(byte)),
        }
        ends.push(bytes.len());
    }
    (bytes, ends)
}

/// The byte that a character of a token stands for: as in GPT-2, bytes that print stand for themselves, the others for
/// the characters from 256 on, in order. A character that stands for none is itself.
fn byte(character: char) -> Vec<u8> {
    let code = u32::from(character);
    let printed = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let hidden = |number: u32| (0..=u8::MAX).filter(|byte| !printed(byte)).nth(number as usize);
    let byte = match u8::try_from(code) {
        Ok(byte) => Some(byte).filter(printed),
        Err(_) => hidden(code - 256),
    };
    byte.map_or_else(|| character.to_string().into_bytes(), |byte| vec![byte])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_stand_for_bytes() {
        assert_eq!(byte('a'), b"a");
        assert_eq!(byte('Ġ'), b" ");
        assert_eq!(byte('Ċ'), b"\n");
        assert_eq!(byte('Ā'), [0]);
        assert_eq!(byte('ł'), [0xa0]);
        assert_eq!(byte('Ń'), [0xad]);
        assert_eq!(byte('ń'), "ń".as_bytes());
        assert_eq!(byte('ÿ'), [0xff]);
        assert_eq!(byte('€'), "€".as_bytes());
        let all: std::collections::BTreeSet<_> = (0..0x144).filter_map(char::from_u32).map(byte).collect();
        assert!((0..=u8::MAX).all(|single| all.contains(&vec![single])));
    }
}
