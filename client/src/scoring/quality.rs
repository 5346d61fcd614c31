//! How good an answer is: compared with what is expected, or judged by a plug-in command.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::cases::Case;
use crate::{error::Error, plugin::Plugin};

/// What tells how good answers are.
#[derive(Clone, Debug)]
pub enum Judge {
    /// Comparing with what the case expects: `exact`, or `contains`.
    Comparison,
    /// A command.
    Plugin(Plugin),
}

/// What a plug-in is asked, as one line of JSON.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Question<'a> {
    /// The test case, as it stands in the file.
    pub case: &'a Map<String, Value>,
    /// What the miner answered.
    pub output: &'a Value,
    /// How long that took, in milliseconds.
    pub latency: u32,
    /// The miner's module.
    pub miner: u32,
    /// Its name.
    pub name: &'a str,
    /// The type of its model.
    pub r#type: &'a str,
}

/// What a plug-in answers.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Verdict {
    /// From 0 to 1.
    score: f64,
}

impl Judge {
    /// How good an answer is, from 0 to 1.
    ///
    /// # Errors
    ///
    /// If the plug-in fails, which is no fault of the miner's.
    pub async fn judge(&self, question: &Question<'_>) -> Result<f64, Error> {
        match self {
            Self::Comparison => Ok(f64::from(u8::from(is_as_expected(question.case, question.output)))),
            Self::Plugin(plugin) => {
                let Verdict { score } = plugin.ask_json(question).await?;
                if !(0.0..=1.0).contains(&score) {
                    return Err(plugin.failed(format!("its score is {score}, not from 0 to 1")));
                }
                Ok(score)
            },
        }
    }
}

impl<'a> Question<'a> {
    /// A question about an answer to a case.
    pub fn new(
        case: &'a Case,
        output: &'a Value,
        latency: u32,
        (miner, name, r#type): (u32, &'a str, &'a str),
    ) -> Self {
        Self { case: &case.whole, output, latency, miner, name, r#type }
    }
}

/// Whether an output is what a case expects.
fn is_as_expected(case: &Map<String, Value>, output: &Value) -> bool {
    let Some(expected) = case.get("expect") else { return false };
    match case.get("match").and_then(Value::as_str) {
        Some("contains") => text_of(output).contains(text_of(expected).trim()),
        _ => match (expected, output) {
            (Value::String(expected), Value::String(output)) => expected.trim() == output.trim(),
            _ => expected == output,
        },
    }
}

/// A text as it is, anything else as JSON.
fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn case(whole: Value) -> Case {
        Case { whole: whole.as_object().cloned().expect("is an object"), line: 1 }
    }

    async fn judged(judge: &Judge, whole: Value, output: Value) -> Result<f64, Error> {
        judge.judge(&Question::new(&case(whole), &output, 12, (3, "gpt-of-me", "chat"))).await
    }

    #[tokio::test]
    async fn answers_are_compared_with_what_is_expected() {
        let cases = [
            (json!({ "expect": "4" }), json!(" 4\n"), 1.0),
            (json!({ "expect": "4" }), json!(4), 0.0),
            (json!({ "expect": [1, { "a": 2 }] }), json!([1, { "a": 2 }]), 1.0),
            (json!({ "expect": "Paris", "match": "contains" }), json!("It is Paris."), 1.0),
            (json!({ "expect": "Paris", "match": "contains" }), json!("It is Rome."), 0.0),
            (json!({ "expect": 7, "match": "contains" }), json!([1, 7]), 1.0),
            (json!({}), json!(null), 0.0),
        ];
        for (whole, output, expected) in cases {
            let found = judged(&Judge::Comparison, whole.clone(), output.clone()).await.expect("is judged");
            assert!((found - expected).abs() < f64::EPSILON, "{whole} {output}");
        }
    }

    fn plugin(command: &str) -> Judge {
        Judge::Plugin(Plugin::new(command, Duration::from_secs(20), 1_000))
    }

    #[tokio::test]
    async fn a_plug_in_is_told_all_and_its_score_counts() {
        let command = "grep -q '\"case\":{\"input\":1,\"mine\":\"x\"},\"output\":\"y\",\"latency\":12,\"miner\":3,\
                       \"name\":\"gpt-of-me\",\"type\":\"chat\"' && echo '{\"score\": 0.25}'";
        let score = judged(&plugin(command), json!({ "input": 1, "mine": "x" }), json!("y")).await.expect("is judged");
        assert!((score - 0.25).abs() < f64::EPSILON);
    }

    #[tokio::test]
    async fn what_is_no_score_is_a_failure_of_the_plug_in() {
        for answer in ["{\"score\": 1.01}", "{\"score\": -1}", "{\"score\": null}", "{}", "1", ""] {
            let judged = judged(&plugin(&format!("echo '{answer}'")), json!({ "input": 1 }), json!(1)).await;
            assert!(judged.is_err(), "{answer}");
        }
    }
}
