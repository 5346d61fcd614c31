//! The RPC methods of inference.
//!
//! | method | what it does | unsafe |
//! |---|---|---|
//! | `ensemble_prompt` | makes tokens of a question, with their hash and what a session would cost | no |
//! | `ensemble_consent` | agrees to drive a session as its gateway, and answers it once it is opened | no |
//! | `ensemble_generate` | answers a session whose gateway this node is, token by token: a subscription | no |
//! | `ensemble_session` | says what a session costs, who works in it, and how far they agreed | no |
//! | `ensemble_serveRows` | hands on what gateways send to a worker that announced this node: a subscription | no |
//! | `ensemble_answerRows` | takes what that worker answers | no |
//! | `ensemble_fetchClosing` | fetches what that worker compares before it votes | no |
//!
//! A session is paid before it is answered, once, and to those alone who know the tokens that it was opened for. Who asks
//! for a consent has to be able to pay, and a node agrees to no more than it can answer at once, for a minute each: so
//! these methods need no more protection. Rows are handed on to workers, who have a bond and sign with their keys, and to so
//! many only as the operator says.

use std::{sync::Arc, time::Duration};

use base64::{engine::general_purpose::STANDARD, Engine};
use codec::Encode;
use ensemble_compute::inference::{ranges, Architecture, Llama};
use ensemble_core::inference::{ranges_of, ModelId, Payment, Position, Quote, RangeIndex, SessionId, SessionPhase};
use ensemble_core::{attester::AttesterSignature, AttesterId};
use ensemble_runtime::{AccountId, Balance, BlockNumber};
use ensemble_tensor::TensorId;
use jsonrpsee::{
    core::{async_trait, SubscriptionResult},
    proc_macros::rpc,
    types::{ErrorObject, ErrorObjectOwned},
    PendingSubscriptionSink, RpcModule, SubscriptionMessage,
};
use serde::{Deserialize, Serialize};
use sp_core::{sr25519, H256, H512};
use sp_io::hashing::blake2_256;

use super::{
    chain::{self, Session, Unavailable},
    gateway::{Agreed, Agreement, Error as GatewayError, Gateway, Item, News, Refusal, Summary, Wish},
    ledger::{Disagreement, Report},
    model::Prompt,
    network::Delivery,
    protocol::Message,
    relays::{Error as RelayError, Proof, Relay, Token},
    turns::Turns,
    Context,
};

/// Prompts that are made at once: a template takes a process.
const MAX_PROMPTS: usize = 4;
/// Prompts that wait for others to be made. Each has a thread.
const MAX_WAITING: usize = 64;
/// How long they wait.
const PROMPT_PATIENCE: Duration = Duration::from_secs(10);

/// The methods.
#[rpc(server, namespace = "ensemble")]
pub trait RowsApi {
    /// The tokens of a text, or of a conversation through the model's template. With `terms` also what a session of
    /// that shape would cost.
    #[method(name = "prompt", blocking)]
    fn prompt(&self, model: ModelId, prompt: Prompt, terms: Option<Terms>) -> Result<PromptReply, Error>;

    /// Agrees to drive a session as its gateway, or says why not. Once somebody opens it in time with what this gives, this
    /// node answers it by itself.
    #[method(name = "consent", blocking)]
    fn consent(
        &self,
        requester: AccountId,
        model: ModelId,
        tokens: Vec<u32>,
        terms: Terms,
        options: Option<ConsentOptions>,
    ) -> Result<ConsentReply, Error>;

    /// Answers a session, or joins in its answer: all tokens so far, then the next ones as they come, then an end.
    #[subscription(name = "generate" => "generated", unsubscribe = "unsubscribeGenerate", item = NewsReply)]
    async fn generate(&self, session: SessionId, tokens: Vec<u32>) -> SubscriptionResult;

    /// What is known of a session.
    #[method(name = "session", blocking)]
    fn session(&self, session: SessionId) -> Result<SessionReply, Error>;

    /// Hands on the messages that gateways send to the worker of this key, which announced this node: a token, then messages
    /// as they come. `at` is the number of a block, newer each time, and `signature` the key's of
    /// [`relay_bytes`](ensemble_core::inference::relay_bytes) with it.
    #[subscription(name = "serveRows" => "rows", unsubscribe = "unserveRows", item = RowsItem)]
    async fn serve_rows(&self, key: H256, at: BlockNumber, signature: H512) -> SubscriptionResult;

    /// Takes an answer to a call that was handed on, or its refusal: the encoded message in base64.
    #[method(name = "answerRows", blocking)]
    fn answer_rows(&self, token: Token, message: String) -> Result<(), Error>;

    /// Begins to fetch tokens and trace with which its gateway closed a session on which the worker of this token votes.
    #[method(name = "fetchClosing", blocking)]
    fn fetch_closing(&self, token: Token, session: SessionId) -> Result<(), Error>;
}

/// What a worker is told to whom messages are handed on.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum RowsItem {
    /// From now on messages are handed on.
    Serving {
        /// What the worker shows when it answers, as long as this goes on.
        token: Token,
    },
    /// A gateway sends something.
    Message {
        /// The encoded message in base64.
        message: String,
    },
}

/// The shape of a session that is yet to be opened.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Terms {
    /// Most tokens of the answer.
    pub max_tokens: u32,
    /// Number of workers.
    pub workers: u32,
    /// Workers that serve each range.
    pub replicas: u32,
}

/// What else there is to say of a session that is yet to be opened.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ConsentOptions {
    /// What it will be paid with: `tune`, as by default, or `credits`.
    pub payment: Means,
    /// Which of the node's accounts is to be the gateway; by default any whose bond is large enough.
    pub gateway: Option<AccountId>,
}

/// What a session is paid with.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Means {
    /// TUNE.
    #[default]
    Tune,
    /// Credits.
    Credits,
}

/// Answer of `consent`: what the session is to be opened with.
#[derive(Clone, Debug, Serialize)]
pub struct ConsentReply {
    /// The gateway's account.
    pub gateway: AccountId,
    /// Number of the consent.
    pub number: u32,
    /// Last block in which the session may be opened.
    pub until: u32,
    /// The gateway's signature: `0x` and 128 digits.
    pub signature: String,
    /// What the session costs, in planck.
    pub price: String,
}

/// Answer of `prompt`.
#[derive(Clone, Debug, Serialize)]
pub struct PromptReply {
    /// The tokens.
    pub tokens: Vec<u32>,
    /// BLAKE2b of 32 bytes over their SCALE encoding: what a session is opened for.
    pub hash: H256,
    /// Number of tokens.
    pub count: usize,
    /// What a session would cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<QuoteReply>,
}

/// What a session would cost, in planck, as texts: JSON's numbers are too small.
#[derive(Clone, Debug, Serialize)]
pub struct QuoteReply {
    /// What is held.
    pub price: String,
    /// The part of it that workers get.
    pub workers: String,
    /// The part of it that the gateway gets.
    pub gateway: String,
    /// The part of it that becomes credits.
    pub credits: String,
    /// The part of it that is burnt.
    pub burnt: String,
}

/// What subscribers are told.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum NewsReply {
    /// The next token.
    Token {
        /// The token.
        token: u32,
        /// What it adds to the text.
        text: String,
        /// Its position.
        position: Position,
        /// Tokens per second so far.
        rate: f64,
        /// Number of ranges by how far their workers agreed since the last token.
        ranges: AgreementReply,
    },
    /// The answer is complete.
    End {
        /// All tokens, prompt first.
        tokens: Vec<u32>,
        /// Tokens of the answer per second, the prompt's time included.
        rate: f64,
        /// Where the tokens are.
        #[serde(rename = "tokensId")]
        tokens_id: TensorId,
        /// Where the gateway's trace is.
        trace: TensorId,
        /// Number of positions that were computed.
        positions: Position,
        /// Why the answer breaks off, if it does.
        #[serde(skip_serializing_if = "Option::is_none")]
        cut: Option<String>,
        /// How far workers agreed.
        #[serde(flatten)]
        report: ReportReply,
    },
    /// There will be no answer.
    Failed {
        /// Why.
        reason: String,
    },
}

/// Numbers of ranges, or of outputs of ranges, by how far workers agreed.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct AgreementReply {
    /// All replicas.
    pub full: u64,
    /// Most of them.
    pub majority: u64,
    /// Too few to be sure.
    pub unverified: u64,
}

/// How far the workers of a session agreed.
#[derive(Clone, Debug, Serialize)]
pub struct ReportReply {
    /// Outputs of ranges.
    pub outputs: AgreementReply,
    /// Where workers differed from what was taken.
    pub disagreements: Vec<DisagreementReply>,
    /// Workers that were dropped.
    pub dropped: Vec<DroppedReply>,
}

/// Where a worker differed from what was taken.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct DisagreementReply {
    /// The worker's place.
    pub place: u32,
    /// The range.
    pub range: RangeIndex,
    /// The stage.
    pub stage: u32,
    /// The position.
    pub position: Position,
}

/// A worker that was dropped.
#[derive(Clone, Debug, Serialize)]
pub struct DroppedReply {
    /// Its place.
    pub place: u32,
    /// Why.
    pub reason: String,
}

/// Answer of `session`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionReply {
    /// Its number.
    pub session: SessionId,
    /// Where it stands: `open`, `assigned`, `voting`, `disputable`, or `over`.
    pub state: &'static str,
    /// What the chain says of it, while it is not over.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub terms: Option<SessionTerms>,
    /// Tokens of the answer so far, if this node is the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<usize>,
    /// How far workers agreed, if this node was the gateway and the answer is complete.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub report: Option<ReportReply>,
}

/// What the chain says of a session.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionTerms {
    /// The model.
    pub model: ModelId,
    /// Who asked.
    pub requester: AccountId,
    /// The gateway's account.
    pub gateway: AccountId,
    /// What is held for it, in planck.
    pub price: String,
    /// What it is paid with: `tune` or `credits`.
    pub payment: &'static str,
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Most tokens of the answer.
    pub max_tokens: u32,
    /// Workers that serve each range.
    pub replicas: u32,
    /// The workers, in the order of their places.
    pub workers: Vec<WorkerReply>,
}

/// A worker of a session.
#[derive(Clone, Debug, Serialize)]
pub struct WorkerReply {
    /// Its place.
    pub place: u32,
    /// Its account.
    pub account: AccountId,
    /// Its peer id.
    pub peer: String,
    /// The ranges that it serves, its own first.
    pub ranges: Vec<RangeIndex>,
    /// Rows of all matrices in them.
    pub rows: u64,
}

/// Why a method fails.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The gateway refuses.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The gateway does not agree to a session.
    #[error("{0}")]
    Refusal(Refusal),
    /// No tokens come of the prompt.
    #[error("the prompt makes no tokens: {0}")]
    Prompt(String),
    /// There can be no such session.
    #[error("there can be no session of this model with so many tokens, workers and replicas")]
    Terms,
    /// Too many at once.
    #[error("this node makes {MAX_PROMPTS} prompts at once, and too many wait for it; ask again in a while")]
    Busy,
    /// Messages are not handed on, or an answer is not taken.
    #[error(transparent)]
    Relay(#[from] RelayError),
}

impl From<Unavailable> for Error {
    fn from(error: Unavailable) -> Self {
        Self::Gateway(error.into())
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Answer(error) => Self::Gateway(error),
            Refusal::Terms => Self::Terms,
            other => Self::Refusal(other),
        }
    }
}

/// First of the error codes of these methods.
const BASE_CODE: i32 = 22_000;

impl Error {
    fn code(&self) -> i32 {
        let number = match self {
            Self::Gateway(error) => match error {
                GatewayError::UnknownSession(_) => 0,
                GatewayError::NotAssigned => 1,
                GatewayError::Closed => 2,
                GatewayError::NotGateway => 3,
                GatewayError::AnotherPrompt => 4,
                GatewayError::Answered(_) => 5,
                GatewayError::UnknownModel(_) => 6,
                GatewayError::Model(_) => 7,
                GatewayError::NoRoom(_) => 8,
                GatewayError::Busy(_) => 9,
                GatewayError::Thread(_) => 10,
                GatewayError::Chain(_) => 11,
                GatewayError::NoMemory { .. } => 22,
            },
            Self::Prompt(_) => 12,
            Self::Terms => 13,
            Self::Busy => 14,
            Self::Refusal(refusal) => match refusal {
                Refusal::TooFewReplicas(_) => 15,
                Refusal::Tokens => 16,
                Refusal::CannotPay(_) => 17,
                Refusal::NoGateway => 18,
                Refusal::BondTooSmall { .. } => 19,
                Refusal::Busy(_) => 20,
                Refusal::Unnoted(_) => 21,
                // These are errors of their own.
                Refusal::Answer(_) | Refusal::Terms => 13,
            },
            Self::Relay(error) => match error {
                RelayError::NoRoom => 100,
                RelayError::UnknownKey => 101,
                RelayError::AnotherNode(_) => 102,
                RelayError::Number { .. } => 103,
                RelayError::Signature => 104,
                RelayError::UnknownToken => 105,
                RelayError::NoAnswer(_) => 106,
                RelayError::NotAsked => 107,
                RelayError::NotTaken => 108,
                RelayError::NoVote(_) => 109,
                RelayError::Chain(_) => 11,
            },
        };
        BASE_CODE + number
    }
}

impl From<Error> for ErrorObjectOwned {
    fn from(error: Error) -> Self {
        ErrorObject::owned(error.code(), error.to_string(), None::<()>)
    }
}

/// The methods over a node's gateway.
pub struct RowsRpc {
    context: Arc<Context>,
    gateway: Arc<Gateway>,
    prompts: Turns,
}

impl RowsRpc {
    /// The methods, to be merged into a node's.
    pub(super) fn module(context: Arc<Context>, gateway: Arc<Gateway>) -> RpcModule<Self> {
        Self { context, gateway, prompts: Turns::new(MAX_PROMPTS, MAX_WAITING) }.into_rpc()
    }

    fn make_prompt(&self, model: ModelId, prompt: &Prompt, terms: Option<Terms>) -> Result<PromptReply, Error> {
        let view = self.context.chain.model(model)?.ok_or(GatewayError::UnknownModel(model))?;
        let opened = self.context.models.open(view.content).map_err(GatewayError::from)?;
        let tokens = opened.prompt(prompt).map_err(Error::Prompt)?;
        if tokens.is_empty() {
            return Err(Error::Prompt("it is empty".into()));
        }
        let count = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
        let quote = terms.map(|terms| self.quote(model, count, terms)).transpose()?;
        let hash = H256(blake2_256(&tokens.encode()));
        Ok(PromptReply { count: tokens.len(), tokens, hash, quote })
    }

    fn quote(&self, model: ModelId, count: u32, terms: Terms) -> Result<QuoteReply, Error> {
        let Terms { max_tokens, workers, replicas } = terms;
        // The last token is not computed with.
        let positions = count.saturating_add(max_tokens).saturating_sub(1);
        let quote = self.context.chain.quote(model, positions, workers, replicas)?;
        quote.map(Into::into).ok_or(Error::Terms)
    }

    fn terms(&self, session: &Session) -> Result<SessionTerms, Error> {
        let model = self.context.chain.model(session.model)?.ok_or(GatewayError::UnknownModel(session.model))?;
        let Architecture::Llama(llama) = model.architecture;
        let worker = |(place, worker): (u32, &chain::Participant)| {
            let ranges: Vec<_> = ranges_of(place, session.workers, session.replicas).collect();
            WorkerReply {
                place,
                account: worker.account.clone(),
                peer: chain::peer(worker).map_or_else(String::new, |peer| peer.to_string()),
                rows: rows(&llama, &ranges, session.workers),
                ranges,
            }
        };
        Ok(SessionTerms {
            model: session.model,
            requester: session.requester.clone(),
            gateway: session.gateway.account.clone(),
            price: session.price.to_string(),
            payment: match session.payment {
                Payment::Tune => "tune",
                Payment::Credits => "credits",
            },
            prompt_tokens: session.prompt_tokens,
            max_tokens: session.max_tokens,
            replicas: session.replicas,
            workers: (0..).zip(chain::workers(session)).map(worker).collect(),
        })
    }
}

/// Rows of all matrices in some ranges.
fn rows(llama: &Llama, served: &[RangeIndex], count: u32) -> u64 {
    let stages = (0..llama.stages()).filter_map(|number| llama.stage(number));
    let of_stage = |stage| served.iter().map(|range| ranges::len(llama, stage, *range, count) as u64).sum::<u64>();
    stages.map(of_stage).sum()
}

fn state(session: &Session) -> &'static str {
    match session.phase {
        SessionPhase::Open { .. } => "open",
        SessionPhase::Assigned { .. } => "assigned",
        SessionPhase::Voting { .. } => "voting",
        SessionPhase::Disputable { .. } => "disputable",
    }
}

#[async_trait]
impl RowsApiServer for RowsRpc {
    fn prompt(&self, model: ModelId, prompt: Prompt, terms: Option<Terms>) -> Result<PromptReply, Error> {
        let _turn = self.prompts.take(PROMPT_PATIENCE).ok_or(Error::Busy)?;
        self.make_prompt(model, &prompt, terms)
    }

    fn consent(
        &self,
        requester: AccountId,
        model: ModelId,
        tokens: Vec<u32>,
        terms: Terms,
        options: Option<ConsentOptions>,
    ) -> Result<ConsentReply, Error> {
        let (Terms { max_tokens, workers, replicas }, options) = (terms, options.unwrap_or_default());
        let payment = match options.payment {
            Means::Tune => Payment::Tune,
            Means::Credits => Payment::Credits,
        };
        let gateway = options.gateway;
        let wish = Wish { requester, model, tokens, max_tokens, workers, replicas, payment, gateway };
        Ok(self.gateway.consent(wish)?.into())
    }

    async fn generate(
        &self,
        pending: PendingSubscriptionSink,
        session: SessionId,
        tokens: Vec<u32>,
    ) -> SubscriptionResult {
        let gateway = self.gateway.clone();
        let progress = match tokio::task::spawn_blocking(move || gateway.generate(session, tokens)).await? {
            Ok(progress) => progress,
            Err(error) => {
                pending.reject(Error::from(error)).await;
                return Ok(());
            },
        };
        let sink = pending.accept().await?;
        let mut known = 0;
        loop {
            let news = tokio::select! {
                news = progress.after(known) => news,
                () = sink.closed() => return Ok(()),
            };
            let is_end = matches!(news, News::End(_));
            sink.send(SubscriptionMessage::from_json(&NewsReply::from(news))?).await?;
            if is_end {
                return Ok(());
            }
            known += 1;
        }
    }

    fn session(&self, session: SessionId) -> Result<SessionReply, Error> {
        let view = self.context.chain.session(session)?;
        let answered = self.context.ledger.answered(session);
        let progress = self.gateway.progress(session);
        if view.is_none() && answered.is_none() && progress.is_none() {
            return Err(GatewayError::UnknownSession(session).into());
        }
        let tokens = answered.as_ref().map(|answered| answered.report.tokens as usize);
        Ok(SessionReply {
            session,
            state: view.as_ref().map_or("over", state),
            terms: view.as_ref().map(|view| self.terms(view)).transpose()?,
            tokens: tokens.or_else(|| progress.map(|progress| progress.len())),
            report: answered.map(|answered| answered.report.into()),
        })
    }

    async fn serve_rows(
        &self,
        pending: PendingSubscriptionSink,
        key: H256,
        at: BlockNumber,
        signature: H512,
    ) -> SubscriptionResult {
        let context = self.context.clone();
        let signature = AttesterSignature::from(sr25519::Signature::from_raw(signature.0));
        let proof = Proof { key: AttesterId::from(sr25519::Public::from_raw(key.0)), at, signature };
        let mut relay = match tokio::task::spawn_blocking(move || Relay::begin(context, proof)).await? {
            Ok(relay) => relay,
            Err(error) => {
                pending.reject(Error::from(error)).await;
                return Ok(());
            },
        };
        let sink = pending.accept().await?;
        let mut item = RowsItem::Serving { token: relay.token() };
        loop {
            sink.send(SubscriptionMessage::from_json(&item)?).await?;
            let message = tokio::select! {
                message = relay.next() => message,
                () = sink.closed() => None,
            };
            // Somebody else asked with the same key, or this one is gone.
            let Some(message) = message else { return Ok(()) };
            item = RowsItem::Message { message: STANDARD.encode(message) };
        }
    }

    fn fetch_closing(&self, token: Token, session: SessionId) -> Result<(), Error> {
        Ok(self.context.fetch_closing(&token, session)?)
    }

    fn answer_rows(&self, token: Token, message: String) -> Result<(), Error> {
        let bytes = STANDARD.decode(message).map_err(|error| RelayError::NoAnswer(error.to_string()))?;
        let message = Message::read(&bytes).map_err(|error| RelayError::NoAnswer(error.to_string()))?;
        let gateway = self.context.relays.answer(&token, &message)?;
        match self.context.post.deliver(&gateway, &message, self.context.patience.room) {
            Delivery::Sent => Ok(()),
            Delivery::Gone | Delivery::Stuck => Err(RelayError::NotTaken.into()),
        }
    }
}

impl From<Quote<Balance>> for QuoteReply {
    fn from(Quote { price, workers, gateway, credits, burnt }: Quote<Balance>) -> Self {
        Self {
            price: price.to_string(),
            workers: workers.to_string(),
            gateway: gateway.to_string(),
            credits: credits.to_string(),
            burnt: burnt.to_string(),
        }
    }
}

impl From<Agreed> for ConsentReply {
    fn from(Agreed { gateway, number, until, signature, price }: Agreed) -> Self {
        let signature = format!("0x{}", hex::encode(signature.into_inner().0));
        Self { gateway, number, until, signature, price: price.to_string() }
    }
}

impl From<Agreement> for AgreementReply {
    fn from(Agreement { full, majority, unverified }: Agreement) -> Self {
        Self { full: full.into(), majority: majority.into(), unverified: unverified.into() }
    }
}

impl From<Disagreement> for DisagreementReply {
    fn from(Disagreement { place, range, stage, position }: Disagreement) -> Self {
        Self { place, range, stage, position }
    }
}

impl From<Report> for ReportReply {
    fn from(Report { full, majority, unverified, disagreements, dropped, .. }: Report) -> Self {
        Self {
            outputs: AgreementReply { full, majority, unverified },
            disagreements: disagreements.into_iter().map(Into::into).collect(),
            dropped: dropped.into_iter().map(|(place, reason)| DroppedReply { place, reason }).collect(),
        }
    }
}

impl From<News> for NewsReply {
    fn from(news: News) -> Self {
        match news {
            News::Item(Item { token, text, position, rate, agreement }) => {
                Self::Token { token, text, position, rate, ranges: agreement.into() }
            },
            News::End(end) => match *end {
                Ok(summary) => summary.into(),
                Err(reason) => Self::Failed { reason },
            },
        }
    }
}

impl From<Summary> for NewsReply {
    fn from(Summary { tokens, rate, closing, report, cut }: Summary) -> Self {
        Self::End {
            tokens,
            rate,
            tokens_id: closing.tokens.id(),
            trace: closing.trace.id(),
            positions: closing.positions(),
            cut,
            report: report.into(),
        }
    }
}
