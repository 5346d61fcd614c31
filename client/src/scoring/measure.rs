//! Asking miners what they are tested with: so many at one time, within the time that there is.

use std::{collections::BTreeMap, time::Instant};

use futures::{stream, StreamExt};
use reqwest::Url;
use serde_json::json;
use tokio::time::timeout;

use super::{
    caller::Caller,
    cases::{draw, Case},
    formula::{combine, Found, Outcome, Weights},
    quality::{Judge, Question},
};
use crate::{
    chain::H256,
    error::Error,
    keys::Key,
    visit::{Asked, Visit},
};

/// Who leaves so many questions in a row without an answer is not asked any more.
const MAX_SILENCES: usize = 3;

/// A miner, as the chain describes it.
#[derive(Clone, Debug)]
pub struct Miner {
    /// Its module.
    pub module: u32,
    /// Its name.
    pub name: String,
    /// The name of its type.
    pub r#type: String,
    /// Where it is.
    pub endpoint: String,
    /// Whether it is matched with the validator, which otherwise only checks it.
    pub is_own: bool,
}

/// What came of asking a miner.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Who was asked.
    pub miner: Miner,
    /// What was found; nothing if it could not be judged, which is not its fault.
    pub found: Option<Found>,
    /// The number of its questions that count.
    pub asked: usize,
    /// The number that it answered.
    pub answered: usize,
    /// The first thing that went wrong.
    pub problem: Option<String>,
}

/// What asks.
pub struct Examiner {
    /// Calls endpoints.
    pub caller: Caller,
    /// Tells how good answers are.
    pub judge: Judge,
    /// How much each part counts.
    pub weights: Weights,
    /// All test cases.
    pub cases: Vec<Case>,
    /// Questions to each miner.
    pub questions: usize,
    /// Miners that are asked at one time.
    pub concurrency: usize,
    /// The validator that asks.
    pub validator: u32,
    /// Its owner's key.
    pub key: Key,
    /// The first block of the chain.
    pub genesis: H256,
}

/// The test cases that all miners of a type are asked.
type Drawn<'a> = BTreeMap<String, Vec<&'a Case>>;

impl Examiner {
    /// Asks all miners the same questions, those of a type. What would take longer than until `deadline` is left out.
    ///
    /// # Errors
    ///
    /// If the system gives no random bytes.
    pub async fn measure(&self, miners: Vec<Miner>, deadline: Instant) -> Result<Vec<Measured>, Error> {
        let mut drawn = Drawn::new();
        for miner in &miners {
            if !drawn.contains_key(&miner.r#type) {
                drawn.insert(miner.r#type.clone(), draw(&self.cases, &miner.r#type, self.questions)?);
            }
        }
        let asking = miners.into_iter().map(|miner| self.ask(miner, &drawn, deadline));
        let measured: Vec<_> = stream::iter(asking).buffer_unordered(self.concurrency).collect().await;
        let mut measured = measured.into_iter().collect::<Result<Vec<Measured>, Error>>()?;
        measured.sort_by_key(|measured| measured.miner.module);
        Ok(measured)
    }

    async fn ask(&self, miner: Miner, drawn: &Drawn<'_>, deadline: Instant) -> Result<Measured, Error> {
        let cases = drawn.get(&miner.r#type).map(Vec::as_slice).unwrap_or_default();
        if cases.is_empty() {
            let problem = Some(format!("there is no test case for the type {}", miner.r#type));
            return Ok(Measured { miner, found: None, asked: 0, answered: 0, problem });
        }
        let mut notes = Notes::default();
        match self.caller.callable(&miner.endpoint) {
            Ok(url) => self.ask_all(&miner, &url, cases, deadline, &mut notes).await?,
            Err(reason) => notes.silent(reason),
        }
        let Notes { outcomes, problem } = notes;
        let answered = outcomes.iter().filter(|outcome| **outcome != Outcome::Silent).count();
        let found = combine(&outcomes, &self.weights);
        Ok(Measured { miner, found, asked: outcomes.len(), answered, problem })
    }

    async fn ask_all(
        &self,
        miner: &Miner,
        url: &Url,
        cases: &[&Case],
        deadline: Instant,
        notes: &mut Notes,
    ) -> Result<(), Error> {
        for case in cases {
            if notes.is_gone() {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            // Who is cut off by our own deadline was neither silent nor did it answer.
            // A timer may be late by a millisecond, in which somebody near answers.
            let asked = match left.is_zero() {
                true => None,
                false => timeout(left, self.ask_one(miner, url, case, notes)).await.ok(),
            };
            let Some(asked) = asked else {
                notes.problem("there was no time for all questions; raise --concurrency or lower --questions".into());
                return Ok(());
            };
            asked?;
        }
        Ok(())
    }

    async fn ask_one(&self, miner: &Miner, url: &Url, case: &Case, notes: &mut Notes) -> Result<(), Error> {
        let body = json!({ "input": case.input() }).to_string().into_bytes();
        let asked = Asked { module: miner.module, body: &body, genesis: &self.genesis };
        let header = Visit::now(self.validator)?.header(asked, &self.key);
        let answer = match self.caller.ask(url.clone(), body, Some(header)).await {
            Ok(answer) => answer,
            Err(reason) => {
                notes.silent(reason);
                return Ok(());
            },
        };
        let who = (miner.module, miner.name.as_str(), miner.r#type.as_str());
        match self.judge.judge(&Question::new(case, &answer.output, answer.latency, who)).await {
            Ok(quality) => notes.outcomes.push(Outcome::Answered { quality, latency: answer.latency }),
            // It says nothing about the miner, so the question does not count.
            Err(error) => notes.problem(format!("line {} of the test cases: {}", case.line, error.line())),
        }
        Ok(())
    }
}

/// What became of a miner's questions so far.
#[derive(Default)]
struct Notes {
    outcomes: Vec<Outcome>,
    problem: Option<String>,
}

impl Notes {
    fn silent(&mut self, reason: String) {
        self.outcomes.push(Outcome::Silent);
        self.problem(reason);
    }

    fn problem(&mut self, reason: String) {
        self.problem.get_or_insert(reason);
    }

    /// Whether nobody seems to be there.
    fn is_gone(&self) -> bool {
        self.outcomes.iter().rev().take_while(|outcome| **outcome == Outcome::Silent).count() >= MAX_SILENCES
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::{
        keys::{parse_uri, Scheme},
        plugin::Plugin,
        scoring::formula::ONE,
    };

    const PATIENCE: Duration = Duration::from_secs(5);

    fn examiner(judge: Judge) -> Examiner {
        let lines: Vec<Case> = (1..=5)
            .map(|line| Case {
                whole: serde_json::from_value(json!({ "input": line, "expect": "yes" })).expect("is an object"),
                line,
            })
            .collect();
        Examiner {
            caller: Caller::new(PATIENCE, 1_000, true).expect("is made"),
            judge,
            weights: Weights { quality: 1.0, availability: 1.0, speed: 0.0, fast: 1_000 },
            cases: lines,
            questions: 4,
            concurrency: 2,
            validator: 7,
            key: Key::from_uri(Scheme::Sr25519, &parse_uri("//Bob").expect("is a URI")).expect("is a key"),
            genesis: H256::repeat_byte(1),
        }
    }

    fn miner(module: u32, endpoint: &str) -> Miner {
        let (name, r#type) = (format!("gpt-{module}"), "chat".into());
        Miner { module, name, r#type, endpoint: endpoint.into(), is_own: true }
    }

    /// An endpoint that answers everything with the same, a connection for each request.
    async fn endpoint(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("has one");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !request.ends_with(b"}") && stream.read_buf(&mut request).await.is_ok_and(|count| count > 0) {}
                let length = answer.len();
                let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
                let _ = stream.write_all(format!("{head}{answer}").as_bytes()).await;
            }
        });
        format!("http://{address}")
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(600)
    }

    #[tokio::test]
    async fn each_miner_gets_what_it_deserves() {
        let (good, bad) = (endpoint("{\"output\":\"yes\"}").await, endpoint("{\"output\":\"no\"}").await);
        let miners = vec![miner(3, &bad), miner(2, &good), miner(9, "http://127.0.0.1:1"), miner(4, "/ip4/1.2.3.4")];
        let measured = examiner(Judge::Comparison).measure(miners, later()).await.expect("is measured");
        let found: Vec<_> = measured
            .iter()
            .map(|measured| (measured.miner.module, measured.found.map(|found| found.score), measured.asked))
            .collect();
        assert_eq!(found, [(2, Some(ONE), 4), (3, Some(0), 4), (4, Some(0), 1), (9, Some(0), 3)]);
        assert!(measured[0].problem.is_none(), "{:?}", measured[0].problem);
        assert_eq!((measured[1].answered, measured[3].answered), (4, 0));
    }

    #[tokio::test]
    async fn what_the_plug_in_cannot_judge_does_not_count_against_the_miner() {
        let good = endpoint("{\"output\":\"yes\"}").await;
        let broken = examiner(Judge::Plugin(Plugin::new("exit 1", PATIENCE, 100)));
        let measured = broken.measure(vec![miner(2, &good)], later()).await.expect("is measured");
        assert_eq!(measured[0].found, None);
        assert!(measured[0].problem.as_ref().is_some_and(|problem| problem.contains("exit status: 1")));
    }

    #[tokio::test]
    async fn without_time_nothing_is_found() {
        let good = endpoint("{\"output\":\"yes\"}").await;
        let measured =
            examiner(Judge::Comparison).measure(vec![miner(2, &good)], Instant::now()).await.expect("is measured");
        assert_eq!((measured[0].found, measured[0].asked), (None, 0));
    }
}
