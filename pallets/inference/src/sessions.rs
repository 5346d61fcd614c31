//! Sessions: opening them, drawing their workers, and what happens if the gateway does not close.

use alloc::vec::Vec;

use ensemble_compute::inference::Architecture;
use ensemble_core::{
    deposits::deposit,
    inference::{Payment, Position, MAX_REPLICAS, MAX_SESSION_WORKERS},
    ModelId, SessionId,
};
use frame_support::{ensure, pallet_prelude::*};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
    traits::{One, Saturating},
    ArithmeticError,
};

use crate::{
    price::session_bytes, Agenda, Config, ConsentOf, CurrentLengths, CurrentParameters, End, Error, Event, HoldReason,
    Models, NextSessionId, Pallet, Question, Refund, Session, SessionOf, Sessions, State, TeamOf, WorkerOf,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_open(
        requester: T::AccountId,
        model_id: ModelId,
        gateway: T::AccountId,
        question: Question,
        payment: Payment,
        consent: Option<ConsentOf<T>>,
    ) -> DispatchResult {
        let mut model = Self::model(model_id)?;
        let Question { workers, replicas, prompt_tokens, max_tokens, .. } = question;
        ensure!(prompt_tokens > 0 && max_tokens > 0, Error::<T>::InvalidLength);
        Self::check_shape(&model.architecture, question.most_positions(), workers, replicas)?;
        ensure!(Sessions::<T>::count() < T::MaxSessions::get(), Error::<T>::TooManySessions);
        let mut worker = Self::gateway(&gateway)?;
        let parameters = CurrentParameters::<T>::get();
        let (price, fee) =
            Self::price_of(&model.architecture, &question, &parameters.rates).ok_or(Error::<T>::PriceTooHigh)?;
        ensure!(worker.free_bond() >= price, Error::<T>::BondNotFree);
        match consent {
            Some(consent) => Self::use_consent(&mut worker, &requester, model_id, &question, payment, &consent)?,
            None => ensure!(requester == gateway, Error::<T>::NoConsent),
        }
        let deposit = deposit(T::SessionDeposit::get(), Sessions::<T>::count(), T::MaxSessions::get());

        let id = Self::take_session_id()?;
        Self::hold(HoldReason::Session, &requester, deposit)?;
        match payment {
            Payment::Tune => Self::hold(HoldReason::Price, &requester, price)?,
            Payment::Credits => Self::spend_credits(&requester, model_id, price)?,
        }
        let gateway = Self::pledge(gateway, worker, price);
        model.sessions.saturating_inc();
        Models::<T>::insert(model_id, model);
        let assign_at = frame_system::Pallet::<T>::block_number().saturating_add(T::AssignDelay::get());
        let mut session = Session {
            requester: requester.clone(),
            model: model_id,
            gateway: gateway.clone(),
            question,
            payment,
            rates: parameters.rates,
            split: parameters.split,
            price,
            fee,
            deposit,
            held: price,
            purse: 0,
            due: None,
            state: State::Open,
        };
        Self::schedule(id, &mut session, Some(assign_at));
        Sessions::<T>::insert(id, session);
        Self::deposit_event(Event::SessionOpened {
            session: id,
            requester,
            model: model_id,
            gateway: gateway.account,
            question,
            payment,
            price,
            deposit,
            assign_at,
        });
        Ok(())
    }

    /// Whether a model can compute so many positions with so many workers and replicas.
    pub(crate) fn check_shape(
        architecture: &Architecture,
        positions: Position,
        workers: u32,
        replicas: u32,
    ) -> Result<(), Error<T>> {
        let Architecture::Llama(llama) = architecture;
        let bytes = session_bytes(architecture, positions, workers);
        let most = llama.positions.min(T::MaxPositions::get());
        ensure!((1..=most).contains(&positions), Error::<T>::InvalidLength);
        ensure!((1..=MAX_SESSION_WORKERS).contains(&workers), Error::<T>::InvalidWorkers);
        let fits = !replicas.is_multiple_of(2) && replicas <= MAX_REPLICAS.min(workers);
        ensure!(fits, Error::<T>::InvalidReplicas);
        ensure!(bytes.is_some_and(|bytes| bytes <= T::MaxSessionBytes::get()), Error::<T>::TracesTooLarge);
        Ok(())
    }

    /// An account that may drive a generation.
    fn gateway(account: &T::AccountId) -> Result<WorkerOf<T>, Error<T>> {
        let worker = Self::worker(account).map_err(|_| Error::NotAGateway)?;
        ensure!(worker.leaves_at.is_none() && worker.bond >= T::MinBond::get(), Error::<T>::NotAGateway);
        Ok(worker)
    }

    fn take_session_id() -> Result<SessionId, DispatchError> {
        NextSessionId::<T>::try_mutate(|next| {
            let id = *next;
            *next = id.checked_add(1).ok_or(ArithmeticError::Overflow)?;
            Ok(id)
        })
    }

    /// A session that is not over.
    pub(crate) fn session(id: SessionId) -> Result<SessionOf<T>, Error<T>> {
        Sessions::<T>::get(id).ok_or(Error::UnknownSession)
    }

    /// Moves a session in the agenda. The caller stores the session.
    pub(crate) fn schedule(id: SessionId, session: &mut SessionOf<T>, due: Option<BlockNumberFor<T>>) {
        if let Some(before) = session.due {
            Agenda::<T>::remove(before, id);
        }
        if let Some(due) = due {
            Agenda::<T>::insert(due, id, ());
        }
        session.due = due;
    }

    /// The block after `block`.
    pub(crate) fn after(block: BlockNumberFor<T>) -> BlockNumberFor<T> {
        block.saturating_add(One::one())
    }

    /// Draws the workers of a session.
    pub(crate) fn assign(id: SessionId, mut session: SessionOf<T>, now: BlockNumberFor<T>) {
        let drawn = Self::draw(id, session.model, &session.gateway.account, session.question.workers);
        match drawn {
            Some(accounts) => {
                let until = now.saturating_add(CurrentLengths::<T>::get().answer);
                let parties: Vec<_> = accounts.iter().cloned().filter_map(Self::engage).collect();
                session.state = State::Assigned { team: BoundedVec::truncate_from(parties), until };
                Self::schedule(id, &mut session, Some(Self::after(until)));
                Self::deposit_event(Event::SessionAssigned { session: id, workers: accounts, until });
            },
            None => Self::end(id, &mut session, BoundedVec::new(), End::Refunded(Refund::TooFewWorkers), now),
        }
        Sessions::<T>::insert(id, session);
    }

    /// The gateway did not close. Whatever it did with the answer, it has lost the price, and nobody has gained it.
    pub(crate) fn time_out(id: SessionId, mut session: SessionOf<T>, now: BlockNumberFor<T>) {
        Self::burn(Self::slash_bond(id, &session.gateway.account, session.price));
        let team = BoundedVec::truncate_from(session.state.team().to_vec());
        Self::end(id, &mut session, team, End::Refunded(Refund::NotClosed), now);
        Sessions::<T>::insert(id, session);
    }

    /// Has a session settled from now on. The caller stores the session.
    pub(crate) fn end(id: SessionId, session: &mut SessionOf<T>, team: TeamOf<T>, end: End, now: BlockNumberFor<T>) {
        let refund = match &end {
            End::Refunded(refund) => Some(*refund),
            End::Wrong { .. } => Some(Refund::Wrong),
            End::Paid(_) => None,
        };
        session.state = State::Settling { team, end, next: 0 };
        Self::schedule(id, session, Some(now));
        Self::deposit_event(Event::SessionOver { session: id, refund });
    }
}
