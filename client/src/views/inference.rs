//! Models and sessions.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    amount::Amount,
    chain::{
        types::{ensemble_compute::inference::config::Architecture, ensemble_core::inference as chain},
        AccountId32,
    },
    views::hex_text,
};

/// A model.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ModelView {
    /// Its number.
    pub model: u32,
    /// Who registered it.
    pub registrant: String,
    /// The task that its bundle won.
    pub task: u32,
    /// The bundle.
    pub content: String,
    /// What is computed with it.
    pub architecture: String,
    /// Its layers.
    pub layers: u32,
    /// Its width.
    pub width: u32,
    /// Its heads.
    pub heads: u32,
    /// Number of its tokens.
    pub vocabulary: u32,
    /// Most positions of a conversation.
    pub positions: u32,
    /// Number of workers that serve it.
    pub workers: u32,
}

impl From<chain::ModelView<AccountId32>> for ModelView {
    fn from(model: chain::ModelView<AccountId32>) -> Self {
        let Architecture::Llama(llama) = model.architecture;
        Self {
            model: model.id,
            registrant: model.registrant.to_string(),
            task: model.task,
            content: hex_text(&model.content.0),
            architecture: "llama".into(),
            layers: llama.layers,
            width: llama.width,
            heads: llama.heads,
            vocabulary: llama.vocabulary,
            positions: llama.positions,
            workers: model.workers,
        }
    }
}

/// A session that is not over.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// Its number.
    pub session: u32,
    /// The model.
    pub model: u32,
    /// Who asked, and pays.
    pub requester: String,
    /// Who drives it.
    pub gateway: String,
    /// `open`, `assigned`, `voting` or `disputable`.
    pub state: String,
    /// Last block of that state, or the block in which workers are drawn.
    pub until: Option<u32>,
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Most tokens of the answer.
    pub max_tokens: u32,
    /// Number of workers.
    pub workers: u32,
    /// Workers that serve each range.
    pub replicas: u32,
    /// What is held for it.
    pub price: Amount,
    /// `tune` or `credits`.
    pub payment: String,
}

impl From<chain::SessionView<AccountId32, u128, u32>> for SessionView {
    fn from(session: chain::SessionView<AccountId32, u128, u32>) -> Self {
        let (state, until) = match &session.phase {
            chain::SessionPhase::Open { assign_at } => ("open", Some(*assign_at)),
            chain::SessionPhase::Assigned { until, .. } => ("assigned", Some(*until)),
            chain::SessionPhase::Voting { .. } => ("voting", None),
            chain::SessionPhase::Disputable { until, .. } => ("disputable", Some(*until)),
        };
        let payment = match session.payment {
            chain::Payment::Tune => "tune",
            chain::Payment::Credits => "credits",
        };
        Self {
            session: session.id,
            model: session.model,
            requester: session.requester.to_string(),
            gateway: session.gateway.account.to_string(),
            state: state.into(),
            until,
            prompt_tokens: session.prompt_tokens,
            max_tokens: session.max_tokens,
            workers: session.workers,
            replicas: session.replicas,
            price: Amount::planck(session.price),
            payment: payment.into(),
        }
    }
}

/// A worker of a model.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerView {
    /// Its account.
    pub account: String,
    /// The model that it serves.
    pub model: u32,
    /// The key that it signs with.
    pub key: String,
    /// The peer id of the node by which it is reached.
    pub peer: String,
    /// What is held as its bond.
    pub bond: Amount,
    /// What of that answers for the prices of sessions that it drives.
    pub pledged: Amount,
    /// Sessions that it takes part in and that are not over.
    pub sessions: u32,
    /// The block from which it may take its bond away, if it is leaving.
    pub leaves_at: Option<u32>,
}

impl From<chain::WorkerView<AccountId32, u128, u32>> for WorkerView {
    fn from(worker: chain::WorkerView<AccountId32, u128, u32>) -> Self {
        Self {
            account: worker.party.account.to_string(),
            model: worker.model,
            key: hex_text(&worker.party.key.0),
            peer: bs58::encode(&worker.party.peer.0).into_string(),
            bond: Amount::planck(worker.bond),
            pledged: Amount::planck(worker.pledged),
            sessions: worker.sessions,
            leaves_at: worker.leaves_at,
        }
    }
}

/// What a session costs.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct QuoteView {
    /// The model.
    pub model: u32,
    /// What is held.
    pub price: Amount,
    /// The part of it that workers get.
    pub workers: Amount,
    /// The part of it that the gateway gets.
    pub gateway: Amount,
    /// The part of it that becomes credits of the model's shareholders.
    pub credits: Amount,
    /// The part of it that is burnt.
    pub burnt: Amount,
}

impl QuoteView {
    /// What the chain says.
    pub fn new(model: u32, quote: &chain::Quote<u128>) -> Self {
        Self {
            model,
            price: Amount::planck(quote.price),
            workers: Amount::planck(quote.workers),
            gateway: Amount::planck(quote.gateway),
            credits: Amount::planck(quote.credits),
            burnt: Amount::planck(quote.burnt),
        }
    }
}
