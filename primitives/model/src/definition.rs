//! The `tokenizer` member of a model: JSON as the crate `tokenizers` reads it, but only such as the import writes.
//!
//! What comes with a model may be hostile. So nothing that is not written down here reaches the crate: no patterns but
//! the known ones, no normalisers, no templates, and a vocabulary without gaps.

use std::{collections::HashMap, fmt};

use serde::{
    de::{Error as _, MapAccess, SeqAccess, Visitor},
    Deserialize, Deserializer, Serialize, Serializer,
};

/// Most tokens of a vocabulary, and most merges: vocabularies of 128 thousand tokens come with 280 thousand of them.
const MAX_TOKENS: usize = 1 << 19;
/// Most tokens that are found in a text before all else.
const MAX_ADDED: usize = 8192;
/// Most bytes of a token.
const MAX_TOKEN_LEN: usize = 1024;

/// How Llama 3 cuts a text before its bytes are merged; the pattern is that of its published tokenizer.
const LLAMA_3: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+",
    r"|\s+(?!\S)|\s+"
);

/// A tokenizer: byte pairs merged in a fixed order.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    version: String,
    truncation: (),
    padding: (),
    /// Tokens that are found in a text before all else.
    pub added_tokens: Vec<Added>,
    normalizer: (),
    pre_tokenizer: Step,
    post_processor: (),
    decoder: Step,
    /// What is merged.
    pub model: Merging,
}

/// A token that is found in a text before all else.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Added {
    /// Its number.
    pub id: u32,
    /// What is found.
    pub content: String,
    single_word: bool,
    lstrip: bool,
    rstrip: bool,
    normalized: bool,
    /// Whether it stands for something other than its text: a beginning, an end.
    pub special: bool,
}

/// A vocabulary and what is merged to its tokens.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Merging {
    r#type: String,
    dropout: (),
    unk_token: (),
    continuing_subword_prefix: (),
    end_of_word_suffix: (),
    fuse_unk: bool,
    byte_fallback: bool,
    ignore_merges: bool,
    /// The tokens.
    pub vocab: Vocabulary,
    /// What is merged, the first before the others.
    #[serde(deserialize_with = "merges")]
    pub merges: Vec<(String, String)>,
}

/// What is done with a text before its bytes are merged, or with tokens to become text again.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "type", deny_unknown_fields)]
enum Step {
    Sequence { pretokenizers: Vec<Step> },
    Digits { individual_digits: bool },
    Split { pattern: Pattern, behavior: String, invert: bool },
    ByteLevel { add_prefix_space: bool, trim_offsets: bool, use_regex: bool },
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
enum Pattern {
    Regex(String),
}

/// Tokens in the order of their numbers, without gaps, each once.
#[derive(Debug)]
pub struct Vocabulary(pub Vec<String>);

/// How a text is cut before its bytes are merged, by the names that GGUF has for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cutting {
    /// `gpt-2`: words with the space before them, numbers, other signs.
    Gpt2,
    /// `smollm`: digits one by one, then as `gpt-2`.
    SmolLm,
    /// `llama-bpe`: words, up to three digits, other signs.
    Llama3,
}

impl Cutting {
    const ALL: [Self; 3] = [Self::Gpt2, Self::SmolLm, Self::Llama3];

    /// The one that GGUF has this name for.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "gpt-2" => Some(Self::Gpt2),
            "smollm" => Some(Self::SmolLm),
            "llama-bpe" | "llama3" | "llama-v3" => Some(Self::Llama3),
            _ => None,
        }
    }

    fn step(self) -> Step {
        let sequence = |first, second| Step::Sequence { pretokenizers: vec![first, second] };
        match self {
            Self::Gpt2 => bytes(false, true),
            Self::SmolLm => sequence(Step::Digits { individual_digits: true }, bytes(false, true)),
            Self::Llama3 => {
                let pattern = Pattern::Regex(LLAMA_3.into());
                sequence(Step::Split { pattern, behavior: "Isolated".into(), invert: false }, bytes(false, false))
            },
        }
    }

    /// Whether a word that is a token is taken as it is, whatever merges would make of it.
    const fn ignores_merges(self) -> bool {
        matches!(self, Self::Llama3)
    }
}

fn bytes(add_prefix_space: bool, use_regex: bool) -> Step {
    Step::ByteLevel { add_prefix_space, trim_offsets: true, use_regex }
}

fn decoder() -> Step {
    bytes(true, true)
}

/// Why a definition is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It is not what the import writes.
    #[error("it is not as the import writes it: {0}")]
    Json(#[from] serde_json::Error),
    /// It has another setting than the import writes.
    #[error("its {0} is none that this software knows")]
    Unknown(&'static str),
    /// A token is too long, or none at all.
    #[error("its token {0} has no bytes or more than {MAX_TOKEN_LEN}")]
    TokenLength(usize),
    /// There are no tokens, or too many.
    #[error("it has {0} tokens; a vocabulary has 1 to {MAX_TOKENS}")]
    Count(usize),
    /// A token twice.
    #[error("it has the token {0:?} twice")]
    Twice(String),
    /// A merge whose parts or result are no tokens.
    #[error("its merge {0} joins what are no tokens, or to what is none")]
    Merge(usize),
    /// Too many merges.
    #[error("it has {0} merges, more than {MAX_TOKENS}")]
    TooManyMerges(usize),
    /// Too many tokens to be found first.
    #[error("it has {0} added tokens, more than {MAX_ADDED}")]
    TooManyAdded(usize),
    /// A token to be found first that is none of the vocabulary.
    #[error("its added token {0} is not in the vocabulary under this number")]
    Added(u32),
}

impl Definition {
    /// The definition with these tokens, merges, and tokens that are found before all else.
    pub fn new(
        cutting: Cutting,
        tokens: Vec<String>,
        merges: Vec<(String, String)>,
        added: Vec<Added>,
    ) -> Result<Self, Refusal> {
        let model = Merging {
            r#type: "BPE".into(),
            dropout: (),
            unk_token: (),
            continuing_subword_prefix: (),
            end_of_word_suffix: (),
            fuse_unk: false,
            byte_fallback: false,
            ignore_merges: cutting.ignores_merges(),
            vocab: Vocabulary(tokens),
            merges,
        };
        let definition = Self {
            version: "1.0".into(),
            truncation: (),
            padding: (),
            added_tokens: added,
            normalizer: (),
            pre_tokenizer: cutting.step(),
            post_processor: (),
            decoder: decoder(),
            model,
        };
        definition.check()?;
        Ok(definition)
    }

    /// Reads what [`Self::to_bytes`] writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let definition: Self = serde_json::from_slice(bytes)?;
        definition.check()?;
        Ok(definition)
    }

    /// The JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Refusal> {
        Ok(serde_json::to_vec(self)?)
    }

    fn check(&self) -> Result<(), Refusal> {
        let Merging { r#type, fuse_unk, byte_fallback, ignore_merges, vocab, merges, .. } = &self.model;
        let cutting = Cutting::ALL.into_iter().find(|cutting| cutting.step() == self.pre_tokenizer);
        let cutting = cutting.ok_or(Refusal::Unknown("pre_tokenizer"))?;
        if self.version != "1.0" || self.decoder != decoder() {
            return Err(Refusal::Unknown("version or decoder"));
        }
        if r#type != "BPE" || *fuse_unk || *byte_fallback || *ignore_merges != cutting.ignores_merges() {
            return Err(Refusal::Unknown("model"));
        }
        let numbers = vocab.check()?;
        if merges.len() > MAX_TOKENS {
            return Err(Refusal::TooManyMerges(merges.len()));
        }
        check_merges(&numbers, merges)?;
        let added = self.added_tokens.len();
        if added > MAX_ADDED {
            return Err(Refusal::TooManyAdded(added));
        }
        self.added_tokens.iter().try_for_each(|token| token.check(&numbers))
    }
}

fn check_merges(numbers: &HashMap<&str, usize>, merges: &[(String, String)]) -> Result<(), Refusal> {
    let mut joined = String::new();
    for (number, (left, right)) in merges.iter().enumerate() {
        joined.clear();
        joined.extend([left.as_str(), right.as_str()]);
        if ![left, right, &joined].into_iter().all(|part| numbers.contains_key(part.as_str())) {
            return Err(Refusal::Merge(number));
        }
    }
    Ok(())
}

impl Added {
    /// A token that is found wherever its text stands.
    pub fn new(id: u32, content: String, special: bool) -> Self {
        Self { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }
    }

    fn check(&self, numbers: &HashMap<&str, usize>) -> Result<(), Refusal> {
        let plain = !(self.single_word || self.lstrip || self.rstrip || self.normalized);
        match numbers.get(self.content.as_str()) {
            Some(number) if plain && *number == self.id as usize => Ok(()),
            _ => Err(Refusal::Added(self.id)),
        }
    }
}

impl Vocabulary {
    /// Checks the tokens, and returns the numbers that they have.
    fn check(&self) -> Result<HashMap<&str, usize>, Refusal> {
        let count = self.0.len();
        if count == 0 || count > MAX_TOKENS {
            return Err(Refusal::Count(count));
        }
        let mut numbers = HashMap::with_capacity(count);
        for (number, token) in self.0.iter().enumerate() {
            if token.is_empty() || token.len() > MAX_TOKEN_LEN {
                return Err(Refusal::TokenLength(number));
            }
            if numbers.insert(token.as_str(), number).is_some() {
                return Err(Refusal::Twice(token.clone()));
            }
        }
        Ok(numbers)
    }
}

/// Reads merges up to the first that is one too many, so that no list is longer in memory than it may be.
fn merges<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    struct Merges;

    impl<'de> Visitor<'de> for Merges {
        type Value = Vec<(String, String)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("pairs of tokens")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut merges = Vec::new();
            while let Some(merge) = list.next_element()? {
                if merges.len() >= MAX_TOKENS {
                    return Err(A::Error::custom("too many merges"));
                }
                merges.push(merge);
            }
            Ok(merges)
        }
    }

    deserializer.deserialize_seq(Merges)
}

impl Serialize for Vocabulary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().zip(0u32..))
    }
}

impl<'de> Deserialize<'de> for Vocabulary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tokens;

        impl<'de> Visitor<'de> for Tokens {
            type Value = Vocabulary;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tokens in the order of their numbers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vocabulary, A::Error> {
                let mut tokens = Vec::new();
                while let Some((token, number)) = map.next_entry::<String, usize>()? {
                    if number != tokens.len() || number >= MAX_TOKENS {
                        return Err(A::Error::custom("tokens are not numbered in order from 0 on, or too many"));
                    }
                    tokens.push(token);
                }
                Ok(Vocabulary(tokens))
            }
        }

        deserializer.deserialize_map(Tokens)
    }
}
