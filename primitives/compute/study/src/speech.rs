//! Texts to tokens and back, and conversations as the model was taught to read them.

use std::io;

use minijinja::{context, Environment};
use serde::Deserialize;
use tokenizers::Tokenizer;

use crate::model::Model;

/// A model's tokenizer and template.
pub struct Speech {
    tokenizer: Tokenizer,
    template: Environment<'static>,
    ends: Vec<u32>,
}

/// Tokens with a meaning of their own.
#[derive(Deserialize)]
struct Special {
    ends: Vec<u32>,
}

impl Speech {
    /// What the model's bundle has of it.
    pub fn new(model: &Model) -> io::Result<Self> {
        let member = |name: &str| model.bytes(name).ok_or_else(|| io::Error::other(format!("the model has no {name}")));
        let tokenizer = Tokenizer::from_bytes(member("tokenizer")?).map_err(io::Error::other)?;
        let special: Special = serde_json::from_slice(member("special")?)?;
        let source = String::from_utf8(member("template")?.to_vec()).map_err(io::Error::other)?;
        let mut template = Environment::new();
        template.add_template_owned("chat", source).map_err(io::Error::other)?;
        Ok(Self { tokenizer, template, ends: special.ends })
    }

    /// The tokens of a text.
    pub fn tokens(&self, text: &str) -> io::Result<Vec<u32>> {
        let encoding = self.tokenizer.encode(text, false).map_err(io::Error::other)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The text of tokens.
    pub fn text(&self, tokens: &[u32]) -> io::Result<String> {
        self.tokenizer.decode(tokens, true).map_err(io::Error::other)
    }

    /// The tokens that the model answers a question to.
    pub fn question(&self, question: &str) -> io::Result<Vec<u32>> {
        let chat = self.template.get_template("chat").map_err(io::Error::other)?;
        let messages = [context! { role => "user", content => question }];
        let text = chat.render(context! { messages, add_generation_prompt => true }).map_err(io::Error::other)?;
        self.tokens(&text)
    }

    /// Whether an answer is over with this token.
    pub fn ends(&self, token: u32) -> bool {
        self.ends.contains(&token)
    }
}

/// Whether a text is a whole sentence, or more than one: a mark ends it that follows a letter and precedes a space, so that
/// it is none of a number or a name.
pub fn is_sentence(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    characters.windows(3).any(|part| match part {
        [before, mark, after] => before.is_alphabetic() && ".!?".contains(*mark) && after.is_whitespace(),
        _ => false,
    })
}
