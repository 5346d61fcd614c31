//! `ensemble ask`: a question, a price, an answer token by token.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use subxt::rpcs::rpc_params;
use tokio::time::{sleep, timeout};

use crate::{
    amount::Amount,
    chain::{
        ensemble,
        types::ensemble_core::{attester::app::Signature, inference as chain},
        AccountId32, H256,
    },
    commands::model::no_model,
    connection::{ask, Connection},
    context::Context,
    error::Error,
    output::{print, Output},
    progress::waiting,
    send::{send, Receipt},
};

/// Most workers of a session.
const MOST_WORKERS: u32 = 32;
/// Between two looks whether workers are drawn.
const PAUSE: Duration = Duration::from_millis(500);
/// How long it may take until workers are drawn.
const DRAWING: Duration = Duration::from_secs(90);
/// How long the network may be silent in the middle of an answer.
const SILENCE: Duration = Duration::from_secs(180);

/// `ensemble ask`.
#[derive(Clone, Debug, clap::Args)]
pub struct Ask {
    /// The number of the model
    pub model: u32,
    /// The question
    pub question: String,
    /// What the model is told before the question
    #[arg(long)]
    pub system: Option<String>,
    /// Most tokens of the answer
    #[arg(long, default_value_t = 100)]
    pub tokens: u32,
    /// Number of workers; as many as serve the model if not given
    #[arg(long)]
    pub workers: Option<u32>,
    /// Workers that do the same, an odd number; up to 3 if not given
    #[arg(long)]
    pub replicas: Option<u32>,
    /// Pay with credits instead of TUNE
    #[arg(long)]
    pub credits: bool,
    /// Which of the node's accounts is to be the gateway
    #[arg(long, value_name = "ADDRESS")]
    pub gateway: Option<String>,
}

/// An answer.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The session.
    pub session: u32,
    /// The model.
    pub model: u32,
    /// The text.
    pub text: String,
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Tokens of the answer.
    pub answer_tokens: usize,
    /// Tokens a second.
    pub rate: f64,
    /// Why it breaks off, if it does.
    pub cut: Option<String>,
    /// Number of disagreements between workers.
    pub disagreements: usize,
    /// What was held for it.
    pub price: Amount,
    /// The transaction that opened the session.
    #[serde(flatten)]
    pub receipt: Receipt,
}

/// A question in tokens.
#[derive(Deserialize)]
struct Prompt {
    tokens: Vec<u32>,
    hash: H256,
}

/// What a gateway agrees to.
#[derive(Deserialize)]
struct Consent {
    gateway: AccountId32,
    number: u32,
    until: u32,
    signature: String,
    price: String,
}

/// What the gateway tells of an answer. Which fields there are follows from the kind.
#[derive(Deserialize)]
struct News {
    kind: NewsKind,
    /// What the next token adds to the text.
    #[serde(default)]
    text: String,
    /// All tokens, at the end.
    #[serde(default)]
    tokens: Vec<u32>,
    /// Tokens a second.
    #[serde(default)]
    rate: f64,
    /// Why it breaks off, if it does.
    #[serde(default)]
    cut: Option<String>,
    /// Where workers differed, at the end.
    #[serde(default)]
    disagreements: Vec<serde_json::Value>,
    /// Why there is no answer.
    #[serde(default)]
    reason: String,
}

#[derive(Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
enum NewsKind {
    Token,
    End,
    Failed,
}

/// How large a session is.
struct Shape {
    workers: u32,
    replicas: u32,
}

impl Ask {
    /// Asks, and prints the answer as it comes.
    ///
    /// # Errors
    ///
    /// If no gateway agrees, the account cannot pay, or the answer fails.
    pub async fn run(self, context: &Context) -> Result<Output, Error> {
        let connection = context.connect().await?;
        let signer = context.signer(&connection)?;
        let shape = self.shape(&connection).await?;
        let terms = json!({ "maxTokens": self.tokens, "workers": shape.workers, "replicas": shape.replicas });
        let prompt: Prompt =
            connection.request("ensemble_prompt", rpc_params![self.model, self.messages(), &terms]).await?;
        let account = signer.account();
        let options = json!({ "payment": if self.credits { "credits" } else { "tune" }, "gateway": self.gateway });
        let params = rpc_params![account, self.model, &prompt.tokens, &terms, options];
        let consent: Consent = connection.request("ensemble_consent", params).await?;
        let price = Amount::planck(consent.price.parse().unwrap_or_default());
        let question = chain::Question {
            prompt: prompt.hash,
            prompt_tokens: u32::try_from(prompt.tokens.len()).unwrap_or(u32::MAX),
            max_tokens: self.tokens,
            workers: shape.workers,
            replicas: shape.replicas,
        };
        let payment = if self.credits { chain::Payment::Credits } else { chain::Payment::Tune };
        let agreed = chain::Consent {
            number: consent.number,
            until: consent.until,
            signature: Signature(signature(&consent.signature)?),
        };
        let call =
            ensemble::transactions().inference().open(self.model, consent.gateway, question, payment, Some(agreed));
        let effect = format!("asks model {}, for at most {price}; {} answers", self.model, consent.gateway);
        let sent = send(context, &connection, &signer, &call, &effect).await?;
        let session = sent.event::<ensemble::inference::events::SessionOpened>()?.session;
        drawn(&connection, session).await?;
        let show = !context.options.json;
        let answer = listen(&connection, session, &prompt.tokens, show).await?;
        let output = Output::of(&Answer {
            session,
            model: self.model,
            price,
            receipt: sent.receipt,
            prompt_tokens: prompt.tokens.len(),
            answer_tokens: answer.tokens,
            text: answer.text,
            rate: answer.rate,
            cut: answer.cut,
            disagreements: answer.disagreements,
        })?;
        Ok(output.shown())
    }

    fn messages(&self) -> serde_json::Value {
        let message = |role: &str, content: &str| json!({ "role": role, "content": content });
        let system = self.system.as_deref().map(|system| message("system", system));
        system.into_iter().chain([message("user", &self.question)]).collect()
    }

    /// As many workers as serve the model beside the gateway, and three of them for each range, unless it is said.
    async fn shape(&self, connection: &Connection) -> Result<Shape, Error> {
        let best = connection.best().await?;
        let model = ask(&best, ensemble::runtime_apis().inference_api().model(self.model)).await?;
        let serving = model.ok_or_else(|| no_model(self.model))?.workers;
        let workers = self.workers.unwrap_or(serving.saturating_sub(1).clamp(1, MOST_WORKERS));
        let replicas = self.replicas.unwrap_or(if workers < 3 { 1 } else { 3 });
        Ok(Shape { workers, replicas })
    }
}

fn signature(text: &str) -> Result<[u8; 64], Error> {
    let mut bytes = [0; 64];
    hex::decode_to_slice(text.trim_start_matches("0x"), &mut bytes)
        .map_err(|_| Error::OldMetadata("the gateway's signature is none".into()))?;
    Ok(bytes)
}

/// Waits until a session has workers.
async fn drawn(connection: &Connection, session: u32) -> Result<(), Error> {
    let work = async {
        loop {
            let best = connection.best().await?;
            match ask(&best, ensemble::runtime_apis().inference_api().session(session)).await? {
                Some(view) if matches!(view.phase, chain::SessionPhase::Open { .. }) => sleep(PAUSE).await,
                Some(_) => return Ok(()),
                None => {
                    return Err(Error::not_found(
                        format!("workers for session {session}: too few serve the model, and the price returned"),
                        "ask with fewer --workers, or later",
                    ))
                },
            }
        }
    };
    let late = |_| Error::Timeout { what: "the drawing of workers".into(), seconds: DRAWING.as_secs() };
    waiting("waiting for workers", timeout(DRAWING, work)).await.map_err(late)?
}

/// What came of an answer.
struct Heard {
    text: String,
    tokens: usize,
    rate: f64,
    cut: Option<String>,
    disagreements: usize,
}

/// Listens to an answer until its end.
async fn listen(connection: &Connection, session: u32, prompt: &[u32], show: bool) -> Result<Heard, Error> {
    let params = rpc_params![session, prompt];
    let mut news = connection.subscribe::<News>("ensemble_generate", params, "ensemble_unsubscribeGenerate").await?;
    let mut text = String::new();
    loop {
        let silent = |_| Error::Timeout { what: "the next token".into(), seconds: SILENCE.as_secs() };
        let next = timeout(SILENCE, news.next()).await.map_err(silent)?;
        let ended = || Error::Disconnected("it ended in the middle of the answer".into());
        let told = next.ok_or_else(ended)?.map_err(|error| Error::rpc("ensemble_generate", error))?;
        match told.kind {
            NewsKind::Token => {
                if show {
                    print(&told.text)?;
                }
                text.push_str(&told.text);
            },
            NewsKind::Failed => {
                return Err(Error::Other(format!("session {session} gives no answer: {}", told.reason)));
            },
            NewsKind::End => {
                if show {
                    print("\n")?;
                }
                let tokens = told.tokens.len().saturating_sub(prompt.len());
                let disagreements = told.disagreements.len();
                return Ok(Heard { text, tokens, rate: told.rate, cut: told.cut, disagreements });
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_understood() {
        let news = |text: &str| serde_json::from_str::<News>(text).expect("are news");
        let token = news(r#"{"kind":"token","token":5,"text":" a","position":3,"rate":1.5,"ranges":{"full":1}}"#);
        assert_eq!((token.kind, token.text.as_str()), (NewsKind::Token, " a"));
        let end = news(r#"{"kind":"end","tokens":[1,2],"rate":2.5,"tokensId":"0x","disagreements":[],"dropped":[]}"#);
        assert_eq!((end.kind, end.tokens, end.rate, end.cut), (NewsKind::End, vec![1, 2], 2.5, None));
        let failed = news(r#"{"kind":"failed","reason":"no worker answers"}"#);
        assert_eq!((failed.kind, failed.reason.as_str()), (NewsKind::Failed, "no worker answers"));
    }

    #[test]
    fn a_signature_is_64_bytes() {
        assert_eq!(signature(&format!("0x{}", "01".repeat(64))).ok(), Some([1; 64]));
        assert!(signature("0x01").is_err());
    }
}
