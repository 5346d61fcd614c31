//! The tokenizer of a GGUF file.

use ensemble_tensor::read::gguf::{Archive, List};

use super::Error;
use crate::{
    definition::{Added, Cutting, Definition},
    special::Special,
};

/// The only kind of tokenizer that is read: bytes, written as characters, are merged pair by pair.
const MODEL: &str = "gpt2";

/// Numbers of tokens' types in a file.
const UNKNOWN: u64 = 2;
const CONTROL: u64 = 3;
const USER_DEFINED: u64 = 4;

/// Tokens that end an answer in the models that have them, whatever the file says of them.
const ENDS: [&str; 5] = ["<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|endoftext|>", "<|end_of_text|>"];

/// Reads tokens, merges and how a text is cut.
pub fn definition(file: &Archive<'_>) -> Result<Definition, Error> {
    let model = required(file.text("tokenizer.ggml.model")?, "tokenizer.ggml.model")?;
    if model != MODEL {
        return Err(Error::TokenizerModel(model.into()));
    }
    if file.flag("tokenizer.ggml.add_space_prefix")? == Some(true) {
        return Err(Error::SpacePrefix);
    }
    let name = file.text("tokenizer.ggml.pre")?.unwrap_or("none");
    let cutting = Cutting::from_name(name).ok_or_else(|| Error::Cutting(name.into()))?;
    let tokens = texts(file, "tokenizer.ggml.tokens")?;
    let merges = texts(file, "tokenizer.ggml.merges")?;
    let merges = merges.into_iter().map(pair).collect::<Result<_, _>>()?;
    let added = added(file, &tokens)?;
    Ok(Definition::new(cutting, tokens, merges, added)?)
}

/// Reads which tokens have a meaning of their own.
pub fn special(file: &Archive<'_>, definition: &Definition) -> Result<Special, Error> {
    let tokens = &definition.model.vocab.0;
    let token = |key: &str| -> Result<Option<u32>, Error> {
        let Some(number) = file.number(key)? else { return Ok(None) };
        let token = u32::try_from(number).ok().filter(|token| (*token as usize) < tokens.len());
        token.map(Some).ok_or_else(|| Error::NoSuchToken { key: key.into(), number })
    };
    let end = token("tokenizer.ggml.eos_token_id")?;
    let turns = [token("tokenizer.ggml.eot_token_id")?, token("tokenizer.ggml.eom_token_id")?];
    let known = definition.added_tokens.iter().filter(|token| token.special && ENDS.contains(&token.content.as_str()));
    let mut ends: Vec<u32> = [end].into_iter().chain(turns).flatten().chain(known.map(|token| token.id)).collect();
    ends.sort_unstable();
    ends.dedup();
    Ok(Special { beginning: token("tokenizer.ggml.bos_token_id")?, end, ends })
}

/// Tokens that are found in a text before all else.
fn added(file: &Archive<'_>, tokens: &[String]) -> Result<Vec<Added>, Error> {
    const KEY: &str = "tokenizer.ggml.token_type";
    let types = required(file.list(KEY)?, KEY)?;
    if types.count() != tokens.len() as u64 {
        return Err(Error::TokenTypes { tokens: tokens.len(), types: types.count() });
    }
    let mut added = Vec::new();
    for ((number, token), value) in (0..).zip(tokens).zip(types.iter()) {
        match value.number() {
            Some(UNKNOWN | CONTROL) => added.push(Added::new(number, token.clone(), true)),
            Some(USER_DEFINED) => added.push(Added::new(number, token.clone(), false)),
            Some(_) => {},
            None => {
                return Err(ensemble_tensor::Error::GgufValue { key: KEY.into(), expected: "list of numbers" }.into())
            },
        }
    }
    Ok(added)
}

fn texts(file: &Archive<'_>, key: &str) -> Result<Vec<String>, Error> {
    let list: List<'_> = required(file.list(key)?, key)?;
    let texts = list.iter().map(|value| value.text().map(String::from));
    let wrong = || ensemble_tensor::Error::GgufValue { key: key.into(), expected: "list of texts" }.into();
    texts.collect::<Option<_>>().ok_or_else(wrong)
}

/// The two parts of a merge, which a space divides.
fn pair(merge: String) -> Result<(String, String), Error> {
    match merge.split_once(' ') {
        Some((left, right)) if !right.contains(' ') => Ok((left.into(), right.into())),
        _ => Err(Error::Merge(merge.chars().take(40).collect())),
    }
}

pub fn required<T>(value: Option<T>, key: &str) -> Result<T, Error> {
    value.ok_or_else(|| ensemble_tensor::Error::GgufMissing(key.into()).into())
}
