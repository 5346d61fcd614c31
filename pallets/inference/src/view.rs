//! What outsiders may ask: the answers of the runtime API `InferenceApi`. Never called while a block is made.

use alloc::vec::Vec;

use ensemble_core::{
    inference::{ModelView, Party, SessionPhase, SessionView, WorkerView},
    AttesterId, ModelId, SessionId,
};
use frame_system::pallet_prelude::BlockNumberFor;

use crate::{
    Balance, Config, KeyOwners, ModelOf, Models, NextModelId, Pallet, RangeVote, Ranges, SeatCounts, Seats, SessionOf,
    Sessions, State, StateOf, Workers,
};

/// Most entries of an answer.
const MAX_ENTRIES: u32 = 100;

type ModelViewOf<T> = ModelView<<T as frame_system::Config>::AccountId>;
type WorkerViewOf<T> = WorkerView<<T as frame_system::Config>::AccountId, Balance, BlockNumberFor<T>>;
type SessionViewOf<T> = SessionView<<T as frame_system::Config>::AccountId, Balance, BlockNumberFor<T>>;
type PhaseOf<T> = SessionPhase<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

impl<T: Config> Pallet<T> {
    /// One model.
    pub fn model_view(id: ModelId) -> Option<ModelViewOf<T>> {
        let ModelOf::<T> { registrant, task, content, architecture, .. } = Models::<T>::get(id)?;
        Some(ModelView { id, registrant, task, content, architecture, workers: SeatCounts::<T>::get(id) })
    }

    /// Models in the order of their numbers, from `first` on, at most `limit` (and 100).
    pub fn model_views(first: ModelId, limit: u32) -> Vec<ModelViewOf<T>> {
        (first..NextModelId::<T>::get()).filter_map(Self::model_view).take(entries(limit)).collect()
    }

    /// The worker with this account.
    pub fn worker_view(account: T::AccountId) -> Option<WorkerViewOf<T>> {
        let worker = Workers::<T>::get(&account)?;
        Some(WorkerView {
            party: Party { account, key: worker.key, peer: worker.peer },
            model: worker.model,
            bond: worker.bond,
            pledged: worker.pledged,
            sessions: worker.sessions,
            leaves_at: worker.leaves_at,
        })
    }

    /// The worker with this key.
    pub fn worker_of_key(key: &AttesterId) -> Option<WorkerViewOf<T>> {
        Self::worker_view(KeyOwners::<T>::get(key)?)
    }

    /// The workers of a model that are drawn, from place `first` on, at most `limit` (and 100).
    pub fn worker_views(model: ModelId, first: u32, limit: u32) -> Vec<WorkerViewOf<T>> {
        let places = (first..SeatCounts::<T>::get(model)).take(entries(limit));
        places.filter_map(|place| Self::worker_view(Seats::<T>::get(model, place)?.account)).collect()
    }

    /// One session that is not over.
    pub fn session_view(id: SessionId) -> Option<SessionViewOf<T>> {
        let session = Sessions::<T>::get(id)?;
        let phase = phase::<T>(&session)?;
        let SessionOf::<T> { requester, model, gateway, question, payment, price, .. } = session;
        Some(SessionView {
            id,
            requester,
            model,
            gateway,
            prompt: question.prompt,
            prompt_tokens: question.prompt_tokens,
            max_tokens: question.max_tokens,
            workers: question.workers,
            replicas: question.replicas,
            price,
            payment,
            phase,
        })
    }

    /// Sessions that are not over, from number `first` on, at most `limit` (and 100).
    pub fn session_views(first: SessionId, limit: u32) -> Vec<SessionViewOf<T>> {
        let mut ids: Vec<_> = Sessions::<T>::iter_keys().filter(|id| *id >= first).collect();
        ids.sort_unstable();
        ids.into_iter().filter_map(Self::session_view).take(entries(limit)).collect()
    }
}

/// Where a session stands; nothing if it is being settled, which is nobody's business but the chain's.
fn phase<T: Config>(session: &SessionOf<T>) -> Option<PhaseOf<T>> {
    let votes_of = |ranges: &Ranges| -> Vec<RangeVote> { ranges.iter().map(|range| range.vote.clone()).collect() };
    Some(match &session.state {
        StateOf::<T>::Open => SessionPhase::Open { assign_at: session.due? },
        State::Assigned { team, until } => SessionPhase::Assigned { workers: team.to_vec(), until: *until },
        State::Closed { team, closing, .. } => {
            SessionPhase::Voting { workers: team.to_vec(), closing: *closing, votes: Vec::new() }
        },
        State::Voting { team, closing, ranges } => {
            SessionPhase::Voting { workers: team.to_vec(), closing: *closing, votes: votes_of(ranges) }
        },
        State::Disputable { team, closing, ranges, until, .. } => SessionPhase::Disputable {
            workers: team.to_vec(),
            closing: *closing,
            votes: votes_of(ranges),
            until: *until,
        },
        State::Settling { .. } => return None,
    })
}

fn entries(limit: u32) -> usize {
    usize::try_from(limit.min(MAX_ENTRIES)).unwrap_or(usize::MAX)
}
