//! The chain's state, as workers and gateways ask it.

use std::sync::Arc;

use ensemble_core::{
    inference::{
        InferenceApi, ModelId, ModelView, Party, Payment, Question, Quote, SessionId, SessionPhase, SessionView,
        WorkerView,
    },
    AttesterId,
};
use ensemble_runtime::{opaque::Block, AccountId, Balance, BlockNumber, Hash};
use sc_network_types::PeerId;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;

/// What the chain says of a session.
pub type Session = SessionView<AccountId, Balance, BlockNumber>;
/// What the chain says of a model.
pub type Model = ModelView<AccountId>;
/// What the chain says of a worker, or gateway.
pub type Bonded = WorkerView<AccountId, Balance, BlockNumber>;
/// Somebody who takes part in a session.
pub type Participant = Party<AccountId>;

/// Most sessions that are looked through for one that has a peer for its gateway.
const MAX_SCANNED: u32 = 2_000;
/// Sessions in one answer of the chain.
const PAGE: u32 = 100;

/// The chain's state cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the chain's state cannot be read: {0}")]
pub struct Unavailable(pub String);

/// What the chain says of inference, by the state of the best block. All of it may block.
pub trait Chain: Send + Sync {
    /// The best block.
    fn best(&self) -> Hash;

    /// Number of the best block.
    fn best_number(&self) -> BlockNumber;

    /// A session that is not over.
    fn session(&self, id: SessionId) -> Result<Option<Session>, Unavailable>;

    /// Sessions that are not over.
    fn sessions(&self) -> Result<Vec<Session>, Unavailable>;

    /// A model.
    fn model(&self, id: ModelId) -> Result<Option<Model>, Unavailable>;

    /// What a session of this shape would cost.
    fn quote(
        &self,
        model: ModelId,
        positions: u32,
        workers: u32,
        replicas: u32,
    ) -> Result<Option<Quote<Balance>>, Unavailable>;

    /// The worker with a key.
    fn worker_of_key(&self, key: &AttesterId) -> Result<Option<Bonded>, Unavailable>;

    /// What an account could pay for a session of a model, in planck.
    fn means(&self, account: &AccountId, model: ModelId, payment: Payment) -> Result<Balance, Unavailable>;
}

/// The node's own chain.
pub struct ClientChain<C>(pub Arc<C>);

impl<C> Chain for ClientChain<C>
where
    C: ProvideRuntimeApi<Block> + HeaderBackend<Block> + Send + Sync,
    C::Api: InferenceApi<Block, AccountId, Balance, BlockNumber>,
{
    fn best(&self) -> Hash {
        self.0.info().best_hash
    }

    fn best_number(&self) -> BlockNumber {
        self.0.info().best_number
    }

    fn session(&self, id: SessionId) -> Result<Option<Session>, Unavailable> {
        self.0.runtime_api().session(self.best(), id).map_err(unavailable)
    }

    fn sessions(&self) -> Result<Vec<Session>, Unavailable> {
        let (at, mut all, mut first) = (self.best(), Vec::new(), 0);
        while all.len() < MAX_SCANNED as usize {
            let page = self.0.runtime_api().sessions(at, first, PAGE).map_err(unavailable)?;
            let Some(next) = page.last().and_then(|session| session.id.checked_add(1)) else { break };
            first = next;
            all.extend(page);
        }
        Ok(all)
    }

    fn model(&self, id: ModelId) -> Result<Option<Model>, Unavailable> {
        self.0.runtime_api().model(self.best(), id).map_err(unavailable)
    }

    fn quote(
        &self,
        model: ModelId,
        positions: u32,
        workers: u32,
        replicas: u32,
    ) -> Result<Option<Quote<Balance>>, Unavailable> {
        self.0.runtime_api().quote(self.best(), model, positions, workers, replicas).map_err(unavailable)
    }

    fn worker_of_key(&self, key: &AttesterId) -> Result<Option<Bonded>, Unavailable> {
        self.0.runtime_api().worker_of_key(self.best(), key.clone()).map_err(unavailable)
    }

    fn means(&self, account: &AccountId, model: ModelId, payment: Payment) -> Result<Balance, Unavailable> {
        let (api, at, account) = (self.0.runtime_api(), self.best(), account.clone());
        let means = match payment {
            Payment::Tune => api.funds(at, account),
            Payment::Credits => api.credits(at, account, model),
        };
        means.map_err(unavailable)
    }
}

fn unavailable(error: impl ToString) -> Unavailable {
    Unavailable(error.to_string())
}

/// The peer of a participant, if what it announced is one.
pub fn peer(participant: &Participant) -> Option<PeerId> {
    PeerId::from_bytes(&participant.peer).ok()
}

/// The workers of a session, in the order of their places, once they are drawn.
pub fn workers(session: &Session) -> &[Participant] {
    match &session.phase {
        SessionPhase::Open { .. } => &[],
        SessionPhase::Assigned { workers, .. }
        | SessionPhase::Voting { workers, .. }
        | SessionPhase::Disputable { workers, .. } => workers,
    }
}

/// What a session was opened for.
pub fn question(session: &Session) -> Question {
    Question {
        prompt: session.prompt,
        prompt_tokens: session.prompt_tokens,
        max_tokens: session.max_tokens,
        workers: session.workers,
        replicas: session.replicas,
    }
}

/// Most positions that are computed in a session.
pub fn most_positions(session: &Session) -> u32 {
    question(session).most_positions()
}
