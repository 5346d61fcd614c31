//! What commands answer: one JSON object of a stable shape, or the same as text for people.

use std::io::{self, ErrorKind, Write};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::Error;

/// The answer of a command.
#[derive(Clone, Debug)]
pub struct Output {
    json: Value,
    /// Whether the text was shown already, piece by piece.
    is_shown: bool,
    /// The text, if it is not what follows from the JSON.
    text: Option<String>,
}

impl Output {
    /// An answer.
    ///
    /// # Errors
    ///
    /// If it is no JSON, which is a defect.
    pub fn of<T: Serialize + JsonSchema>(answer: &T) -> Result<Self, Error> {
        let json = serde_json::to_value(answer).map_err(|error| Error::Other(error.to_string()))?;
        Ok(Self { json, is_shown: false, text: None })
    }

    /// Nothing more: everything was printed while it happened, as JSON too if that is wanted.
    pub fn told() -> Self {
        Self { json: Value::Null, is_shown: true, text: None }
    }

    /// The same answer, of which people were shown everything while it came.
    pub fn shown(self) -> Self {
        Self { is_shown: true, ..self }
    }

    /// The same answer with a text of its own for people.
    pub fn with_text(self, text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..self }
    }

    /// Prints it.
    ///
    /// # Errors
    ///
    /// If standard output cannot be written. That nobody reads on is no error.
    pub fn print(&self, as_json: bool) -> Result<(), Error> {
        let text = match (as_json, &self.text) {
            _ if self.is_shown && self.json.is_null() => return Ok(()),
            (true, _) => format!("{:#}\n", self.json),
            (false, _) if self.is_shown => return Ok(()),
            (false, Some(text)) => format!("{}\n", text.trim_end()),
            (false, None) => render(&self.json),
        };
        print(&text)
    }
}

/// Prints to standard output.
///
/// # Errors
///
/// As [`Output::print`].
pub fn print(text: &str) -> Result<(), Error> {
    let mut output = io::stdout();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::Other(format!("standard output cannot be written: {error}")))
        },
        _ => Ok(()),
    }
}

/// JSON as people read it: a line for each field, a table for a list of objects.
fn render(value: &Value) -> String {
    let mut lines = Vec::new();
    match value {
        Value::Array(rows) => table(rows, 0, &mut lines),
        Value::Object(fields) => object(fields, 0, &mut lines),
        other => lines.push(cell(other)),
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn object(fields: &Map<String, Value>, indent: usize, lines: &mut Vec<String>) {
    let width = fields.keys().map(|key| words(key).len()).max().unwrap_or(0);
    let space = " ".repeat(indent);
    for (key, value) in fields {
        let key = words(key);
        match value {
            Value::Array(rows) if rows.iter().any(is_row) => {
                lines.push(format!("{space}{key}"));
                table(rows, indent + 2, lines);
            },
            Value::Object(inner) if is_row(value) => {
                lines.push(format!("{space}{key}"));
                object(inner, indent + 2, lines);
            },
            other => lines.push(format!("{space}{key:width$}  {}", cell(other))),
        }
    }
}

/// A list of objects with the same fields, one a line under the names of the fields.
fn table(rows: &[Value], indent: usize, lines: &mut Vec<String>) {
    let space = " ".repeat(indent);
    let Some(Value::Object(first)) = rows.first() else {
        let cells: Vec<String> = rows.iter().map(cell).collect();
        lines.push(format!("{space}{}", if cells.is_empty() { "none".into() } else { cells.join(", ") }));
        return;
    };
    let keys: Vec<&String> = first.keys().collect();
    let titles: Vec<String> = keys.iter().map(|key| words(key)).collect();
    let cells: Vec<Vec<String>> =
        rows.iter().map(|row| keys.iter().map(|key| cell(&row[key.as_str()])).collect()).collect();
    let width = |column: usize| {
        let cells = cells.iter().map(|row| row[column].chars().count());
        cells.chain([titles[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..keys.len()).map(width).collect();
    for row in std::iter::once(&titles).chain(&cells) {
        let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        lines.push(format!("{space}{}", padded.collect::<Vec<_>>().join("  ")));
    }
}

/// Whether a value takes lines of its own.
fn is_row(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| amount(fields).is_none())
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::String(text) if text.is_empty() => "-".into(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(values) if values.is_empty() => "none".into(),
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => match amount(fields) {
            Some(tune) => format!("{tune} TUNE"),
            None => fields
                .iter()
                .map(|(key, value)| format!("{} {}", words(key), cell(value)))
                .collect::<Vec<_>>()
                .join(", "),
        },
    }
}

/// The TUNE of an amount.
fn amount(fields: &Map<String, Value>) -> Option<&str> {
    (fields.len() == 2 && fields.contains_key("planck")).then(|| fields.get("tune")?.as_str()).flatten()
}

/// `publicKey` as `public key`.
fn words(key: &str) -> String {
    let letters =
        key.chars().flat_map(|letter| letter.is_uppercase().then_some(' ').into_iter().chain(letter.to_lowercase()));
    letters.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_become_lines() {
        let value = json!({
            "name": "gpt", "publicKey": "0x12", "free": { "planck": "1500000000000", "tune": "1.5" },
            "types": [1, 2], "parent": null, "isOff": false, "missing": []
        });
        let expected =
            "free        1.5 TUNE\nis off      no\nmissing     none\nname        gpt\nparent      -\npublic key  \
                        0x12\ntypes       1, 2\n";
        let mut lines: Vec<String> = render(&value).lines().map(str::to_owned).collect();
        lines.sort();
        assert_eq!(lines.iter().map(|line| format!("{line}\n")).collect::<String>(), expected);
    }

    #[test]
    fn lists_become_tables() {
        let value = json!([{ "id": 1, "name": "a" }, { "id": 20, "name": "long" }]);
        assert_eq!(render(&value), "id  name\n1   a\n20  long\n");
        assert_eq!(render(&json!([])), "none\n");
    }

    #[test]
    fn nested_lists_are_indented() {
        let value = json!({ "stakes": [{ "module": 3 }] });
        assert_eq!(render(&value), "stakes\n  module\n  3\n");
    }
}
