//! What miners are asked: a file with a JSON object in each line.
//!
//! `input` is sent to the miner. `type` names the type of models that the case is for; without it, all are asked. `expect`
//! and `match` say what the built-in comparison wants. Everything else is for a plug-in, which gets the whole object.

use std::{fs, io::Read, path::Path};

use serde_json::{Map, Value};

use crate::error::Error;

/// The largest file of cases, in bytes.
const MAX_FILE: u64 = 256 << 20;
/// The largest case, in bytes.
const MAX_CASE: usize = 1 << 20;

/// A question to a miner.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// All of it.
    pub whole: Map<String, Value>,
    /// Where it stands in the file, from 1.
    pub line: usize,
}

impl Case {
    /// What is sent to the miner.
    pub fn input(&self) -> &Value {
        self.whole.get("input").unwrap_or(&Value::Null)
    }

    /// The type of models that it is for; all, if there is none.
    pub fn r#type(&self) -> Option<&str> {
        self.whole.get("type").and_then(Value::as_str)
    }
}

/// Reads a file of cases.
///
/// # Errors
///
/// If it cannot be read, or a line of it is no case. `needs_expected`: each must say what is expected.
pub fn read(path: &Path, needs_expected: bool) -> Result<Vec<Case>, Error> {
    let mut text = String::new();
    let file = fs::File::open(path).map_err(Error::read(path))?;
    file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(Error::read(path))?;
    let wrong = |message: String| Error::File {
        path: path.into(),
        message,
        remedy: "write a JSON object in each line, such as {\"input\": \"2+2\", \"expect\": \"4\"}".into(),
    };
    if text.len() as u64 > MAX_FILE {
        return Err(wrong(format!("it is larger than {MAX_FILE} bytes")));
    }
    let cases = parse(&text, needs_expected).map_err(wrong)?;
    if cases.is_empty() {
        return Err(wrong("there is no test case in it".into()));
    }
    Ok(cases)
}

fn parse(text: &str, needs_expected: bool) -> Result<Vec<Case>, String> {
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    lines.map(|(line, number)| case(line, number, needs_expected)).collect()
}

fn case(text: &str, line: usize, needs_expected: bool) -> Result<Case, String> {
    let wrong = |message: String| format!("line {line}: {message}");
    if text.len() > MAX_CASE {
        return Err(wrong(format!("it is longer than {MAX_CASE} bytes")));
    }
    let whole: Map<String, Value> = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    if !whole.contains_key("input") {
        return Err(wrong("the member `input` is missing".into()));
    }
    if needs_expected && !whole.contains_key("expect") {
        return Err(wrong("the member `expect` is missing, and there is no plug-in (--score-command)".into()));
    }
    if whole.get("type").is_some_and(|kind| !kind.is_string()) {
        return Err(wrong("`type` is not the name of a type".into()));
    }
    let way = whole.get("match").map_or(Some("exact"), Value::as_str);
    if needs_expected && !matches!(way, Some("exact" | "contains")) {
        return Err(wrong("`match` is `exact` or `contains`".into()));
    }
    Ok(Case { whole, line })
}

/// So many of the cases for a type, drawn at random, or all if there are no more.
///
/// # Errors
///
/// If the system gives no random bytes.
pub fn draw<'a>(cases: &'a [Case], r#type: &str, count: usize) -> Result<Vec<&'a Case>, Error> {
    let mut fitting: Vec<&Case> =
        cases.iter().filter(|case| case.r#type().is_none_or(|meant| meant == r#type)).collect();
    let count = count.min(fitting.len());
    for place in 0..count {
        let left = fitting.len() - place;
        fitting.swap(place, place + below(left)?);
    }
    fitting.truncate(count);
    Ok(fitting)
}

/// A random number below another one. What is not quite even about it does not matter for test cases.
fn below(limit: usize) -> Result<usize, Error> {
    let random = getrandom::u64().map_err(|error| Error::Other(format!("no random bytes: {error}")))?;
    Ok(usize::try_from(random % limit as u64).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_case() {
        let text =
            "{\"input\": \"2+2\", \"expect\": \"4\"}\n\n{\"input\": {\"a\": 1}, \"expect\": [1], \"type\": \"chat\"}\n";
        let cases = parse(text, true).expect("are cases");
        assert_eq!(cases.iter().map(|case| case.line).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(cases[0].input(), "2+2");
        assert_eq!(cases[1].r#type(), Some("chat"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let cases = [
            ("[]", "line 1: "),
            ("{\"input\": 1, \"expect\": 1}\n{", "line 2: "),
            ("{\"expect\": 1}", "`input` is missing"),
            ("{\"input\": 1}", "`expect` is missing"),
            ("{\"input\": 1, \"expect\": 1, \"type\": 4}", "`type` is not"),
            ("{\"input\": 1, \"expect\": 1, \"match\": \"about\"}", "`match` is"),
        ];
        for (text, expected) in cases {
            let message = parse(text, true).expect_err("is wrong");
            assert!(message.contains(expected), "{message}");
        }
        parse("{\"input\": 1, \"match\": 5}", false).expect("all else is for the plug-in");
    }

    #[test]
    fn so_many_are_drawn_of_those_that_fit() {
        let line = |n: u32, kind: &str| format!("{{\"input\": {n}, \"expect\": {n}, \"type\": \"{kind}\"}}\n");
        let text: String = (0..40).map(|n| line(n, if n % 2 == 0 { "chat" } else { "embedding" })).collect();
        let cases = parse(&text, true).expect("are cases");
        let drawn = draw(&cases, "chat", 5).expect("is drawn");
        let mut inputs: Vec<u64> = drawn.iter().filter_map(|case| case.input().as_u64()).collect();
        assert!(inputs.iter().all(|input| input % 2 == 0), "{inputs:?}");
        inputs.sort_unstable();
        inputs.dedup();
        assert_eq!(inputs.len(), 5, "each once");
        assert_eq!(draw(&cases, "chat", 100).expect("is drawn").len(), 20);
        assert!(draw(&cases, "diffusion", 5).expect("is drawn").is_empty());
    }
}
