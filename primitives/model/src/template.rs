//! Chat templates: Jinja that makes one text of a conversation.
//!
//! A template comes with a model and may be hostile. What it may do is counted: steps, depth, the length of the text.
//! What cannot be counted here is memory, since a few steps can double a text again and again; therefore a node renders
//! in a process of its own, which the node's sandbox starts.

use std::io::{self, Write};

use minijinja::{context, syntax::SyntaxConfig, value::Value, Environment, UndefinedBehavior};
use serde::{Deserialize, Serialize};

/// Most bytes of a template.
pub const MAX_LEN: usize = 64 << 10;
/// Most messages of a conversation.
pub const MAX_MESSAGES: usize = 1024;
/// Most bytes of a conversation, and of the text that is made of it.
pub const MAX_TEXT: usize = 1 << 20;
/// Most steps of rendering: a long template has some 200 for each message.
const FUEL: u64 = 1_000_000;
/// Most calls inside of calls.
const DEPTH: usize = 32;

/// One contribution to a conversation.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who speaks: as a rule `system`, `user` or `assistant`.
    pub role: String,
    /// What is said.
    pub content: String,
}

/// What a template is given beside the messages.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Marks {
    /// The text of the token at the beginning; empty if there is none.
    pub beginning: String,
    /// The text of the token at the end; empty if there is none.
    pub end: String,
}

/// Why no text is made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The template is too long.
    #[error("it has {0} bytes, more than {MAX_LEN}")]
    TooLong(usize),
    /// Too much is said.
    #[error("the conversation has more than {MAX_MESSAGES} messages or {MAX_TEXT} bytes; shorten it")]
    Conversation,
    /// The text is too long.
    #[error("the text that it makes has more than {MAX_TEXT} bytes; shorten the conversation")]
    TextTooLong,
    /// The template has a mistake, or refuses the conversation.
    #[error("{0}")]
    Jinja(#[from] minijinja::Error),
}

/// Checks that a template can be read.
pub fn check(source: &str) -> Result<(), Error> {
    if source.len() > MAX_LEN {
        return Err(Error::TooLong(source.len()));
    }
    environment().template_from_str(source)?;
    Ok(())
}

/// Makes a text of a conversation, to which the model answers.
pub fn render(source: &str, messages: &[Message], marks: &Marks) -> Result<String, Error> {
    check_conversation(messages)?;
    if source.len() > MAX_LEN {
        return Err(Error::TooLong(source.len()));
    }
    let environment = environment();
    let template = environment.template_from_str(source)?;
    let messages: Vec<Value> = messages
        .iter()
        .map(|Message { role, content }| context! { role => role.as_str(), content => content.as_str() })
        .collect();
    let context = context! {
        messages => messages,
        add_generation_prompt => true,
        bos_token => marks.beginning.as_str(),
        eos_token => marks.end.as_str(),
    };
    let mut text = Text::default();
    let rendered = template.render_captured_to(context, &mut text).map(drop);
    if text.full {
        return Err(Error::TextTooLong);
    }
    rendered?;
    String::from_utf8(text.bytes).map_err(|_| Error::TextTooLong)
}

/// Refuses a conversation that is too long.
pub fn check_conversation(messages: &[Message]) -> Result<(), Error> {
    let bytes = messages.iter().map(|message| message.role.len() + message.content.len());
    if messages.len() > MAX_MESSAGES || bytes.fold(0, usize::saturating_add) > MAX_TEXT {
        return Err(Error::Conversation);
    }
    Ok(())
}

/// What templates are rendered with, as the library from which most of them come has it.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEPTH);
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_function("raise_exception", |message: String| -> Result<Value, minijinja::Error> {
        let shown: String = message.chars().take(200).collect();
        Err(minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, shown))
    });
    environment
}

/// A text that does not grow beyond its limit.
#[derive(Default)]
struct Text {
    bytes: Vec<u8>,
    full: bool,
}

impl Write for Text {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + part.len() > MAX_TEXT {
            self.full = true;
            return Err(io::Error::other("the text is too long"));
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
